"""From text files to examples, and from examples to train, dev and test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.columns import read_columns, write_columns
from hanlp_tutor.data.conversion import Conversion, convert
from hanlp_tutor.data.documents import Document, flatten
from hanlp_tutor.data.examples import LabelledText, Span, TaggedText, fingerprint
from hanlp_tutor.data.formats import FORMATS, detect_format, is_named_table, read_documents, write_documents
from hanlp_tutor.data.formats.format import check_options
from hanlp_tutor.data.labels import read_labels, write_labels
from hanlp_tutor.data.looks_like import check_for_task, explaining, one_sentence
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.relation_files import read_relation_file
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.data.schemes import SCHEMES, from_bio, spans_from_bio, to_bio
from hanlp_tutor.data.split import Split, drop_duplicates, split_blocks, split_stratified
from hanlp_tutor.errors import ConfigError

__all__ = [
    "FORMATS",
    "SCHEMES",
    "Conversion",
    "Document",
    "LabelledText",
    "RelationText",
    "Span",
    "Split",
    "TaggedText",
    "convert",
    "detect_format",
    "drop_duplicates",
    "fingerprint",
    "from_bio",
    "read_columns",
    "read_documents",
    "read_examples",
    "read_labels",
    "spans_from_bio",
    "split_blocks",
    "split_stratified",
    "to_bio",
    "write_columns",
    "write_documents",
    "write_labels",
]

_READERS = {"ner": read_columns, "classify": read_labels, "relation": read_relation_file}
_OTHER_FORMATS = {suffix for form in FORMATS.values() for suffix in form.suffixes} - {"", ".txt", ".tsv", ".conll"}


def read_examples(
    task: str, path: str | Path, *, format: str | None = None, overlaps: str = "refuse", **options: Any
) -> list[TaggedText] | list[LabelledText] | list[RelationText]:
    """Read a file for a task.

    Args:
        task: ``ner``, ``classify`` or ``relation``.
        path: the file.
        format: its format by name (:data:`hanlp_tutor.data.formats.FORMATS`). None takes that of the task,
            :func:`read_columns`, :func:`read_labels` or :func:`hanlp_tutor.data.relations.read_relations`, and detects
            it where the file cannot be that: a folder, JSON, CSV, TSV with a header and so on.
        overlaps: of nested and overlapping entities: ``refuse`` or ``longest``; of pairs of entities nothing is asked.
        options: of the reader, such as ``scheme`` or ``encoding``; for relations ``negative``, too
            (:func:`hanlp_tutor.data.relation_files.read_relation_file`).

    Raises:
        ConfigError: a task, a format or an option that does not exist; the nearest right name is given.
        DataError: what the reader raises; a text without a class, overlapping entities.
    """
    if task not in _READERS:
        raise ConfigError(f"there is no task {task!r}; choose from {', '.join(_READERS)}.")
    taken = dict(options)  # and the format, once it is known
    with explaining(path, task, taken):
        if format is None and _of_another_format(Path(path), options):
            format = detect_format(path, options).name
        if format is not None:
            taken["format"] = format
        examples = _read(task, path, format, overlaps, options)
    if (alone := one_sentence(examples)) is not None:
        note(f"{path}: {alone.what} {alone.remedy}")
    return examples


def _read(
    task: str, path: str | Path, format: str | None, overlaps: str, options: dict[str, Any]
) -> list[TaggedText] | list[LabelledText] | list[RelationText]:
    if task == "relation":
        return read_relation_file(path, format, **options)
    if format is None:
        reader = _READERS[task]
        check_options(options, reader, f"reading {task} files")
        return reader(path, **options)
    documents = read_documents(path, format, **options)
    check_for_task(task, path, documents)
    if task == "classify":
        return [document.labelled() for document in documents]
    documents, notes = flatten(documents, overlaps)
    for each in notes:
        note(each)
    return [document.tagged() for document in documents]


def format_taken(task: str, path: str | Path, *, format: str | None = None, **options: Any) -> str:
    """The format that :func:`read_examples` reads a file as, by name."""
    if format is None and _of_another_format(Path(path), options):
        return detect_format(path, options).name
    return format or {"ner": "columns", "classify": "labels", "relation": "relation"}[task]


def _of_another_format(path: Path, options: Iterable[str]) -> bool:
    if path.is_dir() or (path.suffix.lower() in _OTHER_FORMATS and path.exists()):
        return True
    if is_named_table(path, options):
        return True
    return any(FORMATS[name].sniff(path) for name in ("tsv", "brat", "label-studio-conll"))
