"""Label Studio's JSON: a list of tasks, each with its data, and annotations (once ``completions``) of people.

``[{"id": 1, "data": {"text": ...}, "annotations": [{"completed_by": 3, "result": [{"type": "labels", "value":
{"start": 0, "end": 2, "text": "张三", "labels": ["PER"]}}]}]}]``

Read, too: its short form JSON-MIN (``{"text", "label": [{"start", "end", "labels"}], "sentiment": "good"}``). Its CSV
and TSV hold that JSON in cells and are refused there; its CoNLL has a module of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.drafts import Draft
from hanlp_tutor.data.formats.format import LABEL, OVERLAPS, RELATIONS, SPANS, Format
from hanlp_tutor.data.formats.json_objects import check_group_key, first_object, read_objects, write_objects
from hanlp_tutor.data.formats.label_studio_min import is_short, note_own_classes, short_draft
from hanlp_tutor.data.formats.label_studio_task import Choice, Task
from hanlp_tutor.data.formats.placing import documents_of
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError


def read_label_studio(
    path: str | Path,
    *,
    encoding: str | None = None,
    text_key: str | None = None,
    to_name: str | None = None,
    annotator: str | int | None = None,
    from_name: str | None = None,
    offsets: str | None = None,
    unlabelled: str = "keep",
    joint: bool = False,
    relations: bool = False,
    group_column: str | None = None,
) -> list[Document]:
    """Read an export of Label Studio, one document a task.

    Counted and noted: cancelled annotations, tasks without any (they are left out: nobody has marked that they hold no
    entity), results that are neither entities nor a choice, relations unless they are asked for, and results about
    another text.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        text_key: the key of a task's ``data`` that holds the text; None takes the one that its results name
            (``to_name``), else ``text``, or the only string.
        to_name: take results about this object tag only, where a task shows several texts.
        annotator: whose annotation counts where several people disagree: the number in ``completed_by``, an e-mail
            address, or ``first``. Where all agree there is nothing to choose, and a ground truth goes before others.
        from_name: take results of this control tag only, where a task has several.
        offsets: what they count, such as ``utf16`` (:mod:`hanlp_tutor.data.formats.counting`); None finds out.
        unlabelled: of tasks whose annotation is empty: ``keep`` or ``drop`` them.
        joint: make one class, ``A#B``, of several.
        relations: read them, too, in the direction of their arrow; one with two heads is two.
        group_column: the key of a task's ``data`` that says what belongs together, such as a patient: no split tears it
            apart. None, or a task without the key: it stands alone.

    Raises:
        DataError: with line and task; among others several annotators who disagree, several choices, results about
            several texts, and a text that is the name of a file.
    """
    tally = Tally(path)
    objects = read_objects(path, encoding)
    named = {key for _, entry in objects for key in _named(entry)}
    usual = next(iter(named)) if len(named) == 1 else None
    choice = Choice(text_key, usual, to_name, from_name, annotator, joint, relations, group_column)

    check_group_key(path, (_data(entry) for _, entry in objects), group_column)

    def draft(line: int, entry: dict[str, Any]) -> Draft | None:
        if is_short(entry):
            return short_draft(path, text_key, from_name, joint, group_column, tally, line, entry)
        task = Task(entry, path, line, tally, choice)
        chosen = task.annotation(annotator)
        return None if chosen is None else task.draft(chosen)

    drafts = [each for each in read_each(path, draft, objects) if each is not None]
    if any(is_short(entry) for _, entry in objects):
        note_own_classes(drafts)
    documents = documents_of(drafts, offsets=offsets, unlabelled=unlabelled)
    if not drafts:
        tally.report()
        raise DataError("no task is annotated.", path=path, remedy="Annotate, submit, and export again.")
    return documents


def _data(entry: dict[str, Any]) -> dict[str, Any]:
    """The data of a task; those of the short form stand in the task itself."""
    data = entry.get("data")
    return data if isinstance(data, dict) else entry


def _named(entry: dict[str, Any]) -> set[str]:
    """The strings of a task that its results say they are about."""
    data = entry.get("data")
    annotations = entry.get("annotations", entry.get("completions"))
    if not isinstance(data, dict) or not isinstance(annotations, list):
        return set()
    results = [each.get("result") for each in annotations if isinstance(each, dict)]
    names = {str(r.get("to_name")) for each in results if isinstance(each, list) for r in each if isinstance(r, dict)}
    return {name for name in names if isinstance(data.get(name), str)}


def write_label_studio(path: str | Path, documents: Iterable[Document]) -> None:
    """Write tasks that Label Studio imports, for ``<Labels name="label" toName="text">``, ``<Choices name="class"
    toName="text">`` and ``<Text name="text" value="$text"/>``; relations between regions for ``<Relations>``.

    Raises:
        DataError: a place that cannot be written.
    """
    tasks = []
    for number, document in enumerate(documents, 1):
        results: list[dict[str, Any]] = [
            {
                "id": f"{number}-{index}",
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {
                    "start": span.start,
                    "end": span.end,
                    "text": document.text[span.start : span.end],
                    "labels": [span.label],
                },
            }
            for index, span in enumerate(document.spans, 1)
        ]
        if document.label is not None:
            value = {"choices": [document.label]}
            results.append({"from_name": "class", "to_name": "text", "type": "choices", "value": value})
        names = {span: f"{number}-{index}" for index, span in enumerate(document.spans, 1)}
        results += [
            {"type": "relation", "from_id": names[each.head], "to_id": names[each.tail], "direction": "right",
             "labels": [each.label]}
            for each in document.relations
        ]  # fmt: skip
        tasks.append({"id": number, "data": {"text": document.text}, "annotations": [{"result": results}]})
    write_objects(path, tasks, as_list=True)


def _sniff(path: Path) -> bool:
    entry = first_object(path)
    if entry is None:
        return False
    whole = isinstance(entry.get("data"), dict) and not {"annotations", "completions"}.isdisjoint(entry)
    return whole or is_short(entry)


FORMAT = Format(
    "label-studio",
    (".json",),
    frozenset({SPANS, OVERLAPS, LABEL, RELATIONS}),
    read_label_studio,
    write_label_studio,
    _sniff,
)
