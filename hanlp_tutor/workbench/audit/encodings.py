"""The lines of a file whatever it is encoded in, and what is wrong with that."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.data.lines import read_text, split_lines
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import DataError
from hanlp_tutor.workbench.audit.report import Finding


def read_lines_of_any_encoding(
    side: str, path: str | Path, encoding: str | None = None
) -> tuple[list[str], list[Finding]]:
    """The lines of a file, and findings about its encoding.

    A file whose lines are of several encodings, as after joining two files, is read line by line.

    Raises:
        DataError: no such file, or no text.
        ConfigError: no such encoding.
    """
    notes: list[str] = []
    try:
        with notes_to(notes.append):
            text = read_text(path, encoding)
    except DataError as error:
        return _line_by_line(side, path, error)
    findings = []
    if notes:
        name = "UTF-16" if "UTF-16" in notes[0] else "GB18030"
        findings.append(
            Finding(
                "encoding",
                "warning",
                f"is {name}, not UTF-8.",
                f"Save it as UTF-8, or pass --encoding {name.lower()} when you train.",
                side,
                str(path),
                evidence={"encoding": name},
            )
        )
    return split_lines(text), findings


def _line_by_line(side: str, path: str | Path, error: DataError) -> tuple[list[str], list[Finding]]:
    try:
        pieces = Path(path).read_bytes().split(b"\n")
    except (OSError, ValueError):
        raise error from None
    lines, findings = [], []
    for number, piece in enumerate(pieces, 1):
        try:
            line = piece.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            try:
                line, read_as = piece.decode("gb18030"), "GB18030"
            except UnicodeDecodeError:
                line, read_as = piece.decode("utf-8", "replace"), "UTF-8 with replacement characters"
            findings.append(
                Finding(
                    "encoding",
                    "error",
                    f"this line is not UTF-8 as others are; the audit reads it as {read_as}.",
                    "Save the file as UTF-8; files of different encodings were probably joined.",
                    side,
                    str(path),
                    number,
                    evidence={"encoding": read_as},
                )
            )
        lines.append(line.removesuffix("\r"))
    if not findings or 2 * len(findings) > sum(1 for piece in pieces if piece.strip()):
        raise error
    if not lines[-1]:
        del lines[-1]
    return lines, findings
