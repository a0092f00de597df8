"""``hanlp-tutor diagnose``: what went wrong in a run, from its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.speaking import Reported, speaks_json


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@speaks_json
def diagnose(run: Path, as_json: bool) -> dict[str, Any]:
    """Name what is wrong with RUN, a run folder, with the evidence and a remedy for each fault.

    Exit code 0: nothing was found; 1: at least one fault; 2: the folder cannot be read.
    """
    from hanlp_tutor.workbench.diagnose import diagnose as diagnose_run

    diagnosis = diagnose_run(run)
    if as_json:
        click.echo(json.dumps(diagnosis.to_json(), ensure_ascii=False))
    else:
        click.echo(str(diagnosis))
    if diagnosis.findings:
        raise Reported(1)
    return None
