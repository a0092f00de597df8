"""Memorised or read from the context: recall on names that training has shown, and on those that it has not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hanlp_tutor.data import Span, TaggedText


def recall_by_novelty(
    train: Iterable[TaggedText], gold: Sequence[TaggedText], predicted: Sequence[Iterable[Span]]
) -> dict[str, float]:
    """Recall of the entities that training has shown, and of those that it has not.

    One is seen when some entity of ``train`` has the same text and the same type (Augenstein, Derczynski and Bontcheva
    2017, Generalisation in Named Entity Recognition). The two recalls distinguish memorising from reading the context.

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
