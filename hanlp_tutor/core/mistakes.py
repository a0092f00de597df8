"""Where a prediction disagrees with the gold labels: entities sorted out by kind, and the wrong examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hanlp_tutor.data import Span

_AROUND = 12  # characters shown before and after an error
_GAP = " … "


@dataclass(frozen=True)
class SpanError:
    """One disagreement: ``kind`` is missed, invented, wrong type, or wrong borders."""

    kind: str
    gold: Span | None
    predicted: Span | None

    def said_of(self, text: str) -> str:
        """In words, such as ``wrong type 北京 ORG, is LOC``."""
        wanted, found = (None if s is None else text[s.start : s.end] for s in (self.gold, self.predicted))
        if self.gold is None:
            return f"{self.kind} {found} {self.predicted.label}"
        if self.predicted is None:
            return f"{self.kind} {wanted} {self.gold.label}"
        right = self.gold.label if wanted == found else f"{wanted} {self.gold.label}"
        return f"{self.kind} {found} {self.predicted.label}, is {right}"


def span_errors(gold: Sequence[Span], predicted: Sequence[Span]) -> list[SpanError]:
    """Sort out where a prediction disagrees with the gold entities of a text, in order of appearance.

    A predicted entity in exactly the gold place has the wrong type; one that overlaps a gold one has wrong borders
    (whatever its type); each takes part in one error at most.
    """
    missed = [span for span in sorted(gold) if span not in set(predicted)]
    invented = [span for span in sorted(predicted) if span not in set(gold)]
    errors = []
    for kind, matches in (("wrong type", _same_place), ("wrong borders", _overlap)):
        for wanted in list(missed):
            found = next((span for span in invented if matches(wanted, span)), None)
            if found:
                missed.remove(wanted)
                invented.remove(found)
                errors.append(SpanError(kind, wanted, found))
    errors += [SpanError("missed", span, None) for span in missed]
    errors += [SpanError("invented", None, span) for span in invented]
    return sorted(errors, key=lambda error: (error.gold or error.predicted).start)


def stretches(length: int, errors: Sequence[SpanError], spans: Iterable[Span], around: int) -> list[list[int]]:
    """The parts ``[start, end]`` of a text where the errors are, with what stands around them.

    An entity that a border would cut is shown whole.

    Args:
        length: of the text, in characters.
        errors: of the text.
        spans: its entities, gold and predicted.
        around: characters shown before and after an error.
    """
    parts: list[list[int]] = []
    for span in sorted(span for error in errors for span in (error.gold, error.predicted) if span):
        first, last = max(0, span.start - around), min(length, span.end + around)
        first = min([first, *(s.start for s in spans if s.start < first < s.end)])
        last = max([last, *(s.end for s in spans if s.start < last < s.end)])
        if parts and first <= parts[-1][1] + len(_GAP):  # an ellipsis would be no shorter
            parts[-1] = [min(first, parts[-1][0]), max(last, parts[-1][1])]
        else:
            parts.append([first, last])
    return parts


def entity_mistake(example: Any, predicted: Sequence[Span], scores: Sequence[float | None]) -> dict[str, Any] | None:
    """What is wrong about the entities (or words) found in a text; None where nothing is.

    Args:
        example: with ``text``, ``spans``, ``source``.
        predicted: the spans found.
        scores: of each of them; None where there is none.

    Returns:
        ``{"source", "score", "missing": [span, ...], "extra": [span, ...], "shown", "text"}``, where a span is
        ``{"start", "end", "label", "text"}``, ``score`` the highest of an extra one (None where nothing is extra), and
        ``shown`` a line for people.
    """
    errors = span_errors(example.spans, predicted)
    if not errors:
        return None
    text, gold = example.text, set(example.spans)
    sure = {span: score for span, score in zip(predicted, scores, strict=True) if span not in gold}
    parts = stretches(len(text), errors, [*example.spans, *predicted], _AROUND)
    excerpt = " ".join(_GAP.join(text[first:last] for first, last in parts).split("\n"))
    before, after = "… " if parts[0][0] else "", " …" if parts[-1][1] < len(text) else ""
    return {
        "source": example.source,
        "score": max((score for score in sure.values() if score is not None), default=None),
        "missing": [_described(text, span) for span in sorted(gold - set(predicted))],
        "extra": [_described(text, span) for span in sorted(sure)],
        "shown": f"{'; '.join(error.said_of(text) for error in errors)}\t{before}{excerpt}{after}",
        "text": text,
    }


def class_mistake(example: Any, gold: str, predicted: str, score: float | None, shown: str) -> dict[str, Any] | None:
    """What is wrong about the class of a text (the relation of a pair); None where nothing is.

    Args:
        example: with ``text`` and ``source``.
        gold, predicted: its classes.
        score: the probability of the predicted one, where there is one.
        shown: the text as people are to see it.

    Returns:
        ``{"source", "score", "gold", "predicted", "shown", "text"}``; ``shown`` is a line for people.
    """
    if gold == predicted:
        return None
    line = " ".join(f"{predicted}, is {gold}\t{shown}".split("\n"))
    labels = {"gold": gold, "predicted": predicted}
    return {"source": example.source, "score": score, **labels, "shown": line, "text": example.text}


def remembering(predict_many: Callable[[list[Any]], list[Any]]) -> Callable[[Iterable[Any]], list[Any]]:
    """The same answers, each computed once: the scores and the list of what is wrong ask for the same texts."""
    known: dict[Any, Any] = {}

    def answers(inputs: Iterable[Any]) -> list[Any]:
        inputs = list(inputs)
        new = [each for each in dict.fromkeys(inputs) if each not in known]
        known.update(zip(new, predict_many(new) if new else [], strict=True))
        return [known[each] for each in inputs]

    return answers


def surest_first(mistakes: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The mistakes in the order in which they are worth reading: those of which the model was surest come first.

    Those without a score, such as a text of which an entity was missed and nothing invented, follow in file order.
    """
    return sorted(filter(None, mistakes), key=lambda mistake: -(mistake["score"] or 0.0))


def _described(text: str, span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "label": span.label, "text": text[span.start : span.end]}


def _same_place(left: Span, right: Span) -> bool:
    return (left.start, left.end) == (right.start, right.end)


def _overlap(left: Span, right: Span) -> bool:
    return left.start < right.end and right.start < left.end
