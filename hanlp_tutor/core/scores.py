"""Exact-span precision, recall and F1 for entities; accuracy, macro and micro F1 for classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hanlp_tutor.data import Span, TaggedText


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


def recall_by_novelty(
    train: Iterable[TaggedText], gold: Sequence[TaggedText], predicted: Sequence[Iterable[Span]]
) -> dict[str, float]:
    """Recall of the entities that training has shown, and of those that it has not.

    One is seen when some entity of ``train`` has the same text and the same type (Augenstein, Derczynski and Bontcheva
    2017, Generalisation in Named Entity Recognition). The two recalls tell learning by heart from reading the context.

    Returns:
        ``{"recall_seen", "recall_unseen", "share_unseen"}``: the last of all gold entities. A ratio without a
        denominator is 0.
    """
    shown = {named for example in train for _, named in _named(example)}
    right, wanted = Counter(), Counter()
    for example, spans in zip(gold, predicted, strict=True):
        found = set(spans)
        for span, named in _named(example):
            wanted[named in shown] += 1
            right[named in shown] += span in found
    recall = {seen: right[seen] / wanted[seen] if wanted[seen] else 0.0 for seen in (True, False)}
    share = wanted[False] / wanted.total() if wanted else 0.0
    return {"recall_seen": recall[True], "recall_unseen": recall[False], "share_unseen": share}


def _named(example: TaggedText) -> Iterator[tuple[Span, tuple[str, str]]]:
    """Each entity with its text and type."""
    for span in example.spans:
        yield span, (example.text[span.start : span.end], span.label)


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
