"""The encoders' comparison as notebook 03 shows it: curves, a table, gains.

Read from ``results/encoders.json``; all sentences of the newspaper from ``results/finetune_ner.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hanlp_tutor.encoders.mini import EMBEDDED
from hanlp_tutor.teach.results import UNMEASURED, current_rows, read_results, spread

MEASURES = {"ner": "f1", "classify": "accuracy"}
ALL = ", all sentences"  # how the rows end that were measured with every training sentence
Point = tuple[float, float, float, float]


class Comparison:
    """What was measured of each learner at each number of sentences; rows of other weights than today's are left out.

    Args:
        totals: per task the number of all training sentences.
        folder: of the result files; None: that of the checkout.
    """

    def __init__(self, totals: Mapping[str, int], folder: Path | None = None):
        self.content = read_results("encoders", folder) or {"settings": {"sizes": {}}, "rows": {}}
        self.totals = totals
        of_all = {f"ner/all/{name}": row for name, row in of_all_sentences(folder).items()}
        self._rows = {**current_rows(self.content), **of_all}

    def sizes(self, task: str) -> dict[str, int]:
        """The numbers of training sentences by their name in the file, ascending."""
        sizes = {name: size or self.totals[task] for name, size in self.content["settings"]["sizes"].items()}
        return dict(sorted(sizes.items(), key=lambda item: item[1]))

    def lines(self, task: str) -> dict[str, list[Point]]:
        """Per learner ``(sentences, median, least, greatest)`` of its test score, where it was measured."""
        measure, lines = MEASURES[task], {}
        for size, sentences in self.sizes(task).items():
            for name, row in self._rows.items():
                if name.startswith(f"{task}/{size}/"):
                    values = [row[part][measure] for part in ("median", "min", "max")]
                    lines.setdefault(name.split("/", 2)[2], []).append((float(sentences), *values))
        return {name: lines[name] for name in sorted(lines)}

    def table(self, task: str) -> list[dict[str, str]]:
        """A row a learner: its rate, and at each size the median test score with its spread and number of seeds."""
        rows = []
        for learner in sorted({name.split("/", 2)[2] for name in self._rows if name.startswith(f"{task}/")}):
            row: dict[str, str] = {"learner": learner}
            for size, sentences in self.sizes(task).items():
                row[f"{sentences:,} sentences"] = self._cell(f"{task}/{size}/{learner}", MEASURES[task])
            rows.append(row)
        return rows

    def gains(self, task: str) -> list[dict[str, str]]:
        """A row a size: the pre-trained encoder with the best median on dev, and by how much it leads on the test side.

        The lead is in points, over random weights and over the classical opponent. Whoever chose the encoder by its
        test score would report its luck too.
        """
        rows = []
        for size, sentences in self.sizes(task).items():
            here, on_dev = self._medians(task, size), self._medians(task, size, "best_dev")
            best = max((name for name in on_dev if name in EMBEDDED), key=on_dev.get, default=None)
            row = {"sentences": f"{sentences:,}", "best on dev": best or UNMEASURED}
            for title, others in {
                "over random weights": [name for name in here if name.startswith("random:")],
                "over the classical opponent": [n for n in here if n not in EMBEDDED and not n.startswith("random:")],
            }.items():
                row[title] = _points(here.get(best), here[others[0]] if others else None)
            rows.append(row)
        return rows

    def lead(self, task: str, learner: str, other: str) -> dict[str, str]:
        """By how many points the median test score of one learner exceeds another's, at each size."""
        leads = {}
        for size, sentences in self.sizes(task).items():
            here = self._medians(task, size)
            leads[f"{sentences:,} sentences"] = _points(here.get(learner), here.get(other))
        return leads

    def seeds(self) -> str:
        """How many runs stand behind a point."""
        counts = sorted({len(row["seeds"]) for row in self._rows.values()})
        return f"{counts[0]} to {counts[-1]} seeds a point" if counts else UNMEASURED

    def _medians(self, task: str, size: str, measure: str | None = None) -> dict[str, float]:
        """By learner, where it was measured; the test score unless another measure is named."""
        measure = measure or MEASURES[task]
        return {
            name.split("/", 2)[2]: row["median"][measure]
            for name, row in self._rows.items()
            if name.startswith(f"{task}/{size}/") and measure in row["median"]
        }

    def _cell(self, name: str, measure: str) -> str:
        row = self._rows.get(name)
        return UNMEASURED if row is None else spread(row, measure)


def _points(score: float | None, other: float | None) -> str:
    return UNMEASURED if score is None or other is None else f"{100 * (score - other):+.1f} points"


def of_all_sentences(folder: Path | None) -> dict[str, dict]:
    """The rows of learners of all the newspaper's training sentences, by learner."""
    rows = current_rows(read_results("finetune_ner", folder) or {"rows": {}})
    return {name.removesuffix(ALL): row for name, row in rows.items() if name.endswith(ALL)}
