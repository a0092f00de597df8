"""CSV and TSV tables of texts and classes, with quotes and a header, as spreadsheets and pandas write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hanlp_tutor.data.column_heads import LABELS, NO_GROUP, NO_PAIRS, TEXTS, pair_in
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.elsewhere import REMEDY, is_stored, lies_elsewhere
from hanlp_tutor.data.formats.format import LABEL, Format
from hanlp_tutor.data.formats.head import head_lines
from hanlp_tutor.data.formats.one_class import JOINT, one_class
from hanlp_tutor.data.formats.placing import check_unlabelled
from hanlp_tutor.data.lines import check_line_ends, read_text, split_lines, write_text
from hanlp_tutor.data.notes import Tally, note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each, refuse
from hanlp_tutor.errors import ConfigError, DataError

_SEPARATORS = re.compile(r"[,;|、，；/&+]")  # between classes in a cell
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
        group_column: str | int | None = None,
        joint: bool = False,
        unlabelled: str = "keep",
        quotes: bool | None = None,
    ) -> list[Document]:
        """Columns by name, or by number from 1 (the only way with ``header=False``); None goes by usual names.

        ``group_column`` says what belongs together, such as a patient: no split tears it apart. An empty cell stands
        alone. None: no text belongs to another.

        Cells are taken as they stand: ``nan``, ``NA``, ``1.0`` and ``１`` are texts and labels like others. ``joint``
        keeps several classes in a cell (``A#B``) as one; ``unlabelled='drop'`` leaves out rows without a class.
        ``quotes`` says whether a ``"`` at the beginning of a cell opens a quoted one or is text like any other; None
        is True, but refuses a quoted cell that seems to have swallowed whole rows.
        """
        content = read_text(path, encoding)
        check_line_ends(path, content)
        rows = _rows(path, content, delimiter, quotes is not False)
        if not rows:
            raise DataError("holds no row.", path=path, remedy="Write a header and one text and label a row.")
        names = rows[0][1] if header else None
        if text_column is None:
            _check_no_pairs(path, rows[0][0], names or [])
        text = _column(path, rows[0], "text", text_column, names, TEXTS)
        label = _column(path, rows[0], "label", label_column, names, LABELS)
        group = None if group_column is None else _group(path, rows[0], group_column, names, label)
        others = [head for place, head in enumerate(names or []) if place not in (text, label, group)]
        if others:
            others = [head.strip() or "one without a name" for head in others]
            note(f"{path}:1: columns left out: {', '.join(others)[:200]}.")
        body = rows[1:] if header else rows
        if not body:
            raise DataError(
                "holds a header and no row.",
                path=path,
                remedy=f"Add rows, or take it for a row. {pass_option('header', False)}.",
            )
        if check_unlabelled(unlabelled) == "drop":
            labelled = [(line, cells) for line, cells in body if label >= len(cells) or cells[label].strip()]
            if left_out := len(body) - len(labelled):
                note(f"{path}: {left_out} of {len(body)} rows have no class; they are left out as asked.")
            body = labelled
        if quotes is None:
            _check_swallowed(path, content, body, len(rows[0][1]), label, delimiter)
        tally = Tally(path)
        several = None if joint else _Several(names, {cells[label].strip() for _, cells in body if label < len(cells)})
        documents = read_each(path, partial(_document, path, text, label, group, len(rows[0][1]), several, tally), body)
        tally.report()
        return documents

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
        return (not names.isdisjoint(TEXTS) or pair_in(names) is not None) and not names.isdisjoint(LABELS)

    return Format(name, (f".{name}",), frozenset({LABEL}), read, write, sniff)


def _rows(path: str | Path, text: str, delimiter: str, quotes: bool) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line that it begins in."""
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    before = csv.field_size_limit(_LONGEST_CELL)
    # Lines end at LF only: StringIO's own idea of a line would end cells at a lone CR.
    lines = io.StringIO(text, newline="\n").readlines()
    rows = []
    start = 0  # of the next row, in lines
    try:
        while start < len(lines):
            first = start
            rest = map(lines.__getitem__, range(first, len(lines)))
            reader = csv.reader(rest, delimiter=delimiter, strict=True, quoting=quoting)
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        rows.append((start + 1, cells))
                    start = first + reader.line_num
            except csv.Error as error:
                remedy = f"{_QUOTES} If a quote is text like any other here: {pass_option('quotes', False)}."
                refuse(DataError(f"is no table: {error}.", path=path, line=start + 1, remedy=remedy))
                start += 1  # an open quote has swallowed lines that may be rows
    finally:
        csv.field_size_limit(before)
    return rows


def _check_no_pairs(path: str | Path, line: int, names: list[str]) -> None:
    """Refuse a table of pairs of texts: one text without the other is another task."""
    heads = {name.strip().lower(): name.strip() for name in names}
    pair = pair_in(heads)
    if pair is not None:
        one, other = (heads[name] for name in pair)
        alone = f"{pass_option('text_column', one)} to read {one} alone."
        raise DataError(f"holds pairs of texts ({one}, {other}).", path=path, line=line, remedy=f"{NO_PAIRS} {alone}")


def _check_swallowed(
    path: str | Path, text: str, body: list[tuple[int, list[str]]], width: int, label: int, delimiter: str
) -> None:
    """Refuse quoted cells over several lines each of which is a row by itself.

    Two texts that begin and end with a quote of their own (``"好<TAB>正`` and, later, ``好"<TAB>正``) would else make
    one row of all between them. A comma stands in texts too: there the lines must end in classes of the table.
    """
    lines = split_lines(text)
    classes = {cells[label].strip() for _, cells in body if label < len(cells)}
    for line, cells in body:
        number = sum(cell.count("\n") for cell in cells)
        inner = [each.split(delimiter) for each in lines[line - 1 : line + number]]
        rows = [each for each in inner if len(each) == width]
        if delimiter == ",":
            rows = [each for each in rows if each[label].strip(' "') in classes]
        if number and len(rows) == len(inner):
            raise DataError(
                f"the quote that opens here closes in line {line + number} only, and each line between is a row by "
                "itself.",
                path=path,
                line=line,
                remedy=f"Where the quotes are text like any other: {pass_option('quotes', False)}. Where the cell is "
                f"meant to hold these lines: {pass_option('quotes', True)}.",
            )


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
        raise DataError(
            f"without a header {what}_column is a number from 1; the first row holds {shown}.",
            path=path,
            line=line,
            remedy=f"{pass_option(f'{what}_column', 'NUMBER')}.",
        )
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
            remedy=f"{pass_option(f'{what}_column', 'NAME')}, or numbers if there is no header. "
            f"{pass_option('header', False)} then.",
        )
    return found[0]


def _group(
    path: str | Path, first: tuple[int, list[str]], wanted: str | int, names: list[str] | None, label: int
) -> int:
    """The place of the column that says what belongs together, which is not that of the labels."""
    group = _column(path, first, "group", wanted, names, ())
    if group == label:
        remedy = f"{pass_option('group_column', 'NAME')}, the column that says whose a text is."
        raise DataError(NO_GROUP.format(wanted), path=path, line=first[0], remedy=remedy)
    return group


class _Several:
    """Cells that hold several classes, as label tools export texts with more than one.

    doccano joins them by ``#``; others by a comma or the like, which may stand in a name as well: there all parts must
    be classes of other rows.
    """

    def __init__(self, names: list[str] | None, labels: set[str]) -> None:
        self._labels = labels
        self._doccano = [name.strip().lower() for name in (names or [])[:3]] == ["id", "text", "label"]

    def classes(self, label: str) -> list[str]:
        """The classes in a cell, one or more."""
        parts = [part.strip() for part in label.split(JOINT)]
        if len(parts) > 1 and all(parts) and (self._doccano or not self._labels.isdisjoint(parts)):
            return parts
        parts = [part.strip() for part in _SEPARATORS.split(label)]
        return parts if len(set(parts)) > 1 and self._labels.issuperset(parts) else [label]


def _document(
    path: str | Path,
    text: int,
    label: int,
    group: int | None,
    width: int,
    several: _Several | None,
    tally: Tally,
    line: int,
    cells: list[str],
) -> Document:
    if len(cells) != width:
        message = f"{len(cells)} cells in a table of {width} columns."
        raise DataError(message, remedy="Put a cell that holds a separator or a line end into quotes.")
    name = cells[label].strip()
    if not name:
        raise DataError(
            "the label is missing.",
            remedy=f"Label the text, or leave out such rows. {pass_option('unlabelled', 'drop')}.",
        )
    if name.startswith(("[{", "{")):
        remedy = "Label Studio writes entities into tables so; export them as JSON."
        raise DataError(f"the label is JSON: {cells[label][:30]!r}.", remedy=remedy)
    if several is not None and len(several.classes(name)) > 1:
        one_class(several.classes(name), False, tally, line, what="the text has {} classes")
    if is_stored(cells[text]):
        raise DataError(lies_elsewhere(cells[text]), remedy=REMEDY)
    if not cells[text].strip():
        tally.add("texts that are empty or blank", line)
    belongs = "" if group is None else cells[group].strip()
    if group is not None and not belongs:
        tally.add("texts of no group, each of which stands alone", line)
    return Document(cells[text], (), name, f"{path}:{line}", group=belongs)


FORMATS = [_table_format("csv", ","), _table_format("tsv", "\t")]
