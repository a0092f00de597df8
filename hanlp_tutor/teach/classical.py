"""The classical learners of the scenarios: TF-IDF of characters, and what of it is chosen on dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hanlp_tutor.core.scores import class_scores
from hanlp_tutor.data import LabelledText
from hanlp_tutor.workbench.baselines import character_tfidf

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

NGRAMS = ((1, 2), (1, 3))
# Smoothing of naive Bayes; the inverse strength of the penalty of the two others. The grids reach beyond their best.
STRENGTHS = {
    "naive Bayes": (0.003, 0.01, 0.03, 0.1),
    "logistic regression": (10.0, 100.0, 1000.0),
    "linear SVM": (0.3, 1.0, 3.0, 10.0),
}


@dataclass(frozen=True)
class Tuned:
    """A learner with what dev chose: the longest n-gram, the strength, and the macro F1 that it had on dev."""

    name: str
    pipeline: Pipeline
    ngrams: tuple[int, int]
    strength: float
    dev: float


def tuned(
    name: str,
    train: Sequence[LabelledText],
    dev: Sequence[LabelledText],
    *,
    ngrams: Sequence[tuple[int, int]] = NGRAMS,
    strengths: Sequence[float] | None = None,
    class_weight: str | None = None,
) -> Tuned:
    """A learner of ``STRENGTHS``, trained with each setting; the one with the best macro F1 on dev.

    Args:
        name: of the learner.
        train, dev: labelled texts.
        ngrams: shortest and longest n-gram, the pairs to choose from.
        strengths: to choose from; None: those of ``STRENGTHS``.
        class_weight: ``balanced`` or None; naive Bayes has none.
    """
    texts, gold = [example.text for example in dev], [example.label for example in dev]
    found = []
    for span in ngrams:
        for strength, pipeline in fitted(name, train, span, strengths or STRENGTHS[name], class_weight):
            score = class_scores(gold, list(pipeline.predict(texts)))["macro_f1"]
            found.append(Tuned(name, pipeline, span, strength, score))
    return max(found, key=lambda each: each.dev)


def fitted(
    name: str,
    train: Sequence[LabelledText],
    ngrams: tuple[int, int],
    strengths: Sequence[float],
    class_weight: str | None = None,
) -> Iterator[tuple[float, Pipeline]]:
    """A learner, trained with one strength after the other; the n-grams of the texts are counted once."""
    from sklearn.pipeline import make_pipeline

    pieces = character_tfidf(ngrams)
    counts, labels = pieces.fit_transform([e.text for e in train]), [e.label for e in train]
    for strength in strengths:
        yield strength, make_pipeline(pieces, _classifier(name, strength, class_weight).fit(counts, labels))


def learner(name: str, strength: float, ngrams: tuple[int, int], class_weight: str | None = None) -> Pipeline:
    """TF-IDF of character n-grams, those of two texts or more, into one of the learners."""
    from sklearn.pipeline import make_pipeline

    return make_pipeline(character_tfidf(ngrams), _classifier(name, strength, class_weight))


def _classifier(name: str, strength: float, class_weight: str | None) -> ClassifierMixin:
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.svm import LinearSVC

    make = {
        "naive Bayes": lambda: MultinomialNB(alpha=strength),
        "logistic regression": lambda: LogisticRegression(C=strength, max_iter=2000, class_weight=class_weight),
        "linear SVM": lambda: LinearSVC(C=strength, class_weight=class_weight),
    }
    return make[name]()


def suspicion(pipeline: Pipeline, texts: Sequence[str], legitimate: str) -> np.ndarray:
    """How suspicious each text is: 1 - p(legitimate); of a learner without probabilities its margin, best of the rest.

    Either is good for a threshold that is chosen on dev, and only the first for one that is computed.
    """
    place = list(pipeline.classes_).index(legitimate)
    if hasattr(pipeline[-1], "predict_proba"):
        return 1 - pipeline.predict_proba(texts)[:, place]
    margins = pipeline.decision_function(texts)
    return np.delete(margins, place, axis=1).max(axis=1) - margins[:, place]
