"""CLUE's JSON Lines for entities (CLUENER 2020): ends are inclusive, and entities are grouped by type and text.

``{"text": "浙商银行企业信贷部叶老桂博士", "label": {"name": {"叶老桂": [[9, 11]]}}}``
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.drafts import Claim, Draft
from hanlp_tutor.data.formats.format import OVERLAPS, SPANS, Format
from hanlp_tutor.data.formats.json_objects import (
    first_object,
    list_of,
    name_of,
    offset,
    read_objects,
    text_of,
    write_objects,
)
from hanlp_tutor.data.formats.placing import documents_of
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError

_REMEDY = 'Write {"text": ..., "label": {"type": {"covered text": [[first, last]]}}}.'


def read_clue(
    path: str | Path, *, encoding: str | None = None, offsets: str | None = None, unlabelled: str = "keep"
) -> list[Document]:
    """Read entities with inclusive ends; each place is held against the text that it is filed under.

    Files that people have made often have ends behind the entity, as Python counts. Where all texts that places are
    filed under prove that, they are read so.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        offsets: what they count, such as ``utf16`` (:mod:`hanlp_tutor.data.formats.counting`); None finds out.
        unlabelled: ``keep`` texts without any entity, or ``drop`` them.

    Raises:
        DataError: no such file, a line of another shape or without ``label`` (a test set), a place of another text.
    """
    tally = Tally(path)

    def draft(line: int, entry: dict[str, Any]) -> Draft:
        claims = _claims(entry, line)
        return Draft(text_of(entry, "text"), tuple(claims), None, f"{path}:{line}", path, line, tally, inclusive=True)

    drafts = read_each(path, draft, read_objects(path, encoding))
    claims = [claim for draft in drafts for claim in draft.claims]
    if claims and all(len(claim.covered) == claim.end - 1 - claim.start for claim in claims):
        tally.add("entities whose ends are excluded, other than CLUE's, read so", claims[0].line, len(claims))
        drafts = [
            replace(draft, claims=tuple(replace(claim, end=claim.end - 1) for claim in draft.claims), inclusive=False)
            for draft in drafts
        ]
    return documents_of(drafts, offsets=offsets, unlabelled=unlabelled)


def _claims(entry: dict[str, Any], line: int) -> list[Claim]:
    if "label" not in entry:
        raise DataError("there is no 'label': the text is not annotated.", remedy=_REMEDY)
    claims = []
    for label, texts in _object(entry["label"], "'label'").items():
        for covered, places in _object(texts, f"the type {label!r}").items():
            for pair in list_of(places, f"{covered[:20]!r}", list):
                if len(pair) != 2:
                    raise DataError(f"a place has {len(pair)} numbers.", remedy=_REMEDY)
                first, last = map(offset, pair)
                claims.append(Claim(first, last + 1, name_of(label, "the type of an entity"), covered, line))
    return claims


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{what} is no object.", remedy=_REMEDY)
    return value


def write_clue(path: str | Path, documents: Iterable[Document]) -> None:
    """Write what :func:`read_clue` reads back unchanged.

    Raises:
        DataError: a place that cannot be written.
    """
    entries = []
    for document in documents:
        label: dict[str, dict[str, list[list[int]]]] = {}
        for span in document.spans:
            covered = document.text[span.start : span.end]
            label.setdefault(span.label, {}).setdefault(covered, []).append([span.start, span.end - 1])
        entries.append({"text": document.text, "label": label})
    write_objects(path, entries)


def _sniff(path: Path) -> bool:
    entry = first_object(path)
    return entry is not None and isinstance(entry.get("text"), str) and isinstance(entry.get("label"), dict)


FORMAT = Format("clue", (".json", ".jsonl"), frozenset({SPANS, OVERLAPS}), read_clue, write_clue, _sniff)
