"""Automated search of options (自动调参): :func:`tune`, a thin layer over Optuna.

Each trial is a run of :func:`hanlp_tutor.fine_tune`, chosen by TPE (Bergstra et al. 2011) from the trials before it,
and ended early when its dev score falls behind theirs (pruning, 剪枝). Trials are compared by dev score alone: test
data are never read. The study lies in a folder, and a search that was killed goes on from there, trial for trial as if
it had never stopped.

Optuna is an extra (``pip install "hanlp-tutor[tune]"``) and imported when a search begins.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import Split, fingerprint
from hanlp_tutor.defaults import BUILT, LEARNT, begun_with
from hanlp_tutor.device import is_out_of_memory
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.errors import ConfigError, DivergedError, TrainingError, TutorError, first_line
from hanlp_tutor.extras import needs
from hanlp_tutor.files import write_file, write_json
from hanlp_tutor.manifest import read_manifest
from hanlp_tutor.progress import Reporter, resolve_mode
from hanlp_tutor.workbench.diagnose.facts import note_facts
from hanlp_tutor.workbench.tuning.space import Range, Space, describe_space, read_space
from hanlp_tutor.workbench.tuning.study import (
    PLACE,
    Claims,
    finished_trials,
    new_pruner,
    new_sampler,
    open_study,
    quiet,
    suggest,
)

SAMPLERS, PRUNERS = ("tpe", "random"), ("median", "halving", "none")
BEST_FILE, SEARCH_FILE = "best.yaml", "search.json"
WAIT = 0.5  # seconds between two looks at what other processes do
_NEVER = 2**31 - 1  # a checkpoint every so many updates: a trial is repeated rather than resumed


@dataclass(frozen=True)
class Search:
    """What a search has come to.

    ``trials``: a dictionary each, in order: ``trial``, ``state`` (complete, pruned, fail), ``dev`` (best dev score),
    ``scores`` (dev score of each evaluation), ``tokens`` and ``seconds`` that it took, ``options`` (what was chosen),
    ``error``: the reason of a run that diverged, which counts as 0, and of one that failed (options that exclude each
    other, memory), whose ``dev`` is None. ``best``: the options of the best complete trial, as a whole
    configuration. ``importances``: the share of each option in the variance of the scores (fANOVA, Hutter et al. 2014);
    empty while fewer than two trials are complete, or all equally good.
    """

    trials: list[dict[str, Any]]
    best: dict[str, Any]
    best_trial: int
    importances: dict[str, float]
    space: dict[str, str]

    @property
    def config(self) -> TrainConfig:
        """The best options, ready for :func:`hanlp_tutor.fine_tune`."""
        return TrainConfig(**self.best)

    @property
    def best_dev(self) -> float:
        """The dev score of the best trial. It was chosen for being high, so expect less on new data."""
        return self.trials[self.best_trial]["dev"]

    @classmethod
    def read(cls, path: str | Path) -> Search:
        """A search that was written before: ``search.json``, or the folder that holds it. Needs no Optuna."""
        path = Path(path) / SEARCH_FILE if Path(path).is_dir() else Path(path)
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise TutorError(f"{path}: no search can be read here ({first_line(error)}).") from None


def tune(
    task: str,
    split: Split,
    encoder: str,
    config: TrainConfig,
    space: Mapping[str, str | Sequence[Any] | Range],
    trials: int,
    out: str | Path,
    *,
    sampler: str = "tpe",
    pruner: str = "median",
    minutes: float | None = None,
    progress: str = "auto",
) -> Search:
    """Search a space until the study in ``out`` has ``trials`` finished trials; those it has already count.

    Several processes may be started with the same arguments: together they do each trial once, and the trial of one
    that is killed is done again by the others.

    Args:
        task: ``ner`` or ``classify``.
        split: train and dev; its test set is not read.
        encoder: a name or folder, the same in all trials.
        config: the options that are not searched. Its seed is that of each run, and of the sampler.
        space: per searched option a range or values (:mod:`hanlp_tutor.workbench.tuning.space`).
        trials: ones that the study shall have: complete, pruned, or failed because their options cannot be run.
        out: the study's folder; gets ``study.log`` (Optuna's journal), ``search.json``, ``best.yaml`` for
            ``hanlp-tutor train -c``, and of each trial the history and manifest.
        sampler: ``tpe`` or ``random``.
        pruner: ``median`` (a trial below the median of the earlier ones at the same evaluation ends), ``halving`` (only
            the better half goes on, at evaluations 1, 2, 4 ...) or ``none``.
        minutes: of this call, by the clock on the wall, after which it begins no further trial; the one that is being
            run is ended as always, and one at least is. None: until the study has its trials.
        progress: ``none`` prints no line for each trial.

    Raises:
        ConfigError: Optuna is missing, or a space that does not fit the options.
        TrainingError: no dev data, a folder with another search; not one trial that could be run.
    """
    optuna = needs("optuna", "A search")
    space = read_space(space, config)
    for name, value, known in (("sampler", sampler, SAMPLERS), ("pruner", pruner, PRUNERS)):
        if value not in known:
            raise ConfigError(f"{name}={value!r}: choose one of {', '.join(known)}.")
    if trials < 1:
        raise ConfigError(f"trials={trials}: a search needs at least one.")
    if minutes is not None and not minutes > 0:
        raise ConfigError(f"minutes={minutes:g}: a search needs some time; leave it out to search without a limit.")
    if not split.train or not split.dev:
        raise TrainingError("A search compares dev scores, so it needs training and dev examples.")
    identity = _identity(task, split, encoder, config, space, sampler, pruner)
    lines = Reporter(trials, 0, "none" if resolve_mode(progress) == "none" else "lines")
    out = Path(out)
    claims = Claims(out)
    ends = math.inf if minutes is None else time.monotonic() + 60 * minutes
    with quiet(optuna):
        with claims.turn():
            study = open_study(optuna, out, identity)
        study.pruner = new_pruner(optuna, pruner)
        objective = _Objective(optuna, (task, split, encoder), _as_begun(out, 0, config, space), space, out)
        try:
            while (trial := _next_trial(optuna, study, claims, trials, sampler, config.seed, ends)) is not None:
                _run_one(optuna, study, claims, trial, objective)
                _say(lines, _row(place := trial.user_attrs[PLACE], finished_trials(study)[place]))
        finally:  # after Ctrl-C too: the best so far is worth having
            with claims.turn():
                search = _collect(optuna, study, config, space, out)
                _write(out, search)
    if search is None:
        tried = finished_trials(study)
        reason = tried[0].user_attrs["error"]
        raise TrainingError(
            f"{out}: not one of {len(tried)} trials could be run. The first one: {reason} "
            "Mend the space or the other options, and search in another folder."
        )
    return search


def _next_trial(
    optuna: Any, study: Any, claims: Claims, trials: int, sampler: str, seed: int, ends: float
) -> Any | None:
    """Claim the next trial; None when the study has all of its trials, or it is later than ``ends`` and it has one.

    While other processes run the last ones this one waits: one of them may be killed, and its trial is to be done.
    """
    while True:
        with claims.turn():
            if time.monotonic() > ends and finished_trials(study):
                return None
            place = claims.next_place(study, trials)
            if place is not None:
                study.sampler = new_sampler(optuna, sampler, seed, place)
                trial = study.ask()
                claims.claim(trial, place)
                return trial
            if not claims.others(study):
                return None
        time.sleep(WAIT)


def _run_one(optuna: Any, study: Any, claims: Claims, trial: Any, objective: _Objective) -> None:
    """Run a claimed trial and tell the study. One that is interrupted stays unfinished, and is done again."""
    told, value = optuna.trial.TrialState.FAIL, None
    try:
        try:
            value = objective(trial)
            told = optuna.trial.TrialState.COMPLETE
        except optuna.TrialPruned:
            told = optuna.trial.TrialState.PRUNED
        except Infeasible:
            pass
        with claims.turn():
            study.tell(trial, value, state=told)
    finally:
        claims.let_go(trial.number)


class Infeasible(Exception):
    """A trial whose options cannot be run; the search goes on."""


class _Objective:
    """From a trial's options to its dev score."""

    def __init__(self, optuna: Any, job: tuple[str, Split, str], config: TrainConfig, space: Space, out: Path):
        self.optuna, self.config, self.space, self.out = optuna, config, space, out
        self.task, self.split, self.encoder = job

    def __call__(self, trial: Any) -> float:
        options = {name: suggest(trial, name, wanted) for name, wanted in self.space.items()}
        folder = self.out / "trials" / f"{trial.user_attrs[PLACE]:03d}"
        shutil.rmtree(folder, ignore_errors=True)  # of a trial that was killed
        began, seen, ended = time.perf_counter(), [], []

        def on_evaluation(row: dict[str, Any]) -> bool:
            seen.append(row)
            trial.report(row["dev_score"], step=len(seen))
            updates = read_manifest(folder)["updates"]
            ended[:] = [row["step"] < updates and trial.should_prune()]  # there is nothing to save at the last one
            return ended[0]

        try:
            best, error = self._run(self.config.replace(**options), folder, on_evaluation), None
        except DivergedError as diverged:
            best, error = 0.0, str(diverged)
        except (ConfigError, TrainingError, RuntimeError, MemoryError) as infeasible:
            if not (isinstance(infeasible, TutorError) or is_out_of_memory(infeasible)):
                raise
            best, error = None, first_line(infeasible)
        (folder / "checkpoint.pt").unlink(missing_ok=True)  # hundreds of MB with a large encoder
        trial.set_user_attr("tokens", seen[-1]["tokens"] if seen else 0)
        trial.set_user_attr("seconds", time.perf_counter() - began)
        trial.set_user_attr("error", error)
        if best is None:
            raise Infeasible(error)
        if error is None and ended[0]:
            raise self.optuna.TrialPruned
        return best

    def _run(self, config: TrainConfig, folder: Path, on_evaluation: Callable[[dict[str, Any]], bool]) -> float:
        train, dev = self.split.train, self.split.dev
        model = build_model(self.task, self.encoder, label_set(self.task, train), config)
        config = config.replace(checkpoint_steps=_NEVER)
        return fine_tune(
            model, train, dev, config, folder, progress="none", on_start=note_facts, on_evaluation=on_evaluation
        ).best_dev


def _identity(
    task: str, split: Split, encoder: str, config: TrainConfig, space: Space, sampler: str, pruner: str
) -> dict[str, Any]:
    """What the scores and the choice of trials depend on."""
    fixed = {name: value for name, value in json.loads(config.canonical()).items() if name not in space}
    return {
        "task": task,
        "training data": fingerprint(split.train),
        "dev data": fingerprint(split.dev),
        "encoder": {"name": encoder, **weights_of(encoder)},
        "configuration": fixed,
        "space": describe_space(space),
        "sampler": sampler,
        "pruner": pruner,
    }


def _as_begun(out: Path, trial: int, config: TrainConfig, space: Space) -> TrainConfig:
    """The options with what was chosen for a trial, if it was begun; a study goes on with what the first one had."""
    chosen = begun_with(out / "trials" / f"{trial:03d}", config, (*BUILT, *LEARNT))
    return config.replace(**{name: value for name, value in chosen.items() if name not in space})


def _row(number: int, trial: Any) -> dict[str, Any]:
    scores = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
    dev = {"COMPLETE": trial.value, "PRUNED": max(scores, default=None)}.get(trial.state.name)
    facts = {name: trial.user_attrs[name] for name in ("tokens", "seconds", "error")}
    state = trial.state.name.lower()
    return {"trial": number, "state": state, "dev": dev, "scores": scores, **facts, "options": trial.params}


def _say(lines: Reporter, row: dict[str, Any]) -> None:
    options = (f"{n}={v:.3g}" if type(v) is float else f"{n}={v}" for n, v in row["options"].items())
    ending = f"pruned after {len(row['scores'])} evaluations" if row["state"] == "pruned" else ""
    ending = "diverged" if row["error"] else ending
    score = "failed    " if row["dev"] is None else f"dev {row['dev']:.4f}"
    if row["dev"] is None:
        ending = row["error"]
    line = f"trial {row['trial']:>3}  {score}  {row['seconds']:5.1f} s  {'  '.join(options)}  {ending}"
    lines.say(line.rstrip())


def _collect(optuna: Any, study: Any, config: TrainConfig, space: Space, out: Path) -> Search | None:
    """What the study holds; None before a trial is complete. ``best_trial`` counts the rows that there are."""
    rows = [_row(place, trial) for place, trial in finished_trials(study).items()]
    complete = [row for row in rows if row["state"] == "complete"]
    if not complete:
        return None
    best = max(complete, key=lambda row: row["dev"])  # the first of equals
    importances = {}
    if len({row["dev"] for row in complete}) > 1:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=config.seed)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        importances = {name: float(share) for name, share in found.items()}
    held = _as_begun(out, best["trial"], config, space)
    options = held.replace(**best["options"]).model_dump(mode="json")
    return Search(rows, options, rows.index(best), importances, describe_space(space))


def _write(out: Path, search: Search | None) -> None:
    if search is not None:
        number = search.trials[search.best_trial]["trial"]
        head = f"# For hanlp-tutor train -c. Trial {number} of {len(search.trials)}, "
        head += f"dev score {search.best_dev:.4f}\n"
        text = head + yaml.safe_dump(search.best, sort_keys=False, allow_unicode=True)
        write_json(out / SEARCH_FILE, asdict(search))
        write_file(out / BEST_FILE, lambda file: file.write(text.encode("utf-8")))
