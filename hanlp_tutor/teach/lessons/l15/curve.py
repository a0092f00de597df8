"""A learning curve (学习曲线) as a formula: the error falls as a power of the number of labels, down to a floor.

error(n) = c + a n^(-b), the form that Hestness et al. 2017 found over many tasks. How sure it is, a bootstrap says:
every size draws its scores anew from its draws (chance of the labels), and is moved by the curve's own miss at that
size times a normal number (the formula is not the truth; a wild bootstrap, Wu 1986). Then the curve is fitted again.
Whether the formula goes on to hold beyond the last point, no bootstrap knows: test it on points it did not see.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hanlp_tutor.errors import ConfigError

RESAMPLES = 200
FEWEST = 100  # texts of which sixteenth, eighth and quarter are sizes to learn from


def check_sizes(texts: int, sizes: Sequence[int], later: Sequence[int]) -> None:
    """Whether a training set has as many texts as the curve's largest size.

    Raises:
        ConfigError: it has not; names sizes that fit.
    """
    largest = max(*sizes, *later)
    if largest > texts:
        fit = [texts // 16, texts // 8, texts // 4]
        remedy = f'Take sizes that fit: -p sizes "{fit}" -p later "{[texts // 2, texts]}"'
        raise ConfigError(
            f"sizes and later go up to {largest:,} labels, and there are {texts:,} training texts. "
            + (remedy if texts >= FEWEST else f"A curve wants {FEWEST} or more: label some first.")
        )


def error_at(n, a: float, b: float, c: float):
    """The formula: c + a n^(-b)."""
    return c + a * np.asarray(n, dtype=float) ** -b


def fit(sizes: Sequence[float], errors: Sequence[float]) -> tuple[float, float, float]:
    """a, b and c of the least squares over all points; a from 0, b from 0 to 1.5, c from 0 to the least error.

    Args:
        sizes, errors: a point a run; several of one size are several points.

    Raises:
        ValueError: fewer than three sizes.
    """
    from scipy.optimize import curve_fit

    if len(set(sizes)) < 3:
        raise ValueError("A curve of three numbers needs three sizes at least.")
    least = max(min(errors), 1e-6)
    start = (1.0, 0.4, least / 2)
    found, _ = curve_fit(error_at, sizes, errors, start, bounds=((0, 0, 0), (50, 1.5, least)), maxfev=5000)
    return tuple(float(value) for value in found)


def labels_needed(score: float, a: float, b: float, c: float) -> float:
    """At how many labels the curve reaches a score; infinity where the score lies above what it ever reaches."""
    error = 1 - score
    if error <= c or a <= 0 or b <= 0:
        return math.inf if error <= c or error < a + c else 1.0
    return ((error - c) / a) ** (-1 / b)


@dataclass(frozen=True)
class Range:
    """A value and the interval in which 95 % of the resampled curves have it; infinity is a value."""

    value: float
    low: float
    high: float

    def __contains__(self, seen: float) -> bool:
        return self.low <= seen <= self.high


class Curve:
    """A fitted curve, with as many others as the bootstrap has drawn.

    Args:
        scores: by number of labels, the scores of several draws, between 0 and 1.
        misses: whether the interval counts the curve's own misses; without, it knows the chance of the draws alone.
        seed: of the bootstrap.

    Attributes:
        parameters: a, b, c.
    """

    def __init__(self, scores: Mapping[int, Sequence[float]], *, misses: bool = True, seed: int = 1):
        self.scores = {int(n): list(some) for n, some in sorted(scores.items())}
        self.parameters = self._fit(self.scores)
        sizes, rng = len(self.scores), np.random.default_rng(seed)
        # three numbers were fitted to these sizes, so the misses look smaller than they are
        wider = math.sqrt(sizes / max(sizes - 3, 1)) if misses else 0.0
        miss = {n: wider * (float(np.mean(some)) - self._score(n)) for n, some in self.scores.items()}

        def anew(n: int, some: list[float]) -> list[float]:
            return np.clip(rng.choice(some, len(some)) + miss[n] * rng.normal(), 0, 1).tolist()

        self._others = [self._fit({n: anew(n, some) for n, some in self.scores.items()}) for _ in range(RESAMPLES)]

    def _score(self, n: int) -> float:
        return 1 - float(error_at(n, *self.parameters))

    @staticmethod
    def _fit(scores: Mapping[int, Sequence[float]]) -> tuple[float, float, float]:
        points = [(n, 1 - score) for n, some in scores.items() for score in some]
        return fit(*zip(*points, strict=True))

    def at(self, n: float) -> Range:
        """The score with so many labels."""
        return self._range([1 - float(error_at(n, *each)) for each in (self.parameters, *self._others)])

    def needed(self, score: float) -> Range:
        """The number of labels for a score."""
        return self._range([labels_needed(score, *each) for each in (self.parameters, *self._others)])

    @property
    def ceiling(self) -> Range:
        """The score that it never passes, 1 - c."""
        return self._range([1 - c for _, _, c in (self.parameters, *self._others)])

    @staticmethod
    def _range(values: Sequence[float]) -> Range:
        ordered = sorted(values[1:])
        low, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.025, 0.975))
        return Range(values[0], low, high)


def labels(value: float) -> str:
    """A number of labels as a person says it: two digits, or never."""
    if math.isinf(value) or value > 1e7:
        return "never" if math.isinf(value) else "over ten million"
    return f"{float(f'{value:.2g}'):,.0f}"
