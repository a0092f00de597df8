"""Real Chinese corpora by name: ``load_corpus("peoples_daily")`` for NER, ``load_corpus("reviews")`` to classify."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.corpora import peoples_daily, reviews
from hanlp_tutor.corpora.package import Corpus, find_file
from hanlp_tutor.errors import ConfigError, nearest

__all__ = ["CORPORA", "Corpus", "load_corpus", "locate"]

_MODULES = {"peoples_daily": peoples_daily, "reviews": reviews}
CORPORA = tuple(_MODULES)


def load_corpus(name: str) -> Corpus:
    """A corpus with its fixed split, read once per process.

    Raises:
        ConfigError: there is no such corpus.
        DataError: its files are not there; the message names what to install.
    """
    return _module(name).load()


def locate(name: str) -> tuple[Path, ...]:
    """The files that a corpus would be read from, without reading them.

    Raises:
        ConfigError, DataError: as :func:`load_corpus`.
    """
    return tuple(find_file(file) for file in _module(name).FILES)


def _module(name: str):
    if name not in _MODULES:
        guess = nearest(name, CORPORA)
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(CORPORA)}."
        raise ConfigError(f"there is no corpus {name!r}; {hint}")
    return _MODULES[name]
