"""Errors in the large: which type is taken for which, and the sentences with the most errors, side by side."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hanlp_tutor.core.mistakes import SpanError, span_errors, stretches
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.teach.entities import Marked

NOTHING = "nothing"  # the partner of a missed or invented entity
_GAP = " … "


def taken_for(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]]) -> tuple[list[str], list[str]]:
    """Each entity with what it was taken for, as two lists of labels for a confusion matrix.

    Pairs have the same place, or overlap (:func:`~hanlp_tutor.core.mistakes.span_errors`); an entity without a partner
    is paired with ``nothing``. Wrong borders with the right type lie on the diagonal: the matrix is about types.
    """
    rows, columns = [], []
    for wanted, found in zip(gold, predicted, strict=True):
        right = set(wanted) & set(found)
        pairs = [(span, span) for span in right]
        pairs += [(error.gold, error.predicted) for error in span_errors(list(wanted), list(found))]
        rows += [one.label if one else NOTHING for one, _ in pairs]
        columns += [other.label if other else NOTHING for _, other in pairs]
    return rows, columns


@dataclass(frozen=True)
class Bad:
    """One sentence: its place in the test set, its errors, and both readings."""

    number: int
    errors: list[SpanError]
    gold: Marked
    predicted: Marked

    @property
    def kinds(self) -> str:
        """How many errors of which kind, the most frequent first."""
        return ", ".join(f"{n} {kind}" for kind, n in Counter(error.kind for error in self.errors).most_common())


class WorstSentences:
    """The sentences with the most errors, gold and predicted side by side, the worst first.

    Args:
        examples: with gold entities.
        predicted: the entities found in each.
        count: how many sentences; fewer when fewer have errors.
        around: characters shown before and after an error; what lies further from any error is left out.
    """

    def __init__(
        self, examples: Sequence[TaggedText], predicted: Sequence[Sequence[Span]], *, count: int = 20, around: int = 12
    ):
        found = []
        for number, (example, spans) in enumerate(zip(examples, predicted, strict=True)):
            errors = span_errors(example.spans, spans)
            if errors:
                found.append((number, errors))
        found.sort(key=lambda item: -len(item[1]))  # stable: the earlier sentence first
        self.rows = []
        for number, errors in found[:count]:
            text, gold, spans = examples[number].text, examples[number].spans, predicted[number]
            shown = stretches(len(text), errors, [*gold, *spans], around)
            self.rows.append(Bad(number, errors, _excerpt(text, gold, shown), _excerpt(text, spans, shown)))

    def __repr__(self) -> str:
        return "\n".join(
            f"sentence {row.number}: {row.kinds}\n  gold       {row.gold!r}\n  predicted  {row.predicted!r}"
            for row in self.rows
        )

    def _repr_html_(self) -> str:
        cell = '<td style="text-align: left; vertical-align: top; line-height: 2">'
        rows = "".join(
            f"<tr>{cell}{row.number}<br><small>{html.escape(row.kinds)}</small></td>"
            f"{cell}{''.join(row.gold._html())}</td>{cell}{''.join(row.predicted._html())}</td></tr>"
            for row in self.rows
        )
        head = "".join(f'<th style="text-align: left">{name}</th>' for name in ("sentence", "gold", "predicted"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _excerpt(text: str, spans: Iterable[Span], parts: Sequence[Sequence[int]]) -> Marked:
    """The stretches of a text joined by ellipses, with the entities that lie in them."""
    shown, kept = "", []
    for first, last in parts:
        shown += _GAP if first or shown else ""
        shift = len(shown) - first
        shown += text[first:last]
        inside = (span for span in spans if first <= span.start and span.end <= last)
        kept += [replace(span, start=span.start + shift, end=span.end + shift) for span in inside]
    return Marked(shown + (_GAP if parts and parts[-1][1] < len(text) else ""), kept)
