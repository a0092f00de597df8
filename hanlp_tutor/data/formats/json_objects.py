"""JSON Lines and JSON lists as objects with the lines they begin in, for errors that a person can follow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.formats.head import head_text
from hanlp_tutor.data.lines import read_text, write_text
from hanlp_tutor.data.refusals import collecting, read_each, refuse
from hanlp_tutor.errors import DataError

_BLANK = re.compile(r"[ \t\r\n]*")  # what JSON calls white space
_REMEDY = "Export the file again; each line, or each element of one list, is a JSON object."


def read_objects(path: str | Path, encoding: str | None = None) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, of a file with one list, or of a file with one object over several lines.

    Returns:
        ``(line, object)`` pairs.

    Raises:
        DataError: no JSON, something else than objects, a key twice in one object, nothing at all.
    """
    text = read_text(path, encoding)
    found = _of_list(path, text) if text.lstrip(" \t\r\n").startswith("[") else _of_lines(path, text)
    objects = read_each(path, _object, found)
    if not objects:
        raise DataError("holds no object.", path=path, remedy=_REMEDY)
    return objects


def write_objects(path: str | Path, objects: Iterable[dict[str, Any]], *, as_list: bool = False) -> None:
    """Write JSON Lines, or one list with an object a line.

    Raises:
        DataError: a place that cannot be written.
    """
    lines = [json.dumps(each, ensure_ascii=False) for each in objects]
    write_text(path, "[\n" + ",\n".join(lines) + "\n]\n" if as_list else "".join(line + "\n" for line in lines))


def first_object(path: Path) -> dict[str, Any] | None:
    """The first object of a file, None when it has none that can be read; for sniffing."""
    text, _ = head_text(path)
    try:
        start = _BLANK.match(text).end()
        if text.startswith("[", start):
            start = _BLANK.match(text, start + 1).end()
        if not text.startswith("{", start):
            return None
        value, _ = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value


def text_of(entry: dict[str, Any], key: str) -> str:
    """The string under ``key``.

    Raises:
        DataError: it is missing or something else.
    """
    value = entry.get(key)
    if not isinstance(value, str):
        what = f"there is no {key!r}" if value is None else f"{key!r} is {_kind(value)}, not a string"
        raise DataError(f"{what}.", remedy=f"Keys here: {', '.join(map(repr, entry)) or 'none'}.")
    return value


def list_of(value: Any, what: str, of: type = object) -> list[Any]:
    """``value`` as a list of such things; None is an empty one.

    Raises:
        DataError: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise DataError(f"{what} is {_kind(value)}, not a list.", remedy=_REMEDY)
    for each in value:
        if not isinstance(each, of):
            raise DataError(f"{what} holds {_kind(each)}: {_short(each)}.", remedy=_REMEDY)
    return value


def offset(value: Any) -> int:
    """A place in a text.

    Raises:
        DataError: no whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        remedy = "An offset is a whole number of characters from 0."
        raise DataError(f"an offset is {_kind(value)}: {_short(value)}.", remedy=remedy)
    return value


def name_of(value: Any, what: str) -> str:
    """A label: a string, or a whole number as one.

    Raises:
        DataError: it is something else, or empty.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _short(value)
    if not isinstance(value, str) or not value.strip():
        kind = "empty" if isinstance(value, str) else _kind(value)
        raise DataError(f"{what} is {kind}.", remedy="Name it by a string.")
    return value


def _object(line: int, value: Any) -> tuple[int, dict[str, Any]]:
    if not isinstance(value, dict):
        raise DataError(f"{_kind(value)} stands where an object should.", remedy=_REMEDY)
    return line, value


def _of_lines(path: str | Path, text: str) -> list[tuple[int, Any]]:
    found = []
    whole = text.strip(" \t\r\n")
    may_be_one = whole.startswith("{")  # over several lines: then the first of them is no object
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \t\r\n")
        if not line:
            continue
        try:
            found.append((number, _decode_line(path, line, number)))
        except DataError as error:
            if not may_be_one:
                refuse(error)
                continue
            try:
                return _one_object(path, whole, number)
            except DataError as fault:  # in a line of its own, where it is the first that is to be left out
                refuse(fault if fault.line == number or not collecting() else error)
        may_be_one = False
    return found


def _decode_line(path: str | Path, line: str, number: int) -> Any:
    value, end = _decode(path, line, number)
    if end != len(line):
        more = line[end : end + 20]
        raise DataError(f"more follows behind the object: {more!r}.", path=path, line=number, remedy=_REMEDY)
    return value


def _one_object(path: str | Path, whole: str, line: int) -> list[tuple[int, Any]]:
    """A file that is one object over several lines; a fault is named in its own line."""
    value, end = _decode(path, whole, line)
    if end != len(whole):
        at = line + whole.count("\n", 0, end)
        raise DataError("more follows behind the end of the object.", path=path, line=at, remedy=_REMEDY)
    return [(line, value)]


def _of_list(path: str | Path, text: str) -> list[tuple[int, Any]]:
    found = []
    line, seen = 1, 0
    place = text.index("[") + 1
    may_end = True
    while True:
        place = _BLANK.match(text, place).end()
        line, seen = line + text.count("\n", seen, place), place
        if text.startswith("]", place) and may_end:
            break
        try:
            value, place = _decode(path, text, line, place)
        except DataError as error:
            if error.line != line or place == len(text):  # a bracket is missing: who knows where an element begins
                raise
            refuse(error)
            place, may_end = text.find("\n", place) + 1 or len(text), True
            continue
        found.append((line, value))
        may_end = False
        place = _BLANK.match(text, place).end()
        line, seen = line + text.count("\n", seen, place), place
        if text.startswith(",", place):
            place += 1
        elif text.startswith("]", place):
            break
        else:
            what = "the list does not end" if place == len(text) else "a comma is missing between two elements"
            raise DataError(f"{what}.", path=path, line=line, remedy=_REMEDY)
    if text[place + 1 :].strip(" \t\r\n"):
        raise DataError("more follows behind the end of the list.", path=path, line=line, remedy=_REMEDY)
    return found


def _decode(path: str | Path, text: str, line: int, start: int = 0) -> tuple[Any, int]:
    """The value that begins at ``start``, which is in ``line``, and its end."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        at = line + text.count("\n", start, error.pos)
        raise DataError(
            f"is no JSON: {error.msg} at {text[error.pos : error.pos + 20]!r}.", path=path, line=at, remedy=_REMEDY
        ) from None
    except RecursionError:
        raise DataError("is nested too deeply.", path=path, line=line, remedy=_REMEDY) from None
    except ValueError as error:  # a key twice; a number of thousands of digits
        raise DataError(f"is no usable JSON: {str(error)[:200]}.", path=path, line=line, remedy=_REMEDY) from None
    return value, end


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):  # Python keeps the last one, and an entity would be gone
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice in one object")
    return entry


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _short(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "..."
    return text if len(text) <= 40 else text[:40] + "..."
