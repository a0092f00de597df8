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
from hanlp_tutor.data.formats.format import LABEL, OVERLAPS, SPANS, Format
from hanlp_tutor.data.formats.json_objects import first_object, list_of, name_of, offset, read_objects, write_objects
from hanlp_tutor.data.formats.label_studio_min import is_short, read_short
from hanlp_tutor.data.formats.offsets import Claim, place
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

_ENTITIES = ("labels", "hypertextlabels", "paragraphlabels")
_REMEDY = "Export the project from Label Studio as JSON."


def read_label_studio(
    path: str | Path,
    *,
    encoding: str | None = None,
    text_key: str | None = None,
    annotator: str | int | None = None,
    from_name: str | None = None,
) -> list[Document]:
    """Read an export of Label Studio, one document a task.

    Counted and noted: cancelled annotations, tasks without any (they are left out: nobody has marked that they hold no
    entity), relations and other results that are neither entities nor a choice.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        text_key: the key of a task's ``data`` that holds the text; None takes ``text``, or the only string.
        annotator: whose annotation counts where several people disagree: the number in ``completed_by``, an e-mail
            address, or ``first``. Where all agree there is nothing to choose, and a ground truth goes before others.
        from_name: take results of this control tag only, where a task has several.

    Raises:
        DataError: with line and task; among others several annotators who disagree, and several choices.
    """
    tally = Tally(path)

    def document(line: int, entry: dict[str, Any]) -> Document | None:
        if is_short(entry):
            return read_short(path, text_key, from_name, tally, line, entry)
        task = _Task(entry, path, line, tally)
        chosen = task.annotation(annotator)
        return None if chosen is None else task.document(chosen, text_key, from_name)

    documents = [each for each in read_each(path, document, read_objects(path, encoding)) if each is not None]
    tally.report()
    if not documents:
        raise DataError("no task is annotated.", path=path, remedy="Annotate, submit, and export again.")
    return documents


class _Task:
    """One task of the file, for messages that name it."""

    def __init__(self, entry: dict[str, Any], path: str | Path, line: int, tally: Tally) -> None:
        self.entry, self.path, self.line, self.tally = entry, path, line, tally
        self.name = f"task {str(entry.get('id', '?'))[:20]}"

    def error(self, message: str, remedy: str = _REMEDY) -> DataError:
        return DataError(f"{self.name}: {message}", remedy=remedy)

    def annotation(self, annotator: str | int | None) -> dict[str, Any] | None:
        """The annotation that counts, None when the task has none."""
        key = "annotations" if "annotations" in self.entry else "completions"
        found = list_of(self.entry.get(key), repr(key), dict)
        valid = [each for each in found if not each.get("was_cancelled") and not each.get("skipped")]
        self.tally.add("cancelled annotations ignored", self.line, len(found) - len(valid))
        if not valid:
            self.tally.add("tasks without an annotation left out", self.line)
            return None
        truth = [each for each in valid if each.get("ground_truth") is True]
        if len(truth) == 1 and len(valid) > 1:
            self.tally.add("tasks of several annotations, read from their ground truth", self.line)
            return truth[0]
        if len(valid) == 1:
            return valid[0]
        return self._choose(valid, annotator)

    def _choose(self, valid: list[dict[str, Any]], annotator: str | int | None) -> dict[str, Any]:
        people = [_person(each) for each in valid]
        if annotator is not None and str(annotator) != "first":
            if str(annotator) in people:
                self.tally.add(f"tasks of several annotations, read from annotator {annotator}", self.line)
                return valid[people.index(str(annotator))]
            raise self.error(
                f"annotator {annotator} did not annotate it; {', '.join(people)} did.",
                "Name one of them, or 'first'.",
            )
        if annotator is None and any(_content(each) != _content(valid[0]) for each in valid):
            raise self.error(
                f"{len(valid)} annotations ({', '.join(people)}) disagree.",
                f"Settle it in Label Studio, or pass annotator={people[0]!r} (-p annotator {people[0]}) or 'first'.",
            )
        agreement = "whose first is taken" if annotator else "that agree"
        self.tally.add(f"tasks of several annotations, {agreement}", self.line)
        return valid[0]

    def text(self, text_key: str | None) -> str:
        data = self.entry.get("data")
        if not isinstance(data, dict):
            raise self.error("there is no 'data' object.")
        strings = [key for key, value in data.items() if isinstance(value, str)]
        key = text_key or ("text" if "text" in strings else strings[0] if len(strings) == 1 else None)
        if key not in strings:
            wanted = "its data hold several strings" if key is None else f"its data hold no string {key!r}"
            raise self.error(
                f"{wanted}; there are: {', '.join(map(repr, strings)) or 'none'}.",
                "Pass text_key= (-p text_key NAME) with the key that the labelling configuration shows.",
            )
        return data[key]

    def document(self, annotation: dict[str, Any], text_key: str | None, from_name: str | None) -> Document:
        text = self.text(text_key)
        claims: list[Claim] = []
        choices: list[str] = []
        for result in list_of(annotation.get("result"), "'result'", dict):
            if from_name is not None and result.get("from_name") != from_name:
                self.tally.add(f"results of other control tags than {from_name!r} ignored", self.line)
                continue
            kind, value = result.get("type"), result.get("value")
            if kind in _ENTITIES:
                claims += self._claims(kind, value)
            elif kind == "choices" and isinstance(value, dict) and "start" not in value:
                choices += list_of(value.get("choices"), "'choices'", str)
            else:
                self.tally.add(f"results of type {str(kind)[:30]!r} ignored", self.line)
        if len(choices) > 1:
            raise self.error(
                f"there are {len(choices)} choices: {', '.join(choices)[:60]}.",
                "A text has one class here: pass from_name= (-p from_name NAME) for one control tag, or decide.",
            )
        label = name_of(choices[0], "the choice") if choices else None
        return Document(text, tuple(self._place(text, claims)), label, f"{self.path}:{self.line}")

    def _claims(self, kind: str, value: Any) -> list[Claim]:
        if not isinstance(value, dict):
            raise self.error("a result has no 'value' object.")
        if isinstance(value.get("start"), str):
            raise self.error(
                f"its entities are places in HTML or in a dialogue ({kind}), not in a text.",
                "Label the text in a Text tag; places in HTML cannot be read from it.",
            )
        start, end = (offset(value.get(key)) for key in ("start", "end"))
        labels = list_of(value.get(kind, value.get("labels")), "'labels'", str)
        if not labels:
            self.tally.add("regions without a label ignored", self.line)
        covered = value.get("text") if isinstance(value.get("text"), str) else None
        return [Claim(start, end, name_of(label, "a label"), covered, self.line) for label in labels]

    def _place(self, text: str, claims: list[Claim]) -> list:
        try:
            return place(text, claims, self.path, self.tally)
        except DataError as error:
            raise self.error(error.message, error.remedy) from None


def _person(annotation: dict[str, Any]) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email", who.get("id"))
    return str(who)[:60]


def _content(annotation: dict[str, Any]) -> list[str]:
    """What an annotation says, without the ids of its regions and their order."""
    results = annotation.get("result")
    results = results if isinstance(results, list) else []
    return sorted(repr((r.get("from_name"), r.get("type"), r.get("value"))) for r in results if isinstance(r, dict))


def write_label_studio(path: str | Path, documents: Iterable[Document]) -> None:
    """Write tasks that Label Studio imports, for ``<Labels name="label" toName="text">``, ``<Choices name="class"
    toName="text">`` and ``<Text name="text" value="$text"/>``.

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
        tasks.append({"id": number, "data": {"text": document.text}, "annotations": [{"result": results}]})
    write_objects(path, tasks, as_list=True)


def _sniff(path: Path) -> bool:
    entry = first_object(path)
    if entry is None:
        return False
    whole = isinstance(entry.get("data"), dict) and not {"annotations", "completions"}.isdisjoint(entry)
    return whole or is_short(entry)


FORMAT = Format(
    "label-studio", (".json",), frozenset({SPANS, OVERLAPS, LABEL}), read_label_studio, write_label_studio, _sniff
)
