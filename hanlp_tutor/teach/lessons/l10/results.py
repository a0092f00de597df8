"""``results/evaluation.json`` as lesson 10 shows it: what seeds do to a score, and to a comparison of two models."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from hanlp_tutor.teach.results import UNMEASURED, current_rows, read_results
from hanlp_tutor.workbench.significance import Comparison

NEXT_SEED = ", against its next seed"
BETWEEN = "CRF against softmax"


class SeedStudy:
    """The measured rows; those of other encoder weights than today's are left out.

    Args:
        folder: of the result files; None: that of the checkout.

    Attributes:
        sentences: of the test side; None when nothing was measured.
        command: what measures it.
    """

    def __init__(self, folder: Path | None = None):
        content = read_results("evaluation", folder) or {"settings": {}, "rows": {}}
        self.command = "python -m experiments.evaluation"
        self._rows: dict[str, dict[str, Any]] = {name: row["seeds"] for name, row in current_rows(content).items()}
        self.sentences: int | None = content["settings"].get("test") if self._rows else None

    @property
    def models(self) -> list[str]:
        """Names of the two models."""
        return [name for name in self._rows if NEXT_SEED not in name and name != BETWEEN]

    def spread(self) -> list[dict[str, str]]:
        """A row a model: F1 of each seed, their mean and standard deviation, the standard error over test sentences."""
        rows = []
        for name in self.models:
            runs = list(self._rows[name].values())
            f1 = [100 * run["f1"] for run in runs]
            rows.append(
                {
                    "model": name,
                    "F1 of each seed": "  ".join(f"{value:.1f}" for value in f1),
                    "mean": f"{mean(f1):.1f}",
                    "standard deviation over seeds": f"{stdev(f1):.1f}" if len(f1) > 1 else UNMEASURED,
                    "standard error over sentences": f"{100 * mean(run['standard_error'] for run in runs):.1f}",
                    "over stories": f"{100 * mean(run['standard_error_by_story'] for run in runs):.1f}",
                }
            )
        return rows or [{"model": f"{UNMEASURED}: {self.command}"}]

    def pairs(self) -> dict[str, Comparison]:
        """Each paired bootstrap by what was compared: the two models of one seed, or two seeds of one model."""
        found = {}
        for name, runs in self._rows.items():
            if name == BETWEEN or name.endswith(NEXT_SEED):
                seeds = list(runs)
                for seed, following in zip(seeds, [*seeds[1:], seeds[0]], strict=True):
                    fields = ("difference", "low", "high", "standard_error", "p")
                    which = f"seed {seed}" if name == BETWEEN else f"seed {seed} against {following}"
                    title = f"{name.removesuffix(NEXT_SEED)}, {which}"
                    found[title] = Comparison(**{field: runs[seed][field] for field in fields})
        return found

    def verdicts(self) -> list[dict[str, str]]:
        """A row a kind of comparison: in how many pairs the interval excludes zero, and the differences' range."""
        rows = []
        for kind in (BETWEEN, *self.models):
            pairs = [found for title, found in self.pairs().items() if title.startswith(f"{kind}, ")]
            if pairs:
                points = [100 * found.difference for found in pairs]
                rows.append(
                    {
                        "compared": kind if kind == BETWEEN else f"{kind}: two seeds",
                        "pairs": str(len(pairs)),
                        "interval excludes zero": str(sum(found.excludes_zero for found in pairs)),
                        "differences in points": f"{min(points):+.1f} to {max(points):+.1f}",
                        "mean": f"{mean(points):+.1f}",
                    }
                )
        return rows or [{"compared": f"{UNMEASURED}: {self.command}"}]
