"""What a reader or converter has to say without failing: things ignored, changed or assumed, never in silence.

A note goes to whoever listens (:func:`notes_to`); when nobody does, it is a Python warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


class DataNotice(UserWarning):
    """Something about the data that its owner should know."""


def note(message: str) -> None:
    """Tell the listener, or warn."""
    listener = _listener.get()
    if listener is None:
        warnings.warn(message, DataNotice, stacklevel=3)
    else:
        listener(message)


@contextmanager
def notes_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Send the notes of this block to ``listener``, such as ``list.append`` of a list."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Tally:
    """Counts what one file makes a reader ignore, so that a thousand relations are one note with their first line."""

    def __init__(self, path: object) -> None:
        self._path = path
        self._counts: dict[str, tuple[int, int]] = {}  # what -> number, first line
        self._keys: dict[str, int] = {}  # key of an object that is not read -> first line

    def add(self, what: str, line: int, number: int = 1) -> None:
        """Count ``number`` more of ``what``, seen in ``line``."""
        if number:
            count, first = self._counts.get(what, (0, line))
            self._counts[what] = (count + number, first)

    def leave_out(self, entry: Mapping[str, Any], known: Container[str | None], line: int) -> None:
        """Remember the keys of an object that are not read, but for those that hold nothing."""
        for key, value in entry.items():
            if key not in known and value not in (None, "", [], {}):
                self._keys.setdefault(key, line)

    def report(self) -> None:
        """One note for each kind of thing, in the order of their first lines."""
        for what, (count, line) in sorted(self._counts.items(), key=lambda item: item[1][1]):
            note(f"{self._path}:{line}: {what}: {count} in this file, the first in this line.")
        if self._keys:
            note(f"{self._path}:{min(self._keys.values())}: keys left out: {', '.join(self._keys)[:200]}.")
