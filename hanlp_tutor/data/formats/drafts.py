"""What a reader has found in a file before it is known how the file counts: texts, and places claimed in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hanlp_tutor.data.formats.counting import AS_IS, Counting
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.schemes import Span

ONE_ID = "Give each entity an id of its own, and mend the relations that name it."  # a remedy
EXACT, BUT_FOR_BLANKS, OTHER = 2, 1, 0
_BLANKS = re.compile(r"[\s\u200b\u2060\ufeff]+")


@dataclass(frozen=True)
class Claim:
    """An entity as a file states it: ``start`` to ``end`` (half-open) is ``covered``, or unsaid.

    ``gaps`` are places in it that the tool has left out, as BRAT does at line ends.
    """

    start: int
    end: int
    label: str
    covered: str | None
    line: int
    gaps: tuple[tuple[int, int], ...] = ()


class Link(NamedTuple):
    """A relation as a file states it, from one of a draft's claims to another, by their numbers."""

    head: int
    tail: int
    label: str
    line: int


@dataclass(frozen=True)
class Draft:
    """A text as a file states it.

    Args:
        text: as it stands.
        claims: the entities.
        label: its class.
        source: ``file:line`` of the text.
        path, line: of the file to name in messages.
        tally: of that file.
        name: what messages call the text by, such as ``task 7: ``.
        mark: its file began with a byte-order mark.
        plain_blanks: the tool writes any white space in ``covered`` as a space, so that this says nothing.
        inclusive: the file names the last character of an entity, and ``claims`` the place behind.
        pending: the export says that nobody has annotated it yet.
        links: the relations between claims.
        group: what the text belongs to.
    """

    text: str
    claims: tuple[Claim, ...]
    label: str | None
    source: str
    path: object
    line: int
    tally: Tally
    name: str = ""
    mark: bool = False
    plain_blanks: bool = False
    inclusive: bool = False
    pending: bool = False
    links: tuple[Link, ...] = ()
    group: str = ""


class Reading(NamedTuple):
    """The claims of a draft under one counting: a span each, and how many cover exactly what they say."""

    spans: tuple[Span, ...]
    exact: int
    gaps: tuple[tuple[tuple[int, int], ...], ...]  # of each claim, in code points


def read_as(draft: Draft, counting: Counting) -> Reading | None:
    """The claims as ``counting`` has them; None when one of them does not fit then."""
    places = None if counting == AS_IS else _places(draft.text, counting)
    length = len(draft.text)

    def point(offset: int) -> int | None:
        if places is None:
            return offset if 0 <= offset <= length else None
        return places.get(offset)

    spans, gaps, exact = [], [], 0
    for claim in draft.claims:
        start, end = point(claim.start), point(claim.end)
        inner = tuple((point(first), point(last)) for first, last in claim.gaps)
        if start is None or end is None or start >= end or any(None in gap for gap in inner):
            return None
        if claim.covered is not None:
            agreed = agreement(draft.text[start:end], claim.covered, draft.plain_blanks)
            if agreed == OTHER:
                return None
            exact += agreed == EXACT
        spans.append(Span(start, end, claim.label))
        gaps.append(inner)
    return Reading(tuple(spans), exact, tuple(gaps))


@lru_cache(maxsize=64)  # each counting of a text is asked for several times in a row
def _places(text: str, counting: Counting) -> dict[int, int]:
    return counting.places(text)


def agreement(covered: str, stated: str, plain_blanks: bool = False) -> int:
    r"""How far a piece of text is what a file says: ``EXACT``, ``BUT_FOR_BLANKS`` or ``OTHER``.

    Exact are CR LF for LF and the two characters ``\n`` too, which tools write for a line feed, and with
    ``plain_blanks`` a space for any white space.
    """
    covered = covered.replace("\r\n", "\n")
    stated = stated.replace("\r\n", "\n")
    for form in (stated, stated.replace("\\n", "\n")):
        if covered == form or (plain_blanks and re.sub(r"\s", " ", covered) == re.sub(r"\s", " ", form)):
            return EXACT
    for form in (stated, stated.replace("\\n", "\n")):
        without = _BLANKS.sub("", covered)
        if without and without == _BLANKS.sub("", form):
            return BUT_FOR_BLANKS
    return OTHER
