"""One task of Label Studio's JSON: whose annotation counts, which of its texts that is about, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.data.formats.drafts import ONE_ID, Claim, Draft, Link
from hanlp_tutor.data.formats.json_objects import group_in, list_of, name_of, offset
from hanlp_tutor.data.formats.one_class import one_class
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.errors import DataError

_ENTITIES = ("labels", "hypertextlabels", "paragraphlabels")
_REMEDY = "Export the project from Label Studio as JSON."


@dataclass(frozen=True)
class Choice:
    """Which of the things in a file the reader was asked for; None where it is to find out.

    ``usual`` is the key that all results of the file are about, where they say so.
    """

    text_key: str | None
    usual: str | None
    to_name: str | None
    from_name: str | None
    annotator: str | int | None
    joint: bool
    relations: bool = False
    group_column: str | None = None


class Task:
    """One task of the file, for messages that name it."""

    def __init__(self, entry: dict[str, Any], path: str | Path, line: int, tally: Tally, choice: Choice) -> None:
        self.entry, self.path, self.line, self.tally, self.choice = entry, path, line, tally, choice
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
            draft = " (a draft is not submitted yet)" if self.entry.get("drafts") else ""
            self.tally.add(f"tasks without an annotation{draft} left out", self.line)
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
                f"{_one_of(people)}.",
            )
        if annotator is None and any(_content(each) != _content(valid[0]) for each in valid):
            raise self.error(
                f"{len(valid)} annotations ({', '.join(people)}) disagree.",
                f"{_one_of(people)}; or settle it in Label Studio.",
            )
        agreement = "whose first is taken" if annotator else "that agree"
        self.tally.add(f"tasks of several annotations, {agreement}", self.line)
        return valid[0]

    def draft(self, annotation: dict[str, Any]) -> Draft:
        """The text that the annotation is about, and what it says of it."""
        data = self.entry.get("data")
        if not isinstance(data, dict):
            raise self.error("there is no 'data' object.")
        strings = {key: value for key, value in data.items() if isinstance(value, str)}
        results = self._results(annotation)
        key = self._key(strings, results)
        self.tally.leave_out(data, {key, self.choice.group_column}, self.line)
        claims: list[Claim] = []
        choices: list[str] = []
        numbers: dict[str, int] = {}
        twice: set[str] = set()
        for result in results:
            about = result.get("to_name")
            if self.choice.to_name is None and about != key and about in strings:
                self.tally.add(f"results about another text ({about!r}) ignored", self.line)
            elif result["type"] == "choices":
                choices += list_of(result["value"].get("choices"), "'choices'", str)
            else:
                found = self._claims(result["type"], result.get("value"))
                if found:
                    name = str(result.get("id"))
                    before = claims[numbers[name]] if name in numbers else found[0]
                    if (before.start, before.end) != (found[0].start, found[0].end):  # else tags of one region
                        twice.add(name)
                    numbers[name] = len(claims)
                claims += found
        remedy = f"{pass_option('from_name', 'NAME')} for one control tag, "
        what = f"{self.name}: there are {{}} choices"
        label = one_class(choices, self.choice.joint, self.tally, self.line, what=what, remedy=remedy)
        label = None if label is None else name_of(label, "the choice")
        links = tuple(self._links(annotation, numbers, twice)) if self.choice.relations else ()
        return Draft(
            strings[key],
            tuple(claims),
            label,
            f"{self.path}:{self.line}",
            self.path,
            self.line,
            self.tally,
            f"{self.name}: ",
            links=links,
            group=group_in(data, self.choice.group_column),
        )

    def _links(self, annotation: dict[str, Any], numbers: dict[str, int], twice: set[str]) -> Iterator[Link]:
        """The relations between regions; ``numbers`` are those of the claims by their ids, ``twice`` ids of several."""
        results = list_of(annotation.get("result"), "'result'", dict)
        for result in results:
            if result.get("type") != "relation":
                continue
            ends, direction = [str(result.get(key)) for key in ("from_id", "to_id")], str(result.get("direction"))
            for end in ends:
                if not any(str(each.get("id")) == end for each in results if each is not result):
                    raise self.error(f"a relation names the region {end!r}, which there is not.")
                if end in twice:
                    raise self.error(f"a relation names the id {end!r}, which several regions have.", ONE_ID)
            labels = list_of(result.get("labels"), "'labels' of a relation", str)
            if any(end not in numbers for end in ends):
                self.tally.add("relations of regions that are not read ignored", self.line)
            elif not labels:
                self.tally.add("relations without a label ignored", self.line)
            else:
                start, end = (numbers[end] for end in ends)
                pairs = {"left": [(end, start)], "bi": [(start, end), (end, start)]}.get(direction, [(start, end)])
                for label in labels:
                    yield from (Link(*pair, name_of(label, "a relation"), self.line) for pair in pairs)

    def _results(self, annotation: dict[str, Any]) -> list[dict[str, Any]]:
        """Those that are entities or choices of the tags asked for."""
        found = []
        for result in list_of(annotation.get("result"), "'result'", dict):
            kind, value = result.get("type"), result.get("value")
            for option in ("from_name", "to_name"):
                wanted = None if kind == "relation" and self.choice.relations else getattr(self.choice, option)
                if wanted is not None and result.get(option) != wanted:
                    tags = "other control tags than" if option == "from_name" else "other texts than"
                    self.tally.add(f"results of {tags} {wanted!r} ignored", self.line)
                    break
            else:
                if kind in _ENTITIES or (kind == "choices" and isinstance(value, dict) and "start" not in value):
                    found.append(result)
                elif not (kind == "relation" and self.choice.relations):
                    self.tally.add(f"results of type {str(kind)[:30]!r} ignored", self.line)
        return found

    def _key(self, strings: dict[str, str], results: list[dict[str, Any]]) -> str:
        """Which of a task's strings the results are about.

        A result names an object tag (``to_name``), which most configurations call by the key that it shows.
        """
        wanted = self.choice.text_key
        names = list(dict.fromkeys(str(result.get("to_name")) for result in results))
        named = [name for name in names if name in strings]
        if wanted is not None and wanted not in strings:
            message = f"its data hold no string {wanted!r}; {self._there_are(strings)}."
            raise self.error(message, self._choose_key(strings, results))
        entities = dict.fromkeys(str(each.get("to_name")) for each in results if each["type"] in _ENTITIES)
        several = list(entities) if len(entities) > 1 else names if len(names) > 1 and len(named) > 1 else []
        if len(several) > 1 and not (wanted in named and len(named) == len(names)):
            mine = several[0]
            choose = pass_option("text_key", mine) if mine in strings else pass_option("to_name", mine)
            message = f"its results are about several texts: {', '.join(map(repr, several))}."
            raise self.error(message, f"{choose}, or another of them.")
        if wanted is not None:
            return wanted
        for key in (*named, self.choice.usual):
            if key in strings:
                return key
        if "text" in strings:
            fitting = self._fitting(strings, results)
            if len(fitting) == 1 and "text" not in fitting:
                message = f"its entities are places in {fitting[0]!r}, not in 'text'."
                raise self.error(message, self._choose_key(strings, results))
            return "text"
        if len(strings) == 1:
            return next(iter(strings))
        what = "several strings" if strings else "no string"
        raise self.error(f"its data hold {what}; {self._there_are(strings)}.", self._choose_key(strings, results))

    @staticmethod
    def _there_are(strings: dict[str, str]) -> str:
        return f"there are: {', '.join(map(repr, strings)) or 'none'}"

    def _choose_key(self, strings: dict[str, str], results: Sequence[dict[str, Any]]) -> str:
        """How to name the right key: the one on which the entities say what they cover, if there is one only."""
        fitting = self._fitting(strings, results)
        key = fitting[0] if len(fitting) == 1 else "NAME"
        shown = "on which the entities are what they say" if len(fitting) == 1 else "that the configuration shows"
        return f"{pass_option('text_key', key)}, the key {shown}."

    @staticmethod
    def _fitting(strings: dict[str, str], results: Sequence[dict[str, Any]]) -> list[str]:
        """The keys of the texts that the entities cover as they say; none where they do not say."""
        values = [each["value"] for each in results if isinstance(each.get("value"), dict)]
        said = [value for value in values if isinstance(value.get("text"), str)]
        return [key for key, text in strings.items() if said and all(_covers(text, value) for value in said)]

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


def _covers(text: str, value: dict[str, Any]) -> bool:
    start, end = value.get("start"), value.get("end")
    return isinstance(start, int) and isinstance(end, int) and text[start:end] == value["text"]


def _one_of(people: list[str]) -> str:
    """How to choose one of them; those who are not named, as in old exports, can only be taken in their order."""
    first = "first" if "None" in people else int(people[0]) if people[0].isdecimal() else people[0]
    others = "" if first == "first" else ", another of them, or 'first'"
    return f"{pass_option('annotator', first)}{others}"


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
