"""Exact-span precision, recall and F1 for entities; accuracy, macro and micro F1 for classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hanlp_tutor.data import Span


def span_scores(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]]) -> dict[str, Any]:
    """Micro-averaged exact-span scores, and the same for each type.

    An entity counts when start, end and label all agree (CoNLL-2003; seqeval's default mode). A ratio without a
    denominator is 0.

    Returns:
        ``{"precision", "recall", "f1", "per_type": {label: {"precision", "recall", "f1", "support"}}}``
    """
    right, found, wanted = Counter(), Counter(), Counter()
    for gold_spans, predicted_spans in zip(gold, predicted, strict=True):
        gold_set, predicted_set = set(gold_spans), set(predicted_spans)
        wanted.update(span.label for span in gold_set)
        found.update(span.label for span in predicted_set)
        right.update(span.label for span in gold_set & predicted_set)
    per_type = {}
    for label in sorted(wanted | found):
        per_type[label] = {**_prf(right[label], found[label], wanted[label]), "support": wanted[label]}
    return {**_prf(right.total(), found.total(), wanted.total()), "per_type": per_type}


def class_scores(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1 (the mean over classes) and micro F1 (over decisions), and each class by itself.

    With one label per text micro F1 equals accuracy. Macro F1 averages over every class that occurs in the gold or
    the predictions, as scikit-learn does.

    Returns:
        ``{"accuracy", "macro_f1", "micro_f1", "per_class": {label: {"precision", "recall", "f1", "support"}}}``
    """
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    if not gold:
        return {"accuracy": 0.0, "macro_f1": 0.0, "micro_f1": 0.0, "per_class": {}}
    labels = sorted({*gold, *predicted})
    columns = precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=0)
    per_class = {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    }
    return {
        "accuracy": float(accuracy_score(gold, predicted)),
        "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
        "micro_f1": float(f1_score(gold, predicted, average="micro", zero_division=0)),
        "per_class": per_class,
    }


def minority_share(predictions: Iterable[str]) -> float:
    """The share of the predictions that are not the commonest one; 0 when all are alike or there is none."""
    given = Counter(predictions)
    return 1 - max(given.values()) / given.total() if given else 0.0


def _prf(right: int, found: int, wanted: int) -> dict[str, float]:
    precision, recall = right / found if found else 0.0, right / wanted if wanted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}
