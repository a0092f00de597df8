"""Recall as counts, two finders as one, and scores of who has the finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.data import Span
from hanlp_tutor.teach.lessons.l12.assertion import DENIED, FAMILY, PATIENT, WHOSE


def recall_counts(gold: Sequence[Iterable[Span]], found: Sequence[Iterable[Span]]) -> np.ndarray:
    """Right, wanted and wanted of each text, (n, 3): the F1 of such counts *is* the recall."""
    rows = [(len({*g} & {*f}), len({*g}), len({*g})) for g, f in zip(gold, found, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def both(first: Sequence[Sequence[Span]], second: Sequence[Sequence[Span]]) -> list[list[Span]]:
    """What the first has found, and of the second whatever overlaps none of it."""
    return [
        sorted([*ours, *(s for s in theirs if not any(s.start < o.end and o.start < s.end for o in ours))])
        for ours, theirs in zip(first, second, strict=True)
    ]


def price(ours: Mapping[str, float], theirs: Mapping[str, float]) -> str:
    """What a lead in recall costs: the precision of both, and the difference in F1.

    Args:
        ours, theirs: ``precision`` and ``f1`` of the model and of the rules, between 0 and 1.
    """
    points = 100 * (ours["f1"] - theirs["f1"])
    pays = "It pays with precision" if ours["precision"] < theirs["precision"] else "It pays with no precision"
    return (
        f"{pays}: {ours['precision']:.3f} against {theirs['precision']:.3f}, so its F1 is {abs(points):.1f} points "
        f"{'higher' if points > 0 else 'lower'}."
    )


def whose_scores(gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]) -> dict[str, float]:
    """F1 of each of the three answers, and how often what is denied or of the family is taken for the patient's.

    Args:
        gold, found: spans with labels such as ``disease/denied``.

    Returns:
        F1 by answer; ``taken for the patient's``: the share of denied and family findings that are reported as the
        patient's own, exact borders.
    """
    answers = {
        whose: span_scores([_of(spans, whose) for spans in gold], [_of(spans, whose) for spans in found])["f1"]
        for whose in WHOSE
    }
    wrong = wanted = 0
    for ours, theirs in zip(gold, found, strict=True):
        places = {(s.start, s.end) for s in _of(theirs, PATIENT)}
        others = [s for whose in (DENIED, FAMILY) for s in _of(ours, whose)]
        wrong += sum((s.start, s.end) in places for s in others)
        wanted += len(others)
    return {**answers, "taken for the patient's": wrong / wanted if wanted else 0.0}


def _of(spans: Iterable[Span], whose: str) -> list[Span]:
    return [span for span in spans if span.label.endswith(f"/{whose}")]
