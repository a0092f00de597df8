"""``results/evaluation.json`` as lesson 10 shows it: what seeds do to a score, and to a comparison of two models."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.results import UNMEASURED, Measured
from hanlp_tutor.workbench.significance import Comparison

NEXT_SEED = ", against its next seed"
BETWEEN = "CRF against softmax"


class SeedStudy(Measured):
    """Two models with several seeds each, and paired comparisons between them."""

    def __init__(self, folder: Path | None = None):
        super().__init__("evaluation", folder)

    @property
    def models(self) -> list[str]:
        """Names of the two models."""
        return [name for name in self.rows if NEXT_SEED not in name and name != BETWEEN]

    @property
    def compared(self) -> list[str]:
        """Names of the rows that compare: the two models, and each with itself under its next seed."""
        return [name for name in self.rows if name not in self.models]

    def spread(self) -> list[dict[str, str]]:
        """A row a model: F1 of each seed, their mean and standard deviation, the standard error over test sentences."""
        rows = []
        for name in self.models:
            points = 100 * self.runs.loc[name]
            rows.append(
                {
                    "model": name,
                    "F1 of each seed": "  ".join(map("{:.1f}".format, points["f1"])),
                    "mean": f"{points['f1'].mean():.1f}",
                    "standard deviation over seeds": f"{points['f1'].std():.1f}" if len(points) > 1 else UNMEASURED,
                    "standard error over sentences": f"{points['standard_error'].mean():.1f}",
                    "over stories": f"{points['standard_error_by_story'].mean():.1f}",
                }
            )
        return rows or self.missing("model")

    def pairs(self) -> dict[str, Comparison]:
        """Each paired bootstrap by what was compared: the two models of one seed, or two seeds of one model."""
        found = {}
        for name in self.compared:
            runs = self.rows[name]["seeds"]
            for seed, following in zip(runs, [*runs, *runs][1:], strict=False):
                which = f"seed {seed}" if name == BETWEEN else f"seed {seed} against {following}"
                found[f"{name.removesuffix(NEXT_SEED)}, {which}"] = Comparison(**runs[seed])
        return found

    def verdicts(self) -> list[dict[str, str]]:
        """A row a kind of comparison: in how many pairs the interval excludes zero, and the differences' range."""
        rows = []
        for name in self.compared:
            pairs = self.runs.loc[name]
            points = 100 * pairs["difference"]
            rows.append(
                {
                    "compared": name if name == BETWEEN else f"{name.removesuffix(NEXT_SEED)}: two seeds",
                    "pairs": str(len(pairs)),
                    "interval excludes zero": str(((pairs["low"] > 0) | (pairs["high"] < 0)).sum()),
                    "differences in points": f"{points.min():+.1f} to {points.max():+.1f}",
                    "mean": f"{points.mean():+.1f}",
                }
            )
        return rows or self.missing("compared")
