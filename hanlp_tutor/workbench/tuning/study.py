"""The Optuna part of a search: a study in a journal file that survives ``kill -9``, seeded samplers, pruners.

Everything here takes the module ``optuna`` as an argument or imports it late: it is an extra.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.errors import TrainingError, first_line
from hanlp_tutor.files import write_file
from hanlp_tutor.workbench.tuning.space import Range

STUDY_FILE = "study.log"
STARTUP = 5  # trials before TPE and the median rule trust what they have seen; Optuna's 10 suits longer searches


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """The folder is ours until the process ends, however it ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{out}: no study can be kept here ({error.strerror}).") from None
    lock = FileLock(out / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TrainingError(f"{out}: another search is running in this folder.") from None
    try:
        yield
    finally:
        lock.release()


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
    """The study in its journal; a trial that was running when its process died counts as failed."""
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    class Ours(JournalFileOpenLock):
        """No lock: the folder's is held, and a lock file of a killed process would have to be waited for."""

        def acquire(self) -> bool:
            return True

        def release(self) -> None: ...

    journal = out / STUDY_FILE
    try:
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
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _mend(journal: Path) -> None:
    """Take away what a killed process wrote of a last line; Optuna would append to it, and could read no more."""
    if journal.exists():
        content = journal.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            write_file(journal, lambda file: file.write(content[:whole]))


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


def finished_trials(study: Any) -> list[Any]:
    """Complete and pruned trials, and those that failed by their options, in order; not those that were killed."""
    trials = study.get_trials(deepcopy=False)
    failed = {t.number for t in trials if t.state.name == "FAIL" and t.user_attrs.get("error")}
    return [t for t in trials if t.state.name in ("COMPLETE", "PRUNED") or t.number in failed]
