"""Result files: every number that prose quotes, with what it takes to measure it again.

One schema for all of ``results/*.json``: values per seed, median and spread, device, versions, data hashes, date and
command. An experiment is resumable: a seed that has been measured under the same settings is not measured again, and
each tells when, where and by which commit it was. Several processes may fill one file, each its own rows.
"""

from __future__ import annotations

import copy
import json
import statistics
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from hanlp_tutor.errors import TutorError, nearest
from hanlp_tutor.files import write_json

if TYPE_CHECKING:
    import pandas as pd

    from hanlp_tutor.workbench.significance import Comparison

SCHEMA = 1
UNMEASURED = "not measured yet"  # in place of a number that no result file holds
PARTS = ("median", "min", "max")  # of each measure, over the seeds of a row
GRID = "grid/"  # how the rows begin by which a learning rate was chosen


def results_folder() -> Path:
    """``results/`` of the checkout that this package runs from."""
    return Path(__file__).resolve().parents[2] / "results"


class Experiment:
    """One result file, filled row by row.

    Args:
        name: the file is ``results/NAME.json``.
        settings: what the numbers depend on; with other settings the file is begun anew.
        manifest: device, versions, date, command (:func:`hanlp_tutor.manifest.manifest`).
        folder: where the file lies.
    """

    def __init__(self, name: str, settings: dict[str, Any], manifest: dict[str, Any], folder: Path | None = None):
        self.path = (folder or results_folder()) / f"{name}.json"
        settings = _as_read(settings)
        command = f"python -m experiments.{name}"
        head = {"schema": SCHEMA, "experiment": name, "command_line": command, **manifest}
        self.content = {**head, "settings": settings, "rows": {}}
        self._measured_by = {
            "device": manifest.get("device"),
            "torch": manifest.get("versions", {}).get("torch"),
            "commit": (manifest.get("git") or {}).get("commit"),
        }
        self._take_over()

    def measure(
        self,
        row: str,
        seeds: Sequence[int],
        run: Callable[[int], dict[str, float]],
        *,
        depends_on: dict[str, Any] | None = None,
    ) -> None:
        """Call ``run(seed)`` for each seed that is missing; write the file after each.

        Args:
            row: name of the row.
            seeds: to measure.
            run: from a seed to values by name.
            depends_on: settings of this row alone, such as the hash of its weights; with others it is begun anew.
        """
        for seed in seeds:
            if str(seed) in self._kept(row, depends_on)["seeds"]:
                continue
            values = run(seed)
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            with FileLock(self.path.with_suffix(".lock")):
                self._take_over()  # another process may have added rows meanwhile
                content = self.content["rows"][row] = self._kept(row, depends_on)
                content["seeds"][str(seed)] = values
                content["measured"][str(seed)] = {"date": now, **self._measured_by}
                content.update(summarise(list(content["seeds"].values())))
                write_json(self.path, self.content)

    def best_learning_rate(
        self,
        of: str,
        learning_rates: Sequence[float],
        seeds: Sequence[int],
        dev: Callable[[int, float], float],
        *,
        tie: float = 0.0,
        depends_on: dict[str, Any] | None = None,
    ) -> float:
        """The learning rate with the highest dev score, the first of equals; each is a row ``grid/OF/lr=RATE``.

        The first seed tries each of them. Where others come within ``tie`` of its best, they and the best are tried
        with all seeds, and the highest median wins: one seed on a small dev set cannot tell them apart.

        Args:
            of: what the learning rate is chosen for.
            learning_rates: to choose from.
            seeds: the first of every run, the others of ties.
            dev: from seed and learning rate to the score; called where it was not measured before.
            tie: in the unit of the score.
            depends_on: as for :meth:`measure`.
        """

        def scores(lr: float, seeds: Sequence[int]) -> list[float]:
            row = f"{GRID}{of}/lr={lr:g}"
            self.measure(row, seeds, lambda seed: {"dev": dev(seed, lr)}, depends_on=depends_on)
            known = self.content["rows"][row]["seeds"]
            return [known[str(seed)]["dev"] for seed in seeds]

        first = {lr: scores(lr, seeds[:1])[0] for lr in learning_rates}
        best = max(first, key=first.get)
        close = [lr for lr in learning_rates if lr == best or first[lr] > first[best] - tie]
        if len(close) == 1:
            return best
        medians = {lr: statistics.median(scores(lr, seeds)) for lr in close}
        return max(medians, key=medians.get)

    def _kept(self, row: str, depends_on: dict[str, Any] | None) -> dict[str, Any]:
        """What is known of a row; nothing, if it depended on something else."""
        content, depends_on = self.content["rows"].get(row), _as_read(depends_on or {})
        if content is None or content.get("depends_on", {}) != depends_on:
            return {"seeds": {}, "measured": {}, "depends_on": depends_on}
        return {"measured": {}, **content}

    def _take_over(self) -> None:
        """Keep the rows that the file has by now, if they were measured under the same settings."""
        if self.path.exists():
            before = json.loads(self.path.read_text(encoding="utf-8"))
            if before["schema"] == SCHEMA and before["settings"] == self.content["settings"]:
                self.content["rows"] = before["rows"]


def _as_read(values: dict[str, Any]) -> dict[str, Any]:
    """As JSON will read them back: tuples become lists."""
    return json.loads(json.dumps(values))


def summarise(values: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median, least and greatest of each measure over the seeds."""
    names = values[0].keys()
    columns = {name: [value[name] for value in values] for name in names}
    return {
        "median": {name: statistics.median(column) for name, column in columns.items()},
        "min": {name: min(column) for name, column in columns.items()},
        "max": {name: max(column) for name, column in columns.items()},
    }


def read_results(name: str, folder: Path | None = None) -> dict[str, Any] | None:
    """A result file; None when the experiment has not been run.

    Raises:
        TutorError: there is no such file although similar ones exist, so the name is probably misspelt.
    """
    folder = folder or results_folder()
    path = folder / f"{name}.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    guess = nearest(name, [other.stem for other in folder.glob("*.json")])
    if guess:
        raise TutorError(f"There is no result file {path.name}. Did you mean {guess!r}?")
    return None


def current_rows(content: dict[str, Any]) -> dict[str, Any]:
    """The rows of a result file, without those that older weights of an embedded encoder gave."""
    from hanlp_tutor.encoders.embedded import read_card
    from hanlp_tutor.encoders.mini import EMBEDDED

    weights = {None, *(read_card(name)["sha256"] for name in EMBEDDED)}
    return {
        name: row
        for name, row in content["rows"].items()
        if row["seeds"] and row.get("depends_on", {}).get("weights") in weights
    }


class Measured:
    """The rows of a result file that today's weights gave; none while nobody has measured.

    Args:
        name: of the experiment.
        folder: of the result files; None: that of the checkout.

    Attributes:
        settings: of the experiment.
        rows: by name, in the order of the file.
        command: what measures them.
    """

    def __init__(self, name: str, folder: Path | None = None):
        content = read_results(name, folder) or {"rows": {}}
        self.command = f"python -m experiments.{name}"
        self.settings: dict[str, Any] = content.get("settings", {})
        self.rows: dict[str, Any] = current_rows(content)

    def under(self, prefix: str) -> Measured:
        """Only the rows whose name begins so, by the rest of their name."""
        some = copy.copy(self)
        some.rows = {name.removeprefix(prefix): row for name, row in self.rows.items() if name.startswith(prefix)}
        return some

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run of a seed, by (row, seed); a column a measure."""
        import pandas as pd

        return pd.DataFrame.from_dict(
            {(name, seed): run for name, row in self.rows.items() for seed, run in row["seeds"].items()}, orient="index"
        )

    def counted(self) -> str:
        """How many seeds stand behind a row, such as ``1 to 3 seeds``."""
        counts = sorted({len(row["seeds"]) for row in self.rows.values()})
        return f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else f"{counts[0]} seed{'s'[: counts[0] - 1]}"

    def missing(self, column: str) -> list[dict[str, str]]:
        """In place of a table: how to measure what it would show."""
        return [{column: f"{UNMEASURED}: {self.command}"}]


def paired(one: dict[str, Any], other: dict[str, Any], measure: str) -> Comparison | None:
    """Two rows compared on the seeds that both have, what these share cancels out; None where there are not two."""
    from hanlp_tutor.workbench.significance import paired_seeds

    seeds = sorted(one["seeds"].keys() & other["seeds"].keys())
    if len(seeds) < 2:
        return None
    return paired_seeds(*([row["seeds"][seed][measure] for seed in seeds] for row in (one, other)))


def spread(row: dict[str, Any], measure: str, *, scale: float = 100.0, form: str = ".1f") -> str:
    """The median of a row as text, and behind it the least and the greatest where there are several seeds.

    In points; ``scale=1`` leaves the measure's own unit.
    """
    middle, low, high = (format(scale * row[part][measure], form) for part in PARTS)
    return middle if len(row["seeds"]) == 1 else f"{middle} ({low} to {high})"
