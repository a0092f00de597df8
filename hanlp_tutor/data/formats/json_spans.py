"""JSON with entities as objects that have a start and an end: CMeEE of CBLUE, Prodigy, displaCy.

================================================================================  =====================================
``{"text", "entities": [{"start_idx", "end_idx", "type", "entity"}]}``             CMeEE; the end is inclusive
``{"text", "spans": [{"start", "end", "label"}], "answer": "accept"}``             Prodigy; the end is exclusive
``{"text", "ents": [{"start", "end", "label"}]}``                                  displaCy
================================================================================  =====================================

Whether ends are inclusive is decided by the covered texts (``entity``, ``text``) where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.drafts import Claim, Draft
from hanlp_tutor.data.formats.format import OVERLAPS, SPANS, Format
from hanlp_tutor.data.formats.head import head_values
from hanlp_tutor.data.formats.json_objects import list_of, name_of, offset, read_objects, text_of, write_objects
from hanlp_tutor.data.formats.placing import documents_of
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.reader_options import on_command_line, pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import ConfigError, DataError

_LISTS = ("entities", "spans", "ents")
_PLACES = (("start_idx", "end_idx"), ("start", "end"))
_TYPES = ("type", "label", "entity_type")
_COVERED = ("entity", "text", "word")
_ENDS = ("inclusive", "exclusive")
_REMEDY = 'Write {"text": ..., "entities": [{"start_idx": 0, "end_idx": 1, "type": "per", "entity": "张三"}]}.'


def read_json_spans(
    path: str | Path,
    *,
    encoding: str | None = None,
    ends: str | None = None,
    offsets: str | None = None,
    unlabelled: str = "keep",
) -> list[Document]:
    """Read texts with entities; each place is held against the text that it says it covers.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        ends: ``inclusive`` or ``exclusive``; None decides by the covered texts, and takes those of Prodigy and displaCy
            for exclusive.
        offsets: what they count, such as ``utf16`` (:mod:`hanlp_tutor.data.formats.counting`); None finds out.
        unlabelled: ``keep`` texts without any entity, or ``drop`` them.

    Raises:
        DataError: a text without a list of entities, a place of another text; nothing that says how ends count.
    """
    if ends is not None and ends not in _ENDS:
        raise ConfigError(f"ends is one of {', '.join(_ENDS)}, not {ends!r}.")
    objects = read_objects(path, encoding)
    ends = ends or _decide(path, objects)
    tally = Tally(path)

    def draft(line: int, entry: dict[str, Any]) -> Draft | None:
        if entry.get("answer") in ("reject", "ignore"):
            tally.add("texts that the annotator rejected or ignored, left out", line)
            return None
        claims = tuple(_claim(each, line, ends == "inclusive") for each in _entities(entry))
        return Draft(text_of(entry, "text"), claims, None, f"{path}:{line}", path, line, tally)

    drafts = [each for each in read_each(path, draft, objects) if each is not None]
    return documents_of(drafts, offsets=offsets, unlabelled=unlabelled)


def _entities(entry: dict[str, Any]) -> list[dict[str, Any]]:
    key = next((key for key in _LISTS if key in entry), None)
    if key is None:
        raise DataError("there is no 'entities' or 'spans': the text is not annotated.", remedy=_REMEDY)
    return list_of(entry[key], repr(key), dict)


def _claim(entity: dict[str, Any], line: int, inclusive: bool) -> Claim:
    keys = next((keys for keys in _PLACES if entity.keys() >= set(keys)), None)
    if keys is None:
        raise DataError(f"an entity has the keys {', '.join(map(repr, entity)) or 'none'}.", remedy=_REMEDY)
    start, end = (offset(entity[key]) for key in keys)
    kind = next((entity[key] for key in _TYPES if key in entity), None)
    covered = next((entity[key] for key in _COVERED if isinstance(entity.get(key), str)), None)
    return Claim(start, end + inclusive, name_of(kind, "the type of an entity"), covered, line)


def _decide(path: str | Path, objects: list[tuple[int, dict[str, Any]]]) -> str:
    """By how long the covered texts are; what cannot be read is left to the reading proper."""
    votes = {"inclusive": 0, "exclusive": 0}
    unsaid = None  # the line of the first entity of CMeEE's kind that does not say what it covers
    for line, entry in objects:
        for entity in next((entry[key] for key in _LISTS if isinstance(entry.get(key), list)), []):
            try:
                claim = _claim(entity, line, inclusive=False)
            except (DataError, AttributeError):
                continue
            if claim.covered is not None:
                votes["exclusive"] += len(claim.covered) == claim.end - claim.start
                votes["inclusive"] += len(claim.covered) == claim.end - claim.start + 1
            elif "start_idx" in entity:
                unsaid = unsaid or line
    if unsaid and not any(votes.values()):
        remedy = (
            f"{pass_option('ends', 'inclusive')} if the end is the last character of an entity, as in CMeEE, and "
            f"{on_command_line('ends', 'exclusive')} if it is the one behind."
        )
        raise DataError(
            "no entity says which text it covers, so how ends count.", path=path, line=unsaid, remedy=remedy
        )
    return "inclusive" if votes["inclusive"] > votes["exclusive"] else "exclusive"


def write_json_spans(path: str | Path, documents: Iterable[Document]) -> None:
    """Write what :func:`read_json_spans` reads back unchanged, as CMeEE has it.

    Raises:
        DataError: a place that cannot be written.
    """
    write_objects(
        path,
        (
            {
                "text": document.text,
                "entities": [
                    {
                        "start_idx": span.start,
                        "end_idx": span.end - 1,
                        "type": span.label,
                        "entity": document.text[span.start : span.end],
                    }
                    for span in document.spans
                ],
            }
            for document in documents
        ),
    )


def _sniff(path: Path) -> bool:
    return any(_is_one(entry) for entry in head_values(path))


def _is_one(entry: Any) -> bool:
    """Whether an object holds entities of this kind; an empty list may be of any format, but for Prodigy's name."""
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        return False
    entities = next((entry[key] for key in _LISTS if isinstance(entry.get(key), list)), [])
    return any(
        isinstance(each, dict)
        and any(each.keys() >= set(keys) for keys in _PLACES)
        and any(isinstance(each.get(key), str) for key in _TYPES)
        for each in entities
    )


FORMAT = Format(
    "json-spans", (".json", ".jsonl"), frozenset({SPANS, OVERLAPS}), read_json_spans, write_json_spans, _sniff
)
