"""The article's two samples: a file of tags or labels beside a parallel file of texts, one a line in both.

``tag-lines``: ``O O B-PER I-PER O`` beside the sentence; ``label-lines``: ``positive`` beside the text. The file of
tags or labels is the one to name; its texts lie in the file of the same name that ends in ``.txt``, or in ``texts=``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hanlp_tutor.data.columns import MARKER
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.format import LABEL, SPANS, Format
from hanlp_tutor.data.formats.head import head_lines, mostly
from hanlp_tutor.data.lines import read_lines, write_beside, write_lines, write_text
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import Span, from_bio, parse_tag, scheme_name, scheme_of_file, spans_from_bio, to_bio
from hanlp_tutor.errors import ConfigError, DataError

# Blanks and tabs separate tags, and the words that they stand for; U+3000 and its like are text.
_FILLED = re.compile(r"[^ \t]")
_WORD = re.compile(r"[^ \t]+")


def texts_beside(path: str | Path, texts: str | Path | None) -> Path:
    """The file of texts that belongs to a file of tags or labels.

    Raises:
        ConfigError: it would be that file itself.
    """
    path = Path(path)
    beside = path.with_suffix(".txt") if texts is None else Path(texts)
    if beside == path:
        raise ConfigError(
            f"{path} holds tags or labels, a line for each text. {pass_option('texts', 'FILE')} with the file of the "
            "texts (to write it: -w texts FILE)."
        )
    return beside


def _pairs(path: str | Path, texts: str | Path | None, encoding: str | None) -> list[tuple[int, tuple[str, str]]]:
    """Line number, and label and text; a line that is empty in both files, or begins a document, is skipped."""
    beside = texts_beside(path, texts)
    labels, sentences = read_lines(path, encoding), read_lines(beside, encoding)
    while labels and not labels[-1].strip():
        del labels[-1]
    while sentences and not sentences[-1]:
        del sentences[-1]
    if len(labels) != len(sentences):
        raise DataError(
            f"{len(labels)} lines stand beside {len(sentences)} lines of {beside.name}.",
            path=path,
            line=min(len(labels), len(sentences)) + 1,
            remedy="Both files have one line for each text, in the same order.",
        )
    pairs = []
    for number, (label, text) in enumerate(zip(labels, sentences, strict=True), 1):
        if (not label.strip() and not text) or text.strip() == MARKER:
            continue
        if not label.strip() or not text:
            what = f"nothing stands beside the text {text[:20]!r}" if text else f"{label[:20]!r} stands beside no text"
            raise DataError(f"{what} of {beside.name}.", path=path, line=number, remedy="Fill or remove both lines.")
        pairs.append((number, (label, text)))
    if not pairs:
        raise DataError("holds no line.", path=path, remedy="Write one line for each text.")
    return pairs


def read_tag_lines(
    path: str | Path, *, encoding: str | None = None, texts: str | Path | None = None, scheme: str | None = None
) -> list[Document]:
    """Read a line of tags beside each sentence: one a character, one a character that is no blank, or one a word.

    Args:
        path: the file of tags.
        encoding: of both files; None detects it.
        texts: the file of sentences.
        scheme: of the tags; None detects it.

    Raises:
        DataError: another number of lines or tags, or what is no tag, with the line.
    """
    rows = read_each(path, _row, _pairs(path, texts, encoding))
    if not scheme:
        scheme = scheme_of_file(path, ((number, tag) for number, (tags, _) in rows for tag in tags))
    scheme = scheme_name(scheme)
    return read_each(path, partial(_tagged, path, scheme), rows)


def _row(number: int, pair: tuple[str, str]) -> tuple[int, tuple[list[str], str]]:
    """A line of tags, and its text."""
    tags = _WORD.findall(pair[0])
    for tag in tags:
        parse_tag(tag)
    return number, (tags, pair[1])


def _tagged(path: str | Path, scheme: str, number: int, row: tuple[list[str], str]) -> Document:
    tags, text = row
    try:
        bio = to_bio(tags, scheme)
    except DataError as error:
        raise DataError(error.message, remedy=f"{pass_option('scheme', 'NAME')} with that of the file.") from None
    source = f"{path}:{number}"
    if len(bio) == len(text):
        return Document(text, tuple(spans_from_bio(bio)), None, source)
    characters = [match.span() for match in _FILLED.finditer(text)]
    words = [match.span() for match in _WORD.finditer(text)]
    places = next((found for found in (characters, words) if len(found) == len(bio)), None)
    if places is None:
        remedy = "Write one tag for each character, or for each word where blanks separate words."
        raise DataError(f"{len(bio)} tags for {len(text)} characters ({len(words)} words).", remedy=remedy)
    spans = tuple(Span(places[s.start][0], places[s.end - 1][1], s.label) for s in spans_from_bio(bio))
    return Document(text, spans, None, source)


def write_tag_lines(
    path: str | Path, documents: Iterable[Document], *, texts: str | Path | None = None, scheme: str = "BIO"
) -> None:
    """Write one tag a character, and the sentences beside; :func:`read_tag_lines` reads them back unchanged.

    Raises:
        DataError: a text that no line can hold, a label with white space; nothing is written then.
    """
    documents = list(documents)
    tags = []
    for document in documents:
        for span in document.spans:
            if set(span.label) & set("\t\n\r "):
                raise DataError(
                    f"the label {span.label!r} holds white space.", path=document.source or None, remedy="Rename it."
                )
        tags.append(" ".join(from_bio(document.tagged().tags, scheme)))
    _write(path, texts, documents, tags)


def read_label_lines(
    path: str | Path, *, encoding: str | None = None, texts: str | Path | None = None
) -> list[Document]:
    """Read a line with the class beside each text.

    Raises:
        DataError: another number of lines, or a text without a class.
    """
    pairs = _pairs(path, texts, encoding)
    return [Document(text, (), label.strip(), f"{path}:{number}") for number, (label, text) in pairs]


def write_label_lines(path: str | Path, documents: Iterable[Document], *, texts: str | Path | None = None) -> None:
    """Write one class a line, and the texts beside; :func:`read_label_lines` reads them back unchanged.

    Raises:
        DataError: a text or class that no line can hold; nothing is written then.
    """
    documents = list(documents)
    labels = []
    for document in documents:
        label = document.labelled().label
        if "\n" in label or label != label.strip():
            raise DataError(
                f"the label {label!r} cannot stand on a line of its own.",
                path=document.source or None,
                remedy="Rename it.",
            )
        labels.append(label)
    _write(path, texts, documents, labels)


def _write(path: str | Path, texts: str | Path | None, documents: list[Document], labels: list[str]) -> None:
    for document in documents:
        if not document.text or "\n" in document.text or document.text.endswith("\r"):
            raise DataError(
                f"the text {document.text[:20]!r} is empty or holds a line end, which one line cannot.",
                path=document.source or None,
                remedy="Split the text at its line ends (--split-lines).",
            )
    beside = texts_beside(path, texts)
    content = "".join(document.text + "\n" for document in documents)
    if texts is None:
        write_beside(beside, content)
    else:
        write_text(beside, content)
    write_lines(path, labels)


def _sniff_tags(path: Path) -> bool:
    return path.suffix != ".txt" and mostly(head_lines(path), lambda line: all(map(_is_tag, _WORD.findall(line))))


def _sniff_labels(path: Path) -> bool:
    return path.suffix in LABEL_LINES.suffixes and path.with_suffix(".txt").is_file()


def _is_tag(cell: str) -> bool:
    try:
        return bool(parse_tag(cell))
    except DataError:
        return False


TAG_LINES = Format("tag-lines", (".tags",), frozenset({SPANS}), read_tag_lines, write_tag_lines, _sniff_tags)
LABEL_LINES = Format(
    "label-lines", (".labels", ".label"), frozenset({LABEL}), read_label_lines, write_label_lines, _sniff_labels
)
