"""CSV and TSV tables of texts and classes, with quotes and a header, as spreadsheets and pandas write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.format import LABEL, Format
from hanlp_tutor.data.formats.head import head_lines
from hanlp_tutor.data.lines import read_text, write_text
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.refusals import read_each, refuse
from hanlp_tutor.errors import ConfigError, DataError

# Heads of columns in the data sets that people pass around, ChnSentiCorp's and Kaggle's among them.
_TEXTS = ("text", "text_a", "sentence", "sentence1", "content", "review", "comment", "文本", "内容", "句子", "评论")
_LABELS = ("label", "labels", "class", "category", "sentiment", "target", "标签", "类别", "分类", "情感")
_LONGEST_CELL = 1 << 27
_QUOTES = 'Put a cell with a quote, a separator or a line end into quotes, and double a quote inside: "".'


def _table_format(name: str, delimiter: str) -> Format:
    def read(
        path: str | Path,
        *,
        encoding: str | None = None,
        header: bool = True,
        text_column: str | int | None = None,
        label_column: str | int | None = None,
    ) -> list[Document]:
        """Columns by name, or by number from 1 (the only way with ``header=False``); None goes by usual names."""
        rows = _rows(path, read_text(path, encoding), delimiter)
        if not rows:
            raise DataError("holds no row.", path=path, remedy="Write a header and one text and label a row.")
        names = rows[0][1] if header else None
        text = _column(path, rows[0], "text", text_column, names, _TEXTS)
        label = _column(path, rows[0], "label", label_column, names, _LABELS)
        others = [head for place, head in enumerate(names or []) if place not in (text, label)]
        if others:
            note(f"{path}:1: columns left out: {', '.join(others)[:200]}.")
        body = rows[1:] if header else rows
        if not body:
            raise DataError("holds a header and no row.", path=path, remedy="Add rows, or pass header=False.")
        return read_each(path, partial(_document, path, text, label, len(rows[0][1])), body)

    def write(path: str | Path, documents: Iterable[Document]) -> None:
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["text", "label"])
        for document in documents:
            label = document.labelled().label
            if label != label.strip():
                raise DataError(
                    f"the label {label!r} has blanks around it.", path=document.source or None, remedy="Rename it."
                )
            writer.writerow([document.text, label])
        write_text(path, file.getvalue())

    def sniff(path: Path) -> bool:
        lines = head_lines(path)
        try:
            names = {head.strip().lower() for head in next(csv.reader(lines[:1], delimiter=delimiter), [])}
        except csv.Error:
            return False
        return not names.isdisjoint(_TEXTS) and not names.isdisjoint(_LABELS)

    return Format(name, (f".{name}",), frozenset({LABEL}), read, write, sniff)


def _rows(path: str | Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line that it begins in."""
    before = csv.field_size_limit(_LONGEST_CELL)
    # Lines end at LF only: StringIO's own idea of a line would end cells at a lone CR.
    lines = io.StringIO(text, newline="\n").readlines()
    rows = []
    start = 0  # of the next row, in lines
    try:
        while start < len(lines):
            first = start
            reader = csv.reader(map(lines.__getitem__, range(first, len(lines))), delimiter=delimiter, strict=True)
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        rows.append((start + 1, cells))
                    start = first + reader.line_num
            except csv.Error as error:
                refuse(DataError(f"is no table: {error}.", path=path, line=start + 1, remedy=_QUOTES))
                start += 1  # an open quote has swallowed lines that may be rows
    finally:
        csv.field_size_limit(before)
    return rows


def _column(
    path: str | Path,
    first: tuple[int, list[str]],
    what: str,
    wanted: str | int | None,
    names: list[str] | None,
    usual: tuple[str, ...],
) -> int:
    """The place of a column, from 0."""
    line, cells = first
    shown = ", ".join(repr(cell[:20]) for cell in cells[:10])
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        if not 1 <= wanted <= len(cells):
            raise ConfigError(f"{what}_column is {wanted}, but {path} has {len(cells)} columns, counted from 1.")
        return wanted - 1
    if names is None:
        raise ConfigError(f"without a header {what}_column is a number from 1; the first row holds {shown}.")
    if wanted is None:
        found = [place for place, head in enumerate(names) if head.strip().lower() in usual]
    else:
        found = [place for place, head in enumerate(names) if head.strip() == str(wanted)]
    if len(found) != 1:
        called = "could be" if wanted is None else f"are called {wanted!r}, to be"
        raise DataError(
            f"{len(found) or 'no'} columns {called} the {what}; the first row holds {shown}.",
            path=path,
            line=line,
            remedy=f"Pass {what}_column= (-p {what}_column NAME), or header=False and numbers if there is no header.",
        )
    return found[0]


def _document(path: str | Path, text: int, label: int, width: int, line: int, cells: list[str]) -> Document:
    if len(cells) != width:
        message = f"{len(cells)} cells in a table of {width} columns."
        raise DataError(message, remedy="Put a cell that holds a separator or a line end into quotes.")
    if not cells[label].strip():
        raise DataError("the label is missing.", remedy="Label the text, or remove the row.")
    if cells[label].lstrip().startswith(("[{", "{")):
        remedy = "Label Studio writes entities into tables so; export them as JSON."
        raise DataError(f"the label is JSON: {cells[label][:30]!r}.", remedy=remedy)
    return Document(cells[text], (), cells[label].strip(), f"{path}:{line}")


FORMATS = [_table_format("csv", ","), _table_format("tsv", "\t")]
