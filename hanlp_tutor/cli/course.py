"""The command about the article: ``claims``."""

from __future__ import annotations

from typing import Any

import click

from hanlp_tutor.cli.common import speaks_json


@click.command()
@speaks_json
def claims(as_json: bool) -> dict[str, Any]:
    """Hold the article's claims beside what was measured, read from the result files."""
    from hanlp_tutor.teach.course.claims import claims as compared
    from hanlp_tutor.teach.course.claims import read_claims

    rows = compared()
    if not as_json:
        for row in rows:
            click.echo(f"{row['claim']}\n  the article: {row['the article says']}   lesson {row['lesson']}")
            click.echo(f"  measured: {row['measured']}")
    return {"source": read_claims()["source"], "claims": rows}
