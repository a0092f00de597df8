"""Relation files: ``head<TAB>tail<TAB>relation<TAB>sentence`` a line, as FinRE and the Chinese_NRE sets have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.lines import filled_lines, write_lines
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import Span
from hanlp_tutor.errors import DataError

HEAD, TAIL = "head", "tail"


@dataclass(frozen=True)
class RelationText:
    """A sentence and the relation between two of its strings; ``source`` is ``file:line`` and no part of its identity.

    Raises:
        DataError: a head or tail that the sentence does not contain, or an empty field.
    """

    text: str
    head: str
    tail: str
    relation: str
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        where = self.source or None
        for name in ("text", HEAD, TAIL, "relation"):
            if not getattr(self, name).strip():
                what = "sentence" if name == "text" else name
                raise DataError(
                    f"the {what} is missing.", path=where, remedy="Write head<TAB>tail<TAB>relation<TAB>sentence."
                )
        for name in (HEAD, TAIL):
            if getattr(self, name) not in self.text:
                raise DataError(
                    f"the {name} {getattr(self, name)!r} does not stand in the sentence {self.text[:30]!r}.",
                    path=where,
                    remedy="Mend the line, or remove it.",
                )

    def document(self) -> Document:
        """The same with places: a span ``head``, a span ``tail``, and the relation as the label.

        The file has strings only. Of their occurrences those are taken that do not overlap, where there are such, as
        far to the left as can be.
        """
        places = [(head, tail) for head in _places(self.text, self.head) for tail in _places(self.text, self.tail)]
        spans = [(Span(h, h + len(self.head), HEAD), Span(t, t + len(self.tail), TAIL)) for h, t in places]
        apart = [(head, tail) for head, tail in spans if head.end <= tail.start or tail.end <= head.start]
        chosen = min(apart or spans, key=lambda pair: (pair[0].start + pair[1].start, pair[0].start))
        return Document(self.text, chosen, self.relation, self.source)

    @classmethod
    def from_document(cls, document: Document) -> RelationText:
        """The reverse of :meth:`document`.

        Raises:
            DataError: anything else than one ``head``, one ``tail`` and a label.
        """
        found = {span.label: document.text[span.start : span.end] for span in document.spans}
        if len(document.spans) != 2 or set(found) != {HEAD, TAIL} or document.label is None:
            raise DataError(
                "a relation needs one entity 'head', one entity 'tail' and a label, the relation.",
                path=document.source or None,
                remedy="Name the two entities so, and give the text the relation as its label.",
            )
        return cls(document.text, found[HEAD], found[TAIL], document.label, document.source)


def read_relations(path: str | Path, *, encoding: str | None = "utf-8") -> list[RelationText]:
    """Read ``head<TAB>tail<TAB>relation<TAB>sentence`` lines; blank lines are skipped.

    Raises:
        DataError: a line of other columns, a head or tail that its sentence lacks, a file without any example.
    """
    examples = read_each(path, partial(_example, path), filled_lines(path, encoding))
    if not examples:
        raise DataError("holds no example.", path=path, remedy="Write head<TAB>tail<TAB>relation<TAB>sentence a line.")
    return examples


def _example(path: str | Path, number: int, line: str) -> RelationText:
    cells = line.split("\t")
    if len(cells) != 4:
        message = f"{len(cells)} columns instead of four in {line[:40]!r}."
        raise DataError(message, remedy="Write head<TAB>tail<TAB>relation<TAB>sentence.")
    head, tail, relation, text = cells
    return RelationText(text, head, tail, relation.strip(), f"{path}:{number}")


def write_relations(path: str | Path, examples: Iterable[RelationText]) -> None:
    """Write what :func:`read_relations` reads back unchanged.

    Raises:
        DataError: a tab or line feed in a field, or blanks around the relation; nothing is written then.
    """
    lines = []
    for example in examples:
        cells = (example.head, example.tail, example.relation, example.text)
        if any(set(cell) & {"\t", "\n"} for cell in cells) or example.text.endswith("\r"):
            raise DataError(
                "a field holds a tab or a line end, which a relation file cannot.",
                path=example.source or None,
                remedy="Replace it by a space.",
            )
        if example.relation != example.relation.strip():
            raise DataError(
                f"the relation {example.relation!r} has blanks around it.",
                path=example.source or None,
                remedy="Rename it.",
            )
        lines.append("\t".join(cells))
    write_lines(path, lines)


def _places(text: str, part: str) -> list[int]:
    places = []
    place = text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + 1)
    return places
