"""From text files to examples, and from examples to train, dev and test."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from hanlp_tutor.data.columns import read_columns, write_columns
from hanlp_tutor.data.examples import LabelledText, Span, TaggedText, fingerprint
from hanlp_tutor.data.labels import read_labels, write_labels
from hanlp_tutor.data.schemes import SCHEMES, from_bio, spans_from_bio, to_bio
from hanlp_tutor.data.split import Split, drop_duplicates, split_blocks, split_stratified
from hanlp_tutor.errors import ConfigError, nearest

__all__ = [
    "SCHEMES",
    "LabelledText",
    "Span",
    "Split",
    "TaggedText",
    "drop_duplicates",
    "fingerprint",
    "from_bio",
    "read_columns",
    "read_examples",
    "read_labels",
    "spans_from_bio",
    "split_blocks",
    "split_stratified",
    "to_bio",
    "write_columns",
    "write_labels",
]

_READERS = {"ner": read_columns, "classify": read_labels}


def read_examples(task: str, path: str | Path, **options: Any) -> list[TaggedText] | list[LabelledText]:
    """Read a file in the format of a task: :func:`read_columns` for ``ner``, :func:`read_labels` for ``classify``.

    Raises:
        ConfigError: a task or an option that does not exist; the nearest right name is given.
        DataError: what the reader raises.
    """
    if task not in _READERS:
        raise ConfigError(f"there is no task {task!r}; choose from {', '.join(_READERS)}.")
    reader = _READERS[task]
    known = [name for name in inspect.signature(reader).parameters if name != "path"]
    for name in options:
        if name not in known:
            guess = nearest(name, known)
            hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(known)}."
            raise ConfigError(f"{name!r} is no option for reading {task} files; {hint}")
    return reader(path, **options)
