"""From the entities of a sentence to its relations: candidates, triples, and scores of triples end to end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import permutations
from typing import NamedTuple

from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.corpora.clinic import records
from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.data.relations import RelationText


class Triple(NamedTuple):
    """A relation with the places of its two entities; all three count."""

    head: tuple[int, int]
    tail: tuple[int, int]
    relation: str


class Sentence(NamedTuple):
    """A sentence with its entities and its relations."""

    text: str
    spans: tuple[Span, ...]
    triples: frozenset[Triple]


def sentences(subset: str, size: int) -> list[Sentence]:
    """The sentences behind the pairs of the synthetic corpus ``clinic``, with all entities; without label noise.

    Args:
        subset: train, dev or test.
        size: pairs of the training set, as for ``load_corpus``.
    """
    found = []
    for record in records("relation", Options(size=size))[subset]:
        spans = tuple(Span(m.start, m.end, m.label) for m in record.mentions)
        triples = frozenset(
            Triple((head.start, head.end), (tail.start, tail.end), relation)
            for head, tail, relation in record.pairs
            if relation != "unknown"
        )
        found.append(Sentence(record.text, spans, triples))
    return found


def tagged(some: Iterable[Sentence]) -> list[TaggedText]:
    """The sentences for a model of entities."""
    return [TaggedText.from_spans(each.text, each.spans) for each in some]


def candidates(
    text: str, spans: Sequence[Span], type_pairs: Collection[Sequence[str]] | None
) -> tuple[list[tuple[Span, Span]], list[RelationText]]:
    """The ordered pairs of entities whose types may be related, as places and as examples without a relation.

    Args:
        text: a sentence.
        spans: its entities.
        type_pairs: of head and tail; None allows all.
    """
    allowed = None if type_pairs is None else {tuple(pair) for pair in type_pairs}
    pairs = list(permutations(spans, 2))
    places = pairs if allowed is None else [(h, t) for h, t in pairs if (h.label, t.label) in allowed]
    examples = [
        RelationText(
            text,
            text[head.start : head.end],
            text[tail.start : tail.end],
            None,
            starts=(head.start, tail.start),
            types=(head.label, tail.label),
        )
        for head, tail in places
    ]
    return places, examples


def related(predictor: Predictor, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[set[Triple]]:
    """The relations that a model finds between given entities of each text.

    Args:
        predictor: of a relation model.
        texts: sentences.
        spans: the entities of each, gold or found by another model.
    """
    model = predictor.model
    both = [candidates(text, some, model.extra["type_pairs"]) for text, some in zip(texts, spans, strict=True)]
    answers = iter(predictor.predict_many([pair for _, pairs in both for pair in pairs]))
    return [
        {
            Triple((head.start, head.end), (tail.start, tail.end), answer["relation"])
            for (head, tail), answer in zip(places, answers, strict=False)
            if answer["relation"] != model.negative
        }
        for places, _ in both
    ]


def triple_scores(gold: Sequence[Collection[Triple]], found: Sequence[Collection[Triple]]) -> dict[str, float]:
    """Precision, recall and F1 of triples, as for entities: both places and the relation have to agree."""
    right = sum(len(set(a) & set(b)) for a, b in zip(gold, found, strict=True))
    wanted, said = sum(map(len, gold)), sum(map(len, found))
    return {
        "precision": right / said if said else 0.0,
        "recall": right / wanted if wanted else 0.0,
        "f1": 2 * right / (said + wanted) if said + wanted else 0.0,
    }


def spans_of(answers: Iterable[dict]) -> list[list[Span]]:
    """The entities in a predictor's answers."""
    return [[Span(e["start"], e["end"], e["label"]) for e in answer["entities"]] for answer in answers]
