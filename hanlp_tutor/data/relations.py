"""Two entities of a text and the relation between them: a line of a file, or a pair of a document's entities.

Files hold ``head<TAB>tail<TAB>relation<TAB>sentence`` a line, as FinRE and the Chinese_NRE sets have them. Of a
document with entities and relations (an export of BRAT, doccano or Label Studio) every ordered pair of entities is an
example; the pairs without a relation are those of the negative class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.lines import filled_lines, write_lines
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import Span
from hanlp_tutor.errors import ConfigError, DataError

HEAD, TAIL = "head", "tail"
NO_RELATION = "NA"  # of pairs that an export has no relation for
# What sets of relations call a pair without one; "Other" is left out, which may be a relation as well as none.
_NEGATIVE = {"na", "n/a", "none", "null", "unknown", "no_relation", "no relation", "norelation", "negative"}
_NEGATIVE |= {"无", "无关", "无关系", "没有关系", "未知"}


@dataclass(frozen=True)
class RelationText:
    """A sentence and the relation between two of its strings.

    Args:
        text: the sentence, or a longer text.
        head, tail: the two strings, in this order.
        relation: between them; None where that is to be found out.
        source: ``file:line``; no part of its identity.
        starts: where head and tail begin, in Unicode code points. None takes, of the places where the strings stand,
            those that do not overlap, where there are such, as far to the left as can be; so is what says the same.
        types: of the two entities, where an export has them; no part of its identity.
        negative: the relation that means none, where somebody has named it; no part of its identity.
        group: as of :class:`~hanlp_tutor.data.LabelledText`.

    Raises:
        DataError: a head or tail that the sentence does not contain, or not there, or an empty field.
    """

    text: str
    head: str
    tail: str
    relation: str | None
    source: str = field(default="", compare=False)
    starts: tuple[int, int] | None = None
    types: tuple[str, str] | None = field(default=None, compare=False)
    negative: str = field(default="", compare=False)
    group: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        where = self.source or None
        for name in ("text", HEAD, TAIL, "relation"):
            value = getattr(self, name)
            if not (value is None and name == "relation") and not value.strip():
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
        if self.starts is not None:
            for name, start in zip((HEAD, TAIL), self.starts, strict=True):
                if start < 0 or not self.text.startswith(getattr(self, name), start):
                    message = f"the {name} {getattr(self, name)!r} does not begin at character {start}."
                    raise DataError(message, path=where, remedy="Places count Unicode code points from 0.")
            if tuple(self.starts) == self._usual():
                object.__setattr__(self, "starts", None)

    @property
    def spans(self) -> tuple[Span, Span]:
        """Head and tail with their places."""
        head, tail = self.starts or self._usual()
        return Span(head, head + len(self.head), HEAD), Span(tail, tail + len(self.tail), TAIL)

    @property
    def gold_labels(self) -> tuple[str, ...]:
        """What is to be predicted."""
        return () if self.relation is None else (self.relation,)

    @property
    def given(self) -> tuple[str, ...]:
        """What is given beside the text."""
        return (self.head, self.tail, *map(str, self.starts or ()))

    def repeated(self) -> bool:
        """Whether head or tail stands in the sentence more than once, and nobody has said where."""
        return self.starts is None and max(len(_places(self.text, part)) for part in (self.head, self.tail)) > 1

    def _usual(self) -> tuple[int, int]:
        pairs = [(head, tail) for head in _places(self.text, self.head) for tail in _places(self.text, self.tail)]
        apart = [(h, t) for h, t in pairs if h + len(self.head) <= t or t + len(self.tail) <= h]
        return min(apart or pairs, key=lambda pair: (sum(pair), pair[0]))

    def document(self) -> Document:
        """The same with places: a span ``head``, a span ``tail``, and the relation as the label."""
        return Document(self.text, self.spans, self.relation, self.source, group=self.group)

    @classmethod
    def from_document(cls, document: Document) -> RelationText:
        """The reverse of :meth:`document`.

        Raises:
            DataError: anything else than one ``head``, one ``tail`` and a label.
        """
        found = {span.label: span for span in document.spans}
        if len(document.spans) != 2 or set(found) != {HEAD, TAIL} or document.label is None:
            raise DataError(
                "a relation needs one entity 'head', one entity 'tail' and a label, the relation.",
                path=document.source or None,
                remedy="Name the two entities so, and give the text the relation as its label.",
            )
        ends = (found[HEAD], found[TAIL])
        strings, starts = _strings(document, ends), _starts(ends)
        return cls(document.text, *strings, document.label, document.source, starts, group=document.group)


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
    """Write what :func:`read_relations` reads back unchanged, but for places that are not the usual ones.

    Raises:
        DataError: a tab or line feed in a field, blanks around the relation, or none; nothing is written then.
    """
    lines = []
    for example in examples:
        cells = (example.head, example.tail, example.relation or "", example.text)
        if any(set(cell) & {"\t", "\n"} for cell in cells) or example.text.endswith("\r"):
            raise DataError(
                "a field holds a tab or a line end, which a relation file cannot.",
                path=example.source or None,
                remedy="Replace it by a space.",
            )
        if not cells[2] or cells[2] != cells[2].strip():
            raise DataError(
                f"the relation {cells[2]!r} is empty or has blanks around it.",
                path=example.source or None,
                remedy="Rename it.",
            )
        lines.append("\t".join(cells))
    write_lines(path, lines)


def pairs_of(document: Document, negative: str = NO_RELATION) -> list[RelationText]:
    """Every ordered pair of a document's entities as an example.

    A pair with several relations is as many examples; two entities at one place are no pair.

    Args:
        document: with ``relations``.
        negative: the relation of the other pairs.
    """
    found: dict[tuple[Span, Span], list[str]] = {}
    for head, tail, label in document.relations:
        found.setdefault((head, tail), []).append(label)
    return [
        RelationText(
            document.text,
            *_strings(document, ends),
            label,
            document.source,
            _starts(ends),
            (ends[0].label, ends[1].label),
            negative,
            document.group,
        )
        for ends in permutations(document.spans, 2)
        if (ends[0].start, ends[0].end) != (ends[1].start, ends[1].end) and all(_strings(document, ends, strip=True))
        for label in found.get(ends, [negative])
    ]


def negative_class(examples: Iterable[RelationText] | Mapping[str, int]) -> str | None:
    """The relation that means none: the one that the examples name, else the commonest that has a usual name for it.

    Args:
        examples: or how often each relation occurs.

    Returns:
        None where all relations seem to be some.
    """
    if not isinstance(examples, Mapping):
        examples = list(examples)
        named = next((each.negative for each in examples if each.negative), None)
        if named:
            return named
        examples = Counter(each.relation for each in examples if each.relation is not None)
    usual = [name for name in sorted(examples) if name.strip().casefold() in _NEGATIVE]
    return max(usual, key=lambda name: examples[name], default=None)


def check_negative(examples: Sequence[RelationText]) -> None:
    """Refuse a negative class that was named, and that no example has; pairs of an export get any name.

    Raises:
        ConfigError: it lists the relations.
    """
    named = next((each.negative for each in examples if each.negative and each.types is None), None)
    relations = sorted({each.relation for each in examples if each.relation is not None})
    if named is not None and named not in relations:
        shown = ", ".join(relations[:20]) + (", ..." if len(relations) > 20 else "")
        raise ConfigError(f"no relation is called {named!r}, which was named as the negative class; there are {shown}.")


def type_pairs(examples: Iterable[RelationText], negative: str | None) -> frozenset[tuple[str, str]] | None:
    """The types of head and tail between which there is a relation; None where no example has types."""
    typed = [each for each in examples if each.types is not None]
    return frozenset(each.types for each in typed if each.relation != negative) if typed else None


def plausible(
    examples: Sequence[RelationText], pairs: Iterable[tuple[str, str]] | None, negative: str | None
) -> list[RelationText]:
    """The examples without those of the negative class between whose types there never is a relation."""
    allowed = None if pairs is None else set(pairs)
    return [
        each
        for each in examples
        if allowed is None or each.types is None or each.types in allowed or each.relation not in (negative, None)
    ]


def named_negative(examples: Sequence[RelationText], negative: str) -> list[RelationText]:
    """The examples with the name of their negative class."""
    return [replace(each, negative=negative) for each in examples]


def pair_from(value: Any) -> RelationText:
    """Head, tail and text as people give them to a model: a mapping, three or four values, an example.

    Args:
        value: ``{"head", "tail", "text"}`` (or ``sentence``) with ``starts`` or without; ``(head, tail, text)``, or
            ``(head, tail, relation, text)``, whose relation is not looked at.

    Raises:
        DataError: something else, or a head or tail that does not stand in the text.
    """
    if isinstance(value, RelationText):
        return replace(value, relation=None)
    if isinstance(value, Mapping):
        starts = value.get("starts")
        parts: Any = (value.get(HEAD), value.get(TAIL), value.get("text", value.get("sentence")))
    else:
        starts, parts = None, tuple(value) if isinstance(value, (list, tuple)) else ()
        parts = (*parts[:2], parts[-1]) if len(parts) == 4 else parts
    if len(parts) != 3 or not all(isinstance(part, str) and part.strip() for part in parts):
        raise DataError(
            "a pair is head, tail and text, three strings that are not blank.",
            remedy='Give {"head": "...", "tail": "...", "text": "..."}, or head<TAB>tail<TAB>text.',
        )
    head, tail, text = parts
    if starts is not None and not (len(starts) == 2 and all(isinstance(start, int) for start in starts)):
        raise DataError("'starts' are two whole numbers.", remedy="Leave them out, or count characters from 0.")
    return RelationText(text, head, tail, None, starts=None if starts is None else tuple(starts))


def _strings(document: Document, ends: Sequence[Span], *, strip: bool = False) -> list[str]:
    found = [document.text[span.start : span.end] for span in ends]
    return [each.strip() for each in found] if strip else found


def _starts(ends: Sequence[Span]) -> tuple[int, int]:
    return ends[0].start, ends[1].start


def _places(text: str, part: str) -> list[int]:
    places = []
    place = text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + 1)
    return places
