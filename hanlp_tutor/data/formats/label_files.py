"""Texts with classes as formats: ``labels``, one ``text<TAB>label`` a line; ``relation``, four columns a line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.format import LABEL, OVERLAPS, RELATIONS, SPANS, Format
from hanlp_tutor.data.formats.head import head_lines, mostly
from hanlp_tutor.data.labels import read_labels, write_labels
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.relations import NO_RELATION, RelationText, pairs_of, read_relations, write_relations
from hanlp_tutor.errors import ConfigError, DataError

_REPEATED = ("refuse", "any")


def _read_labels(path: str | Path, *, encoding: str | None = None, label_first: bool | None = None) -> list[Document]:
    examples = read_labels(path, encoding=encoding, label_first=label_first)
    return [Document(each.text, (), each.label, each.source) for each in examples]


def _write_labels(path: str | Path, documents: Iterable[Document]) -> None:
    write_labels(path, [document.labelled() for document in documents])


def _sniff_labels(path: Path) -> bool:
    return mostly(head_lines(path), lambda line: line.count("\t") == 1)


def _read_relations(path: str | Path, *, encoding: str | None = None) -> list[Document]:
    return [each.document() for each in read_relations(path, encoding=encoding)]


def _write_relations(
    path: str | Path, documents: Iterable[Document], *, repeated: str = "refuse", negative: str = NO_RELATION
) -> None:
    """Write the strings of head and tail; ``repeated='any'`` also where they do not say their places.

    Of documents with relations every ordered pair of entities is a line; those without a relation are ``negative``.

    Raises:
        DataError: a string that stands in its sentence more than once, and not first where the entity is: it would be
            read back at another place.
    """
    if repeated not in _REPEATED:
        raise ConfigError(f"repeated is one of {', '.join(_REPEATED)}, not {repeated!r}.")
    documents = list(documents)
    if any(document.relations for document in documents):
        pairs = [pair for document in documents for pair in pairs_of(document, negative)]
        note(f"{path}: a relation file holds strings: the types of {len(pairs):,} pairs' entities are not written.")
    else:
        pairs = [RelationText.from_document(document) for document in documents]
    examples = []
    for example in pairs:
        if repeated == "refuse" and example.starts is not None:
            raise DataError(
                f"{example.head!r} or {example.tail!r} stands elsewhere in the sentence too, and a relation file names "
                "strings, not places.",
                path=example.source or None,
                remedy="Pass repeated='any' (-w repeated any) if any place will do, or choose another format.",
            )
        examples.append(example)
    write_relations(path, examples)


def _sniff_relations(path: Path) -> bool:
    return mostly(head_lines(path), lambda line: line.count("\t") == 3)


LABELS = Format("labels", (".txt", ".tsv"), frozenset({LABEL}), _read_labels, _write_labels, _sniff_labels)
RELATION = Format(
    "relation",
    (".txt", ".tsv"),
    frozenset({SPANS, OVERLAPS, LABEL, RELATIONS}),
    _read_relations,
    _write_relations,
    _sniff_relations,
)
