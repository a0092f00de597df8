"""The command about this machine: ``doctor``."""

from __future__ import annotations

import json
from typing import Any

import click

from hanlp_tutor.cli.common import Reported, speaks_json


@click.command()
@speaks_json
def doctor(as_json: bool) -> dict[str, Any]:
    """Say what this machine can do, and what is missing."""
    from hanlp_tutor.workbench.doctor import examine, render

    report = examine()
    if not as_json:
        click.echo(render(report))
    if not report["healthy"]:
        if as_json:
            click.echo(json.dumps(report, ensure_ascii=False))
        raise Reported(1)
    return report
