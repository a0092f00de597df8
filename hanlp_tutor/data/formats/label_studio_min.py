"""Label Studio's short form JSON-MIN: the data's keys and one key for each control tag, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.json_objects import list_of, name_of, offset
from hanlp_tutor.data.formats.offsets import Claim, place
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.errors import DataError

# What Label Studio itself adds to each task; every other key is the data's or a control tag's.
_OWN = frozenset({"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "meta", "comment"})


def is_short(entry: dict[str, Any]) -> bool:
    """Whether an object is a task of JSON-MIN."""
    if "data" in entry and not {"annotations", "completions"}.isdisjoint(entry):
        return False
    return "annotation_id" in entry or any(_regions(value) for value in entry.values())


def read_short(entry: dict[str, Any], path: str | Path, line: int, text_key: str | None, tally: Tally) -> Document:
    """One task of JSON-MIN.

    Raises:
        DataError: no text, or several strings that could be the class.
    """
    key = text_key or "text"
    text = entry.get(key)
    if not isinstance(text, str):
        raise DataError(
            f"there is no string {key!r}.",
            path=path,
            line=line,
            remedy=f"Pass text_key= (-p text_key NAME); keys here: {', '.join(map(repr, entry))}.",
        )
    claims = [
        claim
        for name, value in entry.items()
        if name not in _OWN and _regions(value)
        for region in value
        for claim in _claims(region, path, line)
    ]
    others = [name for name, value in entry.items() if isinstance(value, str) and name not in _OWN and name != key]
    if len(others) > 1:
        raise DataError(
            f"several strings could be the class: {', '.join(map(repr, others))}.",
            path=path,
            line=line,
            remedy="Export as JSON instead of JSON-MIN, which says what is a choice.",
        )
    label = name_of(entry[others[0]], repr(others[0]), path, line) if others else None
    return Document(text, tuple(place(text, claims, path, tally)), label, f"{path}:{line}")


def _claims(region: dict[str, Any], path: str | Path, line: int) -> list[Claim]:
    start, end = (offset(region.get(key), path, line) for key in ("start", "end"))
    covered = region.get("text") if isinstance(region.get("text"), str) else None
    labels = list_of(region.get("labels"), "'labels'", path, line, str)
    return [Claim(start, end, name_of(label, "a label", path, line), covered, line) for label in labels]


def _regions(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and "start" in each and "labels" in each for each in value)
    )
