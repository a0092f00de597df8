"""From one file format to another, without a lost or shifted entity: what a target cannot hold is refused, or noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document, flatten, split_at_line_feeds
from hanlp_tutor.data.formats import (
    FORMATS,
    detect_format,
    format_named,
    read_documents,
    reads_relations,
    write_documents,
)
from hanlp_tutor.data.formats.format import RELATIONS
from hanlp_tutor.data.looks_like import explaining
from hanlp_tutor.data.notes import note, notes_to
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.files import names_a_folder

DROP = ("entities", "labels", "relations")


@dataclass(frozen=True)
class Conversion:
    """What :func:`convert` did; ``notes`` holds what it ignored, changed or assumed, with file and line."""

    source: str
    target: str
    from_: str
    to: str
    texts: int
    entities: int
    labels: int
    relations: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; ``from`` is a word that Python keeps to itself."""
        return {name.rstrip("_"): value for name, value in asdict(self).items()}


def convert(
    source: str | Path,
    target: str | Path,
    *,
    to: str,
    from_: str | None = None,
    overlaps: str = "refuse",
    drop: str | None = None,
    split_lines: bool = False,
    read: Mapping[str, Any] | None = None,
    write: Mapping[str, Any] | None = None,
) -> Conversion:
    """Read ``source``, write ``target``, the whole file or nothing.

    Relations between entities are read where the target can hold them; else the reader notes how many it ignored.

    Args:
        source: a file, or a folder of BRAT's files.
        target: another.
        to: its format by name (:data:`hanlp_tutor.data.formats.FORMATS`).
        from_: the format of the source; None detects it.
        overlaps: of nested and overlapping entities: ``refuse`` raises, ``longest`` keeps the longest, ``keep`` all,
            if the target can hold them. Each is reported.
        drop: ``entities`` (with their relations), ``labels`` or ``relations`` that the target cannot hold; the number
            is reported.
        split_lines: make each line a text of its own, for formats that hold one line.
        read: options of the source's reader, such as ``{"encoding": "gb18030"}``.
        write: options of the target's writer, such as ``{"separator": "space"}``.

    Raises:
        ConfigError: an option that does not exist, or a target that is the source.
        DataError: a source that cannot be read, or holds what the target cannot; with file and line.
    """
    if drop is not None and drop not in DROP:
        raise ConfigError(f"drop is one of {', '.join(DROP)}, not {drop!r}.")
    target_format = format_named(to)  # a misspelt name is found before a long file is read
    if "" not in target_format.suffixes and (Path(target).is_dir() or names_a_folder(target)):
        raise ConfigError(f"{target}: a folder, and {to} is written into a file. {_name_in(source, target, to)}")
    if Path(source).resolve() == Path(target).resolve():
        raise ConfigError(f"{target} would overwrite its own source; name another target.")
    notes: list[str] = []
    given = {**({"format": from_} if from_ else {}), **(read or {})}
    with notes_to(notes.append), explaining(source, None, given):
        found = from_ or detect_format(source, read or ()).name
        if RELATIONS in target_format.carries and reads_relations(found):
            read = {"relations": drop != "relations", **(read or {})}
        documents = read_documents(source, found, **(read or {}))
    with notes_to(notes.append):
        if drop is not None:
            documents = _without(drop, documents)
        if split_lines:
            documents = split_at_line_feeds(documents)
        grouped = sum(bool(document.group) for document in documents)
        if grouped:
            note(f"{target}: the groups of {grouped:,} texts are not written; the source keeps them.")
        documents, overlapping = flatten(documents, overlaps)
        notes += overlapping
        write_documents(target, documents, to, **(write or {}))
    entities = sum(len(document.spans) for document in documents)
    labels = sum(document.label is not None for document in documents)
    relations = sum(len(document.relations) for document in documents)
    return Conversion(str(source), str(target), found, to, len(documents), entities, labels, relations, tuple(notes))


def _name_in(source: str | Path, folder: str | Path, to: str) -> str:
    """A free name for a target in a folder, as a remedy."""
    name = Path(source).stem
    for tried in (name, f"{name}-{to}", *(f"{name}-{to}-{number}" for number in range(2, 100))):
        target = Path(folder) / f"{tried}{FORMATS[to].suffixes[0]}"
        if not target.exists():
            return f"Name one in it: {target}"
    return "Name one in it."


def _without(drop: str, documents: list[Document]) -> list[Document]:
    count: Callable[[Document], int]
    if drop == "entities":
        count, bare = lambda document: len(document.spans), {"spans": (), "relations": ()}
    elif drop == "relations":
        count, bare = lambda document: len(document.relations), {"relations": ()}
    else:
        count, bare = lambda document: document.label is not None, {"label": None}
    dropped = sum(map(count, documents))
    if dropped:
        first = next(document.source for document in documents if count(document))
        note(f"{first}: {dropped} {drop} dropped as asked, the first here.")
    return [replace(document, **bare) for document in documents]
