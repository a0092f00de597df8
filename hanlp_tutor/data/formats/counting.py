"""How annotation tools count the characters of a text, and which code point an offset of theirs means.

A counting is a unit, and what is special about line ends and about a byte-order mark, joined by ``+``. A unit alone
leaves these two open; ``+asis`` says that nothing is special:

==============  ======================================================================================
``codepoints``  Unicode code points, as Python, BRAT and this kit count
``utf16``       UTF-16 units, as JavaScript counts: what lies beyond U+FFFF, an emoji or 𠮷, is two
``graphemes``   what is seen as one character, as doccano's option "Count grapheme clusters" counts
``bytes``       bytes of UTF-8
``+lf``         CR LF is one character: browsers show and count an LF
``+crlf``       LF is two: the tool saw CR LF, which another program has turned into LF since
``+mark``       a byte-order mark, which is not in the text, was counted as its first character
``+nomark``     the byte-order mark that the text begins with was not counted
==============  ======================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from hanlp_tutor.errors import ConfigError

MARK = "\ufeff"
# Combining marks, those of Indic and Korean scripts, the joiner, choices of a form; flags, skin colours, tags.
_JOINING = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0900-\u0e4e\u1100-\u11ff\u1ab0-\u1aff\u1dc0-\u1dff\u200d"
    "\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff"
    "\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
UNITS = {
    "codepoints": "code points",
    "utf16": "UTF-16 units (an emoji is two)",
    "graphemes": "grapheme clusters (an emoji of several code points is one)",
    "bytes": "bytes of UTF-8",
}
_LINE_ENDS = {"": "", "lf": "CR LF as one character", "crlf": "LF as two characters"}
_MARKS = {"": "", "mark": "a byte-order mark before the text", "nomark": "no byte-order mark"}


@dataclass(frozen=True)
class Counting:
    """One of them."""

    unit: str = "codepoints"
    line_end: str = ""
    mark: str = ""

    def name(self) -> str:
        """What the option ``offsets`` takes for this counting and no other."""
        return "+".join(filter(None, (self.unit, self.line_end, self.mark))) + "+asis" * (self == Counting(self.unit))

    def in_words(self) -> str:
        """What is counted, for a message."""
        return ", ".join(filter(None, (UNITS[self.unit], _LINE_ENDS[self.line_end], _MARKS[self.mark])))

    def places(self, text: str) -> dict[int, int]:
        """From each offset that this counting has in ``text`` to the code point there; offsets within one are absent.

        >>> Counting("utf16").places("a👍b")
        {0: 0, 1: 1, 3: 2, 4: 3}
        """
        index = offset = 0
        if self.mark == "nomark" and text.startswith(MARK):
            index = len(MARK)
        elif self.mark == "mark":
            offset = self._size(MARK)
        found = {}
        for piece in self._pieces(text[index:]):
            found[offset] = index
            index += len(piece)
            offset += self._size(piece)
        found[offset] = len(text)
        return found

    def _pieces(self, text: str) -> Iterator[str]:
        """What is counted at once."""
        if self.unit == "graphemes":
            yield from grapheme_clusters(text)
        elif self.line_end == "lf":
            for number, line in enumerate(text.split("\r\n")):
                if number:
                    yield "\r\n"
                yield from line
        else:
            yield from text

    def _size(self, piece: str) -> int:
        if piece == "\r\n":
            return 1
        if piece == "\n" and self.line_end == "crlf":
            return 2
        if self.unit == "utf16":
            return 2 if piece > "\uffff" else 1
        return len(piece.encode("utf-8", "surrogatepass")) if self.unit == "bytes" else 1


AS_IS, GRAPHEMES = Counting(), Counting("graphemes")


def told(name: str) -> list[Counting]:
    """What the option ``offsets`` leaves open: one counting, or all of a unit where nothing but that is said.

    Raises:
        ConfigError: there is no such counting.
    """
    parts = sorted(name.lower().split("+"))
    all_ = [Counting(*each) for each in product(UNITS, _LINE_ENDS, _MARKS)]
    if len(parts) == 1:
        found = [counting for counting in all_ if counting.unit == parts[0]]
    else:
        found = [counting for counting in all_ if sorted(counting.name().split("+")) == parts]
    if not found:
        ways = f"{', '.join(UNITS)}, each alone or with +asis, +lf, +crlf, +mark or +nomark"
        raise ConfigError(f"there is no way of counting offsets {name!r}; there are {ways}.")
    return found


def has_clusters(text: str) -> bool:
    """Whether there may be characters of several code points: accents and signs that join or follow others."""
    return _JOINING.search(text) is not None


def grapheme_clusters(text: str) -> list[str]:
    """What is seen as one character each (Unicode's annex 29)."""
    import regex  # transformers needs it too; here only texts with such characters do

    return regex.findall(r"\X", text)


def usual_countings(text: str) -> list[Counting]:
    """The countings that tools really use and that differ in ``text``; without a proof none of them can be left out."""
    units = ["codepoints", "utf16"] if max(text, default="") > "\uffff" else ["codepoints"]
    return [Counting(*parts) for parts in product(units, *_usual_ends_and_marks(text))]


def rare_countings(text: str, mark: bool) -> list[Counting]:
    """All others that differ in ``text``; ``mark``: its file began with a byte-order mark. Taken only where proved."""
    line_ends, marks = _usual_ends_and_marks(text)
    if "\n" in text and "\r\n" not in text:
        line_ends.append("crlf")
    if mark:
        marks.append("mark")
    usual = usual_countings(text)
    return [each for each in (Counting(*parts) for parts in product(UNITS, line_ends, marks)) if each not in usual]


def countings_of_unit(text: str, unit: str) -> list[Counting]:
    """The usual countings of ``text`` but for their unit, which is known."""
    return [Counting(unit, *rest) for rest in product(*_usual_ends_and_marks(text))]


def _usual_ends_and_marks(text: str) -> tuple[list[str], list[str]]:
    return ["", "lf"] if "\r\n" in text else [""], ["", "nomark"] if text.startswith(MARK) else [""]
