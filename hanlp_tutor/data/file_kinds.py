"""Files that are no text: workbooks, archives, Parquet and the like, told by their first bytes."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from hanlp_tutor.errors import DataError

_AS_TABLE = "write it from Python as a CSV table: pandas.{}({!r}).to_csv('data.csv', index=False)."
_CSV = "Export the sheet as CSV UTF-8, with a header such as text,label."
_UNPACK = "Unpack it, and name the file in it."
_SPACY = (
    'In spaCy write for each document of DocBin one line of JSON: {"text": doc.text, "entities": [[e.start_char, '
    "e.end_char, e.label_] for e in doc.ents]}; the format doccano reads that."
)
# What a file begins with, what it is, what to do; {name} is the file's.
_BEGINNINGS = (
    (b"\x1f\x8b", "an archive (gzip)", _UNPACK),
    (b"BZh91AY&SY", "an archive (bzip2)", _UNPACK),
    (b"\xfd7zXZ\0", "an archive (xz)", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)", _UNPACK),
    (b"Rar!\x1a\x07", "an archive (rar)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "an archive (zstd)", _UNPACK),
    (b"PAR1", "a Parquet file", f"Pandas can {_AS_TABLE.format('read_parquet', '{name}')}"),
    (b"ARROW1\0\0", "an Arrow file", f"Pandas can {_AS_TABLE.format('read_feather', '{name}')}"),
    (
        b"\xff\xff\xff\xff",
        "an Arrow stream, as Hugging Face's datasets keep them",
        "datasets.Dataset.from_file('{name}').to_json('data.jsonl', force_ascii=False) writes it as JSON Lines.",
    ),
    (b"FEA1", "a Feather file", f"Pandas can {_AS_TABLE.format('read_feather', '{name}')}"),
    (b"\x89HDF\r\n", "an HDF5 file", f"Pandas can {_AS_TABLE.format('read_hdf', '{name}')}"),
    (b"SQLite format 3\0", "an SQLite data base", "Export the table as CSV with a header such as text,label."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", "Save it as text, UTF-8, or a sheet as CSV."),
    (b"%PDF-", "a PDF document", "Copy the texts into a text file, one example a line, and label them."),
    (b"{\\rtf", "a document of a word processor (RTF)", "Save it as plain text, UTF-8."),
    (b"\x93NUMPY", "an array of NumPy", "Write texts and labels as a text file, text<TAB>label a line."),
)
_OFFICE = {"xl/": ("a workbook (xlsx)", _CSV), "word/": ("a document of a word processor (docx)", "Save it as plain "
           "text, UTF-8.")}  # fmt: skip
_HEAD = 4096  # bytes
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")


def binary_kind(path: str | Path, head: bytes) -> tuple[str, str] | None:
    """What a file that is no text is, and what to do with it; None of what may be text.

    Args:
        path: the file.
        head: its first bytes, some hundreds at least where it has them.
    """
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zipped(path, head)
    if head[257:262] == b"ustar":
        return "an archive (tar)", _UNPACK
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 2:
        load = "A pickle can run any code when it is loaded. If you trust it, pandas can "
        return "a pickle of Python", load + _AS_TABLE.format("read_pickle", Path(path).name)
    if head[:2] in (b"\x78\x9c", b"\x78\xda", b"\x78\x01") and Path(path).suffix == ".spacy":
        return "documents of spaCy (DocBin)", _SPACY
    if _OLE_WORKBOOK in head or (head.startswith(b"\xd0\xcf\x11\xe0") and Path(path).suffix.lower() == ".xls"):
        return "a workbook (xls)", _CSV
    for beginning, what, remedy in _BEGINNINGS:
        # A text may begin with these letters, but it holds no control characters.
        if head.startswith(beginning) and (min(beginning) < 9 or not beginning.isalnum() or _CONTROL.search(head)):
            return what, remedy.format(name=Path(path).name)
    return None


_OLE_WORKBOOK = "Workbook".encode("utf-16-le")


class NoText(DataError):
    """A file of bytes that are no text in any encoding."""


def check_is_text(path: str | Path, content: bytes) -> None:
    """Refuse what :func:`binary_kind` knows.

    Raises:
        NoText: it says what the file is, and what to do.
    """
    kind = binary_kind(path, content[:_HEAD])
    if kind is not None:
        raise NoText(f"is {kind[0]}, no text.", path=path, remedy=kind[1])


def _zipped(path: str | Path, head: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if "mimetype" in names and b"spreadsheet" in archive.read("mimetype")[:100]:
                return "a workbook (ods)", _CSV
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):  # cut off, or encrypted
        names = [place[:-1] + "/" for place in ("xl/", "word/") if place.encode() in head]
    for folder, kind in _OFFICE.items():
        if any(name.startswith(folder) for name in names):
            return kind
    if any(name.endswith("data.pkl") for name in names):
        return "a model saved by PyTorch", "Name the file with the labelled texts."
    inside = f" of {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}" if names else ""
    return f"an archive (zip{inside})", _UNPACK
