"""What every file format is read into and written from: a text with entities, which may nest, or with a label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.schemes import Span
from hanlp_tutor.errors import ConfigError, DataError

OVERLAPS = ("refuse", "longest", "keep")
EMPTY_ENTITY = "the entity {} is empty: it begins and ends at the same place, and covers no character."
NOT_EMPTY = "Remove it from the source, or give it the end that it should have."
_SHOWN = 5  # overlaps that one error lists


class Relation(NamedTuple):
    """What holds between two entities of a text, from ``head`` to ``tail``."""

    head: Span
    tail: Span
    label: str


@dataclass(frozen=True)
class Document:
    """A text and what people said about it.

    Args:
        text: any string.
        spans: entities, half-open in Unicode code points; they may nest and overlap. Kept in order of start, the longer
            first, each once.
        label: its class, if it has one.
        source: where it comes from, ``file:line``; no part of its identity.
        relations: between entities of ``spans``; only there where a reader was asked for them.
        group: as of :class:`~hanlp_tutor.data.LabelledText`.

    Raises:
        DataError: an entity that is empty, unnamed or outside the text, an empty label, half of a surrogate pair.
    """

    text: str
    spans: tuple[Span, ...] = ()
    label: str | None = None
    source: str = field(default="", compare=False)
    relations: tuple[Relation, ...] = ()
    group: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", tuple(sorted(set(self.spans), key=_position)))
        where = self.source or None
        for span in self.spans:
            if not (0 <= span.start < span.end <= len(self.text)):
                place = f"{span.label} {span.start}-{span.end}"
                if span.start == span.end:
                    raise DataError(EMPTY_ENTITY.format(place), path=where, remedy=NOT_EMPTY)
                raise DataError(
                    f"the entity {place} does not fit into a text of {len(self.text)} characters.",
                    path=where,
                    remedy="Offsets count Unicode code points from 0, and the end is excluded.",
                )
        names = [each.label for each in (*self.spans, *self.relations)] + ([] if self.label is None else [self.label])
        for name in names:
            if not name.strip():
                raise DataError("a label is empty.", path=where, remedy="Name it, or remove it.")
        for part in (self.text, *names):
            _check_unicode(part, where)

    def overlaps(self) -> list[tuple[Span, Span]]:
        """Each entity that shares a character with an earlier one, as ``(earlier, entity)``."""
        found = []
        widest: Span | None = None
        for span in self.spans:
            if widest is not None and span.start < widest.end:
                found.append((widest, span))
            if widest is None or span.end > widest.end:
                widest = span
        return found

    def tagged(self) -> TaggedText:
        """As one BIO tag per character.

        Raises:
            DataError: entities overlap; :func:`flatten` first.
        """
        return TaggedText.from_spans(self.text, self.spans, self.source, self.group)

    def labelled(self) -> LabelledText:
        """As a text with its class.

        Raises:
            DataError: it has none.
        """
        if self.label is None:
            raise DataError(
                f"the text {self.text[:20]!r} has no label.",
                path=self.source or None,
                remedy="Label it, or remove it.",
            )
        return LabelledText(self.text, self.label, self.source, self.group)

    def show(self, span: Span) -> str:
        """An entity for a message: its type, its place and the start of its text."""
        covered = self.text[span.start : span.end]
        return f"{span.label} {span.start}-{span.end} {covered[:20]!r}"

    def show_relation(self, relation: Relation) -> str:
        """A relation for a message: its name and its ends."""
        return f"the relation {relation.label!r} from {self.show(relation.head)} to {self.show(relation.tail)}"


def flatten(documents: Iterable[Document], overlaps: str = "refuse") -> tuple[list[Document], list[str]]:
    """Decide what becomes of nested and overlapping entities.

    Args:
        documents: as read.
        overlaps: ``refuse`` raises; ``longest`` keeps the longest of those that overlap, the first of equals; ``keep``
            leaves them.

    Returns:
        The documents, and a note with file and line for each entity that went or overlaps.

    Raises:
        ConfigError: another choice.
        DataError: ``refuse`` and there is one; the message lists the first of them.
    """
    if overlaps not in OVERLAPS:
        raise ConfigError(f"overlaps is one of {', '.join(OVERLAPS)}, not {overlaps!r}.")
    documents = list(documents)
    found = [(document, pairs) for document in documents if (pairs := document.overlaps())]
    if overlaps == "refuse" and found:
        _refuse(found)
    if overlaps == "keep":
        notes = [
            f"{document.source}: {document.show(span)} overlaps {document.show(other)}; both are kept."
            for document, pairs in found
            for other, span in pairs
        ]
        return documents, notes
    notes = []
    flat = [_longest(document, notes) if document.overlaps() else document for document in documents]
    return flat, notes


def split_at_line_feeds(documents: Iterable[Document]) -> list[Document]:
    """Make one document of each line that is not blank; entities keep their characters.

    Raises:
        DataError: an entity or a relation that runs over a line end, or a class for a text of several lines, which
            neither holds.
    """
    pieces = []
    for document in documents:
        if "\n" not in document.text:
            pieces.append(document)
            continue
        across = next((each for each in document.relations if "\n" in document.text[slice(*_reach(each))]), None)
        if across is not None:
            raise DataError(
                f"{document.show_relation(across)} runs over a line end.",
                path=document.source or None,
                remedy="Pass --drop relations (in Python: drop='relations') to leave them out, or convert to a format "
                "that holds texts of several lines.",
            )
        lines = [piece for piece in _lines(document) if piece.text.strip()]
        kept = sum(len(piece.spans) for piece in lines)
        if kept != len(document.spans):
            lost = next(span for span in document.spans if not _inside_a_line(document.text, span))
            raise DataError(
                f"the entity {document.show(lost)} runs over a line end.",
                path=document.source or None,
                remedy="Mend it in the source, or convert to a format that holds texts of several lines.",
            )
        if document.label is not None and len(lines) > 1:
            raise DataError(
                f"the label {document.label!r} belongs to a text of {len(lines)} lines, not to each of them.",
                path=document.source or None,
                remedy="Replace the line ends by spaces, or convert to a format that holds texts of several lines.",
            )
        pieces += lines
    return pieces


def _position(span: Span) -> tuple[int, int, str]:
    return span.start, -span.end, span.label


def _check_unicode(text: str, where: str | None) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"character {error.start} of {text[:20]!r} is half of a surrogate pair.",
            path=where,
            remedy="Export the data again as UTF-8: a program has cut a character in two.",
        ) from None


def _refuse(found: Sequence[tuple[Document, list[tuple[Span, Span]]]]) -> None:
    document, pairs = found[0]
    other, span = pairs[0]
    count = sum(len(pairs) for _, pairs in found)
    places = ", ".join(document.source for document, _ in found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    raise DataError(
        f"{document.show(span)} overlaps {document.show(other)}; {count} in all ({places}).",
        path=document.source or None,
        remedy=f"{pass_option('overlaps', 'longest')} to keep the longest of them, or 'keep' to keep all where the "
        "target can hold them.",
    )


def _longest(document: Document, notes: list[str]) -> Document:
    kept: list[Span] = []
    for span in sorted(document.spans, key=lambda span: (span.start - span.end, _position(span))):
        other = next((other for other in kept if span.start < other.end and other.start < span.end), None)
        if other is None:
            kept.append(span)
        else:
            notes.append(f"{document.source}: {document.show(span)} overlaps {document.show(other)} and is dropped.")
    whole = tuple(each for each in document.relations if each.head in kept and each.tail in kept)
    notes += [
        f"{document.source}: {document.show_relation(each)} is dropped with it."
        for each in document.relations
        if each not in whole
    ]
    return replace(document, spans=tuple(kept), relations=whole)


def _lines(document: Document) -> list[Document]:
    pieces = []
    start = 0
    for raw in document.text.split("\n"):
        line = raw[:-1] if raw.endswith("\r") else raw
        end = start + len(line)
        here = {
            s: Span(s.start - start, s.end - start, s.label) for s in document.spans if start <= s.start < s.end <= end
        }
        relations = [Relation(here[r.head], here[r.tail], r.label) for r in document.relations if r.head in here]
        spans = tuple(here.values())
        pieces.append(replace(document, text=line, spans=spans, relations=tuple(relations)))
        start += len(raw) + 1
    return pieces


def _reach(relation: Relation) -> tuple[int, int]:
    """From the start of its first entity to the end of its last."""
    return min(relation.head.start, relation.tail.start), max(relation.head.end, relation.tail.end)


def _inside_a_line(text: str, span: Span) -> bool:
    covered = text[span.start : span.end]
    return "\n" not in covered and not (covered.endswith("\r") and text[span.end : span.end + 1] == "\n")
