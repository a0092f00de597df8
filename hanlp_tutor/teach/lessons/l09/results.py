"""The measured grids and searches (``results/tuning.json``) as notebook 09 shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.teach.results import PARTS, UNMEASURED, Measured, spread

Point = tuple[float, float, float, float]
ARTICLE_GRID = (1e-5, 2e-5, 5e-5)
_SEARCHES = {"search/default": "no search", "search/random": "random search", "search/tpe": "TPE with pruning"}


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
            cells = {"batch size": int(size), "learning rate of θ": lr, "reached": reached}
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
                trials = row["median"].get("trials", 1)
                rows.append(
                    {
                        "chosen by": title,
                        "dev F1": spread(row, "dev", scale=1, form=".3f"),
                        "test F1": spread(row, "test", scale=1, form=".3f"),
                        "runs": f"{trials:.0f}",
                        "of them pruned": f"{row['median'].get('pruned', 0):.0f}",
                        "seconds": f"{row['median']['seconds']:,.0f}",
                    }
                )
        return rows or self.missing("chosen by")

    def lines(self) -> dict[str, list[Point]]:
        """Best dev F1 so far ``(runs' worth of tokens, median, least, greatest)`` of each kind of search."""
        lines = {}
        for name, title in _SEARCHES.items():
            row = self.rows.get(name, {"median": {}})
            marks = [measure for measure in row["median"] if measure.startswith("dev@")]
            if marks:
                lines[title] = [(float(mark[4:]), *(row[part][mark] for part in PARTS)) for mark in marks]
        return lines


def faster(before: float, after: float) -> str:
    """How much faster ``after`` is than ``before``, as speed: half the time is +100 %.

    >>> faster(100, 50), faster(100, 125)
    ('+100 %', '-20 %')
    """
    return f"{100 * (before / after - 1):+.0f} %"
