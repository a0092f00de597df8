"""``results/low_resource.json`` as lesson 17 shows it: methods by number of labels, their costs, who leads whom."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.results import GRID, UNMEASURED, Measured, paired, spread
from hanlp_tutor.teach.verdict import lead
from hanlp_tutor.workbench.significance import Comparison

REVIEWS, NEWS = "reviews", "peoples_daily"
FULL, CLOZE, REWORDED = "full", "cloze", "cloze, reworded"
NAMES = {
    FULL: "full fine-tuning",
    "frozen": "frozen encoder",
    "bitfit": "BitFit",
    "lora": "LoRA",
    "prompt": "prompt tuning",
    CLOZE: "cloze, all learns",
    REWORDED: "cloze reworded, all learns",
}
SCORES = {REVIEWS: "accuracy", NEWS: "f1"}
SAID = {"accuracy": "accuracy", "f1": "F1"}
UNITS = {REVIEWS: "labels a class", NEWS: "sentences"}


class LowResource(Measured):
    """Few labels, few parameters: two corpora, three sizes each."""

    def __init__(self, folder: Path | None = None):
        super().__init__("low_resource", folder)

    def sizes(self, corpus: str) -> list[int]:
        """Of which there are trained models, ascending."""
        found = {int(name.split("/")[0]) for name in self.under(f"{corpus}/").rows}
        return sorted(found - {0})

    def scores(self, corpus: str) -> list[dict[str, str]]:
        """A row a method, a column a size: the median score in points, least and greatest of the draws."""
        rows, sizes = self.under(f"{corpus}/").rows, self.sizes(corpus)
        found = [
            {
                "method": name,
                **{
                    f"{size:,}": spread(rows[f"{size}/{method}"], SCORES[corpus]) if f"{size}/{method}" in rows else ""
                    for size in sizes
                },
            }
            for method, name in NAMES.items()
            if any(f"{size}/{method}" in rows for size in sizes)
        ]
        return found or self.missing("method")

    def lines(self, corpus: str) -> dict[str, list[tuple[float, float, float, float]]]:
        """For a picture: per method ``(size, median, least, greatest)``."""
        rows = self.under(f"{corpus}/").rows
        measure = SCORES[corpus]
        found = {
            name: [
                (float(size), *(rows[f"{size}/{method}"][part][measure] for part in ("median", "min", "max")))
                for size in self.sizes(corpus)
                if f"{size}/{method}" in rows
            ]
            for method, name in NAMES.items()
        }
        return {name: points for name, points in found.items() if points}

    def compared(self, corpus: str, size: int, first: str, second: str = FULL) -> Comparison | None:
        """The lead of one method over another with so many labels, paired over the draws."""
        rows = self.under(f"{corpus}/{size}/").rows
        if first not in rows or second not in rows:
            return None
        return paired(rows[first], rows[second], SCORES[corpus])

    def against_full(self, corpus: str) -> list[dict[str, str]]:
        """A row a method, a column a size: points more than full fine-tuning, with the 95 % interval."""
        found = []
        for method, name in NAMES.items():
            pairs = {size: self.compared(corpus, size, method) for size in self.sizes(corpus)}
            if method != FULL and any(pairs.values()):
                found.append({"method": name, **{f"{size:,}": _points(pair) for size, pair in pairs.items()}})
        return found or self.missing("method")

    def behind(self, corpus: str, method: str) -> str:
        """In how many draws a method is behind full fine-tuning, size by size, and whether the interval holds zero."""
        rows, parts = self.under(f"{corpus}/").rows, []
        for size in self.sizes(corpus):
            pair = self.compared(corpus, size, method)
            if pair:
                one, full = rows[f"{size}/{method}"]["seeds"], rows[f"{size}/{FULL}"]["seeds"]
                both = sorted(one.keys() & full.keys())
                count = sum(one[draw][SCORES[corpus]] < full[draw][SCORES[corpus]] for draw in both)
                certain = "the interval holds no zero" if pair.excludes_zero else "the interval holds zero"
                parts.append(f"{count} of {len(both)} at {size:,} ({certain})")
        told = f"{NAMES[method]}, draws behind {NAMES[FULL]} by {UNITS[corpus]}: {', '.join(parts)}."
        return told if parts else f"{UNMEASURED}: {self.command}"

    def leaders(self, corpus: str) -> list[str]:
        """A sentence a size: the method with the best median, and whether it is ahead of full fine-tuning."""
        rows, said = self.under(f"{corpus}/").rows, []
        for size in self.sizes(corpus):
            of_size = {name: rows[f"{size}/{name}"] for name in NAMES if f"{size}/{name}" in rows}
            best = max(of_size, key=lambda name: of_size[name]["median"][SCORES[corpus]])
            others = {name: row for name, row in of_size.items() if name != best}
            rival = FULL if best != FULL else max(others, key=lambda n: others[n]["median"][SCORES[corpus]], default="")
            pair = self.compared(corpus, size, best, rival)
            if pair:
                told = lead(NAMES[best], NAMES[rival], pair, of=SAID[SCORES[corpus]])
                said.append(f"{size:,} {UNITS[corpus]}: highest median, {NAMES[best]}. {told}")
        return said or [f"{UNMEASURED}: {self.command}"]

    def costs(self, corpus: str, size: int) -> list[dict[str, str]]:
        """A row a method: what learns, its share of all parameters, seconds of training, memory of its tensors."""
        rows = self.under(f"{corpus}/{size}/").rows
        found = [
            {
                "method": name,
                "learns": f"{rows[method]['median']['trainable']:,.0f}",
                "share": f"{rows[method]['median']['share']:.2%}",
                "seconds": spread(rows[method], "seconds", scale=1),
                "MiB of tensors": f"{rows[method]['median']['memory_mib']:.0f}",
            }
            for method, name in NAMES.items()
            if method in rows
        ]
        return found or self.missing("method")

    def without_labels(self) -> list[dict[str, str]]:
        """What a cloze says before it has trained on a label, in points; how many labels its wording was chosen on."""
        patterns, found = self.settings.get("patterns", {}), []
        for name, row in self.under(f"{REVIEWS}/0/").rows.items():
            wording = name.removesuffix(", calibrated")
            found.append(
                {
                    "pattern": patterns[wording],
                    "calibrated": name.endswith("calibrated"),
                    "accuracy": _of_all(row["median"]["accuracy"], self.settings["test"]["classify"]),
                    "macro F1": spread(row, "macro_f1"),
                    "labels for the choice": f"{self.settings['dev']['classify']:,}" if wording == REWORDED else "0",
                }
            )
        return found or self.missing("pattern")

    def rates(self) -> list[dict[str, str]]:
        """A row a method and corpus: the learning rates tried, and which won on dev; equals at an edge are named."""
        found = []
        for corpus in SCORES:
            grid = self.under(f"{GRID}{corpus}/").rows
            for method, name in NAMES.items():
                tried = {float(row.split("/lr=")[1]): content["median"]["dev"] for row, content in grid.items()
                         if row.startswith(f"{method}/")}  # fmt: skip
                if tried:
                    told = ", ".join(f"{lr:g}: {100 * tried[lr]:.1f}" for lr in sorted(tried))
                    best = max(tried, key=tried.get)
                    edges = [lr for lr in (min(tried), max(tried)) if lr != best and tried[lr] == tried[best]]
                    won = ", ".join([f"{best:g}", *(f"equal at the edge: {lr:g}" for lr in edges)])
                    found.append({"corpus": corpus, "method": name, "tried, with dev score": told, "won": won})
        return found or self.missing("corpus")

    def measured_on(self) -> str:
        """Scale, sizes and draws behind the tables."""
        trained = [row for name, row in self.rows.items() if not name.startswith(GRID) and "/0/" not in name]
        if not trained:
            return f"{UNMEASURED}: {self.command}"
        draws = sorted({len(row["seeds"]) for row in trained})
        count = f"{draws[0]}" if len(draws) == 1 else f"{draws[0]} to {draws[-1]}"
        test = self.settings["test"]
        return (
            f"{self.settings['encoder']}, a 4-million encoder; {count} draws; {test['classify']:,} test reviews, "
            f"{test['ner']:,} test sentences, of at most {self.settings['longest']} characters"
        )


def _of_all(share: float, count: int) -> str:
    """A share in points with the 95 % interval over the examples that it is of (Wilson 1927)."""
    from scipy.stats import binomtest

    around = binomtest(round(share * count), count).proportion_ci(method="wilson")
    return f"{100 * share:.1f} ({100 * around.low:.1f} to {100 * around.high:.1f})"


def _points(pair: Comparison | None) -> str:
    if pair is None:
        return ""
    return f"{100 * pair.difference:+.1f} ({100 * pair.low:+.1f} to {100 * pair.high:+.1f})"
