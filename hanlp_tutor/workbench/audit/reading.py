"""A set read for an audit by the readers that training uses: each line that they refuse is a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from hanlp_tutor.data.column_layout import Layout
from hanlp_tutor.data.columns import ForeignTag, Row, SegmentationDigits, is_row, join_rows, read_columns, read_rows
from hanlp_tutor.data.documents import Document, flatten
from hanlp_tutor.data.examples import LabelledText, TaggedText
from hanlp_tutor.data.formats import FORMATS, detect_format, format_named
from hanlp_tutor.data.formats.format import check_options
from hanlp_tutor.data.lines import ForeignLine, read_lines
from hanlp_tutor.data.looks_like import check_for_task, explaining, one_sentence
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import refusals_to
from hanlp_tutor.data.relation_files import WITH_RELATIONS, examples_of, with_negative
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.data.schemes import SCHEMES, MixedSchemes, from_bio, parse_tag, to_bio
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.workbench.audit.report import Finding
from hanlp_tutor.workbench.audit.subsets import Subset

_COLUMNS = ("columns", *(scheme.lower() for scheme in SCHEMES))
# One example a line, or an object; of others nothing is left out.
_BY_LINE = ("labels", "csv", "tsv", "doccano", "clue", "relation", "json-labels", "json-spans", "json-tokens")
_MOST_REFUSED = 100  # lines, before a file is taken for one of another format
_HEAD = 200  # lines that show the format of a file
# Faults that the readers know how to read over, leaving nothing out: the kind of finding, its message and its remedy.
_READ_OVER = {
    ForeignLine: ("encoding", "this line is not UTF-8 as others are; the audit reads it as {encoding}.", "{remedy}"),
    SegmentationDigits: (
        "segmentation-digit",
        "{message}",
        f"{pass_option('strip_segmentation_digits', True)}; the audit does so.",
    ),
    MixedSchemes: ("scheme", "{message} Here {tag} comes in; the audit reads M and I alike.", "{remedy}"),
    ForeignTag: (
        "broken-line",
        "{message}",
        f"{pass_option('scheme', 'NAME')} with the scheme of the file, or none to detect it; the audit reads O here.",
    ),
}


@dataclass(frozen=True)
class Reading:
    """How files are to be read: options of :func:`hanlp_tutor.data.read_examples`, None for what is to be detected.

    ``others`` are options of a format's own reader, such as ``annotator``.
    """

    format: str | None = None
    scheme: str | None = None
    strip_segmentation_digits: bool = False
    encoding: str | None = None
    overlaps: str | None = None
    others: Mapping[str, Any] = field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        """The options of a reader, but for the encoding: those that somebody has asked for."""
        named = {"scheme": self.scheme, "strip_segmentation_digits": self.strip_segmentation_digits}
        return {name: value for name, value in named.items() if value} | dict(self.others)


def read_subset(name: str, source: Any, task: str | None, reading: Reading) -> Subset:
    """A set from a file or from examples.

    Raises:
        DataError: nothing of a file can be read, or so little that it must be of another format.
        ConfigError: examples of another task; no such format, scheme or encoding.
    """
    if not isinstance(source, str | Path):
        return _given(name, source, task)
    path = str(source)
    taken = reading.given() | ({"format": reading.format} if reading.format else {})
    with explaining(path, task, taken):
        return _of_file(name, path, task, reading, taken)


def _of_file(name: str, path: str, task: str | None, reading: Reading, taken: dict[str, Any]) -> Subset:
    """A set from a file; its format is put into ``taken`` once it is known."""
    columns = not Path(path).is_dir() and _looks_like_columns(path, reading.encoding)
    form = _other_format(path, reading, columns)
    if "relation" in (task, form):
        task, form = task or "relation", form or "relation"
    if form is None:
        if Path(path).is_dir():
            raise DataError("is a folder of none of the formats.", path=path, remedy="Name a file, or a BRAT folder.")
        columns = columns or reading.format in _COLUMNS
        task, form = task or ("ner" if columns else "classify"), "labels"
        if task == "ner":
            return _of_columns(name, path, reading)
    else:
        taken["format"] = form
    given = reading.given()
    negative = given.pop("negative", None) if task == "relation" else None
    if task == "relation" and form in WITH_RELATIONS:
        given["relations"] = True
    check_options(given, FORMATS[form].read, f"reading {form} files")
    read = partial(FORMATS[form].read, path, encoding=reading.encoding, **given)
    documents, left_out, findings = _read(name, path, read, form in _BY_LINE)
    if len(left_out) > _MOST_REFUSED or not documents:
        raise left_out[0]
    if task in ("ner", "classify"):
        check_for_task(task, path, documents)
    if task == "relation" and form != "relation":
        examples, more = examples_of(path, documents, negative), []
    else:
        task, examples, more = _examples(name, path, task, documents, reading.overlaps)
    if negative is not None:
        examples = with_negative(path, examples, negative)
    return Subset(name, task, examples, path, findings=findings + more, form=form)


def _looks_like_columns(path: str, encoding: str | None) -> bool:
    """Whether most lines at the head of a file are a token and a tag."""
    with notes_to(lambda note: None), refusals_to(lambda error: None):  # both are for the reading proper
        head = [line for line in read_lines(path, encoding)[:_HEAD] if line.strip("\t ")]
    return 2 * sum(map(is_row, head)) > len(head)


def _other_format(path: str, reading: Reading, columns: bool) -> str | None:
    """The format of a file that is neither columns nor label lines; None when it is one of these or unclear."""
    name = reading.format
    if name is None and columns:
        return None
    try:
        found = detect_format(path, reading.others).name if name is None else format_named(name).name
    except DataError:
        return None
    return None if found in (*_COLUMNS, "labels") else found


def _given(name: str, examples: Sequence[Any], task: str | None) -> Subset:
    kinds = {"ner": TaggedText, "classify": LabelledText, "relation": RelationText}
    if not examples:
        raise DataError(f"the {name} set holds no example.")
    task = task or next((name for name, kind in kinds.items() if isinstance(examples[0], kind)), "classify")
    for example in examples:
        if not isinstance(example, kinds[task]):
            raise ConfigError(f"{name} holds a {type(example).__name__}; for {task} it must be {kinds[task].__name__}.")
    return Subset(name, task, examples)


def _read(
    name: str, path: str, read: Callable[[], Any], by_line: bool = True
) -> tuple[Any, list[DataError], list[Finding]]:
    """What a reader reads, the errors of the lines that it has left out, and findings about all that it had to say.

    Raises:
        DataError: the first refusal, when the reader gives up.
    """
    refused: list[DataError] = []
    notes: list[str] = []
    with notes_to(notes.append), refusals_to(refused.append) if by_line else nullcontext():
        try:
            result = read()
        except DataError as error:
            raise next(_left_out(refused), error) from None
    findings = [_refusal(name, error) for error in refused]
    return result, list(_left_out(refused)), findings + _noted(name, path, notes)


def _left_out(refused: list[DataError]) -> Iterator[DataError]:
    return (error for error in refused if type(error) not in _READ_OVER)


def _refusal(name: str, error: DataError) -> Finding:
    kind, message, remedy = _READ_OVER.get(type(error), ("broken-line", "{message}", "{remedy}"))
    facts = {**vars(error), "remedy": error.remedy or ""}
    evidence = {"encoding": error.encoding} if isinstance(error, ForeignLine) else {}
    place = (str(error.path), error.line)
    return Finding(kind, "error", message.format(**facts), remedy.format(**facts), name, *place, evidence=evidence)


def _place(source: str) -> tuple[str, int | None]:
    """File and line of a ``file:line``."""
    path, _, line = source.rpartition(":")
    return (path, int(line)) if path and line.isdigit() else (source, None)


def _noted(name: str, path: str, notes: list[str]) -> list[Finding]:
    findings = []
    for note in dict.fromkeys(notes):
        about, _, encoding = note.partition(": read as ")
        if about == path:
            encoding = encoding.split(",")[0]
            remedy = f"Save it as UTF-8. {pass_option('encoding', encoding.lower())} when you train, otherwise."
            evidence = {"encoding": encoding}
            findings.append(
                Finding("encoding", "warning", f"is {encoding}, not UTF-8.", remedy, name, path, evidence=evidence)
            )
        elif not encoding:
            place, text = _noted_place(path, note)
            findings.append(Finding("reader-note", "note", text, "", name, *place))
    return findings


def _noted_place(path: str, note: str) -> tuple[tuple[str, int | None], str]:
    """File and line that a note begins with, and the rest of it."""
    place, colon, text = note.removeprefix(path).partition(": ")
    line = place.removeprefix(":")
    if note.startswith(path) and colon and (not place or line.isdigit()):
        return (path, int(line) if line else None), text
    return (path, None), note.replace(f"{path}: ", "")


def _of_columns(name: str, path: str, reading: Reading) -> Subset:
    check_options(reading.given(), read_columns, "reading column files")
    scheme = reading.format if reading.format in _COLUMNS[1:] else reading.scheme
    layout = Layout(**{each.name: reading.others[each.name] for each in fields(Layout) if each.name in reading.others})
    read = partial(read_rows, path, scheme, reading.strip_segmentation_digits, reading.encoding, layout)
    (sentences, found), left_out, findings = _read(name, path, read)
    if len(left_out) > sum(map(len, sentences)):
        raise left_out[0]
    examples = [join_rows(path, rows, found) for rows in sentences]
    if (alone := one_sentence(examples)) is not None:
        findings.append(Finding("no-blank-lines", "error", alone.what, alone.remedy, name, path))
    sentences = [[_with_hyphen(row) for row in rows] for rows in sentences]
    if scheme is None and found == "BIO" and _is_iob1(sentences):
        found = "IOB1"
    return Subset(name, "ner", examples, path, sentences, found, findings, f"columns in {found}")


def _with_hyphen(row: Row) -> Row:
    letter, label = parse_tag(row.tag)
    return row if letter == "O" else row._replace(tag=f"{letter}-{label}")


def _is_iob1(sentences: list[list[Row]]) -> bool:
    """Whether tags of B and I are IOB1 throughout: an I begins an entity, and no B stands where an I would do."""
    tags = [[row.tag for row in rows] for rows in sentences]
    begins = any(tag[0] == "I" and before == "O" for each in tags for before, tag in pairwise(["O", *each]))
    return begins and all(tuple(each) == from_bio(to_bio(each, "IOB1"), "IOB1") for each in tags)


def _examples(
    name: str, path: str, task: str | None, documents: Sequence[Document], overlaps: str | None
) -> tuple[str, list[Any], list[Finding]]:
    """Documents as examples of a task; what the task cannot hold is a finding.

    Returns:
        The task (entities anywhere mean ner), the examples, the findings.

    Raises:
        DataError: no document has a label.
    """
    task = task or ("ner" if any(document.spans for document in documents) else "classify")
    if task == "ner":
        flatten([], overlaps or "refuse")  # refuses a choice that does not exist
        flat, _ = flatten(documents, "longest")
        severity = "note" if overlaps == "longest" else "error"
        remedy = f"Keep one of the two. {pass_option('overlaps', 'longest')} to keep the longest; the audit does so."
        findings = [
            Finding(
                "overlap", severity, f"{it.show(span)} overlaps {it.show(other)}.", remedy, name, *_place(it.source)
            )
            for it in documents
            for other, span in it.overlaps()
        ]
        return task, [TaggedText.from_spans(each.text, each.spans, each.source) for each in flat], findings
    example = RelationText.from_document if task == "relation" else Document.labelled
    examples, findings = [], []
    for document in documents:
        try:
            examples.append(example(document))
        except DataError as error:
            place = _place(document.source)
            findings.append(Finding("broken-line", "error", error.message, error.remedy or "", name, *place))
    if not examples:
        raise DataError("no text has a label.", path=path, remedy="Label them, or audit for --task ner.")
    return task, examples, findings
