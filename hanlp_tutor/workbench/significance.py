"""Is the difference real? The bootstrap (自助法) over test sentences: intervals, comparisons, what a test set can see.

All of it works on *counts*, an array (n, 3) with right, found and wanted of each sentence, because F1 is a ratio of
their sums: 2 Σ right / (Σ found + Σ wanted). For a classifier found and wanted are 1, and that ratio is the accuracy.
One draw is n sentences with replacement. The interval says what *other sentences of this kind* would have given these
very weights; how much the weights of another seed would differ is a question for more seeds. scipy draws.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from hanlp_tutor.data import Span

DRAWS = 2000
_AT_ONCE = 20  # draws: a matrix of draws times sentences is in memory


@dataclass(frozen=True)
class Interval:
    """A score and the interval in which 95 % of the draws lie (percentile method, Efron 1979)."""

    value: float
    low: float
    high: float
    standard_error: float


@dataclass(frozen=True)
class Comparison:
    """Score of a less score of b, its 95 % interval, and p: how often chance alone makes one as large.

    ``p`` is two-sided, by shifting the draws to no difference (Koehn 2004; Berg-Kirkpatrick et al. 2012).
    """

    difference: float
    low: float
    high: float
    standard_error: float
    p: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies above 0 or below 0."""
        return self.low > 0 or self.high < 0


def span_counts(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]]) -> np.ndarray:
    """Right, found and wanted entities of each sentence, (n, 3)."""
    rows = []
    for gold_spans, predicted_spans in zip(gold, predicted, strict=True):
        wanted, found = set(gold_spans), set(predicted_spans)
        rows.append((len(wanted & found), len(found), len(wanted)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def label_counts(gold: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    """The same for one label a text: (right or not, 1, 1), so that F1 is the accuracy."""
    return np.array([(g == p, 1, 1) for g, p in zip(gold, predicted, strict=True)], dtype=np.int64).reshape(-1, 3)


def in_blocks(counts: np.ndarray, size: int) -> np.ndarray:
    """Sum runs of ``size`` consecutive sentences, so that a bootstrap draws whole runs.

    Neighbouring sentences of a newspaper tell one story and are right or wrong together; drawn one by one they would
    pretend to say more than they do.
    """
    return np.add.reduceat(counts, range(0, len(counts), size), axis=0)


def f1_of(counts: np.ndarray) -> float:
    """Micro F1 of the sums; 0 when nothing was found and nothing wanted."""
    return float(_f1(counts.sum(axis=0)[None])[0])


def bootstrap_interval(counts: np.ndarray, *, draws: int = DRAWS, seed: int = 1) -> Interval:
    """The F1 (accuracy) with its 95 % interval over other sentences of the same kind."""
    _check(counts)
    values = _f1(_drawn_sums(counts, draws, seed))
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(f1_of(counts), float(low), float(high), float(values.std(ddof=1)))


def paired_bootstrap(a: np.ndarray, b: np.ndarray, *, draws: int = DRAWS, seed: int = 1) -> Comparison:
    """Compare two models on the same sentences: each draw takes the same sentences for both.

    Args:
        a, b: counts of the two, row by row of the same sentences.
        draws: how many times n sentences are drawn.
        seed: of the draws.

    Raises:
        ValueError: not the same sentences.
    """
    _check(a, b)
    sums = _drawn_sums(np.hstack([a, b]), draws, seed)
    return _compared(_f1(sums[:, :3]) - _f1(sums[:, 3:]), f1_of(a) - f1_of(b))


def paired_macro(
    gold: Sequence[str], a: Sequence[str], b: Sequence[str], *, draws: int = DRAWS, seed: int = 1
) -> Comparison:
    """:func:`paired_bootstrap` for macro F1, which is no ratio of sums: the classes' F1 are drawn together.

    Texts with the same gold label and the same two answers are alike, so a draw is one of a multinomial over them. A
    class that a draw lacks counts as 0 there, on both sides.

    Args:
        gold, a, b: the classes of the same texts.

    Raises:
        ValueError: not as many answers as texts, or none.
    """
    kinds = Counter(zip(gold, a, b, strict=True))
    if not kinds:
        raise ValueError("There is no text to compare on.")
    counts = np.array([*kinds.values()])
    drawn = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=draws)
    first, second = (_macro([kind[0] for kind in kinds], [kind[k] for kind in kinds], counts, drawn) for k in (1, 2))
    return _compared(first[1:] - second[1:], float(first[0] - second[0]))


def _macro(gold: Sequence[str], said: Sequence[str], counts: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Macro F1 of all texts, then of each draw, from how often each kind of text occurs in it."""
    weights, gold, said = np.vstack([counts, drawn]), np.array(gold), np.array(said)
    classes = sorted({*gold, *said})
    of_class = [np.stack([(gold == c) & (said == c), said == c, gold == c], axis=1) for c in classes]
    return np.mean([_f1((weights @ rows).astype(float)) for rows in of_class], axis=0)


def _compared(values: np.ndarray, difference: float) -> Comparison:
    """The difference with its interval and p, from the differences of the draws."""
    low, high = np.quantile(values, (0.025, 0.975))
    # rounding must not decide whether "as large" holds, for instance between two models that agree everywhere
    extreme = int((np.abs(values - difference) >= abs(difference) - 1e-12).sum())
    return Comparison(difference, float(low), float(high), float(values.std(ddof=1)), (extreme + 1) / (len(values) + 1))


def paired_seeds(a: Sequence[float], b: Sequence[float]) -> Comparison:
    """Compare two ways of training, seed by seed: the mean difference with its interval and p by Student's t (1908).

    Args:
        a, b: scores of the two, the same seed (or the same drawn training set) at the same place.

    Raises:
        ValueError: no two pairs.
    """
    from scipy import stats

    differences = np.subtract(a, b) if len(a) == len(b) else np.array([])
    if len(differences) < 2:
        raise ValueError("an interval needs two pairs at least, one score of each seed on both sides")
    test = stats.ttest_1samp(differences, 0.0)
    low, high = test.confidence_interval(0.95)
    error = float(differences.std(ddof=1) / math.sqrt(len(differences)))
    return Comparison(float(differences.mean()), float(low), float(high), error, float(test.pvalue))


def smallest_visible(comparison: Comparison, sentences: int, *, of: int, power: float = 0.8) -> float:
    """The true difference that a paired test on so many sentences finds in ``power`` of all cases, at the 5 % level.

    (z₀.₉₇₅ + z_power) · standard error, which shrinks with the root of the number of sentences. It is a property of
    the pair: two models that mostly agree can be distinguished sooner.

    Args:
        comparison: of two such models, measured on ``of`` sentences.
        sentences: in the test set in question.
    """
    normal = NormalDist()
    return (normal.inv_cdf(0.975) + normal.inv_cdf(power)) * comparison.standard_error * math.sqrt(of / sentences)


def _drawn_sums(counts: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Of each draw of n rows with replacement the sum of every column, (draws, columns)."""
    from scipy import stats

    if len(counts) == 1:  # scipy asks for two; of a lone sentence every draw is that sentence
        counts = np.repeat(counts, 2, axis=0)
    options = {"axis": 0, "method": "percentile", "n_resamples": draws, "batch": _AT_ONCE}
    drawn = stats.bootstrap((counts.astype(float),), np.sum, **options, rng=np.random.default_rng(seed))
    return drawn.bootstrap_distribution.T


def _f1(sums: np.ndarray) -> np.ndarray:
    """F1 of rows of right, found, wanted."""
    total = sums[:, 1] + sums[:, 2]
    return np.divide(2.0 * sums[:, 0], total, out=np.zeros(len(sums)), where=total > 0)


def _check(*several: np.ndarray) -> None:
    shapes = {np.shape(counts) for counts in several}
    if len(shapes) > 1:
        raise ValueError(f"Counts of {' and '.join(map(str, sorted(shapes)))}: compare models on the same sentences.")
    shape = shapes.pop()
    if len(shape) != 2 or shape[0] == 0 or shape[1] != 3:
        raise ValueError(f"Counts of shape {shape}: expected one row (right, found, wanted) a sentence.")
