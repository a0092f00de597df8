"""The measured grids and searches (``results/tuning.json``) as notebook 09 shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.teach import verdict
from hanlp_tutor.teach.results import PARTS, UNMEASURED, Measured, paired, spread

Point = tuple[float, float, float, float]
ARTICLE_GRID = (1e-5, 2e-5, 5e-5)
_SEARCHES = {
    "search/default": "no search",
    "search/random": "random search, no pruning",
    "search/random, pruned": "random search with pruning",
    "search/tpe": "TPE with pruning",
}
_OF_THE_PROCESS = "of the process"  # seconds that other programs of the machine did not lengthen
# Learning rates of θ by those of φ: rows of results/learning_rates.json, the grid of lesson 06.
_CROSSED = {
    "1e-3": {"2e-5": "2e-5 and 1e-3", "3e-4": "3e-4 and 1e-3", "1e-3": "1e-3 everywhere"},
    "1e-2": {"2e-5": "2e-5 and 1e-2", "3e-4": "3e-4 and 1e-2", "1e-3": "1e-3 and 1e-2"},
    "3e-2": {"2e-5": "2e-5 and 3e-2", "3e-4": "3e-4 and 3e-2", "1e-3": "1e-3 and 3e-2"},
}


class TuningResults(Measured):
    """The rows of the experiment as tables and lines."""

    def __init__(self, folder: Path | None = None):
        super().__init__("tuning", folder)

    def __str__(self) -> str:
        if not self.rows:
            return f"{UNMEASURED.capitalize()}: {self.command} measures it."
        return (
            f"results/tuning.json: {self.settings['encoder']}, {self.settings['sentences']} sentences, "
            f"{self.counted()}; median, least and greatest in brackets. Made by {self.command}."
        )

    def learning_rates(self) -> list[dict[str, Any]]:
        """A row a learning rate of θ: its dev F1, whether the article's grid has it, whether it is the best."""
        grid = self.under("rate/").rows
        best = max(grid, key=lambda name: grid[name]["median"]["dev"], default=None)
        rows = [
            {
                "learning rate of θ": name,
                "in the article's grid": float(name) in ARTICLE_GRID,
                "dev F1": spread(row, "dev", scale=1, form=".3f"),
                "best": name == best,
            }
            for name, row in sorted(grid.items(), key=lambda item: float(item[0]))
        ]
        return rows or self.missing("learning rate of θ")

    def batches(self) -> list[dict[str, Any]]:
        """A row a batch size and learning rate: what it took to the goal, and how much faster that is than with 16."""
        rows = self.under("batch/").rows
        goal, base = rows.pop("goal", None), rows.get("16/one rate")
        if goal is None or base is None:
            return self.missing("batch size")
        table = []
        for name, row in rows.items():
            size, kind = name.split("/")
            reached = f"{sum(seed['reached'] for seed in row['seeds'].values()):.0f} of {len(row['seeds'])}"
            lr = f"{row['median']['lr']:g} ({kind})"
            batch = self.settings["batch"]
            head_lr = f"{batch['head_lr'] * row['median']['lr'] / batch['lr']:g}"  # it moves with that of θ
            cells = {
                "batch size": int(size),
                "learning rate of θ": lr,
                "learning rate of φ": head_lr,
                "reached": reached,
            }
            for measure, form in {"updates": ",.0f", "tokens": ",.0f", "seconds": ".1f"}.items():
                speed = faster(base["median"][measure], row["median"][measure])
                cells[measure] = spread(row, measure, scale=1, form=form)
                cells[f"speed in {measure}"] = speed if row["median"]["reached"] == 1 else "goal not reached"
            table.append(cells)
        return table

    def searches(self) -> list[dict[str, Any]]:
        """A row a way to choose: dev and test F1 of what it chose, and what that cost."""
        rows = []
        for name, title in _SEARCHES.items():
            if name in self.rows:
                row = self.rows[name]
                timed = row.get("depends_on", {}).get("seconds") == _OF_THE_PROCESS
                rows.append(
                    {
                        "chosen by": title,
                        "dev F1": spread(row, "dev", scale=1, form=".3f"),
                        "test F1": spread(row, "test", scale=1, form=".3f"),
                        "runs": f"{row['median'].get('trials', 1):.0f}",
                        "of them pruned": f"{row['median'].get('pruned', 0):.0f}",
                        "seconds of the processor": f"{row['median']['seconds']:,.0f}" if timed else None,
                    }
                )
        return rows or self.missing("chosen by")

    def lines(self, of: str = "dev@", unit: str = "") -> dict[str, list[Point]]:
        """Best dev F1 so far ``(budget, median, least, greatest)`` of each kind of search.

        Args:
            of, unit: what stands around the budget in the measures' names: ``dev@12`` is after the tokens of twelve
                runs, ``dev in 100 s`` after so many seconds.
        """
        lines = {}
        for name, title in _SEARCHES.items():
            row = self.rows.get(name, {"median": {}})
            marks = [measure for measure in row["median"] if measure.startswith(of) and measure.endswith(unit)]
            if marks:
                budgets = {mark: float(mark.removeprefix(of).removesuffix(unit)) for mark in marks}
                lines[title] = [(budgets[mark], *(row[part][mark] for part in PARTS)) for mark in marks]
        return lines

    def compared(self, first: str, second: str, measure: str, of: str) -> str:
        """The difference of two searches, such as ``search/tpe``, as a sentence; paired by seed."""
        one, other = self.rows.get(first), self.rows.get(second)
        difference = one and other and paired(one, other, measure)
        if not difference:
            return self.missing("")[0][""]
        return verdict.lead(_SEARCHES[first], _SEARCHES[second], difference, of=of)


def crossed(folder: Path | None = None) -> list[dict[str, Any]]:
    """Dev F1 by the learning rates of φ (rows) and of θ (columns), from the grid of lesson 06."""
    found = Measured("learning_rates", folder)
    rows = [
        {
            "learning rate of φ": head_lr,
            **{f"θ {lr}": spread(found.rows[name], "dev_f1", scale=1, form=".3f") for lr, name in names.items()},
        }
        for head_lr, names in _CROSSED.items()
        if all(name in found.rows for name in names.values())
    ]
    return rows or found.missing("learning rate of φ")


def faster(before: float, after: float) -> str:
    """How much faster ``after`` is than ``before``, as speed: half the time is +100 %.

    >>> faster(100, 50), faster(100, 125)
    ('+100 %', '-20 %')
    """
    return f"{100 * (before / after - 1):+.0f} %"
