"""Lines of text with their places on a page, and how they become one text in the order of reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hanlp_tutor.data import Span, TaggedText

BUCKETS = 32  # of each axis; 0 stays free for what has no place, such as padding
_BREAK = "\n"


class Line(NamedTuple):
    """A stretch of text that stands in one box: a line of running text, a cell of a table.

    Args:
        text: at least one character.
        box: left, top, right, bottom, in pixels of the upright page.
        tags: BIO, one a character; None where nobody knows, as after OCR.
        part: ``header``, ``text`` or ``table`` of the page; empty after OCR.
    """

    text: str
    box: tuple[float, float, float, float]
    tags: tuple[str, ...] | None = None
    part: str = ""


@dataclass(frozen=True)
class PlacedText(TaggedText):
    """A text whose characters have places on a page.

    Args:
        x, y: of each character, 1 to BUCKETS: where the box that it stands in begins from the left, and where its
            middle lies from the top. A box, not a character, has a place, as in LayoutLMv3 (Huang et al. 2022).
        parts: of the page, by character.
    """

    x: tuple[int, ...] = ()
    y: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, str]:
        """What belongs to the example's identity beside text and tags."""
        return " ".join(map(str, self.x)), " ".join(map(str, self.y))


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Row by row from the top, each from the left; a box belongs to a row if its middle lies in the row's first box."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        if rows and _middle(line) < rows[-1][0].box[3] - 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box[0])]


def placed(lines: Sequence[Line], size: tuple[int, int], source: str = "") -> PlacedText:
    """The text of a page in reading order, with the places of its characters.

    A line that reaches the right margin goes on in the next one; behind any other box stands a line break.

    Args:
        lines: of one page, in any order.
        size: width and height of the page in pixels.
        source: of the example.
    """
    text, tags, x, y, parts = [], [], [], [], []
    for line, signs in _joined(lines, size):
        text.append(signs)
        tags += [*(line.tags or ["O"] * len(line.text)), *["O"] * (len(signs) - len(line.text))]
        x += [bucket(line.box[0], size[0])] * len(signs)
        y += [bucket(_middle(line), size[1])] * len(signs)
        parts += [line.part] * len(signs)
    return PlacedText("".join(text), tuple(tags), source, x=tuple(x), y=tuple(y), parts=tuple(parts))


def _joined(lines: Sequence[Line], size: tuple[int, int]) -> Iterator[tuple[Line, str]]:
    """The lines in reading order, each with what it adds to the text of the page."""
    lines = in_reading_order(lines)
    margin = max((line.box[2] for line in lines), default=0) - 0.06 * size[0]
    for line in lines:
        ends = line.box[2] < margin or line.box[0] > 0.25 * size[0]  # a cell that reaches the margin ends there too
        yield line, line.text + _BREAK * ends


def boxes_of(span: Span, lines: Sequence[Line], size: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Where a span of the text of a page stands: a bounding box (边界框) for each line that it touches, in pixels.

    Args:
        span: on ``placed(lines, size).text``.
        lines, size: of the page.
    """
    found, start = [], 0
    for line, signs in _joined(lines, size):
        first, last = max(span.start - start, 0), min(span.end - start, len(line.text))
        if first < last:
            left, top, right, bottom = line.box
            unit = (right - left) / _width(line.text)
            begins, ends = left + unit * _width(line.text[:first]), left + unit * _width(line.text[:last])
            found.append((begins, top, ends, bottom))
        start += len(signs)
    return found


def _width(text: str) -> float:
    """How wide a text is, about: a letter or a figure is half as wide as a Chinese character."""
    return sum(0.55 if sign.isascii() else 1.0 for sign in text)


def bucket(place: float, length: float) -> int:
    """Which of the equal parts of an axis a place lies in, 1 to BUCKETS.

    >>> [bucket(place, 1000) for place in (0, 31, 32, 999, 1200)]
    [1, 1, 2, 32, 32]
    """
    return 1 + min(max(int(place / length * BUCKETS), 0), BUCKETS - 1)


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2
