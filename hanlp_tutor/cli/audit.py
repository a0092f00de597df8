"""``hanlp-tutor audit``: what is wrong with labelled data, before it costs a training run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.options import reads_files
from hanlp_tutor.cli.speaking import Reported, speaks_json


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dev", type=click.Path(path_type=Path))
@click.option("--test", type=click.Path(path_type=Path))
@click.option("--task", type=click.Choice(["ner", "classify", "relation"]), help="Default: what FILE looks like.")
@click.option("--label-errors", is_flag=True, help="Look for probable label errors too, by cross-validation: minutes.")
@reads_files(encoding=None)
@speaks_json
def audit(
    file: Path,
    dev: Path | None,
    test: Path | None,
    task: str | None,
    label_errors: bool,
    reading: dict[str, Any],
    as_json: bool,
) -> dict[str, Any]:
    """Find what is wrong with FILE, the training data, with dev and test data, and between them.

    Wrong transitions, unknown and misspelt labels, contradictions, duplicates, leaks between the sets, odd characters,
    long texts, class balance. A file that training would refuse is read as far as it can be, and each refused line is
    named.

    Exit code 0: no error was found, though there may be warnings and notes; 1: at least one error; 2: the files could
    not be read at all.
    """
    from hanlp_tutor.workbench.audit import audit as audit_files

    report = audit_files(file, dev, test, task=task, label_errors=label_errors, **reading)
    click.echo(json.dumps(report.to_json(), ensure_ascii=False) if as_json else report.to_text())
    if report.counts["error"]:
        raise Reported(1)
    return None
