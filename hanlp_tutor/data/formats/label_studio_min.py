"""Label Studio's short form JSON-MIN: the data's keys and one key for each control tag, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.drafts import Claim, Draft
from hanlp_tutor.data.formats.format import LABEL, OVERLAPS, SPANS, Format
from hanlp_tutor.data.formats.json_objects import (
    check_group_key,
    first_object,
    group_in,
    list_of,
    name_of,
    offset,
    read_objects,
    write_objects,
)
from hanlp_tutor.data.formats.one_class import one_class
from hanlp_tutor.data.formats.placing import documents_of
from hanlp_tutor.data.notes import Tally, note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

# What Label Studio itself adds to each task; every other key is the data's or a control tag's.
_OWN = frozenset(
    ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "meta", "comment")
)

_ENOUGH = 5  # texts, from which on it is no accident that no two have the same class


def is_short(entry: dict[str, Any]) -> bool:
    """Whether an object is a task of JSON-MIN."""
    if "data" in entry and not {"annotations", "completions"}.isdisjoint(entry):
        return False
    return "annotation_id" in entry or any(_regions(value) for value in entry.values())


def read_label_studio_min(
    path: str | Path,
    *,
    encoding: str | None = None,
    text_key: str | None = None,
    from_name: str | None = None,
    offsets: str | None = None,
    unlabelled: str = "keep",
    joint: bool = False,
    group_column: str | None = None,
) -> list[Document]:
    """Read an export of the form JSON-MIN, one document a task; arguments as for ``read_label_studio``.

    Raises:
        DataError: as :func:`short_draft`, and of offsets as ``read_label_studio``.
    """
    tally = Tally(path)
    draft = partial(short_draft, path, text_key, from_name, joint, group_column, tally)
    objects = read_objects(path, encoding)
    check_group_key(path, (entry for _, entry in objects), group_column)
    drafts = read_each(path, draft, objects)
    note_own_classes(drafts)
    return documents_of(drafts, offsets=offsets, unlabelled=unlabelled)


def short_draft(
    path: str | Path,
    text_key: str | None,
    from_name: str | None,
    joint: bool,
    group_column: str | None,
    tally: Tally,
    line: int,
    entry: dict[str, Any],
) -> Draft:
    """One task of JSON-MIN; its errors do not say where it stands.

    Raises:
        DataError: no text, several strings that could be the class, several choices.
    """
    key = text_key or "text"
    text = entry.get(key)
    if not isinstance(text, str):
        remedy = f"{pass_option('text_key', 'NAME')}; keys here: {', '.join(map(repr, entry))}."
        raise DataError(f"there is no string {key!r}.", remedy=remedy)
    values = {name: value for name, value in entry.items() if name not in {*_OWN, key, group_column}}
    if from_name is not None:
        tally.add(f"keys other than {from_name!r} ignored", line, sum(name != from_name for name in values))
        values = {name: value for name, value in values.items() if name == from_name}
    claims, choices = [], {}
    for name, value in values.items():
        if _regions(value):
            claims += [claim for region in value for claim in _claims(region, line)]
        elif isinstance(value, str):
            choices[name] = value
        elif isinstance(value, dict) and "choices" in value:
            chosen = list_of(value["choices"], "'choices'", str)
            label = one_class(chosen, joint, tally, line, what=f"there are {{}} choices in {name!r}")
            if label is not None:
                choices[name] = label
        elif value:
            tally.add(f"keys that hold neither entities nor a choice ({name!r}) ignored", line)
    if len(choices) > 1:
        remedy = f"{pass_option('from_name', 'NAME')}, or export as JSON, which says what is a choice."
        raise DataError(f"several strings could be the class: {', '.join(map(repr, choices))}.", remedy=remedy)
    _check_about(text, key, claims, {name: value for name, value in entry.items() if isinstance(value, str)})
    label = next((name_of(value, repr(name)) for name, value in choices.items()), None)
    group = group_in(entry, group_column)
    return Draft(text, tuple(claims), label, f"{path}:{line}", path, line, tally, group=group)


def note_own_classes(drafts: Sequence[Draft]) -> None:
    """Note where each text has a class that no other has: JSON-MIN does not say which strings are the data's."""
    labelled = [draft for draft in drafts if draft.label is not None]
    if len(labelled) >= _ENOUGH and len({draft.label for draft in labelled}) == len(labelled):
        first = labelled[0]
        note(
            f"{first.path}:{first.line}: each text has a class of its own, such as {first.label[:20]!r}: is that "
            f"another string of the data? {pass_option('from_name', 'NAME')} with the control tag that counts."
        )


def write_label_studio_min(path: str | Path, documents: Iterable[Document]) -> None:
    """Write JSON-MIN as Label Studio does for control tags ``label`` and ``class``.

    Raises:
        DataError: a place that cannot be written.
    """
    tasks = []
    for number, document in enumerate(documents, 1):
        task: dict[str, Any] = {"id": number, "annotation_id": number, "text": document.text}
        if document.spans:
            task["label"] = [
                {"start": s.start, "end": s.end, "text": document.text[s.start : s.end], "labels": [s.label]}
                for s in document.spans
            ]
        if document.label is not None:
            task["class"] = document.label
        tasks.append(task)
    write_objects(path, tasks, as_list=True)


def _claims(region: dict[str, Any], line: int) -> list[Claim]:
    start, end = (offset(region.get(key)) for key in ("start", "end"))
    covered = region.get("text") if isinstance(region.get("text"), str) else None
    labels = list_of(region.get("labels"), "'labels'", str)
    return [Claim(start, end, name_of(label, "a label"), covered, line) for label in labels]


def _check_about(text: str, key: str, claims: list[Claim], strings: dict[str, str]) -> None:
    """Refuse entities that are not where they say in this text, but are in another one of the task."""

    def are_in(other: str) -> bool:
        return all(other[claim.start : claim.end] == claim.covered for claim in claims)

    if not claims or any(claim.covered is None for claim in claims) or are_in(text):
        return
    for name, other in strings.items():
        if name != key and are_in(other):
            message = f"its entities are places in {name!r}, not in {key!r}."
            raise DataError(message, remedy=f"{pass_option('text_key', name)}.")


def _regions(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and "start" in each and "labels" in each for each in value)
    )


def _sniff(path: Path) -> bool:
    entry = first_object(path)
    return entry is not None and is_short(entry)


FORMAT = Format(
    "label-studio-min",
    (".json",),
    frozenset({SPANS, OVERLAPS, LABEL}),
    read_label_studio_min,
    write_label_studio_min,
    _sniff,
)
