"""Files and folders that are whole or absent: written beside their place and renamed into it.

What goes wrong at the machine (a full disk, a folder that must not be written) is an :class:`OSError` that names the
path that was asked for, whatever library wrote: theirs name a scratch file, or none, and some are no OSError at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import TutorError

_LONGEST, _SHOWN = 240, 40  # bytes of a name that leave room for an ending (of 255); characters of a longer one
# How libraries in Rust and C++ spell an error of the system, when they do not hand on the OSError.
_FOREIGN = re.compile(r"os error (\d+)|\bcode: (\d+), kind|No space left on device")

# What to do about an error of the machine; others are mended where the path says.
REMEDIES = {
    errno.ENOSPC: "Free some space, or name a place on another disk.",
    errno.EDQUOT: "Free some space, or name a place on another disk.",
    errno.EFBIG: "Raise what the shell allows (ulimit -f), or name a place on another disk.",
    errno.EROFS: "Name another place.",
    errno.EACCES: "Mend its permissions, or name another place.",
    errno.EPERM: "Mend its permissions, or name another place.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.ENOTDIR: "A part of the path is a file; name a folder.",
    errno.EEXIST: "Name another place.",
    errno.ENOTEMPTY: "Name another place.",
    errno.ENOENT: "Mend the path.",
    errno.ELOOP: "Mend the link.",
    errno.EMFILE: "Raise the number of open files that the shell allows (ulimit -n).",
    errno.ENOMEM: "Close other programs, or take less text at a time.",
}


def write_file(path: str | Path, write: Callable[[Any], None]) -> None:
    """Call ``write(binary_file)`` on a file beside ``path``, flush it to the disk, rename it to ``path``.

    A crash or ``kill -9`` at any moment leaves the old file or the new one. Left-over ``.partial`` files of killed
    writers are removed by the next writer of the same path. A link stays a link, and what it points to is written; a
    device or a pipe, such as ``/dev/stdout``, is written to, never replaced.

    Raises:
        OSError: that of the machine, with ``path``; the old file, if there was one, is as it was.
    """
    path = Path(path)
    with _names(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            with open(path, "wb") as file:
                _written(file, write)
            return
        if path.is_symlink():
            path = Path(os.path.realpath(path))
            if path.is_symlink():  # after all its links were followed: they lead in a circle
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(_short(path.name) + ".partial")
        try:
            with open(partial, "wb") as file:
                _written(file, write)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def names_a_folder(path: str | Path) -> bool:
    """Whether a path as somebody has typed it ends in a slash: Path forgets it."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return isinstance(path, str) and path.endswith(separators)


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented UTF-8 JSON, whole or not at all."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_file(path, lambda file: file.write(text.encode("utf-8")))


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A scratch folder that becomes ``path`` when the block ends well, and vanishes when it does not.

    An existing folder at ``path`` is replaced only then; between two renames it stands aside under another name.

    Raises:
        OSError: that of the machine, with ``path``.
    """
    path = Path(path)
    with _names(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{_short(path.name)}-", dir=path.parent))
        try:
            yield scratch
            os.chmod(scratch, 0o755)  # mkdtemp makes private folders; a model is there to be shared
            aside = None
            if path.exists():
                aside = scratch.with_name(scratch.name + "-old")
                os.rename(path, aside)
            try:
                os.rename(scratch, path)
            except BaseException:
                if aside is not None:
                    os.rename(aside, path)
                raise
            if aside is not None:
                shutil.rmtree(aside)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise


def may_replace(folder: Path, mark: str) -> bool:
    """Whether a folder may be written: it is not there, is empty, or one of its kind, which holds ``mark``."""
    return not folder.exists() or (folder.is_dir() and ((folder / mark).exists() or not any(folder.iterdir())))


def error_of_machine(error: BaseException) -> OSError | None:
    """The system's error that an exception is, was raised from, or spells in its text; None for all others."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, TutorError):
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen
        seen = seen.__cause__
    found = _FOREIGN.search(str(error))
    if found is None or isinstance(error, TutorError):  # ours says what it is about
        return None
    number = int(next((group for group in found.groups() if group), errno.ENOSPC))
    return OSError(number, os.strerror(number))


@contextmanager
def _names(path: Path) -> Iterator[None]:
    """Let an error of the machine name the path that was asked for."""
    try:
        yield
    except Exception as error:
        machine = error_of_machine(error)
        if machine is None or _is_elsewhere(machine, path):
            raise
        raise OSError(machine.errno, os.strerror(machine.errno), str(path)) from error


def _is_elsewhere(error: OSError, path: Path) -> bool:
    """Whether it is about another place, such as a file that was to be read for what is written here."""
    return error.filename is not None and not Path(os.fsdecode(error.filename)).absolute().is_relative_to(
        path.parent.absolute()
    )


def _short(name: str) -> str:
    """A name that may take an ending; a long one is cut, and stays one of its own by its hash."""
    if len(os.fsencode(name)) <= _LONGEST:
        return name
    return name[:_SHOWN] + hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def _written(file: Any, write: Callable[[Any], None]) -> None:
    """Let ``write`` write; what failed in the file is raised as it was."""
    watched = _Watched(file)
    try:
        write(watched)
    except Exception:
        if watched.error is not None:
            raise watched.error from None
        raise


class _Watched:
    """A file that remembers what went wrong in it: PyTorch turns a failed write into an error of its own."""

    def __init__(self, file: Any):
        self._file = file
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: Any) -> int:
        try:
            return self._file.write(content)
        except OSError as error:
            self.error = error
            raise
