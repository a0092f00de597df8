"""The Optuna part of a search: a study in a journal file that survives ``kill -9``, seeded samplers, pruners.

Everything here takes the module ``optuna`` as an argument or imports it late: it is an extra.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.errors import TrainingError, first_line
from hanlp_tutor.workbench.tuning.space import Range

STUDY_FILE = "study.log"
PLACE = "place"  # a trial's attribute: the how-manieth of the study it is, whatever was killed before it
TURN = 60  # seconds to wait for another process that claims a trial; it takes a fraction of one
STARTUP = 5  # trials before TPE and the median rule trust what they have seen; Optuna's 10 suits longer searches


class Claims:
    """Which trials of a study are being run, and by whom; several processes share one folder.

    A process that runs a trial holds a lock on a file of its own until the process ends, however it ends: a trial that
    the study calls running and whose lock is free was killed.

    Args:
        out: the study's folder; made here.

    Raises:
        TrainingError: nothing can be written there.
    """

    def __init__(self, out: Path):
        self.out, self.folder = out, out / ".running"
        self._held: dict[int, FileLock] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{out}: no study can be kept here ({error.strerror}).") from None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Within the block no other process opens the study, claims a trial or ends one.

        Raises:
            TrainingError: another process has its turn, and does not end it.
        """
        lock = FileLock(self.out / ".lock", timeout=TURN)
        try:
            lock.acquire()
        except Timeout:
            raise TrainingError(f"{self.out}: another search holds this folder and does not let it go.") from None
        try:
            yield
        finally:
            lock.release()

    def next_place(self, study: Any, trials: int) -> int | None:
        """The first place of 0 to ``trials`` - 1 that no trial has or is about to fill; None when all are taken.

        Trials whose process was killed are told to have failed, so that their places are free. Call it in a
        :meth:`turn`.
        """
        taken = set(finished_trials(study))
        for trial in study.get_trials(deepcopy=False):
            if trial.state.name != "RUNNING":
                continue
            if self._is_alive(trial.number):
                taken.add(trial.user_attrs.get(PLACE))
            else:
                study.tell(trial.number, state=type(trial.state).FAIL)
        return next((place for place in range(trials) if place not in taken), None)

    def claim(self, trial: Any, place: int) -> None:
        """Say that this process runs a trial, and which place of the study it will have. Call it in a :meth:`turn`."""
        lock = FileLock(self._file(trial.number), timeout=0)
        lock.acquire()
        self._held[trial.number] = lock
        trial.set_user_attr(PLACE, place)

    def let_go(self, number: int) -> None:
        """The trial is told, or given up."""
        self._held.pop(number).release()
        self._file(number).unlink(missing_ok=True)

    def others(self, study: Any) -> bool:
        """Whether other processes are running trials."""
        running = [t for t in study.get_trials(deepcopy=False) if t.state.name == "RUNNING"]
        return any(self._is_alive(trial.number) for trial in running if trial.number not in self._held)

    def _is_alive(self, number: int) -> bool:
        if number in self._held:
            return True
        lock = FileLock(self._file(number), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        self._file(number).unlink(missing_ok=True)
        return False

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.lock"


@contextmanager
def quiet(optuna: Any) -> Iterator[None]:
    """Our own line a trial instead of Optuna's."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def open_study(optuna: Any, out: Path, identity: dict[str, Any]) -> Any:
    """The study in its journal, which several processes may have open. Call it in a turn (:meth:`Claims.turn`).

    Raises:
        TrainingError: a journal that cannot be read, or one of another search.
    """
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    journal, lock = out / STUDY_FILE, FileLock(out / ".study.lock")

    class Ours(JournalFileOpenLock):
        """The system's lock, which a killed process gives back; a lock file of its would have to be waited for."""

        def acquire(self) -> bool:
            lock.acquire()
            _mend(journal)
            return True

        def release(self) -> None:
            lock.release()

    try:
        with lock:
            _mend(journal)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal), lock_obj=Ours(str(journal))))
        study = optuna.create_study(storage=storage, study_name="tune", direction="maximize", load_if_exists=True)
    except Exception as error:  # what a damaged journal makes Optuna raise is anything
        damage = f"{journal}: no study can be read from it ({first_line(error)}). Search in another folder."
        raise TrainingError(other_than_damage(journal, error) or damage) from error
    before = study.user_attrs.get("identity")
    if before is None:
        study.set_user_attr("identity", identity)
    elif before != identity:
        changed = [name for name in identity if before.get(name) != identity[name]]
        raise TrainingError(
            f"{out}: holds a search with another {' and '.join(changed)}. Its scores cannot be compared with new ones: "
            "choose another folder."
        )
    return study


def _mend(journal: Path) -> None:
    """Take away what a killed process wrote of a last line; Optuna would append to it, and could read no more.

    Whoever calls it holds the journal's lock, so nobody is writing that line.
    """
    if not journal.exists():
        return
    with open(journal, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read() != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def new_sampler(optuna: Any, kind: str, seed: int, finished: int) -> Any:
    """A sampler for the next trial, seeded by its number: a search that goes on draws what it would have drawn."""
    seed = random.Random(f"trial-{seed}-{finished}").getrandbits(32)
    if kind == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)


def new_pruner(optuna: Any, kind: str) -> Any:
    """``median``, ``halving`` or ``none``; all see trials at the number of their evaluation."""
    if kind == "median":  # not at the first evaluation, where a slow start says little
        return optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=2)
    if kind == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    return optuna.pruners.NopPruner()


def suggest(trial: Any, name: str, wanted: Range | list[Any]) -> Any:
    """The trial's value of one option."""
    if isinstance(wanted, list):
        return trial.suggest_categorical(name, wanted)
    kind = trial.suggest_int if isinstance(wanted.low, int) else trial.suggest_float
    return kind(name, wanted.low, wanted.high, log=wanted.log)


def finished_trials(study: Any) -> dict[int, Any]:
    """Complete and pruned trials, and those that failed by their options, by their place in the study, in order.

    A trial that was killed has no place; the one that took it over has. In studies from before several processes
    could share one, the places follow from the order.
    """
    trials = study.get_trials(deepcopy=False)
    done = [t for t in trials if t.state.name in ("COMPLETE", "PRUNED") or _failed_by_its_options(t)]
    return dict(sorted((t.user_attrs.get(PLACE, number), t) for number, t in enumerate(done)))


def _failed_by_its_options(trial: Any) -> bool:
    return trial.state.name == "FAIL" and bool(trial.user_attrs.get("error"))
