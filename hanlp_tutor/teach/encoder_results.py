"""The encoders' comparison as notebook 03 and the README show it: curves, a table, gains.

Read from ``results/encoders.json``; all sentences of the newspaper from ``results/finetune_ner.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hanlp_tutor.encoders.mini import EMBEDDED
from hanlp_tutor.teach.results import PARTS, UNMEASURED, Measured, paired, spread

MEASURES = {"ner": "f1", "classify": "accuracy"}
ALL = ", all sentences"  # how the rows end that were measured with every training sentence
CLASSICAL = ("feature CRF", "n-gram classifier")
Point = tuple[float, float, float, float]


class Comparison(Measured):
    """What was measured of each learner at each number of sentences.

    Args:
        totals: per task the number of all training sentences.
        folder: of the result files; None: that of the checkout.
    """

    def __init__(self, totals: Mapping[str, int], folder: Path | None = None):
        super().__init__("encoders", folder)
        self.totals = totals
        self.rows |= {f"ner/all/{name}": row for name, row in of_all_sentences(folder).items()}

    def lines(self, task: str) -> dict[str, list[Point]]:
        """Per learner ``(sentences, median, least, greatest)`` of its test score, where it was measured."""
        measure, lines = MEASURES[task], {}
        for sentences, rows in self._by_size(task).items():
            for learner, row in rows.items():
                lines.setdefault(learner, []).append((float(sentences), *(row[part][measure] for part in PARTS)))
        return {learner: lines[learner] for learner in sorted(lines)}

    def table(self, task: str) -> list[dict[str, str]]:
        """A row a learner: at each size the median test score with its spread and number of seeds."""
        cells = {
            f"{sentences:,} sentences": {learner: spread(row, MEASURES[task]) for learner, row in rows.items()}
            for sentences, rows in self._by_size(task).items()
        }
        table = pd.DataFrame(cells, dtype=object).fillna(UNMEASURED).sort_index()
        return table.rename_axis("learner").reset_index().to_dict("records")

    def gains(self, task: str) -> list[dict[str, str]]:
        """A row a size: the pre-trained encoder with the best median on dev, and by how much it leads on the test set.

        The lead is in points, over random weights and over the classical baseline. Whoever chose the encoder by its
        test score would report its luck too.
        """
        rows = []
        for sentences, here in self._by_size(task).items():
            on_dev = {name: row["median"]["best_dev"] for name, row in here.items() if "best_dev" in row["median"]}
            best = max((name for name in on_dev if name in EMBEDDED), key=on_dev.get, default=None)
            random = next((name for name in here if name.startswith("random:")), None)
            classical = next((name for name in here if name not in EMBEDDED and not name.startswith("random:")), None)
            rows.append(
                {
                    "sentences": f"{sentences:,}",
                    "best on dev": best or UNMEASURED,
                    "over random weights": _points(task, here, best, random),
                    "over the classical baseline": _points(task, here, best, classical),
                }
            )
        return rows

    def lead(self, task: str, learner: str, other: str) -> dict[str, str]:
        """By how many points one learner's test scores exceed another's, at each size, with an interval."""
        by_size = self._by_size(task)
        return {f"{n:,} sentences": _points(task, here, learner, other) for n, here in by_size.items()}

    def seeds(self) -> str:
        """How many runs stand behind a point."""
        return f"{self.counted()} a point" if self.rows else UNMEASURED

    def _by_size(self, task: str) -> dict[int, dict[str, dict[str, Any]]]:
        """The rows by number of sentences, ascending, and learner; without a size that only another task has."""
        sizes = {name: size or self.totals[task] for name, size in self.settings.get("sizes", {}).items()}
        rows = {name: self.under(f"{task}/{name}/").rows for name in sorted(sizes, key=sizes.get)}
        return {sizes[name]: here for name, here in rows.items() if here or name != "all"}


def _points(task: str, rows: Mapping[str, dict[str, Any]], learner: str | None, other: str | None) -> str:
    """The mean lead of one learner's test scores, with its 95 % interval over the seeds; of one seed without."""
    if learner not in rows or other not in rows:
        return UNMEASURED
    ours, theirs = (rows[name]["seeds"] for name in (learner, other))
    if len(theirs) == 1 and other in CLASSICAL:  # there is no chance in it
        theirs = dict.fromkeys(ours, next(iter(theirs.values())))
    found = paired({"seeds": ours}, {"seeds": theirs}, MEASURES[task])
    if found is None:
        alone = [100 * (ours[seed][MEASURES[task]] - theirs[seed][MEASURES[task]]) for seed in ours.keys() & theirs]
        return f"{alone[0]:+.1f} points (one seed)" if alone else UNMEASURED
    return f"{100 * found.difference:+.1f} points ({100 * found.low:.1f} to {100 * found.high:.1f})"


def of_all_sentences(folder: Path | None) -> dict[str, dict[str, Any]]:
    """The rows of learners of all the newspaper's training sentences, by learner."""
    rows = Measured("finetune_ner", folder).rows
    return {name.removesuffix(ALL): row for name, row in rows.items() if name.endswith(ALL)}
