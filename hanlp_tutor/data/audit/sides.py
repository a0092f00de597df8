"""Train, dev and test as an audit reads them: as far as they can be read, each refused line a finding."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hanlp_tutor.data.audit.columns import Row, looks_like_columns, read_sentences
from hanlp_tutor.data.audit.encodings import read_lines_of_any_encoding
from hanlp_tutor.data.audit.report import Finding
from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.data.labels import read_labels
from hanlp_tutor.data.lines import write_lines
from hanlp_tutor.errors import ConfigError, DataError

_MOST_REFUSED = 100  # lines, before a file is said to be of another format


@dataclass
class Side:
    """One side of a data set.

    Args:
        name: ``train``, ``dev`` or ``test``.
        task: ``ner`` or ``classify``.
        examples: what could be read.
        path: the file, empty when there is none.
        rows: for a column file the lines of each example, with their tags as written.
        scheme: of those tags.
        findings: from reading.
    """

    name: str
    task: str
    examples: Sequence[TaggedText] | Sequence[LabelledText]
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
            counts = Counter(example.label for example in self.examples)
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


def read_side(
    name: str, source: Any, task: str | None, scheme: str | None, strip_digits: bool, encoding: str | None
) -> Side:
    """A side from a file or from examples.

    Raises:
        DataError: nothing of a file can be read.
        ConfigError: examples of another task, no such scheme or encoding.
    """
    if not isinstance(source, str | Path):
        return _given(name, source, task)
    path = str(source)
    lines, findings = read_lines_of_any_encoding(name, source, encoding)
    if task is None:
        task = "ner" if looks_like_columns(lines) else "classify"
    if task == "ner":
        rows, examples, scheme, found = read_sentences(name, path, lines, scheme, strip_digits)
        return Side(name, task, examples, path, rows, scheme, findings + found)
    examples, found = _without_refused_lines(read_labels, name, path, lines)
    return Side(name, task, examples, path, findings=findings + found)


def refused(side: str, path: str, error: DataError) -> Finding:
    """A line that the strict reader refuses."""
    return Finding("broken-line", "error", error.message, error.remedy or "", side, path, error.line)


def _given(name: str, examples: Sequence[Any], task: str | None) -> Side:
    kinds = {"ner": TaggedText, "classify": LabelledText}
    if not examples:
        raise DataError(f"the side {name} holds no example.")
    task = task or ("ner" if isinstance(examples[0], TaggedText) else "classify")
    for example in examples:
        if not isinstance(example, kinds[task]):
            raise ConfigError(f"{name} holds a {type(example).__name__}; for {task} it must be {kinds[task].__name__}.")
    return Side(name, task, examples)


def _without_refused_lines(
    read: Callable[[Path], list[Any]], name: str, path: str, lines: list[str]
) -> tuple[list[Any], list[Finding]]:
    """Read with a strict reader, blanking each line that it refuses, until it is content."""
    findings: list[Finding] = []
    first = None
    lines = list(lines)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, Path(path).name)
        while True:
            write_lines(copy, lines)
            try:
                examples = read(copy)
                break
            except DataError as error:
                first = first or error
                if error.line is None or len(findings) == _MOST_REFUSED:
                    raise DataError(first.message, path=path, line=first.line, remedy=first.remedy) from None
                findings.append(refused(name, path, error))
                lines[error.line - 1] = ""
    return [type(e)(**{**vars(e), "source": e.source.replace(str(copy), path)}) for e in examples], findings
