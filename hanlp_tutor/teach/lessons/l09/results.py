"""The measured grids and searches (``results/tuning.json``) as notebook 09 shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.teach.results import UNMEASURED, current_rows, read_results, spread

Point = tuple[float, float, float, float]
COMMAND = "python -m experiments.tuning"
ARTICLE_RATES = (1e-5, 2e-5, 5e-5)
_SEARCHES = {"search/default": "no search", "search/random": "random search", "search/tpe": "TPE with pruning"}


class TuningResults:
    """Rows of the experiment; those of other weights than today's are left out.

    Args:
        folder: of the result files; None: that of the checkout.
    """

    def __init__(self, folder: Path | None = None):
        content = read_results("tuning", folder) or {"settings": {}, "rows": {}}
        self.settings = content["settings"]
        self._rows: dict[str, Any] = current_rows(content)

    def __str__(self) -> str:
        if not self._rows:
            return f"{UNMEASURED.capitalize()}: {COMMAND} measures it."
        seeds = sorted({len(row["seeds"]) for row in self._rows.values()})
        counted = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} seed{'s'[: seeds[0] - 1]}"
        return (
            f"results/tuning.json: {self.settings['encoder']}, {self.settings['sentences']} sentences, {counted}; "
            f"median, least and greatest in brackets. Made by {COMMAND}."
        )

    def rates(self) -> list[dict[str, Any]]:
        """A row a rate of θ: its dev F1, whether the article's grid has it, whether it is the best."""
        rates = self._named("rate/")
        best = max(rates, key=lambda name: rates[name]["median"]["dev"], default=None)
        rows = [
            {
                "rate of θ": name,
                "in the article's grid": float(name) in ARTICLE_RATES,
                "dev F1": spread(row, "dev", scale=1, form=".3f"),
                "best": name == best,
            }
            for name, row in sorted(rates.items(), key=lambda item: float(item[0]))
        ]
        return rows or _missing("rate of θ")

    def batches(self) -> list[dict[str, Any]]:
        """A row a batch size and rate: what it took to the goal, and how much faster that is than with 16."""
        rows = self._named("batch/")
        goal = rows.pop("goal", None)
        base = rows.get("16/one rate")
        if goal is None or base is None:
            return _missing("batch size")
        answer = []
        for name, row in rows.items():
            size, kind = name.split("/")
            reached = f"{sum(seed['reached'] for seed in row['seeds'].values()):.0f} of {len(row['seeds'])}"
            answer.append(
                {"batch size": int(size), "rate of θ": f"{row['median']['lr']:g} ({kind})", "reached": reached}
            )
            for measure, form in {"updates": ",.0f", "tokens": ",.0f", "seconds": ".1f"}.items():
                answer[-1][measure] = spread(row, measure, scale=1, form=form)
                if row["median"]["reached"] == 1:
                    answer[-1][f"speed in {measure}"] = faster(base["median"][measure], row["median"][measure])
                else:
                    answer[-1][f"speed in {measure}"] = "goal not reached"
        return answer

    def searches(self) -> list[dict[str, Any]]:
        """A row a way to choose: dev and test F1 of what it chose, and what that cost."""
        rows = []
        for name, title in _SEARCHES.items():
            if name in self._rows:
                row = self._rows[name]
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
        return rows or _missing("chosen by")

    def lines(self) -> dict[str, list[Point]]:
        """Best dev F1 so far ``(runs' worth of tokens, median, least, greatest)`` of each kind of search."""
        lines = {}
        for name, title in _SEARCHES.items():
            row = self._rows.get(name)
            marks = [measure for measure in row["median"] if measure.startswith("dev@")] if row else []
            if marks:
                lines[title] = [
                    (float(mark[4:]), *(row[part][mark] for part in ("median", "min", "max"))) for mark in marks
                ]
        return lines

    def _named(self, start: str) -> dict[str, Any]:
        return {name.removeprefix(start): row for name, row in self._rows.items() if name.startswith(start)}


def faster(before: float, after: float) -> str:
    """How much faster ``after`` is than ``before``, as speed: half the time is +100 %.

    >>> faster(100, 50), faster(100, 125)
    ('+100 %', '-20 %')
    """
    return f"{100 * (before / after - 1):+.0f} %"


def _missing(column: str) -> list[dict[str, Any]]:
    return [{column: f"{UNMEASURED}: {COMMAND}"}]
