"""NER files: one ``token<TAB or space>tag`` a line, a blank line between sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from hanlp_tutor.data.column_layout import Layout
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.lines import read_lines, write_lines
from hanlp_tutor.data.reader_options import pass_option, pass_options
from hanlp_tutor.data.refusals import read_each, refuse
from hanlp_tutor.data.schemes import from_bio, parse_tag, scheme_name, scheme_of_file, to_bio
from hanlp_tutor.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hanlp_tutor.data.documents import Document

Item = TypeVar("Item")

MARKER = "-DOCSTART-"  # of CoNLL files, where a document begins
# Only tab and space separate: the ideographic space U+3000, U+2028 and the like are tokens (cMedQANER has such lines).
_LINE = re.compile(r"(.*?)([\t ]+)([^\t ]+)[\t ]*", re.DOTALL)
_SEGMENTED = re.compile(r"(.+?)([0-9]+)", re.DOTALL)


class Row(NamedTuple):
    """A token with its tag as they stand in the file."""

    token: str
    tag: str
    number: int  # of the line, from 1


class SegmentationDigits(DataError):
    """Tokens end in a digit that is no text; who collects gets them without it."""


class ForeignTag(DataError):
    """A tag of another scheme than that of its file; who collects gets O in its place."""


def read_columns(
    path: str | Path,
    *,
    scheme: str | None = None,
    strip_segmentation_digits: bool = False,
    encoding: str | None = "utf-8",
    token_column: int | None = None,
    tag_column: int | None = None,
    lower_case_tags: bool = False,
    split_at: str | None = None,
) -> list[TaggedText]:
    """Read sentences of ``token<TAB or space>tag`` lines as texts with one BIO tag per character.

    The last run of tabs and spaces separates, so a U+3000, a tab or a space may be a token. A token of several
    characters (``iPhone X-ORG``) passes its tag on to each; tokens are joined without a space. ``B_disease`` is read
    as ``B-disease``. Tags that continue nothing begin an entity (:mod:`hanlp_tutor.data.schemes`). ``-DOCSTART-``
    lines of CoNLL files, whatever their columns, end a sentence and are no token.

    Args:
        path: the file; LF or CRLF, with or without a byte-order mark.
        scheme: ``BIO``, ``BMES`` (which also reads I as M) or ``IOBES``; None detects it from all tags of the file.
        strip_segmentation_digits: each token ends in its position within a word that is no text, as in the Weibo corpus
            of Peng and Dredze (``科0 技1``); drop it.
        encoding: of the file; None detects it (:func:`hanlp_tutor.data.lines.read_text`).
        token_column, tag_column, lower_case_tags, split_at: of a file that is laid out in another way
            (:class:`hanlp_tutor.data.column_layout.Layout`).

    Raises:
        DataError: with file, line and remedy.
        ConfigError: a scheme or encoding that does not exist, a column below 1.
    """
    layout = Layout(token_column, tag_column, lower_case_tags, split_at)
    sentences, scheme = read_rows(path, scheme, strip_segmentation_digits, encoding, layout)
    return [join_rows(path, rows, scheme) for rows in sentences]


def read_rows(
    path: str | Path,
    scheme: str | None,
    strip_segmentation_digits: bool,
    encoding: str | None,
    layout: Layout = Layout(),  # noqa: B008 - frozen
) -> tuple[list[list[Row]], str]:
    """The rows of each sentence, and the scheme of their tags; arguments and errors as for :func:`read_columns`.

    Where refusals are collected (:mod:`hanlp_tutor.data.refusals`), a line that is no row is left out of its sentence.
    """
    if layout == Layout():  # a large file has millions of lines
        sentences = read_sentences(path, encoding, _row)
    else:
        of_sentences = read_sentences(path, encoding, lambda number, line: (number, line))
        rows_or_none = (
            read_each(path, partial(_row_in, layout, layout.width(line for _, line in lines)), lines)
            for lines in of_sentences
        )
        filled = ([row for row in rows if row is not None] for rows in rows_or_none)
        sentences = [sentence for rows in filled if rows for sentence in layout.cut(rows)]
    if not sentences:
        raise DataError("holds no sentence.", path=path, remedy="Write one token<TAB>tag a line.")
    if not strip_segmentation_digits and _has_segmentation_digits(sentences):
        row = sentences[0][0]
        message = f"each token ends in a segmentation digit ({row.token!r}), which would become text."
        remedy = f"{pass_option('strip_segmentation_digits', True)}."
        refuse(SegmentationDigits(message, path=path, line=row.number, remedy=remedy))
        strip_segmentation_digits = True
    if strip_segmentation_digits:
        stripped = (read_each(path, _without_digit, ((row.number, row) for row in rows)) for rows in sentences)
        sentences = [rows for rows in stripped if rows]
    if scheme is None:
        scheme = scheme_of_file(path, ((row.number, row.tag) for rows in sentences for row in rows))
    scheme = scheme_name(scheme)
    if any(_fault(tag, scheme) for tag in {row.tag for rows in sentences for row in rows}):
        sentences = [[_in_scheme(path, row, scheme) for row in rows] for rows in sentences]
    return sentences, scheme


def read_sentences(path: str | Path, encoding: str | None, read: Callable[[int, str], Item]) -> list[list[Item]]:
    """What ``read(number, line)`` makes of the lines between blank ones and between markers of documents."""
    sentences = []
    lines = enumerate(read_lines(path, encoding), 1)
    for ends, group in groupby(lines, key=lambda line: not line[1].strip("\t ") or is_document_marker(line[1])):
        if not ends:
            sentences.append(read_each(path, read, group))
    return [rows for rows in sentences if rows]


def is_document_marker(line: str) -> bool:
    """Whether a line begins a document, as ``-DOCSTART- -X- O`` does in CoNLL files; any other columns will do."""
    return MARKER in line and MARKER in line.replace("\t", " ").split(" ")


def _row(number: int, line: str) -> Row:
    return Row(*_cells(line), number)


def _row_in(layout: Layout, width: int | None, number: int, line: str) -> Row | None:
    return Row(*_cells(layout.plain(line, width)), number) if layout.is_token(line) else None


@lru_cache(maxsize=1 << 14)  # a large file has millions of lines, most of them seen before
def _cells(line: str) -> tuple[str, str]:
    """Token and tag."""
    match = _LINE.fullmatch(line)
    # Of "\t\tO" the first blank is the token; of "\tO" there is none.
    word = match[1].lstrip("\t ") if match else ""
    token = word or (match[2][:-1][:1] if match else "")
    if not token:
        what = "token or tag" if match is None else "token"
        raise DataError(f"the {what} is missing in {line[:40]!r}.", remedy="Write token<TAB>tag.")
    separator, tag = match[2], match[3]
    # "New York<TAB>B-LOC" is a token with a space; "York NNP B-LOC" is a file of more columns, and taking all but the
    # last for the token would corrupt the text silently.
    if "\t" in word or ("\t" not in separator and " " in word):
        raise DataError(
            f"more than two columns in {line[:40]!r}.",
            remedy=f"{pass_options(token_column=1, tag_column=len(line.split()))} to take the first and the last; a "
            "token that holds spaces needs a tab before its tag.",
        )
    parse_tag(tag)
    return token, tag


def is_row(line: str) -> bool:
    """Whether a line could stand in a column file; for recognising one."""
    try:
        return is_document_marker(line) or bool(_cells(line))
    except DataError:
        return False


def _without_digit(number: int, row: Row) -> Row:
    """A row without the position in its word that ends its token (``科0``)."""
    match = _SEGMENTED.fullmatch(row.token)
    if match is None:
        message = f"the token {row.token!r} does not end in a segmentation digit."
        raise DataError(message, remedy="Read the file without --strip-segmentation-digits, or mend the line.")
    return Row(match[1], row.tag, number)


def _has_segmentation_digits(sentences: list[list[Row]]) -> bool:
    """Whether every token ends in digits and every sentence begins a word: no text does that by chance."""
    return all(_SEGMENTED.fullmatch(row.token) for rows in sentences for row in rows) and all(
        rows[0].token.endswith("0") for rows in sentences
    )


@lru_cache
def _fault(tag: str, scheme: str) -> str:
    """Why a tag is not of the scheme; empty when it is."""
    try:
        to_bio([tag], scheme)
    except DataError as error:
        return error.message
    return ""


def _in_scheme(path: str | Path, row: Row, scheme: str) -> Row:
    if not (fault := _fault(row.tag, scheme)):
        return row
    remedy = f"{pass_option('scheme', 'NAME')} with the scheme of the file, or none to detect it."
    refuse(ForeignTag(fault, path=path, line=row.number, remedy=remedy))
    return row._replace(tag="O")


def join_rows(path: str | Path, rows: list[Row], scheme: str) -> TaggedText:
    """The rows of a sentence, whose tags are of ``scheme``, as a text with a BIO tag per character."""
    tags: list[str] = []
    for row, tag in zip(rows, to_bio([row.tag for row in rows], scheme), strict=True):
        rest = "I" + tag[1:] if tag != "O" else "O"
        tags += [tag] + [rest] * (len(row.token) - 1)
    return TaggedText("".join(row.token for row in rows), tuple(tags), f"{path}:{rows[0].number}")


def check_holdable(example: TaggedText | Document, *, remedy: str) -> None:
    """Refuse what no file with a character a line can hold.

    Raises:
        DataError: a text that is empty or holds a line feed (with ``remedy``), a label with white space.
    """
    if not example.text or "\n" in example.text:
        raise DataError(
            f"the text {example.text[:20]!r} is empty or holds a line feed, which a column file cannot.",
            path=example.source or None,
            remedy=remedy,
        )
    for span in example.spans:
        if set(span.label) & set("\t\n\r "):
            raise DataError(
                f"the label {span.label!r} holds white space.", path=example.source or None, remedy="Rename it."
            )


def write_columns(
    path: str | Path, examples: Iterable[TaggedText], *, scheme: str = "BIO", separator: str = "\t"
) -> None:
    """Write one character and its tag a line, what :func:`read_columns` reads back unchanged.

    Raises:
        DataError: a text that is empty or holds a line feed, or a label with white space; nothing is written then.
        ConfigError: a scheme that does not exist, a separator other than tab and space.
    """
    scheme = scheme_name(scheme)
    if separator not in ("\t", " "):
        raise ConfigError(f"a column file is separated by a tab or a space, not by {separator!r}.")
    lines = []
    for example in examples:
        check_holdable(example, remedy="Split the text at its line feeds.")
        tags = from_bio(example.tags, scheme)
        lines += [char + separator + tag for char, tag in zip(example.text, tags, strict=True)]
        lines.append("")
    write_lines(path, lines)
