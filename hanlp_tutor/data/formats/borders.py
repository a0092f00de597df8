"""How likely it is that a person has marked a stretch of text: where entities begin and end.

An entity that begins with a comma, ends in a blank or takes half of a pair of brackets was hardly marked so; a file
whose entities do so under one way of counting, and not under another, counts in the other way.
"""

from __future__ import annotations

import re
import unicodedata

from hanlp_tutor.data.formats.counting import grapheme_clusters, has_clusters
from hanlp_tutor.data.schemes import Span

_CLUSTER = 12  # code points; the longest emoji of a family has eleven

_OPENING = "（《「『【〈〔［｛([{<“‘"
_CLOSING = "）》」』】〉〕］｝)]}>”’"
_PAIRS = dict(zip(_CLOSING, _OPENING, strict=True))
_PAUSES = frozenset("。，、；：？！…,;:?!")  # a full stop or hyphen may well belong to a name
_WORD = re.compile(r"[0-9A-Za-z]")
_LIKELY, _HARDLY, _NEVER = 0, 1, 2


def faults(text: str, span: Span) -> int:
    """How much about the borders of an entity nobody would have marked so: 1 for a slip, 2 for what no person does."""
    covered = text[span.start : span.end]
    found = _first(covered[0]) + _last(covered[-1])
    for place in (span.start, span.end):
        if 0 < place < len(text):
            found += _cut(text[max(0, place - _CLUSTER) : place], text[place : place + _CLUSTER])
    return found or (_HARDLY if not _is_balanced(covered) else _LIKELY)


def _first(character: str) -> int:
    if character in "\r\n" or _is_invisible(character):
        return _NEVER
    return _HARDLY if character.isspace() or character in _PAUSES or character in _CLOSING else _LIKELY


def _last(character: str) -> int:
    if character in "\r\n" or _is_invisible(character):
        return _NEVER
    return _HARDLY if character.isspace() or character in _PAUSES or character in _OPENING else _LIKELY


def _cut(before: str, behind: str) -> int:
    """Whether a border between two pieces of text cuts a character of several code points, or a Latin word."""
    if has_clusters(before[-1] + behind[0]) and len(grapheme_clusters(before + behind)) < sum(
        len(grapheme_clusters(each)) for each in (before, behind)
    ):
        return _NEVER
    return _HARDLY if _WORD.fullmatch(before[-1]) and _WORD.fullmatch(behind[0]) else _LIKELY


def _is_invisible(character: str) -> bool:
    # Control and format characters, but not private or unassigned ones: rare surnames are written with these.
    return not character.isspace() and unicodedata.category(character) in ("Cc", "Cf")


def _is_balanced(text: str) -> bool:
    open_: list[str] = []
    for character in text:
        if character in _PAIRS:
            if not open_ or open_.pop() != _PAIRS[character]:
                return False
        elif character in _OPENING:
            open_.append(character)
    return not open_
