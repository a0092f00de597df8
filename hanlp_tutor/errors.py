"""Errors that speak to a student: what is wrong, where, and what to do about it.

Everything a user can cause is a :class:`TutorError`; the command line prints its text and exits with 2. Anything else
that escapes is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TutorError(Exception):
    """Base of all errors that a user can cause and mend."""


class ConfigError(TutorError, ValueError):
    """An option that is misspelt, of the wrong type, out of range, or at odds with another."""


class InputError(TutorError, TypeError):
    """Something else than text was passed where a text belongs."""


class EncoderError(TutorError):
    """A pre-trained encoder that cannot be had, or does not fit."""


class ModelError(TutorError):
    """A model folder that is missing, incomplete or not what it says."""


class TrainingError(TutorError):
    """A run that cannot start, go on or be resumed."""


class DivergedError(TrainingError):
    """A run whose loss or gradient became NaN or infinite."""


class DataError(TutorError):
    """Input that cannot be read as what it should be.

    Args:
        message: what is wrong.
        path: the file.
        line: the line in it, counted from 1.
        remedy: what to do.
    """

    def __init__(self, message: str, *, path: object = None, line: int | None = None, remedy: str | None = None):
        self.message, self.path, self.line, self.remedy = message, path, line, remedy
        where = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
        super().__init__(where + message + (f" {remedy}" if remedy else ""))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that a misspelt one probably meant, or None."""
    matches = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return matches[0] if matches else None


def first_line(error: BaseException) -> str:
    """What another library's error says, without its lists; its kind when it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
