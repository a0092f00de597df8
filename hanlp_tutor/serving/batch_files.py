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

import codecs
import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from hanlp_tutor.errors import ConfigError, DataError, InputError
from hanlp_tutor.files import write_json
from hanlp_tutor.serving.batch_forms import ENDINGS, HEAD, SHAPES, OtherEncoding, Reader, Record, by_iconv, form_of

CHUNK = 512  # records


def label_file(
    predict: Callable[[list[Any]], Sequence[dict[str, Any]]],
    source: str | Path,
    out: str | Path,
    *,
    model: str = "",
    column: str = "text",
    form: str | None = None,
    encoding: str = "utf-8",
    fresh: bool = False,
    progress: Callable[[int, int, int], None] = lambda records, done, size: None,
) -> dict[str, int]:
    """Label each record of a file.

    Args:
        predict: from inputs to answers, in order; as ``Predictor.predict_many``.
        source, out: the files; they differ. A link stays a link: what it points to is written.
        model: names the model, so that another one does not go on with a partial file.
        column: where the text is, of CSV and JSONL.
        form: one of :data:`hanlp_tutor.serving.batch_forms.FORMATS`; None goes by the ending.
        encoding: of the source, one whose lines end in the byte of LF, as all but UTF-16 and UTF-32; out is UTF-8.
        fresh: begin anew although a partial file, or another's file, is there.
        progress: called after each chunk with the records so far, and the bytes read and in all.

    Returns:
        ``records`` in the output, and ``before``, those that an earlier run had written.

    Raises:
        DataError: a record that cannot be read, with its line; what was written before it is kept.
        ConfigError: the partial file belongs to something else; a column that is not there; ``out`` is a device or a
            pipe, something else than an earlier answer, or has the ending of another form; another run writes it.
        OSError: that of the machine, with the file.
    """
    source, out = Path(source), Path(out)
    form = form or form_of(source)
    encoding = _checked(encoding, source)
    out = _target(out, source)
    _check_ending(form, source, out)
    if not fresh and not _is_answer(form, source, out, encoding):
        raise ConfigError(f"{out} is there, and is no answer to {source}. Name another file for --out, or replace it "
                          "with --fresh.")  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    partial, state_file, lock = (out.with_name(f"{out.name}.partial{ending}") for ending in ("", ".json", ".lock"))
    began = {"model": model, "column": column, "format": form, "encoding": encoding}
    size = source.stat().st_size
    with _alone(lock, partial), open(source, "rb") as raw:
        state = None if fresh else _state(state_file, partial, began, raw, source)
        reader = Reader(raw, source, encoding, state)
        shape = SHAPES[form](reader, column)
        shape.open(state)
        records = before = state["records"] if state else 0
        try:
            with open(partial, "r+b" if state else "wb") as written:
                if state:
                    written.truncate(state["written"])
                    written.seek(state["written"])
                for chunk in _chunks(shape.records(), CHUNK):
                    answers = _answers(predict, chunk, source)
                    begin = b"" if records else shape.header(answers[0])
                    written.write(begin + b"".join(shape.line(r, a) for r, a in zip(chunk, answers, strict=True)))
                    written.flush()
                    os.fsync(written.fileno())
                    where = {"records": records + len(chunk), "written": written.tell(), **reader.place()}
                    write_json(state_file, {**began, **where, **shape.kept()})
                    records += len(chunk)
                    progress(records, where["read"], size)
                if not records:
                    written.write(shape.header({}))
        except DataError as error:
            if not records or isinstance(error, OtherEncoding):
                partial.unlink(missing_ok=True)
                state_file.unlink(missing_ok=True)
                raise
            kept = f"{records:,} records are kept in {partial}: mend the line and give the same command."
            remedy = f"{error.remedy} {kept}" if error.remedy else kept
            raise DataError(error.message, path=error.path, line=error.line, remedy=remedy) from None
        except OSError as error:
            if error.errno is None or error.filename is not None:
                raise
            raise OSError(error.errno, error.strerror, str(partial)) from error
        os.replace(partial, out)
        state_file.unlink(missing_ok=True)
    return {"records": records, "before": before}


def _target(out: Path, source: Path) -> Path:
    """The file that ``out`` names: of a link what it points to.

    Raises:
        ConfigError: it is the source, a folder, a device or a pipe.
    """
    if out.exists() and out.resolve() == source.resolve():
        raise ConfigError(f"{out} would overwrite its own source; name another file for --out.")
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name a file for --out.")
    if out.exists() and not out.is_file():
        raise ConfigError(
            f"{out} is a device or a pipe, which cannot be gone on with; name a file for --out. Texts, one a line, are "
            "also read from standard input, and answered on standard output: hanlp-tutor predict MODEL --json < FILE"
        )
    return Path(os.path.realpath(out)) if out.is_symlink() else out


@contextmanager
def _alone(lock: Path, partial: Path) -> Iterator[None]:
    """Let one process at a time write a file.

    Raises:
        ConfigError: another one does.
    """
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file
                    lock.unlink(missing_ok=True)
    except Timeout:
        raise ConfigError(f"another run writes {partial}: wait for its end, or name another file for --out.") from None


def _check_ending(form: str, source: Path, out: Path) -> None:
    """Refuse a name that promises another form than what is written.

    Raises:
        ConfigError: with the ending to take.
    """
    writes = "jsonl" if form == "lines" else form
    promised = {**ENDINGS, ".txt": "columns", ".json": "json", ".xlsx": "xlsx", ".xls": "xlsx"}
    ending = out.suffix.lower()
    if promised.get(ending, writes) != writes and (form == "lines" or ending != source.suffix.lower()):
        right = next(name for name, of in ENDINGS.items() if of == writes)
        what = "an object of JSON a line" if writes == "jsonl" else f"the form of {source}, {writes}"
        raise ConfigError(
            f"{out}: what is written is {what}. Name it so: --out {shlex.quote(str(out)[: -len(ending)] + right)}"
        )


def _is_answer(form: str, source: Path, out: Path, encoding: str) -> bool:
    """Whether a file may be replaced unasked: not there, empty, or one whose first line an earlier answer has."""
    if not out.exists() or not out.stat().st_size:
        return True
    with open(out, "rb") as file, open(source, "rb") as given:
        first, asked = file.readline(HEAD).rstrip(), given.readline(HEAD).removeprefix(codecs.BOM_UTF8).strip()
    if form == "columns":
        return first.startswith(asked.decode(encoding, "replace").encode())
    if form in ("csv", "tsv"):
        return first.endswith((b"prediction", b"prediction_score"))
    return first.startswith(b"{") and (b'"prediction": ' if form == "jsonl" else b'"text": ') in first


def _checked(encoding: str, source: Path) -> str:
    """The encoding's name.

    Raises:
        ConfigError: there is none so called, or one whose lines cannot be told by a byte.
    """
    try:
        name = codecs.lookup(encoding).name.removesuffix("-sig")
        by_line = "\n".encode(name) == b"\n"
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        raise ConfigError(f"there is no encoding {encoding!r}; try 'utf-8' or 'gb18030'.") from None
    if not by_line:
        raise ConfigError(f"{source}: --in does not read {encoding}. {by_iconv(encoding.upper(), source)}")
    return name


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


def _chunks(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    records = iter(records)
    while chunk := list(islice(records, size)):
        yield chunk
