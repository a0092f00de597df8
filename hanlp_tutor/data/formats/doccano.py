"""doccano's JSON Lines, in the spellings that its versions export.

======================================================  ===========================================================
``{"text", "labels": [[s, e, "PER"]]}``                  before 1.3; ``{"text", "entities": [[s, e, "PER"]]}`` too
``{"text", "label": [[s, e, "PER"]]}``                   since; 1.5 calls the text ``data``
``{"text", "annotations": [{"label", "start_offset",     its raw form, where labels are numbers of its data base
"end_offset"}]}``
``{"text", "entities": [{"label", "start_offset",        with relations, which are counted and ignored
"end_offset"}], "relations": [...]}``
``{"text", "label": ["positive"]}``                      classification; also ``labels`` and ``annotations``
``{"text", "cats": [...], "entities": [[...]]}``         both at once (intents and slots)
======================================================  ===========================================================

Offsets count code points, half-open. doccano writes no covered text, so only their bounds can be checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.format import LABEL, OVERLAPS, SPANS, Format
from hanlp_tutor.data.formats.json_objects import first_object, list_of, name_of, offset, read_objects, text_of
from hanlp_tutor.data.formats.json_objects import write_objects as _write_objects
from hanlp_tutor.data.formats.offsets import Claim, place
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

_KEYS = ("label", "labels", "annotations", "entities", "cats")
_NUMBERS = "labels that are numbers, those of doccano's data base; export 'JSONL (text label)' for names"


def read_doccano(path: str | Path, *, encoding: str | None = None) -> list[Document]:
    """Read an export of doccano, JSON Lines or one JSON list.

    Raises:
        DataError: no such file; a text without annotations; two classes of one text; an offset outside its text.
    """
    tally = Tally(path)
    documents = read_each(path, partial(_document, path, tally), read_objects(path, encoding))
    tally.report()
    return documents


def _document(path: str | Path, tally: Tally, line: int, entry: dict[str, Any]) -> Document:
    text = text_of(entry, "text" if "text" in entry or "data" not in entry else "data")
    present = [key for key in _KEYS if key in entry]
    if not present:
        remedy = "Export labelled texts from doccano as JSONL; a text without entities has an empty list."
        raise DataError(f"there is none of {', '.join(map(repr, _KEYS))}.", remedy=remedy)
    claims: list[Claim] = []
    labels: list[str] = []
    for key in present:
        value = [entry[key]] if isinstance(entry[key], (str, int)) else entry[key]
        for item in list_of(value, repr(key)):
            claim = _claim(item, line, tally)
            if claim is None:
                labels.append(_class(item, line, tally))
            elif key == "cats":
                raise DataError("'cats' holds an entity.", remedy="Put it into 'entities'.")
            else:
                claims.append(claim)
    tally.add("relations ignored", line, len(list_of(entry.get("relations"), "'relations'")))
    if len(labels) > 1:
        remedy = "A text has one class here: decide, or write the text once with a joint class."
        raise DataError(f"the text has {len(labels)} classes: {', '.join(labels)[:60]}.", remedy=remedy)
    spans = place(text, claims, path, tally)
    return Document(text, tuple(spans), labels[0] if labels else None, f"{path}:{line}")


def _claim(item: Any, line: int, tally: Tally) -> Claim | None:
    """An entity, or None for a class."""
    if isinstance(item, list):
        if len(item) != 3:
            raise DataError(f"an entity has {len(item)} parts.", remedy='Write [start, end, "type"].')
        start, end, label = item
    elif isinstance(item, dict) and ("start_offset" in item or "end_offset" in item):
        start, end, label = item.get("start_offset"), item.get("end_offset"), item.get("label")
    else:
        return None
    if isinstance(label, int):
        tally.add(_NUMBERS, line)
    name = name_of(label, "the type of an entity")
    return Claim(offset(start), offset(end), name, None, line)


def _class(item: Any, line: int, tally: Tally) -> str:
    value = item.get("label") if isinstance(item, dict) else item
    if isinstance(value, int):
        tally.add(_NUMBERS, line)
    return name_of(value, "the class of a text")


def write_doccano(path: str | Path, documents: Iterable[Document]) -> None:
    """Write JSON Lines that doccano imports: ``label`` for entities or for a class, ``cats`` and ``entities`` for both.

    Raises:
        DataError: a place that cannot be written.
    """
    _write_objects(path, (_entry(document) for document in documents))


def _entry(document: Document) -> dict[str, Any]:
    spans = [[span.start, span.end, span.label] for span in document.spans]
    if document.label is None:
        return {"text": document.text, "label": spans}
    if not spans:
        return {"text": document.text, "label": [document.label]}
    return {"text": document.text, "cats": [document.label], "entities": spans}


def _sniff(path: Path) -> bool:
    entry = first_object(path)
    if entry is None or not isinstance(entry.get("text", entry.get("data")), str):
        return False
    values = [entry[key] for key in _KEYS if key in entry]
    if not values or any(isinstance(value, dict) for value in values):
        return False
    # Label Studio's short form has the same keys, and entities with "start", "end" and "labels".
    items = [item for value in values if isinstance(value, list) for item in value]
    return not any(isinstance(item, dict) and ("start" in item or "result" in item) for item in items)


FORMAT = Format(
    "doccano", (".jsonl", ".json"), frozenset({SPANS, OVERLAPS, LABEL}), read_doccano, write_doccano, _sniff
)
