"""Entities for the eye: a sentence with its names marked, and what exactly is wrong with a prediction."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hanlp_tutor.core.mistakes import span_errors
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.teach.plots import BLACK, GREEN, ORANGE, PURPLE, SKY, YELLOW

_COLOURS = {"PER": ORANGE, "LOC": SKY, "ORG": GREEN}
_OTHERS = (YELLOW, PURPLE)


class Marked:
    """A text whose entities stand on coloured ground, with their labels; brackets where there is no HTML."""

    def __init__(self, text: str, spans: Iterable[Span]):
        self.text, self.spans = text, sorted(spans)

    def __repr__(self) -> str:
        return "".join(part if span is None else f"[{part} {span.label}]" for part, span in self._parts())

    def _repr_html_(self) -> str:
        return f'<div style="line-height: 2">{"".join(self._html())}</div>'

    def _html(self) -> Iterator[str]:
        for part, span in self._parts():
            safe = html.escape(part).replace("$", "&#36;")  # a notebook would read $...$ as mathematics
            if span is None:
                yield safe
            else:
                colour = _COLOURS.get(span.label) or _OTHERS[sum(map(ord, span.label)) % len(_OTHERS)]
                style = f"background: {colour}; color: {BLACK}; padding: 2px 4px; border-radius: 4px"
                yield f'<mark style="{style}">{safe} <small>{html.escape(span.label)}</small></mark>'

    def _parts(self) -> Iterator[tuple[str, Span | None]]:
        end = 0
        for span in self.spans:
            yield self.text[end : span.start], None
            yield self.text[span.start : span.end], span
            end = span.end
        yield self.text[end:], None


class ErrorGallery:
    """All disagreements between gold and predicted entities: counted by kind, and one short sentence of each shown.

    Args:
        examples: with gold entities.
        predicted: the entities found in each.
        longest: texts with more characters are counted but not shown.
    """

    def __init__(self, examples: Sequence[TaggedText], predicted: Sequence[Sequence[Span]], *, longest: int = 60):
        self.counts: Counter[str] = Counter()
        self.shown: dict[str, tuple[Marked, Marked]] = {}
        for example, found in zip(examples, predicted, strict=True):
            errors = span_errors(example.spans, found)
            self.counts.update(error.kind for error in errors)
            new = {error.kind for error in errors} - self.shown.keys()
            if new and len(example.text) <= longest:
                self.shown[min(new)] = Marked(example.text, example.spans), Marked(example.text, found)

    def __repr__(self) -> str:
        return "\n".join(f"{kind}\n  gold       {a!r}\n  predicted  {b!r}" for kind, (a, b) in self.shown.items())

    def _repr_html_(self) -> str:
        parts = (
            f"<p><b>{kind}</b></p><div>gold: {''.join(gold._html())}</div>"
            f"<div>predicted: {''.join(found._html())}</div>"
            for kind, (gold, found) in self.shown.items()
        )
        return f'<div style="line-height: 2">{"".join(parts)}</div>'
