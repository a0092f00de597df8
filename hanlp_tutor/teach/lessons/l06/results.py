"""The recipes' comparison (``results/learning_rates.json``) as notebook 06 shows it: a table, lines, points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hanlp_tutor.teach import verdict
from hanlp_tutor.teach.results import PARTS, UNMEASURED, Measured, paired, spread

Spread = tuple[float, float, float]
GRID_WIDTH = 3  # learning rates of φ with each of θ
_WORDS = {"test_f1": "test F1", "dev_f1": "dev F1", "masked_accuracy": "masked accuracy"}


def short(lr: float) -> str:
    """A learning rate as people write it.

    >>> short(0.0003), short(2e-5), short(0.01)
    ('3e-4', '2e-5', '1e-2')
    """
    digits, power = f"{lr:e}".split("e")
    return f"{float(digits):g}e{int(power)}"


def recipe_name(lr: float, head_lr: float, layerwise_decay: float = 1.0) -> str:
    """A recipe by its learning rates.

    >>> recipe_name(2e-5, 1e-3), recipe_name(1e-3, 1e-3), recipe_name(3e-4, 1e-2, 0.8)
    ('2e-5 and 1e-3', '1e-3 everywhere', '3e-4 and 1e-2, layers x 0.8')
    """
    pair = f"{short(lr)} everywhere" if lr == head_lr else f"{short(lr)} and {short(head_lr)}"
    return pair if layerwise_decay == 1 else f"{pair}, layers x {layerwise_decay:g}"


class Recipes(Measured):
    """What was measured of each recipe with today's weights of the encoder."""

    def __init__(self, folder: Path | None = None):
        super().__init__("learning_rates", folder)

    @property
    def article(self) -> list[str]:
        """The names of the article's recipes, measured or not."""
        return self.settings.get("article", [])

    @property
    def small(self) -> list[str]:
        """The names of the same recipes at learning rates for a small encoder."""
        return self.settings.get("small", [])

    def value(self, name: str, measure: str) -> Spread | None:
        """Median, least and greatest over the seeds; None when it was not measured."""
        row = self.rows.get(name)
        return row and tuple(row[part][measure] for part in PARTS)

    def grid(self, measure: str) -> dict[float, dict[float, float]]:
        """Medians by the learning rates of θ, then of φ: those pairs of which every other one was measured, too."""
        cells: dict[float, dict[float, float]] = {}
        for row in self.rows.values():
            median = row["median"]
            if median["layerwise_decay"] == 1:
                cells.setdefault(median["lr"], {})[median["head_lr"]] = median[measure]
        full = {lr: line for lr, line in sorted(cells.items()) if len(line) >= GRID_WIDTH}
        shared = sorted(set.intersection(*map(set, full.values()))) if full else []
        return {lr: {head_lr: line[head_lr] for head_lr in shared} for lr, line in full.items()} if shared else {}

    def one_number(self, names: Sequence[str], measure: str) -> str:
        """What changes from one recipe to another, as a sentence with an interval over the seeds.

        Args:
            names: of the first and of the second, which differ in one number.
            measure: ``test_f1`` or ``masked_accuracy``.
        """
        found = paired(*(self.rows.get(name, {"seeds": {}}) for name in names), measure)
        if found is None:
            return f"{' against '.join(names)}: {UNMEASURED}"
        return verdict.lead(*names, found, of=_WORDS[measure])

    def table(self, names: Sequence[str]) -> list[dict[str, str]]:
        """A row a recipe: F1 on test, masked accuracy and what it lost, all in points, and how far θ moved."""
        rows = []
        for name in names:
            row = {"learning rates of θ and φ": name, "test F1": UNMEASURED}
            if name in self.rows:
                median = self.rows[name]["median"]
                before, after = median["masked_accuracy_before"], median["masked_accuracy"]
                row |= {
                    "test F1": spread(self.rows[name], "test_f1"),
                    "masked accuracy": spread(self.rows[name], "masked_accuracy"),
                    "change": f"{100 * (after - before):+.1f}",
                    "masked loss": f"{median['masked_loss']:.2f}",
                    "drift of the top layer": f"{list(self._drift(median).values())[-1]:.1%}",
                    "seeds": str(len(self.rows[name]["seeds"])),
                }
            rows.append(row)
        return rows or [{"learning rates of θ and φ": UNMEASURED}]

    def trade_off(self) -> dict[str, tuple[Spread, Spread]]:
        """Per recipe masked accuracy after the run and test F1."""
        return {
            name: (self.value(name, "masked_accuracy"), self.value(name, "test_f1"))
            for name in dict.fromkeys([*self.article, *self.small])
            if name in self.rows
        }

    def before(self) -> float | None:
        """Masked accuracy of θ₀; None when nothing was measured."""
        return next((row["median"]["masked_accuracy_before"] for row in self.rows.values()), None)

    def drifts(self, names: Sequence[str]) -> dict[str, dict[str, float]]:
        """Per recipe that was measured the median drift of each part of θ."""
        return {name: self._drift(self.rows[name]["median"]) for name in names if name in self.rows}

    def sweep(self) -> dict[str, list[tuple[float, float, float, float]]]:
        """Test F1 and masked accuracy over the learning rate of θ, at one of φ and no factor from layer to layer."""
        if not self.small or self.small[2] not in self.rows:
            return {}
        head_lr = self.rows[self.small[2]]["median"]["head_lr"]
        chosen = [
            (row["median"]["lr"], name)
            for name, row in self.rows.items()
            if row["median"]["head_lr"] == head_lr and row["median"]["layerwise_decay"] == 1
        ]
        return {
            title: [(lr, *self.value(name, measure)) for lr, name in sorted(chosen)]
            for title, measure in (("test F1", "test_f1"), ("masked accuracy", "masked_accuracy"))
        }

    def best(self, names: Sequence[str], measure: str = "dev_f1") -> str | None:
        """The recipe with the best median; None when none was measured."""
        return max((n for n in names if n in self.rows), key=lambda n: self.rows[n]["median"][measure], default=None)

    def state(self) -> str:
        """One line for a reader: what stands behind the numbers, or how to get them."""
        if not self.rows:
            return f"{UNMEASURED} with these weights: {self.command}"
        updates = next(iter(self.rows.values()))["median"]["updates"]
        return (
            f"{self.settings['encoder']}, {self.settings['sentences']} sentences, {updates:.0f} updates, "
            f"{self.counted()} a recipe, {len(self.rows)} recipes ({self.command})"
        )

    @staticmethod
    def _drift(median: dict[str, float]) -> dict[str, float]:
        return {
            key.removeprefix("drift "): value
            for key, value in median.items()
            if key.startswith("drift ") and "head" not in key
        }
