"""JSON with a text and its class under names of their own: CLUE's TNEWS and IFLYTEK, and what others write like them.

``{"sentence": "股市今日上涨", "label": "104", "label_desc": "news_finance"}``, one object a line or one list of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.column_heads import NO_PAIRS, pair_in
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.format import LABEL, Format
from hanlp_tutor.data.formats.head import head_values
from hanlp_tutor.data.formats.json_objects import (
    check_group_key,
    group_in,
    name_of,
    read_objects,
    text_of,
    write_objects,
)
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

_TEXTS = ("text", "sentence", "content", "review", "comment", "文本", "内容", "句子", "评论")
# The first that is there: CLUE's descriptions can be read, its numbers cannot.
_LABELS = (
    "label_desc",
    "label_des",
    "label_text",
    "label",
    "class",
    "category",
    "sentiment",
    "target",
    "标签",
    "类别",
    "分类",
    "情感",
)


def read_json_labels(
    path: str | Path,
    *,
    encoding: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
) -> list[Document]:
    """Read texts with their classes; a class may be a whole number.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        text_column, label_column: the keys of text and label; None goes by usual names, for the label ``label_desc``
            before ``label``.
        group_column: the key of what belongs together, such as a patient: no split tears it apart. None, or a text
            without the key: it stands alone.

    Raises:
        DataError: no such file, no JSON, an object without text or label; pairs of texts.
    """
    objects = read_objects(path, encoding)
    first = objects[0][1]
    text = text_column or _key(path, first, _TEXTS, "text")
    label = label_column or _key(path, first, _LABELS, "label")
    others = [key for key in first if key not in (text, label, group_column)]
    check_group_key(path, (entry for _, entry in objects), group_column, [label])
    if others:
        note(f"{path}: text and label are read from {text!r} and {label!r}; left out: {', '.join(others)[:200]}.")

    def document(line: int, entry: dict[str, Any]) -> Document:
        if entry.get(label) is None:
            raise DataError(f"there is no {label!r}: the text is not labelled.", remedy="Label it, or remove the line.")
        name, group = name_of(entry[label], f"{label!r}").strip(), group_in(entry, group_column)
        return Document(text_of(entry, text), (), name, f"{path}:{line}", group=group)

    return read_each(path, document, objects)


def _key(path: str | Path, entry: dict[str, Any], usual: tuple[str, ...], what: str) -> str:
    pair = pair_in(entry)
    if pair is not None:
        raise DataError(f"holds pairs of texts ({pair[0]}, {pair[1]}).", path=path, line=1, remedy=NO_PAIRS)
    found = [key for key in usual if key in entry]
    if not found or (what == "text" and len(found) > 1):
        shown = ", ".join(map(repr, list(entry)[:10])) or "none"
        remedy = f"{pass_option(f'{what}_column', 'KEY')}."
        raise DataError(f"{len(found) or 'no'} keys could be the {what}; there are {shown}.", path=path, remedy=remedy)
    return found[0]


def write_json_labels(path: str | Path, documents: Iterable[Document]) -> None:
    """Write what :func:`read_json_labels` reads back unchanged, as CLUE has it.

    Raises:
        DataError: a text without a label, a label with blanks around it, a place that cannot be written.
    """
    entries = []
    for document in documents:
        label = document.labelled().label
        if label != label.strip():
            message = f"the label {label!r} has blanks around it."
            raise DataError(message, path=document.source or None, remedy="Rename it.")
        entries.append({"sentence": document.text, "label": label})
    write_objects(path, entries)


def _sniff(path: Path) -> bool:
    entry = next(iter(head_values(path)), None)
    if not isinstance(entry, dict) or pair_in(entry):
        return False
    texts = [key for key in _TEXTS if isinstance(entry.get(key), str)]
    return len(texts) == 1 and any(isinstance(entry.get(key), str | int) for key in _LABELS)


FORMAT = Format("json-labels", (".json", ".jsonl"), frozenset({LABEL}), read_json_labels, write_json_labels, _sniff)
