"""doccano's JSON Lines, in the spellings that its versions export.

======================================================  ===========================================================
``{"text", "labels": [[s, e, "PER"]]}``                  before 1.3; ``{"text", "entities": [[s, e, "PER"]]}`` too
``{"text", "label": [[s, e, "PER"]]}``                   since; 1.5 calls the text ``data``
``{"text", "annotations": [{"label", "start_offset",     its raw form, where labels are numbers of its data base
"end_offset"}]}``
``{"text", "entities": [{"id", "label", "start_offset",  with relations, which are read where they are asked for,
"end_offset"}], "relations": [{"from_id", "to_id",       else counted and ignored
"type"}]}``
``{"text", "label": ["positive"]}``                      classification; also ``labels`` and ``annotations``
``{"text", "cats": [...], "entities": [[...]]}``         both at once (intents and slots)
======================================================  ===========================================================

Offsets are half-open. Some releases count code points, others UTF-16 units (doccano#99, #108, #2290), or grapheme
clusters where the project says so. doccano writes no covered text, so that only borders and other texts can tell them
apart (:mod:`hanlp_tutor.data.formats.offsets`). Where that might fail we write the covered text beside: doccano takes
such entities, and leaves out what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.counting import usual_countings
from hanlp_tutor.data.formats.drafts import ONE_ID, Claim, Draft, Link
from hanlp_tutor.data.formats.format import LABEL, OVERLAPS, RELATIONS, SPANS, Format
from hanlp_tutor.data.formats.json_objects import (
    check_group_key,
    first_object,
    group_in,
    list_of,
    name_of,
    offset,
    read_objects,
    text_of,
)
from hanlp_tutor.data.formats.json_objects import write_objects as _write_objects
from hanlp_tutor.data.formats.one_class import one_class
from hanlp_tutor.data.formats.placing import documents_of
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

_KEYS = ("label", "labels", "annotations", "entities", "cats")
_OWN = ("id", "annotation_approver", "meta")  # what doccano adds by itself; the keys of ``meta`` are taken one by one
_NUMBERS = "labels that are numbers, those of doccano's data base; export 'JSONL (text label)' for names"


def read_doccano(
    path: str | Path,
    *,
    encoding: str | None = None,
    offsets: str | None = None,
    unlabelled: str = "keep",
    joint: bool = False,
    relations: bool = False,
    group_column: str | None = None,
) -> list[Document]:
    """Read an export of doccano, JSON Lines or one JSON list.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        offsets: what they count, such as ``utf16`` (:mod:`hanlp_tutor.data.formats.counting`); None finds out.
        unlabelled: ``keep`` texts without any annotation, or ``drop`` them.
        joint: make one class, ``A#B``, of several.
        relations: read them, too.
        group_column: the key (of the object, or of its ``meta``) of what belongs together, such as a patient: no split
            tears it apart. None, or a text without the key: it stands alone.

    Raises:
        DataError: no such file; a text without the keys of annotations; two classes of one text; an offset outside its
            text, or offsets that can be read in two ways; a relation of what is no entity.
    """
    tally = Tally(path)
    draft = partial(_draft, path, tally, joint, unlabelled == "drop", relations, group_column)
    objects = read_objects(path, encoding)
    check_group_key(path, (_data(entry) for _, entry in objects), group_column, _KEYS)
    drafts = read_each(path, draft, objects)
    return documents_of(drafts, offsets=offsets, unlabelled=unlabelled)


def _draft(
    path: str | Path,
    tally: Tally,
    joint: bool,
    may_lack: bool,
    relations: bool,
    group_column: str | None,
    line: int,
    entry: dict[str, Any],
) -> Draft:
    taken = ["text" if "text" in entry or "data" not in entry else "data", "relations"]
    text = text_of(entry, taken[0])
    present = [key for key in _KEYS if key in entry]
    if not present and not may_lack:
        remedy = f"Export labelled texts from doccano as JSONL. {pass_option('unlabelled', 'drop')} to leave them out."
        raise DataError(f"there is none of {', '.join(map(repr, _KEYS))}.", remedy=remedy)
    claims: list[Claim] = []
    labels: list[str] = []
    numbers: dict[Any, int] = {}
    twice = set()
    for key in present:
        value = [entry[key]] if isinstance(entry[key], (str, int)) else entry[key]
        for item in list_of(value, repr(key)):
            claim = _claim(item, line, tally)
            if claim is None:
                labels.append(_class(item, line, tally))
            elif key == "cats":
                raise DataError("'cats' holds an entity.", remedy="Put it into 'entities'.")
            else:
                if isinstance(item, dict) and isinstance(item.get("id"), (int, str)):
                    if item["id"] in numbers and claims[numbers[item["id"]]] != claim:
                        twice.add(item["id"])
                    numbers[item["id"]] = len(claims)
                claims.append(claim)
    stated = list_of(entry.get("relations"), "'relations'")
    links = tuple(_link(each, numbers, twice, line) for each in stated) if relations else ()
    tally.add("relations ignored", line, len(stated) - len(links))
    label = one_class(labels, joint, tally, line, what="the text has {} classes")
    pending = not claims and label is None and entry.get("annotation_approver", "") is None
    tally.leave_out(_data(entry), {*_KEYS, *_OWN, *taken, group_column}, line)
    source, group = f"{path}:{line}", group_in(_data(entry), group_column)
    return Draft(text, tuple(claims), label, source, path, line, tally, pending=pending, links=links, group=group)


def _data(entry: dict[str, Any]) -> dict[str, Any]:
    """What people said of a text besides its annotations: keys of the object, in older exports of its ``meta``."""
    meta = entry.get("meta")
    return {**entry, **meta} if isinstance(meta, dict) else entry


def _link(item: Any, numbers: dict[Any, int], twice: set[Any], line: int) -> Link:
    """A relation; ``numbers`` are those of the claims by the entities' ids, ``twice`` ids of several entities."""
    ends = (item.get("from_id"), item.get("to_id")) if isinstance(item, dict) else (None, None)
    if any(not isinstance(end, (int, str)) or end not in numbers for end in ends):
        raise DataError(
            f"a relation is from {ends[0]!r} to {ends[1]!r}, and the entities have the ids "
            f"{', '.join(map(repr, numbers)) or 'of none'}.",
            remedy="Export with relations from doccano (JSONL (relation)), or remove it.",
        )
    for end in ends:
        if end in twice:
            raise DataError(f"a relation names the id {end!r}, which several entities have.", remedy=ONE_ID)
    return Link(numbers[ends[0]], numbers[ends[1]], name_of(item.get("type"), "the type of a relation"), line)


def _claim(item: Any, line: int, tally: Tally) -> Claim | None:
    """An entity, or None for a class."""
    if isinstance(item, list):
        if len(item) != 3:
            raise DataError(f"an entity has {len(item)} parts.", remedy='Write [start, end, "type"].')
        start, end, label = item
        covered = None
    elif isinstance(item, dict) and ("start_offset" in item or "end_offset" in item):
        start, end, label = item.get("start_offset"), item.get("end_offset"), item.get("label")
        covered = item.get("text") if isinstance(item.get("text"), str) else None
    else:
        return None
    if isinstance(label, int):
        tally.add(_NUMBERS, line)
    name = name_of(label, "the type of an entity")
    return Claim(offset(start), offset(end), name, covered, line)


def _class(item: Any, line: int, tally: Tally) -> str:
    value = item.get("label") if isinstance(item, dict) else item
    if isinstance(value, int):
        tally.add(_NUMBERS, line)
    return name_of(value, "the class of a text")


def write_doccano(path: str | Path, documents: Iterable[Document]) -> None:
    """Write JSON Lines that doccano imports: ``label`` for entities or for a class, ``cats`` and ``entities`` for both,
    ``entities`` with ids and ``relations`` where there are some.

    Offsets count code points; where other countings would differ the entities say what they cover.

    Raises:
        DataError: a place that cannot be written.
    """
    _write_objects(path, (_entry(document) for document in documents))


def _entry(document: Document) -> dict[str, Any]:
    spans: list[Any] = [[span.start, span.end, span.label] for span in document.spans]
    if len(usual_countings(document.text[: max((span.end for span in document.spans), default=0)])) > 1:
        spans = [
            {"start_offset": s.start, "end_offset": s.end, "label": s.label, "text": document.text[s.start : s.end]}
            for s in document.spans
        ]
    if document.relations:
        numbers = {span: number for number, span in enumerate(document.spans, 1)}
        entities = [
            {"id": n, "label": s.label, "start_offset": s.start, "end_offset": s.end,
             "text": document.text[s.start : s.end]}
            for s, n in numbers.items()
        ]  # fmt: skip
        relations = [
            {"id": n, "from_id": numbers[each.head], "to_id": numbers[each.tail], "type": each.label}
            for n, each in enumerate(document.relations, 1)
        ]
        kind = {} if document.label is None else {"cats": [document.label]}
        return {"text": document.text, **kind, "entities": entities, "relations": relations}
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
    "doccano", (".jsonl", ".json"), frozenset({SPANS, OVERLAPS, LABEL, RELATIONS}), read_doccano, write_doccano, _sniff
)
