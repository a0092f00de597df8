"""Label files of any size: read and written as a stream, in order, and gone on with after an interruption.

``OUT.partial`` grows by one chunk after the other, and ``OUT.partial.json`` says after each how far both files are, so
that whatever ends the process costs one chunk. When the input has been read to its end the partial file becomes OUT.

| input | a record | in the output |
|---|---|---|
| ``.csv``, ``.tsv`` | a row under a header; the text in the column ``text``, or another | its fields and the answer's |
| ``.jsonl`` | an object on a line; the text under ``text``, or head, tail and text | the object with ``prediction`` |
| columns of tags | a sentence, one token a line, a blank line after it | its lines with the predicted tag at the end |
| other text | a line, blank ones too | the answer, an object on a line |
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from hanlp_tutor.errors import ConfigError, DataError, InputError
from hanlp_tutor.files import write_json

CHUNK = 512  # records
FORMATS = ("csv", "tsv", "jsonl", "columns", "lines")
_LONGEST_FIELD = 2**31 - 1


@dataclass(frozen=True)
class Record:
    """One record of the input.

    Args:
        given: what the model gets: a text, or a dictionary of a pair.
        carried: what goes into the output beside the answer.
        line: its first, counted from 1.
    """

    given: Any
    carried: Any
    line: int


def label_file(
    predict: Callable[[list[Any]], Sequence[dict[str, Any]]],
    source: str | Path,
    out: str | Path,
    *,
    model: str = "",
    column: str = "text",
    form: str | None = None,
    fresh: bool = False,
    progress: Callable[[int, int, int], None] = lambda records, done, size: None,
) -> dict[str, int]:
    """Label each record of a file.

    Args:
        predict: from inputs to answers, in order; as ``Predictor.predict_many``.
        source, out: the files; they differ.
        model: names the model, so that another one does not go on with a partial file.
        column: where the text is, of CSV and JSONL.
        form: one of :data:`FORMATS`; None goes by the ending.
        fresh: begin anew although a partial file is there.
        progress: called after each chunk with the records so far, and the bytes read and in all.

    Returns:
        ``records`` in the output, and ``before``, those that an earlier run had written.

    Raises:
        DataError: a record that cannot be read, with its line; what was written before it is kept.
        ConfigError: the partial file belongs to something else; a column that is not there.
    """
    source, out = Path(source), Path(out)
    form = form or _form_of(source)
    if out.exists() and out.resolve() == source.resolve():
        raise ConfigError(f"{out} would overwrite its own source; name another file for --out.")
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name a file for --out.")
    partial, state_file = (out.with_name(f"{out.name}.partial{ending}") for ending in ("", ".json"))
    began = {"model": model, "column": column, "format": form}
    size = source.stat().st_size
    with open(source, "rb") as raw:
        state = None if fresh else _state(state_file, partial, began, raw, source)
        reader = _Reader(raw, source, state)
        shape = _SHAPES[form](reader, column)
        shape.open(state)
        out.parent.mkdir(parents=True, exist_ok=True)
        records = before = state["records"] if state else 0
        with open(partial, "r+b" if state else "wb") as written:
            if state:
                written.truncate(state["written"])
                written.seek(state["written"])
            else:
                written.write(shape.header())
            for chunk in _chunks(shape.records(), CHUNK):
                answers = _answers(predict, chunk, source)
                written.write(b"".join(shape.line(r, a) for r, a in zip(chunk, answers, strict=True)))
                records += len(chunk)
                written.flush()
                os.fsync(written.fileno())
                where = {"records": records, "written": written.tell(), **reader.place()}
                write_json(state_file, {**began, **where, **shape.kept()})
                progress(records, where["read"], size)
    os.replace(partial, out)
    state_file.unlink(missing_ok=True)
    return {"records": records, "before": before}


def _answers(predict: Callable[..., Any], chunk: list[Record], source: Path) -> Sequence[dict[str, Any]]:
    try:
        return predict([record.given for record in chunk])
    except InputError:
        for record in chunk:  # which one is it?
            try:
                predict([record.given])
            except InputError as error:
                raise DataError(str(error), path=source, line=record.line) from None
        raise


def _state(path: Path, partial: Path, began: dict[str, Any], raw: BinaryIO, source: Path) -> dict[str, Any] | None:
    """Where an earlier run stood; None of none.

    Raises:
        ConfigError: it was another model's, read something else or was read otherwise.
    """
    if not (path.exists() and partial.exists()):
        return None
    anew = "Go on with what it was begun with, or begin anew with --fresh."
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        differing = [name for name, value in began.items() if state[name] != value]
        read, digest, written = state["read"], state["sha256"], state["written"]
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{path}: cannot be read. Begin anew with --fresh.") from None
    if differing:
        name = differing[0]
        raise ConfigError(f"{partial} was begun with {name} {state[name]!r}, this is {began[name]!r}. {anew}")
    found = hashlib.sha256()
    left = read
    while left and (block := raw.read(min(left, 1 << 20))):
        found.update(block)
        left -= len(block)
    if left or found.hexdigest() != digest:
        raise ConfigError(f"{partial} was begun with another content of {source}. {anew}")
    if partial.stat().st_size < written:
        raise ConfigError(f"{partial} is shorter than it was. Begin anew with --fresh.")
    return {**state, "hash": found}


class _Reader:
    """Lines of a file in UTF-8, without loading it, with how much of it has been read."""

    def __init__(self, raw: BinaryIO, source: Path, state: dict[str, Any] | None):
        self._raw, self.source = raw, source
        self.line = state["line"] if state else 0
        self._read = state["read"] if state else 0
        self._hash = state["hash"] if state else hashlib.sha256()

    def __iter__(self) -> Iterator[str]:
        """Each line with its end.

        Raises:
            DataError: one that is not UTF-8.
        """
        while content := self._raw.readline():
            self.line += 1
            self._read += len(content)
            self._hash.update(content)
            if self.line == 1:
                content = content.removeprefix(b"\xef\xbb\xbf")
            try:
                yield content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"not UTF-8 (byte {error.start + 1} of the line).", path=self.source, line=self.line,
                    remedy=f"Convert the file first: iconv -f GB18030 -t UTF-8 {self.source} > NEW",
                ) from None  # fmt: skip

    def place(self) -> dict[str, Any]:
        """For the state: ``line``, ``read`` (bytes) and their ``sha256``."""
        return {"line": self.line, "read": self._read, "sha256": self._hash.hexdigest()}


class _Shape:
    """How records are read and written."""

    def __init__(self, reader: _Reader, column: str):
        self.reader, self.column = reader, column

    def open(self, state: dict[str, Any] | None) -> None:
        """Before the first record is read; with the state of an earlier run, if that is gone on with."""

    def kept(self) -> dict[str, Any]:
        """What the state keeps for :meth:`open`."""
        return {}

    def header(self) -> bytes:
        """What the output begins with."""
        return b""

    def records(self) -> Iterator[Record]:
        """The records that have not been read."""
        raise NotImplementedError

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        """A record of the output."""
        raise NotImplementedError

    def error(self, message: str, line: int | None = None, remedy: str | None = None) -> DataError:
        return DataError(message, path=self.reader.source, line=line or self.reader.line, remedy=remedy)


class _Lines(_Shape):
    def records(self) -> Iterator[Record]:
        for text in self.reader:
            yield Record(text.rstrip("\r\n"), None, self.reader.line)

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        return _json(answer)


class _Jsonl(_Shape):
    def records(self) -> Iterator[Record]:
        for content in self.reader:
            if not content.strip():
                continue
            try:
                row = json.loads(content)
            except (ValueError, RecursionError):
                raise self.error("not JSON.", remedy="A .jsonl file has one object a line.") from None
            if not isinstance(row, dict):
                raise self.error(f"an object belongs here, this is a {type(row).__name__}.")
            if not isinstance(row.get(self.column), str):
                known = ", ".join(name for name, value in row.items() if isinstance(value, str))
                raise self.error(f"no text under {self.column!r}.", remedy=f"Name it: --column {known or 'NAME'}")
            given = {"head": row["head"], "tail": row["tail"], "text": row[self.column]} if _is_pair(row) else None
            yield Record(given or row[self.column], row, self.reader.line)

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        return _json({**record.carried, "prediction": {k: v for k, v in answer.items() if k != "text"}})


class _Csv(_Shape):
    delimiter = ","

    def open(self, state: dict[str, Any] | None) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self._rows = csv.reader(iter(self.reader), delimiter=self.delimiter, strict=True)
        if state:
            self.fields = state["fields"]
        else:
            self.fields = self._next(1)
            if self.fields is None:
                raise self.error("empty: a header with the names of the columns belongs into the first line.", 1)
        if self.column not in self.fields:
            raise ConfigError(
                f"{self.reader.source}:1: no column {self.column!r}. Name the one with the texts: --column "
                f"{next(iter(self.fields), 'NAME')!r} (there: {', '.join(self.fields[:9])})"
            )
        self.at = self.fields.index(self.column)

    def kept(self) -> dict[str, Any]:
        return {"fields": self.fields}

    def header(self) -> bytes:
        return self._row([*self.fields, "prediction", "prediction_score"])

    def records(self) -> Iterator[Record]:
        while True:
            line = self.reader.line + 1
            row = self._next(line)
            if row is None:
                return
            if not row:
                continue
            if len(row) != len(self.fields):
                raise self.error(f"{len(row)} fields, the header has {len(self.fields)}.", line)
            named = dict(zip(self.fields, row, strict=True))
            pair = {"head": named["head"], "tail": named["tail"], "text": row[self.at]} if _is_pair(named) else None
            yield Record(pair or row[self.at], row, line)

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        one = answer.get("label", answer.get("relation"))
        if one is None:
            rest = {name: value for name, value in answer.items() if name != "text"}
            one = json.dumps(answer.get("entities", rest), ensure_ascii=False)
        return self._row([*record.carried, one, answer.get("score", "")])

    def _next(self, line: int) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as error:
            raise self.error(f"not CSV: {error}.", line, "Mend its quotation marks.") from None

    def _row(self, fields: list[Any]) -> bytes:
        written = io.StringIO()
        # with "\n" alone as its end, csv would leave a field that holds a carriage return unquoted
        csv.writer(written, delimiter=self.delimiter, lineterminator="\r\n").writerow(fields)
        return (written.getvalue().removesuffix("\r\n") + "\n").encode("utf-8")


class _Tsv(_Csv):
    delimiter = "\t"


class _Columns(_Shape):
    """Token first; whatever columns follow are kept. A tag is that of a token's first character."""

    def records(self) -> Iterator[Record]:
        block: list[str] = []
        first = 0
        for content in self.reader:
            row = content.rstrip("\r\n")
            if row.strip():
                first = first if block else self.reader.line
                block.append(row)
            elif block:
                yield self._record(block, first)
                block = []
        if block:
            yield self._record(block, first)

    def _record(self, block: list[str], line: int) -> Record:
        tokens = [row.split("\t")[0] if "\t" in row else row.split()[0] for row in block]
        return Record("".join(tokens), (block, tokens), line)

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        if "entities" not in answer:
            raise ConfigError("columns of tags are for a model of named entities; this one answers "
                              f"{', '.join(answer)}. Use --format lines or a .jsonl file.")  # fmt: skip
        tags = ["O"] * len(record.given)
        for entity in answer["entities"]:
            tags[entity["start"]] = f"B-{entity['label']}"
            tags[entity["start"] + 1 : entity["end"]] = [f"I-{entity['label']}"] * (entity["end"] - entity["start"] - 1)
        block, tokens = record.carried
        place, rows = 0, []
        for row, token in zip(block, tokens, strict=True):
            separator = "\t" if "\t" in row or " " not in row else " "
            rows.append(f"{row}{separator}{tags[place]}\n")
            place += len(token)
        return "".join([*rows, "\n"]).encode("utf-8")


_SHAPES = {"csv": _Csv, "tsv": _Tsv, "jsonl": _Jsonl, "columns": _Columns, "lines": _Lines}
_ENDINGS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".bio": "columns", ".conll": "columns",
            ".columns": "columns"}  # fmt: skip


def _form_of(source: Path) -> str:
    """By the ending: the content of a file of any size is not looked through first.

    Raises:
        ConfigError: an ending of files that are no streams of records.
    """
    ending = source.suffix.lower()
    if ending in (".json", ".xlsx", ".xls", ".parquet", ".gz", ".zip"):
        raise ConfigError(
            f"{source}: --in reads {', '.join(sorted(_ENDINGS))} and text. Save it as one of these, or read an export "
            "of a label tool with --file."
        )
    return _ENDINGS.get(ending, "lines")


def _is_pair(row: dict[str, Any]) -> bool:
    return isinstance(row.get("head"), str) and isinstance(row.get("tail"), str)


def _json(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half a surrogate pair, which came as an escape and leaves as one
        return f"{json.dumps(value)}\n".encode()


def _chunks(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    records = iter(records)
    while chunk := list(islice(records, size)):
        yield chunk
