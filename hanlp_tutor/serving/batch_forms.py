"""What a file of texts looks like, read and written record by record: lines, JSON lines, tables, columns of tags.

A form reads each :class:`Record` from a :class:`Reader`, which knows how far the file has been read, and writes it
with its answer. :mod:`hanlp_tutor.serving.batch_files` makes a stream of them that can be gone on with.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from hanlp_tutor.data.lines import encoding_of
from hanlp_tutor.errors import ConfigError, DataError

FORMATS = ("csv", "tsv", "jsonl", "columns", "lines")
HEAD = 1 << 20  # bytes that are looked at for what an error proposes
_ROWS = 20  # and rows
_LONGEST_FIELD = 2**31 - 1
_SENTENCE = re.compile(r"[。！？；，!?]|[\u4e00-\u9fff]{13}")  # no name of a column


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


def by_iconv(encoding: str, source: Path) -> str:
    """What to type, that a file becomes UTF-8."""
    target = source.with_name(f"utf8_{source.name}")
    return f"Convert it first: iconv -f {encoding} -t UTF-8 {shlex.quote(str(source))} > {shlex.quote(str(target))}"


class OtherEncoding(DataError):
    """Of the whole file: what was read before is to be read again."""


class Reader:
    """Lines of a file, without loading it, with how much of it has been read."""

    def __init__(self, raw: BinaryIO, source: Path, encoding: str, state: dict[str, Any] | None):
        self._raw, self.source, self._encoding = raw, source, encoding
        self.line = state["line"] if state else 0
        self._read = state["read"] if state else 0
        self._hash = state["hash"] if state else hashlib.sha256()

    def __iter__(self) -> Iterator[str]:
        """Each line with its end.

        Raises:
            DataError: one of another encoding.
        """
        while content := self._raw.readline():
            self.line += 1
            self._read += len(content)
            self._hash.update(content)
            if self.line == 1:
                content = content.removeprefix(b"\xef\xbb\xbf")
            try:
                yield content.decode(self._encoding)
            except UnicodeDecodeError as error:
                what = f"not {self._encoding.upper()} (byte {error.start + 1} of the line)."
                raise self._error(what, content) from None

    def _error(self, what: str, line: bytes) -> DataError:
        """Of a line of another encoding: where others can be read, the line alone is broken."""
        where = {"path": self.source, "line": self.line}
        with open(self.source, "rb") as file:
            before = file.read(min(self._read - len(line), HEAD))
            file.seek(self._read)
            after = file.read(HEAD)
            after = after[: after.rfind(b"\n") + 1]
        if not before.isascii() or (not after.isascii() and encoding_of(after) == self._encoding):
            remedy = f"Other lines are {self._encoding.upper()}, this one is damaged: mend or remove it."
            return DataError(what, **where, remedy=remedy)
        found = encoding_of(before[: before.rfind(b"\n") + 1] + line + after)
        if found == "utf-16":
            return OtherEncoding(what, **where, remedy=by_iconv("UTF-16", self.source))
        if found in (None, self._encoding):
            remedy = "Pass --encoding NAME with its encoding, such as big5, or save it as UTF-8."
        else:
            remedy = f"Pass --encoding {found}: as that it can be read."
        return OtherEncoding(what, **where, remedy=remedy)

    def place(self) -> dict[str, Any]:
        """For the state: ``line``, ``read`` (bytes) and their ``sha256``."""
        return {"line": self.line, "read": self._read, "sha256": self._hash.hexdigest()}


class _Shape:
    """How records are read and written."""

    def __init__(self, reader: Reader, column: str):
        self.reader, self.column = reader, column

    def open(self, state: dict[str, Any] | None) -> None:
        """Before the first record is read; with the state of an earlier run, if that is gone on with."""

    def kept(self) -> dict[str, Any]:
        """What the state keeps for :meth:`open`."""
        return {}

    def header(self, answer: dict[str, Any]) -> bytes:
        """What the output begins with; ``answer`` is the first, or empty."""
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
                texts = {name: value for name, value in row.items() if isinstance(value, str)}
                best = shlex.quote(_most_chinese(texts)) if texts else "NAME"
                raise self.error(f"no text under {self.column!r}.", remedy=f"Name it: --column {best}")
            if "prediction" in row:
                raise self.error("has a 'prediction' already.", remedy="Rename it, or name another file for --in.")
            given = {"head": row["head"], "tail": row["tail"], "text": row[self.column]} if _is_pair(row) else None
            yield Record(given or row[self.column], row, self.reader.line)

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        return _json({**record.carried, "prediction": {k: v for k, v in answer.items() if k != "text"}})


_QUOTES = "A field that holds what divides the columns, or ends a line, stands in quotation marks."


class _Csv(_Shape):
    delimiter, name = ",", "CSV"

    def open(self, state: dict[str, Any] | None) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self._rows = csv.reader(iter(self.reader), delimiter=self.delimiter, strict=True)
        if state:
            self.fields, self.scored = state["fields"], state["scored"]
        else:
            self.fields = self._next(1)
            if self.fields is None:
                raise self.error("empty: a header with the names of the columns belongs into the first line.", 1)
            self.scored = True
        if self.column not in self.fields:
            raise ConfigError(f"{self.reader.source}:1: {self._no_column()}")
        if clash := [name for name in self.fields if name in ("prediction", "prediction_score")]:
            raise ConfigError(
                f"{self.reader.source}:1: has a column {clash[0]!r} already. Rename it in the first line."
            )
        self.at = self.fields.index(self.column)

    def _no_column(self) -> str:
        """Why there is no such column, and which it may be."""
        if len(self.fields) == 1:
            for other in ";|\t,":
                if other in self.fields[0]:
                    return (
                        f"no column {self.column!r}: {other!r} seems to stand between the columns, not "
                        f"{self.delimiter!r}. Save it with that, as {self.name}."
                    )
        rows = []
        with suppress(DataError):
            rows = [row for row in islice(iter(lambda: self._next(self.reader.line + 1), None), _ROWS) if row]
        texts = {name: "".join(row[at] for row in rows if at < len(row)) for at, name in enumerate(self.fields)}
        best = _most_chinese(texts)
        if _SENTENCE.search(best):
            alone = " With --format lines each line is a text." if len(self.fields) == 1 else ""
            names = f"{self.column!r} for the texts, of pairs 'head' and 'tail' too"
            return f"the first line reads like a text: put one before it with the names of the columns, {names}.{alone}"
        there = ", ".join(self.fields[:9])
        return f"no column {self.column!r}. Name the one with the texts: --column {shlex.quote(best)} (there: {there})"

    def kept(self) -> dict[str, Any]:
        return {"fields": self.fields, "scored": self.scored}

    def header(self, answer: dict[str, Any]) -> bytes:
        self.scored = not answer or "score" in answer  # one score for many entities there is none
        return self._row([*self.fields, "prediction", *(["prediction_score"] if self.scored else [])])

    def records(self) -> Iterator[Record]:
        while True:
            line = self.reader.line + 1
            row = self._next(line)
            if row is None:
                return
            if not row:
                continue
            if len(row) != len(self.fields):
                raise self.error(f"{len(row)} fields, the header has {len(self.fields)}.", line, _QUOTES)
            named = dict(zip(self.fields, row, strict=True))
            pair = {"head": named["head"], "tail": named["tail"], "text": row[self.at]} if _is_pair(named) else None
            yield Record(pair or row[self.at], row, line)

    def line(self, record: Record, answer: dict[str, Any]) -> bytes:
        one = answer.get("label", answer.get("relation"))
        if one is None:
            rest = {name: value for name, value in answer.items() if name != "text"}
            one = json.dumps(answer.get("entities", rest), ensure_ascii=False)
        return self._row([*record.carried, one, *([answer.get("score", "")] if self.scored else [])])

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
    delimiter, name = "\t", "TSV"


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


SHAPES = {"csv": _Csv, "tsv": _Tsv, "jsonl": _Jsonl, "columns": _Columns, "lines": _Lines}
ENDINGS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".bio": "columns", ".conll": "columns",
            ".columns": "columns"}  # fmt: skip


def form_of(source: Path) -> str:
    """By the ending: the content of a file of any size is not looked through first.

    Raises:
        ConfigError: an ending of files that are no streams of records.
    """
    ending = source.suffix.lower()
    if ending in (".json", ".xlsx", ".xls", ".parquet", ".gz", ".zip"):
        raise ConfigError(
            f"{source}: --in reads {', '.join(sorted(ENDINGS))} and text. Save it as one of these, or read an export "
            "of a label tool with --file."
        )
    return ENDINGS.get(ending, "lines")


def _most_chinese(texts: dict[str, str]) -> str:
    """The name under which there is the most Chinese; where there is none, the most text."""

    def amount(name: str) -> tuple[int, int]:
        return sum("\u4e00" <= character <= "\u9fff" for character in texts[name]), len(texts[name])

    return max(texts, key=amount)


def _is_pair(row: dict[str, Any]) -> bool:
    return isinstance(row.get("head"), str) and isinstance(row.get("tail"), str)


def _json(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half a surrogate pair, which came as an escape and leaves as one
        return f"{json.dumps(value)}\n".encode()
