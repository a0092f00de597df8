"""Files and folders that are whole or absent: written beside their place and renamed into it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_file(path: str | Path, write: Callable[[Any], None]) -> None:
    """Call ``write(binary_file)`` on a file beside ``path``, flush it to the disk, rename it to ``path``.

    A crash or ``kill -9`` at any moment leaves the old file or the new one. Left-over ``.partial`` files of killed
    writers are removed by the next writer of the same path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented UTF-8 JSON, whole or not at all."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_file(path, lambda file: file.write(text.encode("utf-8")))


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A scratch folder that becomes ``path`` when the block ends well, and vanishes when it does not.

    An existing folder at ``path`` is replaced only then; between two renames it stands aside under another name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
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
