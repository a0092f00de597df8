"""The file formats that the kit reads and writes, by name: ``read_documents``, ``write_documents``, ``convert``.

=====================  ==============================================================================================
``columns``            ``token<TAB or space>tag`` a line; the scheme is detected, and BIO written
``bio``, ``iob1``,     the same in one scheme
``bmes``, ``iobes``
``tag-lines``          a line of tags beside a parallel file of sentences
``labels``             ``text<TAB>label`` a line
``label-lines``        a line with the label beside a parallel file of texts
``csv``, ``tsv``       a table with quotes and a header
``relation``           ``head<TAB>tail<TAB>relation<TAB>sentence`` a line
``doccano``            JSON Lines of doccano, in all its spellings
``label-studio``       JSON of Label Studio (JSON-MIN is read, too)
``label-studio-min``   JSON-MIN of Label Studio
``label-studio-conll`` its CoNLL export
``brat``               ``.txt`` and ``.ann``, a pair or a folder of pairs
``clue``               JSON Lines of CLUENER, whose ends are inclusive
``json-labels``        JSON with a text and its class: CLUE's TNEWS and IFLYTEK, and their like
``json-spans``         JSON with entities as objects: CMeEE, Prodigy, displaCy
``json-tokens``        JSON with tokens and tags: Hugging Face's data sets, W2NER
=====================  ==============================================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats import (
    brat,
    clue,
    columns_format,
    doccano,
    json_labels,
    json_spans,
    json_tokens,
    label_files,
    label_studio,
    label_studio_conll,
    label_studio_min,
    parallel,
    tables,
)
from hanlp_tutor.data.formats.format import Format, check_carries, check_options
from hanlp_tutor.errors import ConfigError, DataError, nearest

__all__ = [
    "FORMATS",
    "Format",
    "detect_format",
    "format_named",
    "is_named_table",
    "read_documents",
    "write_documents",
]

# In the order in which they are tried on a file: the narrower first.
FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        brat.FORMAT,
        label_studio_min.FORMAT,
        label_studio.FORMAT,
        clue.FORMAT,
        json_spans.FORMAT,
        json_tokens.FORMAT,
        doccano.FORMAT,
        json_labels.FORMAT,
        label_studio_conll.FORMAT,
        parallel.TAG_LINES,
        *columns_format.FORMATS,
        label_files.RELATION,
        *tables.FORMATS,
        label_files.LABELS,
        parallel.LABEL_LINES,
    )
}


_TABLES = {form.name for form in tables.FORMATS}
# Options that tables have and lines of text<TAB>label have not.
_OF_TABLES = {"header", "text_column", "label_column", "group_column"}


def format_named(name: str) -> Format:
    """A format by its name.

    Raises:
        ConfigError: there is none; the nearest name is given.
    """
    if name not in FORMATS:
        guess = nearest(name.lower().replace("_", "-"), FORMATS)
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(FORMATS)}."
        raise ConfigError(f"there is no format {name!r}; {hint}")
    return FORMATS[name]


def is_named_table(path: Path, options: Iterable[str]) -> bool:
    """Whether a file is called ``.csv`` or ``.tsv`` and options choose columns as only the reader of tables does."""
    return path.suffix.lower().removeprefix(".") in _TABLES and not _OF_TABLES.isdisjoint(options) and path.is_file()


def detect_format(path: str | Path, options: Iterable[str] = ()) -> Format:
    """The format that a file or folder looks like, from its first lines.

    Args:
        path: the file or folder.
        options: names of the reader's options that were given: a file that is called a table (``.csv``, ``.tsv``) is
            one, whatever its heads are, where its columns are chosen.

    Raises:
        DataError: no such file, or it looks like none.
    """
    path = Path(path)
    if not path.exists():
        raise DataError("there is no such file.", path=path, remedy="Mend the path.")
    if is_named_table(path, options):
        return FORMATS[path.suffix.lower().removeprefix(".")]
    for form in FORMATS.values():
        if form.sniff(path):
            return form
    if path.is_dir():
        raise DataError("is a folder of none of the formats.", path=path, remedy="Name a file, or a BRAT folder.")
    raise DataError(
        "looks like none of the formats that can be told apart.",
        path=path,
        remedy=f"Name its format: {', '.join(FORMATS)}.",
    )


def reads_relations(name: str) -> bool:
    """Whether the reader of a format takes ``relations=True``.

    Raises:
        ConfigError: there is no such format.
    """
    return "relations" in inspect.signature(format_named(name).read).parameters


def read_documents(path: str | Path, from_: str | None = None, **options: Any) -> list[Document]:
    """Read a file of any format.

    Args:
        path: the file, or for ``brat`` a folder.
        from_: its format by name; None detects it.
        options: of that format's reader, such as ``encoding``; None for what it should find out.

    Raises:
        ConfigError: a format or an option that does not exist.
        DataError: what the reader raises.
    """
    form = detect_format(path, options) if from_ is None else format_named(from_)
    check_options(options, form.read, f"reading {form.name} files")
    return form.read(path, **options)


def write_documents(path: str | Path, documents: Iterable[Document], to: str, **options: Any) -> None:
    """Write a file of any format, the whole file or nothing.

    Raises:
        ConfigError: a format or an option that does not exist.
        DataError: a document that the format cannot hold, with its source.
    """
    form = format_named(to)
    check_options(options, form.write, f"writing {form.name} files", flag="-w")
    documents = list(documents)
    check_carries(form, documents, lambda thing: [each.name for each in FORMATS.values() if thing in each.carries])
    form.write(path, documents, **options)
