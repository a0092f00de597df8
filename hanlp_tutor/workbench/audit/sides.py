"""Train, dev and test as an audit reads them: as far as they can be read, each refused line a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.data.labels import read_labels
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.workbench.audit.columns import Row, looks_like_columns, read_sentences
from hanlp_tutor.workbench.audit.encodings import read_lines_of_any_encoding
from hanlp_tutor.workbench.audit.other_formats import (
    COLUMNS,
    examples_of,
    other_format,
    read_documents_leniently,
    without_refused_lines,
)
from hanlp_tutor.workbench.audit.report import Finding


@dataclass
class Side:
    """One side of a data set.

    Args:
        name: ``train``, ``dev`` or ``test``.
        task: ``ner``, ``classify`` or ``relation``.
        examples: what could be read.
        path: the file, empty when there is none.
        rows: for a column file the lines of each example, with their tags as written.
        scheme: of those tags.
        findings: from reading.
    """

    name: str
    task: str
    examples: Sequence[TaggedText] | Sequence[LabelledText] | Sequence[RelationText]
    path: str = ""
    rows: list[list[Row]] | None = None
    scheme: str = "BIO"
    findings: list[Finding] = field(default_factory=list)

    def place(self, index: int, position: int = 0) -> dict[str, Any]:
        """Where an example, or a character of it, stands: the arguments of a :class:`Finding`."""
        path, _, line = self.examples[index].source.rpartition(":")
        number = int(line) if path and line.isdigit() else None
        if self.rows is not None:
            end = 0
            for row in self.rows[index]:
                end += len(row.token)
                if position < end:
                    number = row.number
                    break
        return {"side": self.name, "path": path or self.path, "line": number, "index": index}

    def labels(self) -> Counter[str]:
        """How many entities, or examples, have each label; the most frequent first."""
        if self.task == "ner":
            counts = Counter(span.label for example in self.examples for span in example.spans)
        else:
            counts = Counter(map(label_of, self.examples))
        return Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))))

    def summary(self) -> dict[str, Any]:
        """For the head of a report."""
        characters = sum(len(example.text) for example in self.examples)
        return {
            "path": self.path,
            "examples": len(self.examples),
            "characters": characters,
            "labels": dict(self.labels()),
        }


@dataclass(frozen=True)
class Reading:
    """How files are to be read: options of :func:`hanlp_tutor.data.read_examples`, None for what is to be detected."""

    format: str | None = None
    scheme: str | None = None
    strip_segmentation_digits: bool = False
    encoding: str | None = None


def read_side(name: str, source: Any, task: str | None, reading: Reading) -> Side:
    """A side from a file or from examples.

    Raises:
        DataError: nothing of a file can be read.
        ConfigError: examples of another task; no such format, scheme or encoding.
    """
    if not isinstance(source, str | Path):
        return _given(name, source, task)
    path, lines, findings = str(source), None, []
    if not Path(source).is_dir():
        lines, findings = read_lines_of_any_encoding(name, source, reading.encoding)
    form = other_format(Path(source), reading.format, lines)
    if "relation" in (task, form):
        task, form = task or "relation", form or "relation"
    if form is not None:
        documents, found = read_documents_leniently(name, Path(source), form, lines, reading.encoding)
        task, examples, more = examples_of(name, path, task, documents)
        return Side(name, task, examples, path, findings=[*findings, *found, *more])
    if lines is None:
        raise DataError("is a folder of none of the formats.", path=path, remedy="Name a file, or a BRAT folder.")
    if task is None:
        task = "ner" if looks_like_columns(lines) else "classify"
    if task == "ner":
        scheme = reading.format if reading.format in COLUMNS[1:] else reading.scheme
        rows, examples, scheme, found = read_sentences(name, path, lines, scheme, reading.strip_segmentation_digits)
        return Side(name, task, examples, path, rows, scheme, findings + found)
    examples, found = without_refused_lines(read_labels, name, path, lines)
    return Side(name, task, examples, path, findings=findings + found)


def label_of(example: LabelledText | RelationText) -> str:
    """The class of a text, or the relation in it."""
    return example.relation if isinstance(example, RelationText) else example.label


def _given(name: str, examples: Sequence[Any], task: str | None) -> Side:
    kinds = {"ner": TaggedText, "classify": LabelledText, "relation": RelationText}
    if not examples:
        raise DataError(f"the side {name} holds no example.")
    task = task or next((name for name, kind in kinds.items() if isinstance(examples[0], kind)), "classify")
    for example in examples:
        if not isinstance(example, kinds[task]):
            raise ConfigError(f"{name} holds a {type(example).__name__}; for {task} it must be {kinds[task].__name__}.")
    return Side(name, task, examples)
