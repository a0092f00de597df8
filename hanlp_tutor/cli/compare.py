"""``hanlp-tutor compare``: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.options import NewFile, reads_files
from hanlp_tutor.cli.speaking import speaks_json


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--on", type=click.Path(path_type=Path), help="A labelled file: pair the models' predictions on it.")
@click.option("--out", type=NewFile(), help="A picture of the curves: .png, .svg or .pdf.")
@reads_files()
@speaks_json
def compare(
    runs: tuple[Path, ...], on: Path | None, out: Path | None, reading: dict[str, Any], as_json: bool
) -> dict[str, Any]:
    """Hold two or more RUNS (run folders) against each other; the first is what the others are compared with.

    Options that differ, metrics, curves; and the paired difference with its 95 % interval, over the seeds of runs that
    have the same options otherwise, or over the texts of --on FILE. What cannot be paired is said.
    """
    from hanlp_tutor.workbench.compare import compare_runs, draw, in_words

    compared = compare_runs(runs, on=on, reading=reading)
    if out is not None:
        draw(compared, out)
    if not as_json:
        click.echo(in_words(compared))
        if out is not None:
            click.echo(f"picture: {out}")
    return compared.to_json()
