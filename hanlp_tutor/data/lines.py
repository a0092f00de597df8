"""Text files as lines, with errors that a student can act on."""

from __future__ import annotations

import codecs
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from hanlp_tutor.data.file_kinds import NoText, check_is_text
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import on_command_line, pass_option
from hanlp_tutor.data.refusals import collecting, refuse
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.files import REMEDIES, write_file

CR_LINES = "its lines end in a carriage return alone, as old Mac programs and Excel for Mac write them: it is one line."


class ForeignLine(DataError):
    """A line that is not UTF-8 in a file whose others are; who collects gets it read as ``encoding``."""

    encoding = ""


def read_lines(path: str | Path, encoding: str | None = "utf-8") -> list[str]:
    """The lines of a file without their ends; line 1 is ``[0]``.

    Only LF and CRLF end a line: U+2028, form feed and their like are text (``str.splitlines`` would break there). A
    byte-order mark is dropped.

    Raises:
        DataError: all lines end in CR alone; as :func:`read_text`.
        ConfigError: as :func:`read_text`.
    """
    text = read_text(path, encoding)
    check_line_ends(path, text)
    return split_lines(text)


def filled_lines(path: str | Path, encoding: str | None = "utf-8") -> Iterator[tuple[int, str]]:
    """The lines that are not blank with their numbers; errors as for :func:`read_lines`."""
    return ((number, line) for number, line in enumerate(read_lines(path, encoding), 1) if line.strip())


def split_lines(text: str) -> list[str]:
    """A file's text as lines without their ends, LF or CRLF."""
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    if not lines[-1]:
        del lines[-1]  # what follows the last line end is no line
    return lines


def ends_in_cr(text: str) -> bool:
    """Whether the lines of a text end in CR alone: there is no LF, and a CR stands before its end."""
    return "\n" not in text and "\r" in text.rstrip("\r\n\t ")


def check_line_ends(path: str | Path, text: str) -> None:
    """Refuse a text whose lines end in CR alone: it would be read as one long line.

    Raises:
        DataError: with a command that mends it.
    """
    if ends_in_cr(text):
        raise DataError(CR_LINES, path=path, remedy=cr_remedy(path))


def cr_remedy(path: str | Path) -> str:
    """How to mend a file whose lines end in CR alone."""
    return f"Save it with line ends LF or CR LF: tr '\\r' '\\n' < {shlex.quote(str(path))} > NEW."


def read_text(path: str | Path, encoding: str | None = "utf-8") -> str:
    """A whole file as it stands, its line ends too, without its byte-order mark.

    Args:
        path: the file.
        encoding: as Python names it; None takes UTF-8 when the file is that, UTF-16 with its mark, else GB18030 (which
            covers GBK and GB2312) when the characters are those of Chinese texts. Anything but UTF-8 is noted.

    Raises:
        DataError: no such file, or bytes of another encoding; the encoding to pass is named where it can be detected.
        ConfigError: Python knows no such encoding.
    """
    try:
        return _read_whole(path, encoding)
    except DataError as error:
        if not collecting() or isinstance(error, NoText):
            raise
        return _read_by_line(path, error)


def begins_with_mark(path: str | Path) -> bool:
    """Whether a file begins with a byte-order mark, which :func:`read_text` drops; False where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(3).startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    except OSError:
        return False


def _read_whole(path: str | Path, encoding: str | None) -> str:
    if encoding is None:
        content = _read_bytes(path)
        check_is_text(path, content)
        return _decode_unknown(path, content)
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        raise ConfigError(f"there is no encoding {encoding!r}; try 'utf-8' or 'gb18030'.") from None
    content = _read_bytes(path)
    check_is_text(path, content)
    try:
        return content.decode("utf-8-sig" if codec.name == "utf-8" else codec.name)
    except LookupError:  # rot13, hex and the like
        raise ConfigError(f"{encoding!r} is no encoding of text; try 'utf-8' or 'gb18030'.") from None
    except UnicodeError as error:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        advice = _encoding_advice(content, codec.name)
        raise DataError(f"is not {encoding}.", path=path, line=line, remedy=advice) from None


def _read_by_line(path: str | Path, error: DataError) -> str:
    """A file of UTF-8 with some lines of another encoding, as after joining two files; ``error`` when it is none."""
    pieces = _read_bytes(path).split(b"\n")
    lines, foreign = [], []
    for number, piece in enumerate(pieces, 1):
        try:
            lines.append(piece.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            remedy = "Save the file as UTF-8; files of different encodings were probably joined."
            fault = ForeignLine("this line is not UTF-8 as others are.", path=path, line=number, remedy=remedy)
            try:
                line, fault.encoding = piece.decode("gb18030"), "GB18030"
            except UnicodeDecodeError:
                line, fault.encoding = piece.decode("utf-8", "replace"), "UTF-8 with replacement characters"
            lines.append(line)
            foreign.append(fault)
    if not foreign or 2 * len(foreign) > sum(1 for piece in pieces if piece.strip()):
        raise error
    for fault in foreign:
        refuse(fault)
    return "\n".join(lines)


def _read_bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file.", path=path, remedy="Mend the path.") from None
    except IsADirectoryError:
        raise DataError("cannot be read: it is a folder.", path=path, remedy="Name a file in it.") from None
    except OSError as error:
        remedy = REMEDIES.get(error.errno, "Mend its permissions.")
        raise DataError(f"cannot be read: {error.strerror}.", path=path, remedy=remedy) from None
    except ValueError as error:  # a NUL in the path
        raise DataError(f"cannot be read: {error}.", path=path, remedy="Mend the path.") from None


def _decode_unknown(path: str | Path, content: bytes) -> str:
    name = encoding_of(content)
    try:
        text = content.decode("utf-8-sig" if name in (None, "utf-8") else name)
    except UnicodeDecodeError as error:
        raise DataError(
            "is neither UTF-8 nor a Chinese text in GB18030.",
            path=path,
            line=content.count(b"\n", 0, error.start) + 1,
            remedy=f"{pass_option('encoding', 'NAME')} with its encoding, such as big5 or utf-16-le, or save it as "
            "UTF-8.",
        ) from None
    if text.count("\0") * 4 > len(text):
        raise DataError(
            "is full of NUL characters, as UTF-16 without its mark or a binary file is.",
            path=path,
            remedy=f"{pass_option('encoding', 'utf-16-le')}, or save it as UTF-8.",
        )
    if name != "utf-8":
        another = on_command_line("encoding", "NAME")
        note(f"{path}: read as {name.upper()}, which it is not marked as; {another} names another.")
    return text


def encoding_of(content: bytes) -> str | None:
    """What whole lines are in: ``utf-8``, ``utf-16`` by its mark, or ``gb18030``; None where that cannot be told."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for name in ("utf-8", "gb18030"):
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        return name if name == "utf-8" or _looks_chinese(text) else None
    return None


def _looks_chinese(text: str) -> bool:
    """Whether nearly all characters beyond ASCII are those of GB2312: Big5 or Latin-1 read as GB18030 shows others."""
    beyond = "".join(character for character in text if character > "\x7f")
    return len(beyond.encode("gb2312", "ignore")) // 2 >= 0.9 * len(beyond)


def _encoding_advice(content: bytes, tried: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return f"{pass_option('encoding', 'utf-16')}: the file begins with that mark."
    # GB18030 covers GBK and GB2312, what Chinese Windows programs write. It refuses few bytes, so UTF-8 goes first.
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != tried:
            advice = f"{pass_option('encoding', encoding)}: as that it can be read."
            # With that the next file of the command would be the wrong one, where it is what was named.
            several = f" Where other files are {tried}: {pass_option('encoding', None)}, and each is found out."
            return advice + (several if tried != "utf-8" else "")
    return "Save the file as UTF-8."


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write UTF-8 lines that end in LF, the whole file or nothing.

    Raises:
        DataError: text that has no UTF-8 form (lone surrogates), or a place that cannot be written.
    """
    write_text(path, "".join(line + "\n" for line in lines))


def write_text(path: str | Path, text: str) -> None:
    """Write a text as UTF-8 without changing its line ends, the whole file or nothing.

    Raises:
        DataError: as :func:`write_lines`.
    """
    content = _encode(path, text)
    try:
        write_file(path, lambda file: file.write(content))
    except OSError as error:
        remedy = REMEDIES.get(error.errno, "Name another place.")
        raise DataError(f"cannot be written: {error.strerror}.", path=path, remedy=remedy) from None


def write_beside(path: Path, text: str) -> None:
    """Write a file that belongs to the one that the user has named, but never over something else.

    Raises:
        DataError: another content is there, which may be the very source; as :func:`write_text`.
    """
    if path.exists() and _read_bytes(path) != _encode(path, text):
        raise DataError(
            "is there already, and would be written, too.",
            path=path,
            remedy="Name a target whose second file does not exist, or remove this one.",
        )
    write_text(path, text)


def _encode(path: str | Path, text: str) -> bytes:
    if text.startswith("\ufeff"):
        text = "\ufeff" + text  # a reader drops the first one as a byte-order mark
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            "holds a lone surrogate, which UTF-8 cannot write.",
            path=path,
            line=text.count("\n", 0, error.start) + 1,
            remedy="Export the data again as UTF-8: a program has cut a character in two.",
        ) from None
