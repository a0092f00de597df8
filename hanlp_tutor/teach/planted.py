"""Faults put into clean data on purpose, so that one can count how many an audit finds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hanlp_tutor.data import LabelledText, Span, TaggedText


@dataclass(frozen=True)
class Planted:
    """One fault: example ``index``, characters ``start`` to ``end`` of it, and what was done."""

    index: int
    start: int
    end: int
    kind: str


def plant_label_errors(
    examples: Sequence[LabelledText], share: float, seed: int
) -> tuple[list[LabelledText], list[Planted]]:
    """Give a share of the texts another of the labels, at random."""
    rng = random.Random(seed)
    labels = sorted({example.label for example in examples})
    result, planted = list(examples), []
    for index in sorted(rng.sample(range(len(examples)), round(share * len(examples)))):
        example = examples[index]
        other = rng.choice([label for label in labels if label != example.label])
        result[index] = replace(example, label=other)
        planted.append(Planted(index, 0, len(example), "label"))
    return result, planted


def plant_tag_errors(examples: Sequence[TaggedText], share: float, seed: int) -> tuple[list[TaggedText], list[Planted]]:
    """Spoil a share of the entities as annotators do: another ``type``, ``missing``, a ``border`` one character short.

    An entity of one character has no shorter border and goes missing instead.
    """
    rng = random.Random(seed)
    labels = sorted({span.label for example in examples for span in example.spans})
    places = [(index, span) for index, example in enumerate(examples) for span in example.spans]
    chosen = set(rng.sample(places, round(share * len(places))))
    result, planted = list(examples), []
    for index, example in enumerate(examples):
        spans = []
        for span in example.spans:
            if (index, span) not in chosen:
                spans.append(span)
                continue
            kind = rng.choice(("type", "missing", "border"))
            if kind == "border" and span.end - span.start == 1:
                kind = "missing"
            if kind == "type":
                other = rng.choice([label for label in labels if label != span.label])
                spans.append(Span(span.start, span.end, other))
            elif kind == "border":
                spans.append(Span(span.start, span.end - 1, span.label))
            planted.append(Planted(index, span.start, span.end, kind))
        if len(spans) < len(example.spans) or tuple(spans) != example.spans:
            result[index] = TaggedText.from_spans(example.text, spans, example.source)
    return result, planted


def paraphrase(text: str, edits: int, seed: int, characters: str) -> str:
    """A text after so many edits of one character each at random places: replaced, inserted or removed.

    New characters are drawn from ``characters``, such as those of the corpus. A text never becomes empty.
    """
    rng = random.Random(f"{seed} {text}")
    for _ in range(edits):
        place = rng.randrange(len(text))
        kind = rng.choice(("replace", "insert", "remove")) if len(text) > 1 else "insert"
        new = "" if kind == "remove" else rng.choice(characters)
        text = text[:place] + new + text[place + (kind != "insert") :]
    return text
