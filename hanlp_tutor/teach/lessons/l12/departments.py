"""The classical learner of departments: TF-IDF of character n-grams and a linear SVM, tuned on dev."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hanlp_tutor.data import LabelledText
from hanlp_tutor.teach.classical import fitted

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

GRID = (0.1, 0.3, 1.0, 3.0, 10.0)  # of C


def tuned_svm(
    train: Sequence[LabelledText],
    dev: Sequence[LabelledText],
    grid: Sequence[float] = GRID,
    ngrams: tuple[int, int] = (1, 3),
) -> tuple[Pipeline, float]:
    """The pipeline with the best accuracy on dev, and its C."""
    texts, labels = [e.text for e in dev], [e.label for e in dev]
    fits = dict(fitted("linear SVM", train, ngrams, grid))
    best = max(fits, key=lambda c: fits[c].score(texts, labels))
    return fits[best], best
