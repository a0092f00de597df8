"""Corpora larger than memory: a file of examples is prepared once, then each example is read when it is needed.

``open_large("train.tsv", "ner")`` writes ``train.tsv.large/`` beside the file in one pass over it: an Arrow file that
is mapped into memory, the lengths, and an index with what training needs of all examples at once. The pieces of the
pass go through the same strict readers as small files; errors name the same lines.
"""

from __future__ import annotations

import glob
import hashlib
import json
import random
import re
import shutil
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from hanlp_tutor.data.columns import read_columns
from hanlp_tutor.data.examples import LabelledText, TaggedText, fingerprint_part, gold_counts
from hanlp_tutor.data.formats.format import check_options
from hanlp_tutor.data.labels import read_labels
from hanlp_tutor.data.notes import note, notes_to
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.schemes import detect_scheme
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.extras import needs
from hanlp_tutor.files import new_folder, write_json
from hanlp_tutor.progress import resolve_mode

LARGE = 32 << 20  # bytes; a column file of 31 MiB read at once took 1.6 GiB (measured)
HELD_OUT = 2000  # examples, for a dev or test set: a tenth of so much could not be kept in memory, nor scored often
_FORMAT = 1
_PIECE = 1 << 18  # bytes of the file that are examples at a time; fifty times that in memory
_LONGEST = 64 << 20  # bytes without an end of an example
_ROWS = 1024  # examples in a batch of the Arrow file
_READS = 1024  # after so many the map is renewed: pages once read count as this process's memory while it lasts
_MOST_LABELS = 1 << 16  # different tags or labels: each is two bytes in the prepared form
_READERS = {"ner": read_columns, "classify": read_labels}
_ENDS = {"ner": re.compile(rb"\n[\t ]*\r?\n"), "classify": re.compile(rb"\n")}
_LETTERS = re.compile(rb"[\t ]([BIMES])[-_][^\t\r\n ]+[\t ]*\r?\n")


class LargeExamples(Sequence[Any]):
    """The examples of a file, in its order, read from the disk one by one.

    ``lengths`` (characters), ``gold_counts`` (of tags or labels) and ``fingerprint`` are known without reading them.
    """

    def __init__(self, path: Path, folder: Path, index: dict[str, Any]):
        self.path, self.task = path, index["of"]["task"]
        self.fingerprint: str = index["fingerprint"]
        self.gold_counts = Counter(index["answers"])  # the name in prepared files: tags or labels
        self.lengths: np.ndarray = np.load(folder / "lengths.npy")
        self._file, self._labels = folder / "examples.arrow", tuple(index["answers"])
        self._rows: np.ndarray | None = None  # numbers in the file, where some are held out
        self._reader, self._reads = None, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]  # counts from the end, and raises, as lists do
        return self._read(number if self._rows is None else int(self._rows[number]))

    def hold_out(self, count: int = HELD_OUT, *, seed: int = 1) -> tuple[list[Any], LargeExamples]:
        """Draw examples at random: those, and the rest, in which every tag and label of them still occurs."""
        remaining = self.gold_counts.copy()
        held: dict[int, Any] = {}
        for number in random.Random(f"hold-out-{seed}").sample(range(len(self)), min(count, len(self) // 10)):
            example = self[number]
            counts = gold_counts([example])
            if all(remaining[label] > times for label, times in counts.items()):
                remaining -= counts
                held[number] = example
        rest = object.__new__(LargeExamples)
        rest.__dict__.update(self.__dict__, gold_counts=remaining, _reader=None)
        numbers = sorted(held)
        rows = np.arange(len(self), dtype=np.int32) if self._rows is None else self._rows
        rest._rows, rest.lengths = np.delete(rows, numbers), np.delete(self.lengths, numbers)
        rest.fingerprint = hashlib.sha256(f"{self.fingerprint} without {numbers}".encode()).hexdigest()
        return list(held.values()), rest

    def _read(self, row: int) -> TaggedText | LabelledText:
        import pyarrow as pa

        if self._reader is None or self._reads >= _READS:
            self._reader, self._reads = pa.ipc.open_file(pa.memory_map(str(self._file))), 0
        self._reads += 1
        batch = self._reader.get_batch(row // _ROWS)
        text, codes, line = (column[row % _ROWS].as_py() for column in batch.columns)
        labels = [self._labels[code] for code in array("H", codes)]
        source = f"{self.path}:{line}"
        return TaggedText(text, tuple(labels), source) if self.task == "ner" else LabelledText(text, *labels, source)


def open_large(path: str | Path, task: str, *, folder: str | Path | None = None, **options: Any) -> LargeExamples:
    """Open a labelled file of any size; the first time it is prepared, which takes some minutes a gigabyte.

    Args:
        path: a column file (``ner``) or a label file (``classify``).
        task: which of the two.
        folder: where the prepared form lies; by default ``PATH.large``. It takes about the space of the file, and is
            made anew when the file has changed.
        options: of :func:`read_columns` or :func:`read_labels`.

    Raises:
        ConfigError: another task; an encoding whose lines cannot be separated as bytes; pyarrow is not installed.
        DataError: what the reader raises; no disk space; a folder that holds something else.
    """
    path = Path(path)
    if task not in _READERS:
        raise ConfigError(f"there is no task {task!r} for large files; choose from {', '.join(_READERS)}.")
    check_options(options, _READERS[task], f"reading large {task} files")
    if re.fullmatch("utf.?(16|32).*", options.get("encoding") or "", re.IGNORECASE):
        raise ConfigError("a large file is read as UTF-8 or GB18030. Convert it first, for instance with iconv.")
    needs("pyarrow", "A file larger than memory")
    folder = Path(f"{path}.large" if folder is None else folder)
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise DataError("there is no such file.", path=path) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", path=path) from None
    of = {"format": _FORMAT, "task": task, "size": stat.st_size, "changed": stat.st_mtime_ns, "options": options}
    index = _read_index(folder)
    if index is None or index["of"] != of:
        if folder.exists() and index is None and not (folder.is_dir() and not any(folder.iterdir())):
            raise DataError(
                "is there already, and no prepared file.", path=folder, remedy=f"{pass_option('folder', 'FOLDER')}."
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                index = _read_index(folder)  # another process may have prepared it meanwhile
                if index is None or index["of"] != of:
                    for left in folder.parent.glob(f".{glob.escape(folder.name)}-*"):  # by one that was killed
                        shutil.rmtree(left, ignore_errors=True)
                    _prepare(path, folder, of)
        except OSError as error:
            message = f"the prepared form of {path.name} cannot be written: {error.strerror or error}."
            remedy = (
                f"It needs about the space of the file. {pass_option('folder', 'FOLDER')}, which names another place."
            )
            raise DataError(message, path=folder, remedy=remedy) from None
        index = _read_index(folder)
    return LargeExamples(path, folder, index)


def _read_index(folder: Path) -> dict[str, Any] | None:
    """The last file that is written; without it a folder is none of ours."""
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        return index if {"of", "answers", "fingerprint"} <= index.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def _prepare(path: Path, folder: Path, of: dict[str, Any]) -> None:
    """One pass over the file into a new folder, whole or not at all."""
    import pyarrow as pa

    schema = pa.schema([("text", pa.utf8()), ("answers", pa.binary()), ("line", pa.int64())])

    def next_code() -> int:
        if len(codes) == _MOST_LABELS:
            what = "tags" if of["task"] == "ner" else "labels"
            remedy = "What stands behind the last tab is taken for it: are the columns swapped?"
            raise DataError(f"has more than {_MOST_LABELS:,} different {what}.", path=path, remedy=remedy)
        return len(codes)

    codes: dict[str, int] = defaultdict(next_code)
    counts: Counter[str] = Counter()
    lengths, digest = array("i"), hashlib.sha256()
    rows: list[tuple[str, bytes, int]] = []
    with new_folder(folder) as scratch:
        with pa.OSFile(str(scratch / "examples.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:

            def write(count: int) -> None:
                columns = zip(*rows[:count], strict=True)
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                del rows[:count]

            for example in _examples(path, scratch / "piece", of["task"], of["options"]):
                labels = example.tags if of["task"] == "ner" else (example.label,)
                line = int(example.source.rpartition(":")[2])
                rows.append((example.text, array("H", map(codes.__getitem__, labels)).tobytes(), line))
                counts.update(labels)
                lengths.append(len(example.text))
                digest.update(fingerprint_part(example))
                if len(rows) == _ROWS:
                    write(_ROWS)
            if rows:
                write(len(rows))
        if not lengths:
            raise DataError("holds no example.", path=path)
        np.save(scratch / "lengths.npy", np.frombuffer(lengths, dtype=np.int32))
        labels = {label: counts[label] for label in codes}  # in the order of their codes
        write_json(scratch / "index.json", {"of": of, "answers": labels, "fingerprint": digest.hexdigest()})


def _examples(path: Path, piece: Path, task: str, options: dict[str, Any]) -> Iterator[TaggedText | LabelledText]:
    """All examples, by the reader of small files; ``piece`` is a place for a piece of the file."""
    from tqdm.auto import tqdm

    letters: set[str] = set()
    noted: set[str] = set()
    hidden = resolve_mode("auto") != "bar"
    with tqdm(
        total=path.stat().st_size, desc=f"preparing {path.name}", unit="B", unit_scale=True, leave=False, disable=hidden
    ) as bar:
        for first, content in _pieces(path, task):
            try:
                if task == "ner" and options.get("scheme") is None:
                    letters.update(letter.decode() for letter in _LETTERS.findall(content))
                    detect_scheme(letters)  # a piece may show a scheme that another one contradicts
                if content.strip():
                    piece.write_bytes(content)
                    heard: list[str] = []
                    with notes_to(heard.append):
                        examples = _READERS[task](piece, **options)
                    for message in (_about_the_file(each, piece, path, first) for each in heard):
                        if message not in noted:
                            noted.add(message)
                            note(message)
                    for example in examples:
                        line = int(example.source.rpartition(":")[2]) + first - 1
                        object.__setattr__(example, "source", f"{path}:{line}")
                        yield example
            except DataError as error:
                line = None if error.line is None else error.line + first - 1
                raise DataError(error.message, path=path, line=line, remedy=error.remedy) from None
            bar.update(len(content))
    piece.unlink(missing_ok=True)


def _about_the_file(message: str, piece: Path, path: Path, first: int) -> str:
    """A note about a piece, which lies in a place of ours, as one about the file; ``first`` is its first line there."""

    def place(match: re.Match[str]) -> str:
        return f"{path}:{int(match[1]) + first - 1}" if match[1] else str(path)

    return re.sub(rf"{re.escape(str(piece))}(?::(\d+))?", place, message)


def _pieces(path: Path, task: str) -> Iterator[tuple[int, bytes]]:
    """The file in pieces that end where an example does, each with the number of its first line.

    Each is at least half of ``_PIECE`` but for a short file: what a reader concludes from the whole of a file, such as
    segmentation digits behind all tokens, it must not see by chance in a short rest.
    """
    line, ready, rest = 1, b"", b""
    with open(path, "rb") as file:
        while block := file.read(_PIECE):
            rest += block
            cut = max((match.end() for match in _ENDS[task].finditer(rest)), default=0)
            if cut:
                if min(len(ready), cut) >= _PIECE // 2:
                    yield line, ready
                    line, ready = line + ready.count(b"\n"), b""
                ready, rest = ready + rest[:cut], rest[cut:]
            elif len(rest) > _LONGEST:
                what = "blank line" if task == "ner" else "line end"
                raise DataError(
                    f"no {what} in {_LONGEST >> 20} MiB.",
                    path=path,
                    line=line + ready.count(b"\n"),
                    remedy="Is it a labelled file?",
                )
    yield line, ready + rest
