"""Column files read line by line, so that each bad line is a finding and the others are audited all the same."""

from __future__ import annotations

from itertools import pairwise

from hanlp_tutor.data import columns
from hanlp_tutor.data.columns import Row
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.schemes import detect_scheme, from_bio, parse_tag, scheme_name, to_bio
from hanlp_tutor.errors import DataError
from hanlp_tutor.workbench.audit.report import Finding

_HEAD = 200  # lines that tell the format of a file


def looks_like_columns(lines: list[str]) -> bool:
    """Whether most lines at the head of a file are a token and a tag."""
    head = [line for line in lines[:_HEAD] if line.strip("\t ")]
    good = 0
    for number, line in enumerate(head, 1):
        try:
            columns.parse_row("", number, line)
            good += 1
        except DataError:
            pass
    return 2 * good > len(head)


def read_sentences(
    side: str, path: str, lines: list[str], scheme: str | None, strip: bool
) -> tuple[list[list[Row]], list[TaggedText], str, list[Finding]]:
    """Like :func:`hanlp_tutor.data.read_columns`, but a refused line is left out and reported.

    Returns:
        The rows of each sentence, the sentences, their scheme, the findings.

    Raises:
        DataError: more lines are refused than read.
        ConfigError: no such scheme.
    """
    sentences: list[list[Row]] = [[]]
    errors: list[DataError] = []
    for number, line in enumerate(lines, 1):
        if not line.strip("\t "):
            sentences.append([])
        elif not line.startswith("-DOCSTART-"):
            try:
                sentences[-1].append(columns.parse_row(path, number, line))
            except DataError as error:
                errors.append(error)
    sentences = [rows for rows in sentences if rows]
    if not sentences and not errors:
        raise DataError("holds no sentence.", path=path, remedy="Write one token<TAB>tag a line.")
    if len(errors) > sum(map(len, sentences)):
        raise errors[0]
    findings = [Finding("broken-line", "error", e.message, e.remedy or "", side, path, e.line) for e in errors]
    sentences = _without_digits(side, path, sentences, strip, findings)
    detected = None if scheme else _scheme(side, path, sentences, findings)
    scheme = detected or scheme_name(scheme)
    sentences = [[_in_scheme(side, path, row, scheme, findings) for row in rows] for rows in sentences]
    examples = [columns.join_rows(path, rows, scheme) for rows in sentences]
    return sentences, examples, "IOB1" if detected == "BIO" and _is_iob1(sentences) else scheme, findings


def _without_digits(
    side: str, path: str, sentences: list[list[Row]], strip: bool, findings: list[Finding]
) -> list[list[Row]]:
    if not strip:
        if not columns.has_segmentation_digits(sentences):
            return sentences
        row = sentences[0][0]
        findings.append(
            Finding(
                "segmentation-digit",
                "error",
                f"each token ends in a segmentation digit ({row.token!r}), which would become text.",
                "Pass --strip-segmentation-digits (strip_segmentation_digits=True); the audit does so.",
                side,
                path,
                row.number,
            )
        )
    stripped = []
    for rows in sentences:
        stripped.append([])
        for row in rows:
            try:
                stripped[-1].append(columns.strip_digits(row, path))
            except DataError as error:
                findings.append(Finding("broken-line", "error", error.message, error.remedy, side, path, row.number))
    return [rows for rows in stripped if rows]


def _scheme(side: str, path: str, sentences: list[list[Row]], findings: list[Finding]) -> str:
    first: dict[str, Row] = {}
    for rows in sentences:
        for row in rows:
            first.setdefault(row.tag[0], row)
    try:
        return detect_scheme(first)
    except DataError as error:
        row = max(first["M"], first["I"], key=lambda row: row.number)  # where the second scheme comes in
        message = f"{error.message} Here {row.tag} comes in; the audit reads M and I alike."
        findings.append(Finding("scheme", "error", message, error.remedy, side, path, row.number))
        return "BMES"


def _is_iob1(sentences: list[list[Row]]) -> bool:
    """Whether tags of B and I are IOB1 throughout: an I begins an entity, and no B stands where an I would do."""
    tags = [[row.tag for row in rows] for rows in sentences]
    begins = any(tag[0] == "I" and before == "O" for each in tags for before, tag in pairwise(["O", *each]))
    return begins and all(tuple(each) == from_bio(to_bio(each, "IOB1"), "IOB1") for each in tags)


def _in_scheme(side: str, path: str, row: Row, scheme: str, findings: list[Finding]) -> Row:
    letter, label = parse_tag(row.tag)
    try:
        to_bio([row.tag], scheme)
    except DataError as error:
        remedy = "Pass the scheme of the file, or none to detect it; the audit reads O here."
        findings.append(Finding("broken-line", "error", error.message, remedy, side, path, row.number))
        return Row(row.token, "O", row.number)
    return row if letter == "O" else Row(row.token, f"{letter}-{label}", row.number)
