"""The commands about this machine: ``doctor``, and ``bench``, which measures it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hanlp_tutor.cli.options import NewFile
from hanlp_tutor.cli.speaking import Reported, speaks_json

if TYPE_CHECKING:  # the command line starts without torch
    from collections.abc import Callable

    from hanlp_tutor.core.model import Model


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


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), help="Each contestant once a round; default: 5, quick 1.")
@click.option("--quick", is_flag=True, help="A few sentences: whether it runs, not how fast.")
@click.option(
    "--out",
    type=NewFile(),
    help="A JSON file, written after each round; rounds that it holds are not measured again.",
)
@speaks_json
def bench(rounds: int | None, quick: bool, out: Path | None, as_json: bool) -> dict[str, Any]:
    """Train and predict beside the Hugging Face Trainer and HanLP's own loop, in turns, on one thread."""
    from hanlp_tutor.workbench.bench.material import QUICK, Sizes
    from hanlp_tutor.workbench.bench.report import ROUNDS, table
    from hanlp_tutor.workbench.bench.rounds import bench as measure

    speak = click.get_text_stream("stderr")
    content = measure(
        QUICK if quick else Sizes(),
        rounds or (1 if quick else ROUNDS),
        out,
        open_onnx=_onnx if find_spec("onnxruntime") else None,
        say=lambda line: click.echo(line, file=speak),
    )
    if not as_json:
        click.echo(table(content))
    return content


def _onnx(model: Model, folder: Path) -> Callable[[str], Any]:
    """What answers one text by ONNX Runtime."""
    from hanlp_tutor.serving.onnx_export import export_onnx
    from hanlp_tutor.serving.onnx_predictor import OnnxPredictor

    predictor = OnnxPredictor(export_onnx(model, folder), threads=1)
    return lambda text: predictor.predict_many([text])
