"""Files of label tools, tables and the like, read by the kit's formats and as far as they can be."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document, flatten
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.formats import FORMATS, detect_format, format_named
from hanlp_tutor.data.lines import write_lines
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.data.schemes import SCHEMES
from hanlp_tutor.errors import DataError
from hanlp_tutor.workbench.audit.columns import looks_like_columns
from hanlp_tutor.workbench.audit.report import Finding

COLUMNS = ("columns", *(scheme.lower() for scheme in SCHEMES))
# One example a line, and a blank line between two of them changes nothing.
_BY_LINE = ("labels", "csv", "tsv", "doccano", "clue", "relation")
_MOST_REFUSED = 100  # lines, before a file is said to be of another format


def other_format(source: Path, name: str | None, lines: list[str] | None) -> str | None:
    """The format of a file that is neither columns nor label lines; None when it is one of these, or cannot be told."""
    if name is not None:
        return None if format_named(name).name in (*COLUMNS, "labels") else name
    if lines is not None and looks_like_columns(lines):
        return None
    try:
        found = detect_format(source).name
    except DataError:
        return None
    return None if found in (*COLUMNS, "labels") else found


def read_documents_leniently(
    side: str, source: Path, form: str, lines: list[str] | None, encoding: str | None
) -> tuple[list[Document], list[Finding]]:
    """The documents of a file; where a format has one a line, each refused line is a finding and the others are read.

    Raises:
        DataError: what the reader of another format raises.
    """
    notes: list[str] = []
    with notes_to(notes.append):
        if lines is None or form not in _BY_LINE:
            documents, findings = FORMATS[form].read(source, encoding=encoding), []
        else:
            documents, findings = without_refused_lines(FORMATS[form].read, side, str(source), lines)
    said = [note.replace(f"{source}: ", "") for note in dict.fromkeys(notes) if "read as" not in note]
    findings += [Finding("reader-note", "note", note, "", side, str(source)) for note in said]
    return documents, findings


def examples_of(
    side: str, path: str, task: str | None, documents: Sequence[Document]
) -> tuple[str, list[Any], list[Finding]]:
    """Documents as examples of a task; what the task cannot hold is a finding.

    Returns:
        The task (entities anywhere mean ner), the examples, the findings.

    Raises:
        DataError: no document has a label.
    """
    task = task or ("ner" if any(document.spans for document in documents) else "classify")
    findings = []
    if task == "ner":
        flat, _ = flatten(documents, "longest")
        for document, kept in zip(documents, flat, strict=True):
            for other, span in document.overlaps():
                message = f"{document.show(span)} overlaps {document.show(other)}."
                remedy = "Keep one of the two, or pass --overlaps longest to keep the longest; the audit does so."
                findings.append(Finding("overlap", "error", message, remedy, side, *_place(kept.source, path)))
        return task, [TaggedText.from_spans(each.text, each.spans, each.source) for each in flat], findings
    examples = []
    for document in documents:
        try:
            relation = task == "relation"
            examples.append(RelationText.from_document(document) if relation else document.labelled())
        except DataError as error:
            place = _place(document.source, path)
            findings.append(Finding("broken-line", "error", error.message, error.remedy, side, *place))
    if not examples:
        raise DataError("no text has a label.", path=path, remedy="Label them, or audit for --task ner.")
    return task, examples, findings


def without_refused_lines(
    read: Callable[[Path], list[Any]], side: str, path: str, lines: list[str]
) -> tuple[list[Any], list[Finding]]:
    """Read with a strict reader, blanking each line that it refuses, until it is content.

    Raises:
        DataError: the first, when the reader stays discontent.
    """
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
                line = error.line or _place(str(error.path), "")[1]
                if line is None or len(findings) == _MOST_REFUSED or not lines[line - 1]:
                    remedy = first.remedy
                    raise DataError(first.message, path=path, line=first.line, remedy=remedy) from None
                findings.append(Finding("broken-line", "error", error.message, error.remedy or "", side, path, line))
                lines[line - 1] = ""
    return [replace(each, source=each.source.replace(str(copy), path)) for each in examples], findings


def _place(source: str, path: str) -> tuple[str, int | None]:
    before, _, line = source.rpartition(":")
    return (before, int(line)) if before and line.isdigit() else (source or path, None)
