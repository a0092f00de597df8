"""The beginning of a file, to recognise its format by."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hanlp_tutor.data.lines import split_lines

_LINES = 1 << 16  # bytes that hold enough lines
_BETWEEN = re.compile(r"[\s,]*")  # two values
_OBJECT = 1 << 20  # bytes that hold one object


def head_text(path: Path, size: int = _OBJECT) -> tuple[str, bool]:
    """The first ``size`` bytes of a file as text, and whether that is all; empty if it cannot be read. Never raises."""
    try:
        with open(path, "rb") as file:
            content = file.read(size)
            whole = not file.read(1)
    except (OSError, ValueError):
        return "", True
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace"), whole
    try:  # what is cut off at the end is no fault of the encoding
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content), whole
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace"), whole


def head_lines(path: Path) -> list[str]:
    """Whole lines from the beginning of a file, none when it cannot be read; never raises."""
    text, whole = head_text(path, _LINES)
    if not whole and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    return split_lines(text)


def head_values(path: Path, most: int = 20) -> list[Any]:
    """The first values of JSON Lines, or of one JSON list, as far as they can be read; never raises."""
    text, _ = head_text(path)
    values: list[Any] = []
    place = re.match(r"\s*\[?", text).end()
    while len(values) < most:
        place = _BETWEEN.match(text, place).end()
        try:
            value, place = json.JSONDecoder().raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        values.append(value)
    return values


def mostly(lines: list[str], test: Callable[[str], bool]) -> bool:
    """Whether at least half of the lines that are not blank pass: a file with a broken line is still of its format."""
    filled = [line for line in lines if line.strip()]
    return bool(filled) and 2 * sum(map(test, filled)) >= len(filled)
