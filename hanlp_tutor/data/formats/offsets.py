"""Places that an annotation tool wrote, held against the text that it says they cover."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.schemes import Span
from hanlp_tutor.errors import DataError

UTF16_NOTE = "texts whose offsets count UTF-16 units (an emoji is two), converted to code points"


@dataclass(frozen=True)
class Claim:
    """An entity as a file states it: ``start`` to ``end`` (half-open) is ``covered``, or unsaid."""

    start: int
    end: int
    label: str
    covered: str | None
    line: int


def place(text: str, claims: Sequence[Claim], path: object, tally: Tally) -> list[Span]:
    """The spans of the claims, in code points.

    JavaScript counts UTF-16 units, and so do the exports of older label tools (Label Studio before its issue 1008 was
    mended). Where the covered texts prove that, and only there, the offsets are converted.

    Raises:
        DataError: an entity outside its text, or one that does not cover what it says.
    """
    if all(_fits(text, claim) for claim in claims):
        return [Span(claim.start, claim.end, claim.label) for claim in claims]
    converted = _from_utf16(text, claims)
    if converted is not None:
        tally.add(UTF16_NOTE, claims[0].line)
        return converted
    claim = next(claim for claim in claims if not _fits(text, claim))
    place_ = f"{claim.label} {claim.start}-{claim.end}"
    remedy = "Offsets count Unicode code points from 0, and the end is excluded."
    if any(character > "\uffff" for character in text):
        remedy += " The text holds characters such as emoji, which a tool that counts UTF-16 units counts twice."
    if not 0 <= claim.start < claim.end <= len(text):
        message = f"the entity {place_} does not fit into a text of {len(text)} characters."
    else:
        message = f"the entity {place_} covers {text[claim.start : claim.end][:30]!r}, not {claim.covered[:30]!r}."
    raise DataError(message, path=path, line=claim.line, remedy=remedy)


def _fits(text: str, claim: Claim) -> bool:
    if not 0 <= claim.start < claim.end <= len(text):
        return False
    return claim.covered is None or same(text[claim.start : claim.end], claim.covered)


def same(one: str, other: str) -> bool:
    r"""Equal but for the kind of white space: tools write a line feed as a space, or as the two characters ``\n``."""
    if one == other:
        return True
    blank = re.sub(r"\s", " ", one)
    return blank in (re.sub(r"\s", " ", other), re.sub(r"\s", " ", other.replace("\\n", "\n")))


def _from_utf16(text: str, claims: Sequence[Claim]) -> list[Span] | None:
    if not any(character > "\uffff" for character in text) or any(claim.covered is None for claim in claims):
        return None
    points: dict[int, int] = {}  # offset in UTF-16 units -> in code points
    units = 0
    for index, character in enumerate(text):
        points[units] = index
        units += 2 if character > "\uffff" else 1
    points[units] = len(text)
    spans = []
    for claim in claims:
        start, end = points.get(claim.start), points.get(claim.end)
        if start is None or end is None or start >= end or not same(text[start:end], claim.covered):
            return None
        spans.append(Span(start, end, claim.label))
    return spans
