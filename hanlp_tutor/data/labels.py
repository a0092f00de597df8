"""Classification files: ``text<TAB>label`` a line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hanlp_tutor.data.examples import LabelledText
from hanlp_tutor.data.lines import filled_lines, write_lines
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError


def read_labels(path: str | Path, *, encoding: str | None = "utf-8") -> list[LabelledText]:
    """Read ``text<TAB>label`` lines; the last tab separates, blank lines are skipped.

    The text stays as it is; blanks around the label go.

    Raises:
        DataError: a line without tab, text or label, with file and line; a file without any example.
    """
    examples = read_each(path, partial(_example, path), filled_lines(path, encoding))
    if not examples:
        raise DataError("holds no example.", path=path, remedy="Write one text<TAB>label a line.")
    return examples


def _example(path: str | Path, number: int, line: str) -> LabelledText:
    text, tab, label = line.rpartition("\t")
    if not tab:
        raise DataError("no tab separates text and label.", remedy="Write text<TAB>label.")
    if not text.strip() or not label.strip():
        what = "text" if label.strip() else "label"
        raise DataError(f"the {what} is missing.", remedy="Write text<TAB>label, or remove the line.")
    return LabelledText(text, label.strip(), f"{path}:{number}")


def write_labels(path: str | Path, examples: Iterable[LabelledText]) -> None:
    """Write what :func:`read_labels` reads back unchanged.

    Raises:
        DataError: a text or label that one line cannot hold; nothing is written then.
    """
    lines = []
    for example in examples:
        where = example.source or None
        if "\n" in example.text or not example.text.strip():
            raise DataError(
                f"the text {example.text[:20]!r} is empty or has a line break, which this format cannot hold.",
                path=where,
                remedy="Replace the line breaks by spaces.",
            )
        if example.label.strip() != example.label or not example.label or set(example.label) & {"\t", "\n"}:
            raise DataError(f"{example.label!r} cannot stand as a label behind a tab.", path=where, remedy="Rename it.")
        lines.append(f"{example.text}\t{example.label}")
    write_lines(path, lines)
