"""A run folder, read: what the rules of :mod:`hanlp_tutor.workbench.diagnose` look at."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from hanlp_tutor.core.history import read_history
from hanlp_tutor.core.task import TASKS
from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.errors import DataError
from hanlp_tutor.manifest import RESULT_FILE

Row = dict[str, "float | None"]


@dataclass(frozen=True)
class Record:
    """The manifest, the history and the metrics of a run; what a folder lacks is None, and its rules keep silent."""

    folder: Path
    manifest: dict[str, Any]
    history: list[Row]
    metrics: dict[str, Any] | None

    def fact(self, *path: str) -> Any:
        """An entry of the manifest by its path; None where it is not there."""
        value: Any = self.manifest
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    @property
    def task(self) -> str | None:
        """``ner``, ``classify``, or None when the folder does not say."""
        return self.fact("task")

    @cached_property
    def evaluations(self) -> list[Row]:
        """The rows with a dev score."""
        return [row for row in self.history if row.get("dev_score") is not None]

    @property
    def last(self) -> Row | None:
        """The last row with a dev score."""
        return self.evaluations[-1] if self.evaluations else None

    @property
    def several_tasks(self) -> bool:
        """Whether its losses and counts are those of several tasks together."""
        return self.task in TASKS and TASKS[self.task].several

    @cached_property
    def floor(self) -> float | None:
        """The loss of a model that knows how frequent each label is and nothing else: their entropy, in nats.

        None where a loss cannot be held against it: of several tasks at once, or with weighted classes.
        """
        if self.several_tasks or self.fact("config", "class_weights"):
            return None
        counts = [count for count in (self.fact("data", "train_labels") or {}).values() if count]
        if len(counts) < 2:
            return None
        total = sum(counts)
        return -sum(count / total * math.log(count / total) for count in counts)

    def loss_over(self, start: float, end: float) -> float | None:
        """The mean training loss over a part of the run, from 0 to 1; at least one row of it."""
        rows = [row for row in self.history if row.get("loss") is not None]
        if not rows:
            return None
        first = min(int(start * len(rows)), len(rows) - 1)
        return mean(row["loss"] for row in rows[first : max(first + 1, math.ceil(end * len(rows)))])

    @cached_property
    def left(self) -> float | None:
        """The share of :attr:`floor` that is left of the training loss at the end: near 1, nothing was learnt."""
        loss = self.loss_over(0.8, 1.0)
        return None if loss is None or not self.floor else loss / self.floor


def read_run(folder: str | Path) -> Record:
    """Read a run folder.

    Raises:
        DataError: there is neither manifest nor history in it, or one of them cannot be read.
    """
    folder = Path(folder)
    manifest, history = folder / "manifest.json", folder / "history.csv"
    if not manifest.exists() and not history.exists():
        raise DataError(
            "no run folder: it holds neither manifest.json nor history.csv.",
            path=folder,
            remedy="Give the folder that fine_tune or `hanlp-tutor train --out` wrote.",
        )
    return Record(
        folder,
        (_json(manifest) or {}),
        _rows(history) if history.exists() else [],
        _json(folder / RESULT_FILE),
    )


def _json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _unless_damaged(path, error)
        raise DataError(f"not readable as JSON ({error}).", path=path, remedy="Repeat the run.") from None
    if not isinstance(content, dict):
        raise DataError("holds no JSON object.", path=path, remedy="Repeat the run.")
    return content


def _rows(path: Path) -> list[Row]:
    try:
        return read_history(path)
    except (OSError, ValueError, TypeError) as error:
        _unless_damaged(path, error)
        raise DataError(f"no history of a run ({error}).", path=path, remedy="Repeat the run.") from None


def _unless_damaged(path: Path, error: Exception) -> None:
    """A run need not be repeated because its folder may not be read."""
    reason = other_than_damage(path, error)
    if reason:
        raise DataError(reason) from None
