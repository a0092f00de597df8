"""What a claim's verdict rests on: numbers of result files and stored outputs, or counted from a model's shape."""

from __future__ import annotations

import operator
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.results import current_rows, read_results

if TYPE_CHECKING:
    from hanlp_tutor.workbench.significance import Comparison

TAGS = 7  # BIO tags of three types
LORA_RANK = 8
_ENDS: dict[str, Callable[[Sequence[float]], float]] = {
    "least": min,
    "greatest": max,
    "low": lambda seeds: _interval(seeds).low,
    "high": lambda seeds: _interval(seeds).high,
}
_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
_CONDITION = re.compile(r"([\w.]+) (<=|>=|==|<|>) ([\w.+-]+)")


@dataclass(frozen=True)
class Value:
    """A number, and how far it spreads over seeds.

    In a format string a trailing ``~`` shows the spread, least to greatest: ``{f1:.1%~}`` gives ``70.1% (69.8% to
    70.6%)``, and the number alone where one seed stands behind it or the spread is nothing at that many digits. A
    trailing ``±`` shows the mean and its interval instead: ``{gain:+.1f±}`` gives ``-6.4 (95 % -19.2 to +6.4)``. As
    ``{there:yes}`` 0 is ``no`` and all else ``yes``.

    Attributes:
        middle: the median over the seeds.
        seeds: one value a seed.
    """

    middle: float
    seeds: tuple[float, ...] = ()

    def __format__(self, spec: str) -> str:
        if spec == "yes":
            return "yes" if self.middle else "no"
        if spec.endswith("±") and len(self.seeds) > 1:
            mean = _interval(self.seeds)
            shown, low, high = (format(each, spec[:-1]) for each in (mean.difference, mean.low, mean.high))
            return f"{shown} (95 % {low} to {high})"
        shown = format(self.middle, spec.rstrip("~±"))
        if not spec.endswith("~") or len(self.seeds) < 2:
            return shown
        low, high = (format(end(self.seeds), spec[:-1]) for end in (min, max))
        return shown if low == high else f"{shown} ({low} to {high})"


class Evidence:
    """Reads values as ``claims.json`` and the lessons' take-aways name them.

    Args:
        folder: of the result files; None: that of the checkout.
        notebook: whose stored outputs are read; None: those of no notebook.
    """

    def __init__(self, folder: Path | None = None, notebook: Path | None = None):
        self.folder, self.notebook = folder, notebook
        self._contents: dict[str, dict[str, Any] | None] = {}

    def content(self, experiment: str) -> dict[str, Any] | None:
        """A result file with its current rows; None when nobody has measured."""
        if experiment not in self._contents:
            content = read_results(experiment, self.folder)
            self._contents[experiment] = content and {**content, "rows": current_rows(content)}
        return self._contents[experiment]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The plain text of the notebook's stored outputs, by cell; none where there is no notebook."""
        if self.notebook is None or not self.notebook.is_file():
            return {}
        import nbformat

        return {cell.id: shown_by(cell) for cell in nbformat.read(self.notebook, as_version=4).cells}

    def value(self, wanted: dict[str, str]) -> Value | None:
        """One value; None where a row of it is missing.

        Args:
            wanted: ``counted``, a name in :data:`COUNTED`; or ``cell`` and ``finds``, a pattern whose one group is a
                number of that cell's stored output; or ``experiment``, ``row`` and ``measure``, with ``minus``
                (points more than another row has, seed by seed where they share seeds) or ``over`` (by which fraction
                it is more than another row's).
        """
        if "counted" in wanted:
            return Value(float(COUNTED[wanted["counted"]]()))
        if "cell" in wanted:
            return number_shown(self.outputs.get(wanted["cell"], ""), wanted["finds"])
        content = self.content(wanted["experiment"])
        rows = content["rows"] if content else {}
        if not {wanted[part] for part in ("row", "minus", "over") if part in wanted} <= rows.keys():
            return None
        measure, row = wanted["measure"], rows[wanted["row"]]
        if "minus" in wanted:
            return _combined(row, rows[wanted["minus"]], measure, lambda one, other: 100 * (one - other))
        if "over" in wanted:
            return _combined(row, rows[wanted["over"]], measure, lambda one, other: one / other - 1)
        return Value(row["median"][measure], tuple(seed[measure] for seed in row["seeds"].values() if measure in seed))

    def values(self, entry: dict[str, Any]) -> dict[str, Value | None]:
        """The ``values`` of an entry by name; its ``experiment`` is that of all which name none."""
        return {name: self.value(where) for name, where in _wanted(entry).items()}

    def counted(self, entry: dict[str, Any]) -> str:
        """How many runs stand behind the values of an entry, in words."""
        wanted = list(_wanted(entry).values())
        if any("cell" in each for each in wanted):
            return "this notebook's stored run"
        fewest, most = self.seeds(wanted)
        if fewest < most:
            return f"medians of {fewest} to {most} seeds"
        return {0: "counted", 1: "one run"}.get(most, f"median of {most} seeds")

    def seeds(self, wanted: Iterable[dict[str, str]]) -> tuple[int, int]:
        """The fewest and the most seeds that stand behind any of these values; (0, 0) where all are counted."""
        read = [(self.content(each["experiment"]), each) for each in wanted if not {"counted", "cell"} & each.keys()]
        counts = [
            len(content["rows"][each[part]]["seeds"])
            for content, each in read
            for part in ("row", "minus", "over")
            if part in each
        ]
        return min(counts, default=0), max(counts, default=0)


def shown_by(cell: Any) -> str:
    """The plain text of a cell's stored outputs."""
    outputs = cell.get("outputs", ())
    return "\n".join(out.get("text") or out.get("data", {}).get("text/plain", "") for out in outputs)


def number_shown(text: str, finds: str) -> Value | None:
    """The number that a pattern's one group finds in an output; None where it finds nothing."""
    match = re.search(finds, text)
    return Value(float(match[1].replace(",", "").rstrip("."))) if match else None


def fails(conditions: Sequence[str], values: dict[str, Value]) -> list[str]:
    """Those conditions, such as ``ours > theirs`` or ``share < 0.001``, that the values do not meet, with the numbers.

    ``gain.least`` and ``gain.greatest`` are those of the seeds, ``gain.low`` and ``gain.high`` the ends of the 95 %
    interval of their mean (:func:`hanlp_tutor.workbench.significance.paired_seeds`).

    Raises:
        ConfigError: a condition that cannot be read, or names a value that is not there.
    """
    found = []
    for condition in conditions:
        parts = _CONDITION.fullmatch(condition)
        if not parts:
            raise ConfigError(f"{condition!r} is no condition: it looks like 'ours > theirs' or 'share < 0.001'.")
        sides = [_side(part, values, condition) for part in parts.group(1, 3)]
        if not _SIGNS[parts[2]](*sides):
            found.append(f"{condition}: {sides[0]:g}, {sides[1]:g}")
    return found


def _interval(seeds: Sequence[float]) -> Comparison:
    from hanlp_tutor.workbench.significance import paired_seeds

    return paired_seeds(seeds, [0.0] * len(seeds))


def _wanted(entry: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {name: {"experiment": entry.get("experiment"), **where} for name, where in entry["values"].items()}


def _side(text: str, values: dict[str, Value], condition: str) -> float:
    name, _, end = text.partition(".")
    if name in values and end in ("", *_ENDS):
        if end in ("low", "high") and len(values[name].seeds) < 2:
            raise ConfigError(f"{condition!r}: {text}: an interval needs two seeds at least.")
        return _ENDS[end](values[name].seeds) if end else values[name].middle
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{condition!r}: there is no value {text!r}, only {', '.join(values)}.") from None


def _combined(
    one: dict[str, Any], other: dict[str, Any], measure: str, how: Callable[[float, float], float]
) -> Value:
    mine, theirs = one["seeds"], other["seeds"]
    if mine.keys() != theirs.keys() or not all(measure in seed for seed in (*mine.values(), *theirs.values())):
        return Value(how(one["median"][measure], other["median"][measure]))
    pairs = tuple(how(mine[seed][measure], theirs[seed][measure]) for seed in mine)
    return Value(statistics.median(pairs), pairs)


@cache
def _base_size() -> int:
    from hanlp_tutor.teach.article_model import article_model

    return sum(p.numel() for p in article_model().parameters())


def _head_size() -> int:
    from hanlp_tutor.teach.article_model import BASE_SHAPE

    return (BASE_SHAPE["hidden_size"] + 1) * TAGS


def _lora_size() -> int:
    """Two matrices of the given rank beside the query's and the value's (Hu et al. 2021), and the head."""
    from hanlp_tutor.teach.article_model import BASE_SHAPE

    return BASE_SHAPE["num_hidden_layers"] * 2 * 2 * LORA_RANK * BASE_SHAPE["hidden_size"] + _head_size()


COUNTED: dict[str, Callable[[], float]] = {
    "head": _head_size,
    "base": _base_size,
    "head share": lambda: _head_size() / _base_size(),
    "lora share": lambda: _lora_size() / _base_size(),
    "updates of 1,000": lambda: 10 * -(-1000 // 32),  # the article's epochs and batch size
    "sentences for 1,000 updates": lambda: 1000 * 32 / 10,
    "sentences for 10,000 updates": lambda: 10_000 * 32 / 10,
}
