"""A finished model as the beginning of another run: ``hanlp-tutor train --from RUN/model``.

What the model knows it keeps, its labels and every weight; labels that only the new training file has get rows of
their own in the head (:func:`~hanlp_tutor.workbench.add_labels.with_labels`). To add types of which the old data say
nothing without losing the old ones, there is :func:`hanlp_tutor.extend`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import load_model
from hanlp_tutor.core.run import Run
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Split
from hanlp_tutor.errors import ModelError, TrainingError
from hanlp_tutor.manifest import update_manifest
from hanlp_tutor.run_folder import why_no_model
from hanlp_tutor.workbench.add_labels import with_labels


@dataclass(frozen=True)
class Start:
    """A run's beginning.

    Attributes:
        model: ready to be trained; it knows all labels.
        config: the options, where they were left open those of the model.
        facts: for the manifest: the ``path`` of the model, ``sha256`` of its weights, ``added`` and ``unseen`` labels.
    """

    model: Model
    config: TrainConfig
    facts: dict[str, Any]

    def note(self, run: Run) -> None:
        """Say it, and write it into the manifest."""
        added = f"; new: {', '.join(self.facts['added'])}" if self.facts["added"] else ""
        run.reporter.say(f"Goes on from {self.facts['path']} and its {len(self.model.labels)} labels{added}.")
        if self.facts["unseen"]:
            run.reporter.say(
                f"The training file has no {', '.join(self.facts['unseen'])}, which the model knows and will "
                "unlearn, as it no longer sees them. Put old examples into the file, or use hanlp_tutor.extend."
            )
        update_manifest(run.out, **{"from": self.facts})


def check_start(folder: str | Path, task: str) -> None:
    """Refuse a model to go on from by its card alone, before any file of a run is read.

    Raises:
        ModelError: there is none, or it is of another task. What else may be wrong shows when it is opened.
    """
    folder = Path(folder)
    reason = why_no_model(folder)
    if reason is not None:
        raise ModelError(f"{folder}: {reason}")
    try:
        found = json.loads((folder / "model.json").read_text(encoding="utf-8"))["task"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if found != task:
        raise ModelError(f"{folder}: a model of the task {found}, and the files are of {task}.")


def go_on(folder: str | Path, task: str, split: Split, config: TrainConfig) -> Start:
    """Open a model folder as the beginning of a run on new files.

    Args:
        folder: of the kit's own model, ``RUN/model``.
        task: of the new files.
        split: whose training set names the labels.
        config: of the run. ``crf`` and ``dropout`` are the model's where they were not given.

    Raises:
        ModelError: no such model, one of another task, or new labels that it cannot take.
        ConfigError: an option that contradicts the model.
    """
    folder = Path(folder)
    check_start(folder, task)
    model = load_model(folder)
    labels = label_set(task, split.train)
    grown = with_labels(model, labels, seed=config.seed)
    kept = {_name(task, label) for label in model.labels} - {""}
    now = {_name(task, label) for label in grown.labels} - {""}
    facts = {
        "path": str(folder),
        "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "added": sorted(now - kept),
        "unseen": sorted(kept - {_name(task, label) for label in labels}),
    }
    return Start(grown, _agreeing(config, model), facts)


def check_same_start(out: Path, facts: dict[str, Any] | None) -> None:
    """A run is resumed from the beginning that it had.

    Raises:
        TrainingError: it was begun from another model, or from none.
    """
    manifest = out / "manifest.json"
    before = json.loads(manifest.read_text(encoding="utf-8")).get("from") if manifest.exists() else facts
    if (before or {}).get("sha256") != (facts or {}).get("sha256"):
        begun = f"with --from {before['path']}, with the weights that it had then" if before else "without --from"
        raise TrainingError(f"{out}: this run was begun {begun}. Resume it so, or begin a new one in another folder.")


def _name(task: str, label: str) -> str:
    """The entity type of a tag; else the label itself."""
    return label[2:] if task == "ner" else label


def _agreeing(config: TrainConfig, model: Model) -> TrainConfig:
    """The options, with those of the model's build as it has them; what was not given still counts as not given."""
    config.check_model(model.task, model.crf)
    return config.completed({"crf": model.crf, "dropout": model.head.dropout.p})
