"""Synthetic records as pages: a header of keys and values, running text, a table of earlier visits; and their picture.

The table is what a text loses: read row by row, nothing but its place says in which column a cell stands, for cells may
be empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from hanlp_tutor.corpora.clinic import records
from hanlp_tutor.corpora.clinic_records import Record
from hanlp_tutor.corpora.composing import Draw
from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.data import TaggedText
from hanlp_tutor.data.schemes import Span
from hanlp_tutor.fonts import FONT
from hanlp_tutor.scans.lines import Line

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

WIDTH, MARGIN, LEADING = 1040, 60, 36  # pixels; an A4 sheet at 125 dots an inch
TITLE, BODY, CELL = 30, 22, 20  # sizes of type
# By name, the columns of the table from the left: two forms that differ in nothing else.
FORMS = {
    "usual": ("日期", "科室", "诊断", "检查", "处置", "用药"),
    "other": ("日期", "用药", "检查", "处置", "科室", "诊断"),
}
_LABELS = {"科室": "department", "诊断": "disease", "检查": "test", "处置": "procedure", "用药": "drug"}
_DATES = 120  # width of that column
_ROWS = (4, 6)  # earlier visits
_SHORTEST, _LONGEST = 40, 130  # characters of the running text
_SECTION = re.compile(r"(?<=[。；])\s?(?=【|■|\w{2,6}[：:])")  # where a record begins a new section
_SURNAMES = "王李张刘陈杨黄赵周吴"


@dataclass(frozen=True)
class Page:
    """A page before it is printed.

    Args:
        lines: all text on it, with gold tags.
        size: width and height in pixels.
        grid: left, top, right, bottom of the table's cells.
        source: ``clinic/SUBSET:NUMBER``.
    """

    lines: tuple[Line, ...]
    size: tuple[int, int]
    grid: tuple[tuple[int, int, int, int], ...]
    source: str


def pages(subset: str, count: int, *, form: str = "usual") -> list[Page]:
    """The first pages of a set; its names and sentences belong to it as those of the corpus ``clinic`` do.

    Args:
        subset: train, dev or test.
        count: as many as there are at most: about 330 for test.
        form: one of FORMS.
    """
    every = records("ner", Options(size=4000))[subset]
    chosen = [(i, each) for i, each in enumerate(every) if _SHORTEST <= len(each.text) <= _LONGEST]
    return [compose(record, every, f"clinic/{subset}:{i + 1}", form) for i, record in chosen[:count]]


def compose(record: Record, others: Sequence[Record], source: str, form: str = "usual") -> Page:
    """A page about one record.

    Args:
        record: its text is the running text.
        others: of the same set; what the table names comes from some of them.
        source: also the seed of what is drawn.
        form: one of FORMS.
    """
    draw = Draw("page", source)
    lines = [_line("合成样本医院病历记录", WIDTH / 2 - 5 * TITLE, MARGIN, TITLE, part="header")]
    top = MARGIN + 60
    keys = (
        (("姓名", draw.pick(_SURNAMES) + "某某", ""), ("性别", draw.pick("男女"), ""),
         ("年龄", f"{draw.between(19, 88)}岁", "")),
        (("科别", record.department, "department"), ("住院号", f"{draw.between(100000, 999999)}", ""),
         ("日期", _date(draw), "")),
    )  # fmt: skip
    for row in keys:
        for place, (key, value, label) in enumerate(row):
            text = f"{key}：{value}"
            spans = [Span(len(key) + 1, len(text), label)] if label else []
            lines.append(_line(text, MARGIN + 330 * place, top, BODY, spans, "header"))
        top += LEADING
    top += 14
    for text, tags in _wrapped(TaggedText.from_spans(record.text, record.mentions)):
        lines.append(_line(text, MARGIN, top, BODY, tags, "text"))
        top += LEADING
    top += 14
    lines.append(_line("既往就诊", MARGIN, top, BODY, part="table"))
    table, grid, top = _table(draw, others, top + LEADING, FORMS[form])
    lines.append(_line("医师签名：", WIDTH - 320, top + 24, BODY, part="table"))
    return Page(tuple(lines + table), (WIDTH, top + 110), grid, source)


def _table(draw: Draw, others: Sequence[Record], top: int, columns: Sequence[str]):
    """The lines of the table, its cells, and where it ends."""
    width = (WIDTH - 2 * MARGIN - _DATES) // (len(columns) - 1)
    lines, grid = [], []
    for row in range(1 + draw.between(*_ROWS)):
        visit = draw.pick(others)
        cells = {"日期": (_date(draw), "")}
        for column, label in _LABELS.items():
            found = [m.text(visit.text) for m in visit.mentions if m.label == label]
            found = [text for text in found if len(text) <= (width - 16) // CELL]
            cells[column] = (visit.department if column == "科室" else found[0] if found else "", label)
        left = MARGIN
        for column in columns:
            right = left + (_DATES if column == "日期" else width)
            text, label = cells[column] if row else (column, "")
            if text:
                spans = [Span(0, len(text), label)] if label else []
                lines.append(_line(text, left + 8, top + 6, CELL, spans, "table"))
            grid.append((left, top, right, top + LEADING))
            left = right
        top += LEADING
    return lines, tuple(grid), top


def _date(draw: Draw) -> str:
    return f"{draw.between(2019, 2024)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}"


def _line(text: str, left: float, top: float, size: int, spans: Sequence = (), part: str = "text") -> Line:
    """A line with the box that it will fill; ``spans`` are entities, or tags already."""
    made = spans if spans and isinstance(spans[0], str) else TaggedText.from_spans(text, spans).tags
    return Line(text, (left, top, left + font(size).getlength(text), top + 1.2 * size), tuple(made), part)


def _wrapped(record: TaggedText) -> list[tuple[str, tuple[str, ...]]]:
    """A text with its tags in lines of the page's width; a section begins a new one."""
    room, lines = WIDTH - 2 * MARGIN, []
    starts = [0, *(found.end() for found in _SECTION.finditer(record.text)), len(record.text)]
    for start, end in pairwise(starts):
        while start < end:
            stop, used = start, 0.0
            while stop < end and (used := used + font(BODY).getlength(record.text[stop])) <= room:
                stop += 1
            lines.append((record.text[start:stop], record.tags[start:stop]))
            start = stop
    return [(text, tags) for text, tags in lines if text.strip()]


@lru_cache(maxsize=8)
def font(size: int) -> FreeTypeFont:
    """The kit's font, with the plain layout that every Pillow has."""
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT), size, layout_engine=ImageFont.Layout.BASIC)


def drawn(page: Page) -> Image:
    """The page as a printer leaves it: black on white, greyscale."""
    from PIL import Image, ImageDraw

    image = Image.new("L", page.size, 255)
    pen = ImageDraw.Draw(image)
    for cell in page.grid:
        pen.rectangle(cell, outline=90)
    for line in page.lines:
        size = round((line.box[3] - line.box[1]) / 1.2)
        left, top = line.box[:2]
        pen.text((left, top - 0.18 * size), line.text, font=font(size), fill=20)  # above a sign the font has room
    return image
