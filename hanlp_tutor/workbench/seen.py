"""What a model has seen of a file: which of its examples the run trained on, and which it held out.

A run of :func:`hanlp_tutor.workbench.job.train_job` leaves its division as hashes, ``split.json``, beside its manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hanlp_tutor.data import Split, fingerprint
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.stored_split import SPLIT_FILE, load_part, parts_known, save_split
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.manifest import read_manifest


def keep_split(run: Path, split: Split) -> None:
    """Leave the division of a run's examples in its folder; not of a corpus on the disk, which is not read for this."""
    if getattr(split.train, "lengths", None) is None:
        save_split(run / SPLIT_FILE, split)


def run_of(model: Path) -> Path | None:
    """The run folder that a model lies in, or that was named in its place; None of a model by itself."""
    return next((folder for folder in (model, model.absolute().parent) if (folder / "manifest.json").exists()), None)


def part_of(examples: Sequence[Any], part: str, stored: Path | None, model: Path) -> list[Any]:
    """The examples of one set, as a stored split says, or that of the model's run; others are left out, with a note.

    Args:
        examples: of a file.
        part: ``train``, ``dev`` or ``test``.
        stored: a stored split; None takes that of the run.
        model: a run or model folder.

    Raises:
        ConfigError: none is given, and the run has none.
        DataError: as :func:`hanlp_tutor.data.stored_split.load_part`.
    """
    if stored is None:
        run = run_of(model)
        if run is None or not (run / SPLIT_FILE).exists():
            raise ConfigError(f"{model}: no {SPLIT_FILE} lies beside this model, and nothing says what it learnt from. "
                              "Name the stored split of the file with --split FILE.")  # fmt: skip
        stored = run / SPLIT_FILE
    taken, unknown = load_part(stored, examples, part)
    if unknown:
        note(f"{stored}: {unknown:,} of {len(examples):,} examples are in no set of this split, and are left out.")
    return taken


def note_seen(examples: Sequence[Any], file: str | Path, model: Path) -> None:
    """Say so where the model's run has trained on some of the examples: text and labels alike, by their hashes.

    Of a run without a stored split only whether they are its training set as a whole can be told; of a model by itself
    nothing.
    """
    run = run_of(model)
    if run is None:
        return
    if (run / SPLIT_FILE).exists():
        seen = parts_known(run / SPLIT_FILE, examples)
    else:
        whole = read_manifest(run).get("data", {}).get("train") == fingerprint(examples)
        seen = {"train": len(examples) * whole, "dev": 0, "test": 0}
    if not seen["train"]:
        return
    others = 0 < seen["test"] < len(examples)
    held_out = f" --part test takes the {seen['test']:,} that were held out." if others else ""
    note(
        f"{file}: {seen['train']:,} of {len(examples):,} examples are among those that this model was trained on, so "
        f"the scores flatter.{held_out or ' Take examples that it has not seen.'}"
    )
