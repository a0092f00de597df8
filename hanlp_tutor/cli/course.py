"""The command about the article: ``claims``."""

from __future__ import annotations

from typing import Any

import click

from hanlp_tutor.cli.common import speaks_json


@click.command()
@speaks_json
def claims(as_json: bool) -> dict[str, Any]:
    """Hold the article's claims beside what was measured, read from the result files, with a verdict each."""
    from hanlp_tutor.teach.course.claims import claims as compared
    from hanlp_tutor.teach.course.claims import read_claims, tally

    rows = compared()
    if not as_json:
        for row in rows:
            click.echo(f"{row['claim']}\n  the article: {row['the article says']}   lesson {row['lesson']}")
            click.echo(f"  measured: {row['measured']}")
            click.echo(f"  {row['verdict']}. {row['because']}".rstrip())
            if row["command"]:
                click.echo(f"  on a machine that can: {row['command']}")
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in tally(rows).items()))
    return {"source": read_claims()["source"], "claims": rows, "tally": tally(rows)}
