"""Synthetic records with what their generator knows: whose finding each disease and symptom is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hanlp_tutor.corpora import clinic, load_corpus
from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.teach.lessons.l12.assertion import ASSERTED, PATIENT, STATUS, whose


def told_apart(count: int) -> tuple[list[TaggedText], list[int], list[list[Span]]]:
    """``count`` training records, the places of the test records that are told apart, their gold (``disease/family``).

    Sentences made for relations are left out: there the status of an entity says what role it plays in the relation,
    and a mother's illness is not marked as hers.
    """
    train, test = (_without_relations(subset) for subset in ("train", "test"))
    examples = load_corpus("clinic").test
    gold = [[s for s in each.spans if "/" in s.label] for each in with_whose([examples[i] for i in test])]
    return [load_corpus("clinic").train[i] for i in train[:count]], test, gold


def answers_on_gold(subset: str) -> tuple[list[str], list[str]]:
    """The truth and the answer of the cue words for each gold disease and symptom of a set, without relations."""
    truth, answers = [], []
    for place in _without_relations(subset):
        example = getattr(load_corpus("clinic"), subset)[place]
        for span in example.spans:
            if span.label in ASSERTED:
                truth.append(_whose()[example.source][span.start])
                answers.append(whose(example.text, span.start, span.end))
    return truth, answers


def with_whose(examples: Sequence[TaggedText]) -> list[TaggedText]:
    """The same texts with a second label: ``disease/denied`` instead of ``disease``."""
    known = _whose()
    return [
        TaggedText.from_spans(e.text, [Span(s.start, s.end, _label(s, known[e.source])) for s in e.spans], e.source)
        for e in examples
    ]


def known_complaints(count: int) -> list[bool]:
    """Of each test complaint whether training has shown one of its symptoms in a complaint of the same department.

    Args:
        count: of training complaints.
    """
    complaints = clinic.records("classify", Options(size=clinic.SIZE))
    shown = {pair for record in complaints["train"][:count] for pair in _symptoms(record)}
    return [bool(_symptoms(record) & shown) for record in complaints["test"]]


def _symptoms(record: clinic.Record) -> set[tuple[str, str]]:
    """Its present symptoms, each with the department."""
    return {
        (m.text(record.text), record.department)
        for m in record.mentions
        if m.label == "symptom" and m.status == "present"
    }


def _label(span: Span, whose: dict[int, str]) -> str:
    return f"{span.label}/{whose.get(span.start, PATIENT)}" if span.label in ASSERTED else span.label


def _without_relations(subset: str) -> list[int]:
    return [i for i, record in enumerate(_records()[subset]) if record.kind != "relations"]


@lru_cache(maxsize=1)
def _whose() -> dict[str, dict[int, str]]:
    """By source and start of a mention whose it is."""
    return {
        example.source: {m.start: STATUS.get(m.status, PATIENT) for m in record.mentions}
        for subset, records in _records().items()
        for example, record in zip(getattr(load_corpus("clinic"), subset), records, strict=True)
    }


def _records() -> dict[str, list[clinic.Record]]:
    return clinic.records("ner", Options(size=clinic.SIZE))
