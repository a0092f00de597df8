"""NER column files as formats: ``columns`` detects the scheme of what it reads, ``bio``, ``iob1``, ... name it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hanlp_tutor.data.column_layout import Layout
from hanlp_tutor.data.columns import is_row, join_rows, read_rows, write_columns
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.format import SPANS, Format
from hanlp_tutor.data.formats.head import head_lines, mostly
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.schemes import SCHEMES, to_bio

_SEPARATORS = {"tab": "\t", "space": " "}


def _column_format(name: str, scheme: str | None) -> Format:
    def read(
        path: str | Path,
        *,
        encoding: str | None = None,
        strip_segmentation_digits: bool = False,
        token_column: int | None = None,
        tag_column: int | None = None,
        lower_case_tags: bool = False,
        split_at: str | None = None,
    ) -> list[Document]:
        layout = Layout(token_column, tag_column, lower_case_tags, split_at)
        return read_in(path, scheme, encoding, strip_segmentation_digits, layout)

    def read_any(
        path: str | Path,
        *,
        encoding: str | None = None,
        strip_segmentation_digits: bool = False,
        scheme: str | None = None,
        token_column: int | None = None,
        tag_column: int | None = None,
        lower_case_tags: bool = False,
        split_at: str | None = None,
    ) -> list[Document]:
        layout = Layout(token_column, tag_column, lower_case_tags, split_at)
        return read_in(path, scheme, encoding, strip_segmentation_digits, layout)

    def read_in(
        path: str | Path, scheme: str | None, encoding: str | None, strip_segmentation_digits: bool, layout: Layout
    ) -> list[Document]:
        sentences, found = read_rows(path, scheme, strip_segmentation_digits, encoding, layout)
        if found == "BIO":  # IOB1 has many; a file that calls itself BIO has them by mistake, and loses them here
            strays = Tally(path)
            for rows in sentences:
                for row, tag in zip(rows, to_bio([row.tag for row in rows], found), strict=True):
                    if (row.tag[0], tag[0]) == ("I", "B"):
                        strays.add("I- that continues nothing, read as the beginning of an entity", row.number)
            strays.report()
        examples = (join_rows(path, rows, found) for rows in sentences)
        return [Document(each.text, each.spans, None, each.source) for each in examples]

    def write(path: str | Path, documents: Iterable[Document], *, separator: str = "tab") -> None:
        examples = (document.tagged() for document in documents)
        write_columns(path, examples, scheme=scheme or "BIO", separator=_SEPARATORS.get(separator, separator))

    def sniff(path: Path) -> bool:
        return scheme is None and mostly(head_lines(path), is_row)

    return Format(name, (".txt", ".conll", ".tsv"), frozenset({SPANS}), read if scheme else read_any, write, sniff)


FORMATS = [_column_format("columns", None), *(_column_format(scheme.lower(), scheme) for scheme in SCHEMES)]
