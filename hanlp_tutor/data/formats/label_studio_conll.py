"""Label Studio's CoNLL export: ``token -X- _ B-PER`` a line, behind a line ``-DOCSTART- -X- O``.

Label Studio cuts tokens at white space and ASCII punctuation (older versions at white space only), and tags each token
that an entity touches. Chinese has no spaces, so a whole sentence is one token, and its tag does not say where in it
the entity lies. What can be known is read; the rest is an error, because guessing would move entities.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hanlp_tutor.data.columns import Row, check_holdable, is_document_marker, read_sentences
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.formats.format import SPANS, Format
from hanlp_tutor.data.formats.head import head_lines, mostly
from hanlp_tutor.data.lines import write_lines
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import parse_tag, to_bio
from hanlp_tutor.errors import ConfigError, DataError

_REMEDY = (
    "Export the project from Label Studio as JSON, which has offsets. If the text was cut into words by spaces before "
    "it was labelled, and labels cover whole words, take tokens for words. "
    f"{pass_option('words', True)}."
)


def read_label_studio_conll(
    path: str | Path, *, encoding: str | None = None, words: bool = False, joiner: str | None = None
) -> list[Document]:
    """Read a CoNLL export where its tags say what they cover.

    A tag is unambiguous on a token of one character, on a token without Chinese characters or outer punctuation, and
    when it is O.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        words: tokens are words, and a tag covers its whole token.
        joiner: between tokens, as the file does not say what stood there; None joins with a space, and notes it, or
            with nothing when each token of the file is one character.

    Raises:
        DataError: a tagged token that holds more than its entity, most of all a whole Chinese sentence; a line of
            another shape.
    """
    if not isinstance(words, bool):
        raise ConfigError(f"words is true or false, not {words!r}.")
    if joiner is not None and not isinstance(joiner, str):
        raise ConfigError(f"joiner is a string, not {joiner!r}.")
    sentences = read_sentences(path, encoding, _row)
    if not sentences:
        raise DataError("holds no sentence.", path=path, remedy="Write token -X- _ tag a line.")
    if not words:
        read_each(path, _check, ((row.number, row) for rows in sentences for row in rows))
    if joiner is None:
        joiner = "" if all(len(row.token) == 1 for rows in sentences for row in rows) else " "
        if joiner:
            note(f"{path}: tokens are joined with a space: the file does not say what stood between them.")
    return read_each(path, partial(_document, path, joiner), ((rows[0].number, rows) for rows in sentences))


def _row(number: int, line: str) -> Row:
    cells = line.rsplit(" ", 3)
    if len(cells) != 4 or not cells[0]:
        remedy = "Export the project from Label Studio again, as JSON."
        raise DataError(f"{line[:40]!r} is not of the form 'token -X- _ tag'.", remedy=remedy)
    parse_tag(cells[3])
    return Row(cells[0], cells[3], number)


def _check(number: int, row: Row) -> None:
    if row.tag == "O" or len(row.token) == 1:
        return
    chinese = any(unicodedata.name(character, "").startswith("CJK") for character in row.token)
    outer = any(unicodedata.category(row.token[place])[0] == "P" for place in (0, -1))
    if chinese or outer:
        what = "Chinese characters" if chinese else "punctuation"
        raise DataError(
            f"the token {row.token[:20]!r} of {len(row.token)} characters is tagged {row.tag}, but where in it the "
            f"entity lies is not said: it holds {what}.",
            remedy=_REMEDY,
        )


def _document(path: str | Path, joiner: str, number: int, rows: list[Row]) -> Document:
    try:
        bio = to_bio([row.tag for row in rows], "BIO")
    except DataError as error:
        raise DataError(error.message, remedy="Label Studio writes BIO.") from None
    text = ""
    tags: list[str] = []
    for row, tag in zip(rows, bio, strict=True):
        inside = "O" if tag == "O" else "I" + tag[1:]
        if text:
            text += joiner
            tags += [inside if tag.startswith("I-") else "O"] * len(joiner)
        text += row.token
        tags += [tag] + [inside] * (len(row.token) - 1)
    source = f"{path}:{number}"
    return Document(text, TaggedText(text, tuple(tags), source).spans, None, source)


def write_label_studio_conll(path: str | Path, documents: Iterable[Document]) -> None:
    """Write one character a line, so that :func:`read_label_studio_conll` reads it back unchanged.

    Raises:
        DataError: a text that is empty or holds a line feed, a label with white space; nothing is written then.
    """
    lines = ["-DOCSTART- -X- O"]
    for document in documents:
        check_holdable(document, remedy="Split the text at its line feeds (--split-lines).")
        tags = document.tagged().tags
        lines += [f"{character} -X- _ {tag}" for character, tag in zip(document.text, tags, strict=True)]
        lines.append("")
    write_lines(path, lines)


def _sniff(path: Path) -> bool:
    lines = [line for line in head_lines(path) if not is_document_marker(line)]
    return mostly(lines, lambda line: line.rsplit(" ", 3)[1:3] == ["-X-", "_"])


FORMAT = Format(
    "label-studio-conll",
    (".conll", ".txt"),
    frozenset({SPANS}),
    read_label_studio_conll,
    write_label_studio_conll,
    _sniff,
)
