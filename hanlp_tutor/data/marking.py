"""A pair of entities as one text: markers around head and tail (Baldini Soares et al. 2019, "entity markers").

>>> marked = mark("甲公司收购乙公司", (0, 3), (5, 8))
>>> marked
'「甲公司」收购『乙公司』'
>>> unmark(marked)
('甲公司收购乙公司', (0, 3), (5, 8))

A marker is one character, so that a plain classifier reads the marked text like any other. Where the text itself holds
one of the four, or a character that a tokenizer reads as one of them (﹁ for 「), that is replaced first, character by
character, and no place shifts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

MARKERS = "「」『』"  # around the head, around the tail
# What an encoder's vocabulary may have, in this order. Simplified Chinese quotes with “ ”, so that the first two hardly
# occur by themselves, and every Chinese vocabulary holds them.
PAIRS = ("「」", "『』", "【】", "〈〉", "〔〕", "《》", "[]", "{}", "<>")
_INSTEAD = dict(zip("「」『』", "“”‘’", strict=True))  # else round brackets

Place = tuple[int, int]


def choose_markers(keeps: Callable[[str], bool]) -> str | None:
    """Four markers out of :data:`PAIRS`: two pairs of which every character is kept; None where there are not.

    Args:
        keeps: whether a character is a token of its own for an encoder.
    """
    fitting = [pair for pair in PAIRS if all(map(keeps, pair))]
    return "".join(fitting[:2]) if len(fitting) >= 2 else None


def clean(text: str, markers: str = MARKERS) -> str:
    """The text without the markers, and without what a tokenizer reads as one of them; as long as before."""
    strange = {c for c in set(text) if not set(markers).isdisjoint(unicodedata.normalize("NFKC", c) + c)}
    return text.translate({ord(c): _instead(c, markers) for c in strange})


def mark(text: str, head: Place, tail: Place, markers: str = MARKERS) -> str:
    """The text with markers around two places, which may overlap or nest.

    Args:
        text: any.
        head, tail: half-open, in Unicode code points, not empty.
        markers: four characters.

    Raises:
        ValueError: a place that is empty or outside the text.
    """
    for start, end in (head, tail):
        if not 0 <= start < end <= len(text):
            raise ValueError(f"the place {start}-{end} does not fit into a text of {len(text)} characters.")
    text = clean(text, markers)
    inner_first = sorted(((head, markers[:2]), (tail, markers[2:])), key=lambda each: each[0][1] - each[0][0])
    before: dict[int, str] = {}  # by place what stands there; what ends comes before what begins
    for (start, _), pair in inner_first:
        before[start] = pair[0] + before.get(start, "")
    ends: dict[int, str] = {}
    for (_, end), pair in inner_first:
        ends[end] = ends.get(end, "") + pair[1]
    pieces = [ends.get(i, "") + before.get(i, "") + text[i : i + 1] for i in range(len(text) + 1)]
    return "".join(pieces)


def unmark(marked: str, markers: str = MARKERS) -> tuple[str, Place, Place] | None:
    """What :func:`mark` was given, but for the replaced characters; None where not each marker stands exactly once."""
    if any(marked.count(marker) != 1 for marker in markers):
        return None
    places, text = {}, ""
    for character in marked:
        if character in markers:
            places[character] = len(text)
        else:
            text += character
    head, tail = ((places[markers[i]], places[markers[i + 1]]) for i in (0, 2))
    return (text, head, tail) if head[0] < head[1] and tail[0] < tail[1] else None


def _instead(character: str, markers: str) -> str:
    plain = next(c for c in character + unicodedata.normalize("NFKC", character) if c in markers)
    usual = _INSTEAD.get(plain)
    return usual if usual else "(" if markers.index(plain) % 2 == 0 else ")"
