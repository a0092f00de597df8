"""``hanlp-tutor calibrate``: make the scores of a saved model mean what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.model_folders import model_folder
from hanlp_tutor.cli.options import reads_files
from hanlp_tutor.cli.speaking import speaks_json


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@reads_files()
@speaks_json
def calibrate(model: Path, file: Path, reading: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """Fit MODEL's temperature on a labelled FILE that it was not trained on, and keep it in its folder.

    Predictions stay as they are; only scores change.
    """
    from hanlp_tutor.core.model_folder import load_model, save_model
    from hanlp_tutor.data import read_examples
    from hanlp_tutor.workbench.calibration import (
        at_an_end,
        expected_calibration_error,
        gather_logits,
        prediction_scores,
        temperature_of,
    )

    folder = model_folder(model)
    loaded = load_model(folder)
    examples = read_examples(loaded.task, file, **reading)
    pairs = gather_logits(loaded, examples)
    before, loaded.temperature = loaded.temperature, temperature_of(loaded, pairs)
    errors = [expected_calibration_error(*prediction_scores(loaded, pairs, t)) for t in (before, loaded.temperature)]
    save_model(loaded, folder)
    if note := at_an_end(loaded.temperature):
        click.echo(f"Note: {note}", err=True)
    if not as_json:
        click.echo(
            f"temperature {loaded.temperature:.3f}; calibration error {errors[0]:.4f} before, {errors[1]:.4f} after"
        )
    return {"temperature": loaded.temperature, "ece_before": errors[0], "ece_after": errors[1]}
