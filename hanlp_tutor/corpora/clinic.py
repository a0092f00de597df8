"""Synthetic electronic records (电子病历): entities, relations between them, and the department that they belong to.

Nobody was ill: every text is composed by :mod:`hanlp_tutor.corpora.clinic_records` from the words and sentences in
``lexicons/clinic``, which were written for this kit. What a model scores here says how it copes with the traps that
were built in, not how well it would read your hospital's records.

Three tasks:

``ner``
    disease, symptom, drug, test, procedure, body (part) and department. Denied, family and earlier findings are
    entities like the others; :attr:`Mention.status` of :func:`records` tells them apart. Doses, values and vital signs
    are no entities.
``relation``
    ``treats`` (drug, disease), ``finds`` (test, disease), ``symptom_of`` (symptom, disease), where the sentence states
    it; ``unknown`` for every other pair of these types.
``classify``
    the department, one of 25, from the complaint and the history; the illness is not named.

Difficulty 0 to 1 moves: how many entities have a name that all sets use; abbreviations and typing errors; symptoms that
any illness may have. Difficulty 0.5 is calibrated on dev (``tests/corpora/test_clinic.py``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from hanlp_tutor.corpora.clinic_lexicon import lexicon
from hanlp_tutor.corpora.clinic_records import NO_RELATION, RELATIONS, Record, Writer
from hanlp_tutor.corpora.composing import Draw, Mention
from hanlp_tutor.corpora.dealing import NOISE, Options, in_sets, other
from hanlp_tutor.corpora.package import Corpus
from hanlp_tutor.data import LabelledText, Span, TaggedText
from hanlp_tutor.data.relations import RelationText

NAME = "clinic"
TASKS = ("ner", "relation", "classify")
SIZE = 4000
HELD_OUT = {"dev": 500, "test": 1000}
ENTITIES = ("disease", "symptom", "drug", "test", "procedure", "body", "department")
LICENCE = "Apache License 2.0, that of this kit: text, words and sentences were written for it."
CITATION = "hanlp_tutor.corpora.clinic, a synthetic corpus of this kit."


def records(task: str, options: Options) -> dict[str, list[Record]]:
    """The texts of a task by set, with all that is known of them and without label noise."""
    return _records(task, options)


@lru_cache(maxsize=6)
def _records(task: str, options: Options) -> dict[str, list[Record]]:
    method = {"ner": "record", "classify": "complaint", "relation": "related"}[task]
    pairs = (lambda record: len(record.pairs)) if task == "relation" else None
    counts = {**HELD_OUT, "train": options.size}
    return in_sets(lambda subset: getattr(Writer(subset, options, task), method), counts, pairs)


def load(task: str, options: Options) -> Corpus:
    """The corpus of a task, made once per process; 2 % of the training labels are wrong."""
    return _load(task, options)


@lru_cache(maxsize=6)
def _load(task: str, options: Options) -> Corpus:
    make = {"ner": _tagged, "relation": _related, "classify": _labelled}[task]
    subsets = {}
    for subset, found in records(task, options).items():
        noise = Draw(NAME, options.seed, "noise", task) if subset == "train" else None
        subsets[subset] = tuple(make(subset, found, noise))
    if task == "relation":
        for subset in subsets:
            subsets[subset] = subsets[subset][: HELD_OUT.get(subset, options.size)]
    counts = " / ".join(f"{len(subset):,}" for subset in subsets.values())
    return Corpus(
        name=NAME,
        task=task,
        **subsets,
        licence=LICENCE,
        citation=CITATION,
        provenance=(
            "Synthetic: clinical records of nobody, composed of templates and word lists written for this kit "
            f"(hanlp_tutor/corpora/lexicons/clinic). Task {task}, seed {options.seed}, "
            f"difficulty {options.difficulty}. "
            "No template of one set occurs in another; some of the names belong to one set alone. "
            f"Of the training labels {NOISE:.0%} are wrong on purpose, none in dev and test. {counts} examples."
        ),
    )


def _source(subset: str, number: int) -> str:
    return f"{NAME}/{subset}:{number}"


def _tagged(subset: str, found: list[Record], noise: Draw | None):
    for number, record in enumerate(found, 1):
        mentions = [m if noise is None else _noisy(m, record.text, noise) for m in record.mentions]
        spans = [Span(mention.start, mention.end, mention.label) for mention in mentions if mention]
        yield TaggedText.from_spans(record.text, spans, _source(subset, number))


def _noisy(mention: Mention, text: str, noise: Draw) -> Mention | None:
    """What a tired annotator leaves: another type, an end cut off, or nothing at all; mostly the mention itself."""
    if not noise.chance(NOISE):
        return mention
    mistake = noise.pick(("type", "type", "end", "missed"))
    if mistake == "type" or (mistake == "end" and mention.end - mention.start < 3):
        return replace(mention, label=other(mention.label, ENTITIES, noise))
    return replace(mention, end=mention.end - 1) if mistake == "end" else None


def _labelled(subset: str, found: list[Record], noise: Draw | None):
    departments = list(dict.fromkeys(group.department for group in lexicon().groups.values()))
    for number, record in enumerate(found, 1):
        wrong = noise is not None and noise.chance(NOISE)
        label = other(record.department, departments, noise) if wrong else record.department
        yield LabelledText(record.text, label, _source(subset, number))


def _related(subset: str, found: list[Record], noise: Draw | None):
    for number, record in enumerate(found, 1):
        for head, tail, relation in record.pairs:
            # overlooked, or seen where there is none; the types of the two allow no other mistake
            possible = RELATIONS.get((head.label, tail.label))
            wrong = possible and noise is not None and noise.chance(NOISE)
            label = other(relation, (possible, NO_RELATION), noise) if wrong else relation
            strings = (head.text(record.text), tail.text(record.text))
            yield RelationText(
                record.text,
                *strings,
                label,
                _source(subset, number),
                types=(head.label, tail.label),
                negative=NO_RELATION,
            )
