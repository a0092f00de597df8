"""JSON Lines and JSON lists as objects with the lines they begin in, for errors that a person can follow.

Objects may stand one after another in any layout: a line each, or over several lines as ``indent=2`` prints them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hanlp_tutor.data.column_heads import NO_GROUP
from hanlp_tutor.data.formats.head import head_text
from hanlp_tutor.data.lines import read_text, write_text
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each, refuse
from hanlp_tutor.errors import DataError

# What JSON calls white space, and the byte-order marks of files that were joined.
_BLANK = re.compile(r"[ \t\r\n\ufeff]*")
_AROUND = " \t\r\n\ufeff"
_LIST = "Put [ before the first object and ] behind the last, or take out the commas between them."
_REMEDY = "Export the file again; each line, or each element of one list, is a JSON object."


def read_objects(path: str | Path, encoding: str | None = None) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, of one whose objects take several lines each, or of a file with lists.

    Returns:
        ``(line, object)`` pairs.

    Raises:
        DataError: no JSON, something else than objects, a key twice in one object, nothing at all.
    """
    text = read_text(path, encoding)
    found = _of_lists(path, text) if text.startswith("[", _blank(text)) else _of_lines(path, text)
    objects = read_each(path, _object, found)
    if not objects:
        raise DataError("holds no object.", path=path, remedy=_REMEDY)
    return objects


def group_in(entry: Mapping[str, Any], key: str | None) -> str:
    """What an object says that it belongs to, such as a patient; empty where it says nothing, or no key is given.

    A number counts by its value: 8.0, as a column with gaps becomes in a data frame, is the group 8.
    """
    value = None if key is None else entry.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def check_group_key(
    path: str | Path, entries: Iterable[Mapping[str, Any]], key: str | None, labels: Iterable[str] = ()
) -> None:
    """Refuse a key of groups that no object has, or one of ``labels``; note how many objects belong to none.

    Raises:
        DataError: with the keys that there are.
    """
    if key is None:
        return
    if key in labels:
        remedy = f"{pass_option('group_column', 'KEY')}, the key that says whose a text is."
        raise DataError(NO_GROUP.format(key), path=path, remedy=remedy)
    keys: dict[str, None] = {}
    groups = []
    for entry in entries:
        keys |= dict.fromkeys(entry)
        groups.append(group_in(entry, key))
    if key in keys:
        if alone := groups.count(""):
            note(f"{path}: {alone:,} of {len(groups):,} texts have no {key!r}; each of them stands alone.")
        return
    shown = ", ".join(map(repr, list(keys)[:10]))
    raise DataError(
        f"no text has a {key!r}; there are {shown}.", path=path, remedy=f"{pass_option('group_column', 'KEY')}."
    )


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
        start = _blank(text)
        if text.startswith("[", start):
            start = _blank(text, start + 1)
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


def _blank(text: str, place: int = 0) -> int:
    """The first place from ``place`` on that is not blank."""
    return _BLANK.match(text, place).end()


def _object(line: int, value: Any) -> tuple[int, dict[str, Any]]:
    if not isinstance(value, dict):
        raise DataError(f"{_kind(value)} stands where an object should.", remedy=_REMEDY)
    return line, value


def _of_lines(path: str | Path, text: str) -> list[tuple[int, Any]]:
    """Objects one after another; each begins where a line does, or right behind another."""
    found = []
    line, seen = 1, 0  # the line in which the place seen lies
    place = _blank(text)
    while place < len(text):
        line, seen = line + text.count("\n", seen, place), place
        end = text.find("\n", place) + 1 or len(text)
        try:
            value, stop = _decode_object(path, text, line, place, end)
        except DataError as error:
            refuse(error)
            if error.line > line:  # inside an object over several lines, and nothing says where that one ends
                end = text.find("\n{", end - 1) + 1 or len(text)
            place = _blank(text, end)
            continue
        end = text.find("\n", stop) + 1 or len(text)  # of the line in which the object ends
        more = text[stop:end].strip(_AROUND)
        if more and not (isinstance(value, dict) and more.startswith("{")):
            at = line + text.count("\n", place, stop)
            remedy = _LIST if more.startswith(",") else _REMEDY
            refuse(DataError(f"more follows behind the object: {more[:20]!r}.", path=path, line=at, remedy=remedy))
            stop = end
        else:
            found.append((line, value))
        place = _blank(text, stop)
    return found


def _decode_object(path: str | Path, text: str, line: int, start: int, end: int) -> tuple[Any, int]:
    """What begins at ``start`` and ends in the same line, at ``end``, or in a later one.

    Raises:
        DataError: a fault, named in its own line where the object is printed over several.
    """
    try:
        value, stop = _decode(path, text[start:end].rstrip(_AROUND), line)
        return value, start + stop
    except DataError as error:
        next_line = _blank(text, end)
        following = text[next_line : next_line + 1]
        if not text.startswith("{", start) or following in ("", "{"):  # as in JSON Lines: the line is broken
            raise
        try:
            return _decode(path, text, line, start)
        except DataError as fault:
            # Only what goes on with a key or a bracket is an object over several lines.
            raise (fault if following in '"}],' else error) from None


def _of_lists(path: str | Path, text: str) -> list[tuple[int, Any]]:
    """The elements of lists one after another; one list is the rule, more are exports that were joined."""
    found, line, end = [], 1, 0
    while text.startswith("[", start := _blank(text, end)):
        line += text.count("\n", end, start)
        elements, end, line = _of_list(path, text, start, line)
        found += elements
    if start < len(text):
        line += text.count("\n", end, start)
        raise DataError("more follows behind the end of the list.", path=path, line=line, remedy=_REMEDY)
    return found


def _of_list(path: str | Path, text: str, start: int, line: int) -> tuple[list[tuple[int, Any]], int, int]:
    """The elements of the list that begins at ``start``, which is in ``line``; its end, and the line of that."""
    found = []
    seen = start
    place = start + 1
    may_end = True
    while True:
        place = _blank(text, place)
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
        place = _blank(text, place)
        line, seen = line + text.count("\n", seen, place), place
        if text.startswith(",", place):
            place += 1
        elif text.startswith("]", place):
            break
        else:
            what = "the list does not end" if place == len(text) else "a comma is missing between two elements"
            raise DataError(f"{what}.", path=path, line=line, remedy=_REMEDY)
    return found, place + 1, line


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
