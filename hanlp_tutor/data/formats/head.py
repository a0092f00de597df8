"""The first lines of a file, to recognise its format by."""

from __future__ import annotations

import codecs
from pathlib import Path

_BYTES = 1 << 16


def head_lines(path: Path) -> list[str]:
    """Whole lines from the first 64 KiB of a file, none when it cannot be read; never raises."""
    try:
        with open(path, "rb") as file:
            content = file.read(_BYTES)
            whole = not file.read(1)
    except (OSError, ValueError):
        return []
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", "replace")
    else:
        try:  # what is cut off at the end is no fault of the encoding
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(content)
        except UnicodeDecodeError:
            text = content.decode("gb18030", "replace")
    lines = text.split("\n")
    if not whole and len(lines) > 1:
        del lines[-1]
    return [line[:-1] if line.endswith("\r") else line for line in lines]
