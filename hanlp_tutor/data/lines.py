"""Text files as lines, with errors that a student can act on."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

from hanlp_tutor.errors import ConfigError, DataError


def read_lines(path: str | Path, encoding: str = "utf-8") -> list[str]:
    """The lines of a file without their ends; line 1 is ``[0]``.

    Only LF and CRLF end a line: U+2028, form feed and their like are text (``str.splitlines`` would break there). A
    byte-order mark is dropped.

    Raises:
        DataError: no such file, or bytes of another encoding; the encoding to pass is named where it can be told.
        ConfigError: Python knows no such encoding.
    """
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        raise ConfigError(f"there is no encoding {encoding!r}; try 'utf-8' or 'gb18030'.") from None
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file.", path=path) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", path=path) from None
    try:
        text = content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"is not {encoding}.", path=path, line=line, remedy=_encoding_advice(content, codec)) from None
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    if not lines[-1]:
        del lines[-1]  # what follows the last line end is no line
    return lines


def _encoding_advice(content: bytes, tried: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "Pass encoding='utf-16': the file begins with that mark."
    # GB18030 covers GBK and GB2312, what Chinese Windows programs write. It refuses few bytes, so UTF-8 goes first.
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != tried:
            return f"Pass encoding='{encoding}': as that it can be read."
    return "Save the file as UTF-8."


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write UTF-8 lines that end in LF.

    Raises:
        DataError: text that has no UTF-8 form (lone surrogates), or a place that cannot be written.
    """
    text = "".join(line + "\n" for line in lines)
    if text.startswith("\ufeff"):
        text = "\ufeff" + text  # a reader drops the first one as a byte-order mark
    try:
        Path(path).write_bytes(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise DataError("holds a lone surrogate, which UTF-8 cannot write.", path=path, line=line) from None
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}.", path=path) from None
