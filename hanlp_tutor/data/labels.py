"""Classification files: ``text<TAB>label`` a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from hanlp_tutor.data.column_heads import begins_with_head
from hanlp_tutor.data.examples import LabelledText
from hanlp_tutor.data.lines import filled_lines, write_lines
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import on_command_line, pass_option, pass_options
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

_TAG = re.compile(r"[oO]|[BIMESbimes][-_](.+)", re.DOTALL)
_LONGEST_TOKEN = 12  # characters; the median of a file's texts
_ENOUGH = 8  # lines, from which on which column repeats itself is no accident


def read_labels(
    path: str | Path, *, encoding: str | None = "utf-8", label_first: bool | None = None
) -> list[LabelledText]:
    """Read ``text<TAB>label`` lines; the last tab separates, blank lines are skipped.

    The text stays as it is; blanks around the label go.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        label_first: the lines are ``label<TAB>text``, and the first tab separates. None is False, but refuses a file
            that looks like that.

    Raises:
        DataError: a line without tab, text or label, with file and line; a file without any example; one whose columns
            look swapped; a header; token and tag in place of text and label.
    """
    read = partial(_example, path, bool(label_first))
    examples = read_each(path, read, filled_lines(path, encoding))
    if not examples:
        raise DataError("holds no example.", path=path, remedy="Write one text<TAB>label a line.")
    _check_no_tags(path, examples)
    _check_no_heads(path, examples, bool(label_first))
    _check_no_numbers(path, examples)
    if label_first is None and looks_swapped([(example.text, example.label) for example in examples]):
        first = examples[0]
        raise DataError(
            f"the columns look swapped: {len({each.text for each in examples})} different texts, such as "
            f"{first.text[:20]!r}, and {len({each.label for each in examples})} different labels, such as "
            f"{first.label[:20]!r}.",
            path=path,
            remedy=f"{pass_option('label_first', True)} if each line is label<TAB>text, and "
            f"{on_command_line('label_first', False)} if it is not.",
        )
    return examples


def looks_swapped(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether of pairs of a text and a label the labels are the texts: they are longer, and repeat less."""
    texts, labels = {text for text, _ in pairs}, {label for _, label in pairs}
    longer = sum(len(label) for _, label in pairs) > 2 * sum(len(text) for text, _ in pairs)
    return len(pairs) >= _ENOUGH and 3 * len(labels) >= 4 * len(texts) and longer


def _check_no_tags(path: str | Path, examples: Sequence[LabelledText]) -> None:
    """Refuse a column file: its characters would become texts, and its tags classes."""
    matches = [_TAG.fullmatch(label) for label in {example.label for example in examples}]
    if not all(matches):  # or the tag comes first
        matches = [_TAG.fullmatch(text) for text in {example.text for example in examples}]
    if not all(matches):
        return
    kinds = [match[1] for match in matches if match[1]]
    lengths = sorted(len(example.text) for example in examples)
    short = lengths[len(lengths) // 2] <= (_LONGEST_TOKEN if kinds else 1)
    # O beside B-X, or B-X beside I-X; O alone, on many lines of one character
    tags = len(set(kinds)) < len(matches) if kinds else len(examples) >= _ENOUGH
    if short and tags:
        first = examples[0]
        raise DataError(
            f"holds tokens with tags ({first.text[:20]!r} {first.label}), not texts with labels: a file for the task "
            "ner, not classify.",
            path=path,
            remedy="Train or audit it with --task ner (in Python: task='ner'), and evaluate a model of that task.",
        )


def _check_no_heads(path: str | Path, examples: Sequence[LabelledText], label_first: bool) -> None:
    """Refuse a table with a header: its heads would become a text and a class."""
    if not begins_with_head([example.label for example in examples]):
        return
    last = examples[0].text.count("\t") + 2
    text, label = (2, 1) if label_first else (last - 1, last)
    options = {"format": "tsv", "text_column": text, "label_column": label}
    raise DataError(
        f"the first line names columns: {examples[0].text[:20]!r} and {examples[0].label!r}.",
        path=path,
        line=1,
        remedy=f"{pass_options(**options)}, or remove the line.",
    )


def _check_no_numbers(path: str | Path, examples: Sequence[LabelledText]) -> None:
    """Refuse a table whose first column numbers the texts: the number would become text."""
    numbers = {number for example in examples if (number := example.text.partition("\t")[0]).isdecimal()}
    tabs = {example.text.count("\t") for example in examples}
    if len(examples) >= _ENOUGH and len(numbers) == len(examples) and len(tabs) == 1 and tabs != {0}:
        columns = 2 + tabs.pop()
        options = {"format": "tsv", "header": False, "text_column": 2, "label_column": columns}
        message = f"holds {columns} columns, the first of which numbers the texts: {examples[0].text[:20]!r}."
        raise DataError(message, path=path, remedy=f"{pass_options(**options)}.")
    if tabs == {2} and all(map(_is_relation, examples)):
        message = "two columns stand in the fourth. The file looks like head, tail, relation, sentence a line."
        remedy = "Train it with --task relation (in Python: task='relation')."
        raise DataError(message, path=path, line=int(examples[0].source.rpartition(":")[2]), remedy=remedy)
    if len(examples) >= _ENOUGH and len(tabs) == 1 and tabs != {0}:  # pairs of texts, or a table
        columns = 2 + tabs.pop()
        options = {"format": "tsv", "header": False, "text_column": "N", "label_column": columns}
        joined = f"every line holds {columns} columns; the label is the last, and the others are one text with the tabs"
        note(f"{path}: {joined} in it: {examples[0].text[:40]!r}. {pass_options(**options)} to read column N alone.")


def _is_relation(example: LabelledText) -> bool:
    """Whether the two first of four columns stand in the last, as head and tail do in their sentence."""
    head, tail, _ = example.text.split("\t")
    return bool(head.strip() and tail.strip()) and head in example.label and tail in example.label


def _example(path: str | Path, label_first: bool, number: int, line: str) -> LabelledText:
    text, tab, label = line.rpartition("\t")
    if label_first:
        label, tab, text = line.partition("\t")
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
