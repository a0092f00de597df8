"""One training job, from files to a run folder: what the command line does, and each notebook step by step."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.evaluate import answers_of, score_on_test
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model, save_model
from hanlp_tutor.core.parallel import join, leave
from hanlp_tutor.core.run import Result, Run
from hanlp_tutor.core.task import Task, label_set, task_named
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import Split, read_examples
from hanlp_tutor.data.examples import gold_counts, group_of
from hanlp_tutor.data.formats import FORMATS
from hanlp_tutor.data.known_labels import check_known, nothing_to_learn
from hanlp_tutor.data.large import LARGE, open_large
from hanlp_tutor.data.looks_like import one_sentence
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.stored_split import load_split, save_split
from hanlp_tutor.defaults import BUILT, begun_with
from hanlp_tutor.errors import ConfigError, DataError, TrainingError
from hanlp_tutor.files import write_json
from hanlp_tutor.hanlp_bridge import export as _hanlp  # noqa: F401 - registers, so that a run says if it cannot export
from hanlp_tutor.manifest import RESULT_FILE, read_manifest, update_manifest
from hanlp_tutor.progress import tell
from hanlp_tutor.workbench.baseline_run import measure_baseline
from hanlp_tutor.workbench.closing import to_try
from hanlp_tutor.workbench.diagnose.facts import data_facts, note_facts
from hanlp_tutor.workbench.go_on import check_same_start, go_on
from hanlp_tutor.workbench.seen import keep_split

_AUDIT = "The audit names them, with the same files and options."


def read_split(
    task: str,
    train: str | Path,
    dev: str | Path | None = None,
    test: str | Path | None = None,
    *,
    seed: int = 1,
    **options: Any,
) -> Split:
    """Read a job's files; what is missing is held out of the training file, seeded and stratified, groups whole.

    Neither dev nor test: 8:1:1, as the article advises. Only test: a tenth of train becomes dev. Only dev: no test.
    Held-out dev examples with a label that no training example has go back to training.

    A training file too large for the memory is read from the disk while it trains (:mod:`hanlp_tutor.data.large`), and
    what is held out of it is a fixed number of examples.

    Args:
        task: ``ner``, ``classify``, ``relation`` or ``multitask``.
        train, dev, test: files in the task's format; for multitask ``tok=FILE,pos=FILE,ner=FILE``.
        seed: of the held-out examples.
        options: of the reader, such as ``strip_segmentation_digits``; of a large file also ``folder``, where its
            prepared form is kept (default: beside it).

    Raises:
        DataError: an unreadable or empty file, or one too small to hold examples out of.
    """
    kind = task_named(task)
    if _is_large(kind, Path(train), options):
        return _checked(kind, _split_large(task, train, dev, test, seed, options), train)
    files = {"train": train, "dev": dev, "test": test}
    parts = {name: kind.read(file, **options) if file else [] for name, file in files.items()}
    parts = {name: kind.admit(part, parts["train"]) for name, part in parts.items()}
    for name, file in files.items():
        if file and not parts[name]:
            raise DataError("holds no example.", path=file)
        if name != "train" and file and parts[name] == parts["train"]:
            note(f"{file}: these are the training examples; their score says how well they were learnt by heart.")
    if (alone := one_sentence(parts["train"])) is not None:
        raise DataError(alone.what, path=train, remedy=alone.remedy)
    if dev:
        _note_torn(train, Split(**parts), _AUDIT)
        return _checked(kind, Split(**parts), train)
    held_out = kind.hold_out(parts["train"], ratio=(9, 1, 0) if test else (8, 1, 1), seed=seed)
    number = len(_groups(parts["train"]))
    if number:
        whole = f" of {number:,} group{'s' * (number > 1)}"
        note(f"{train}: {len(parts['train']):,} examples{whole}; each group stays in one set.")
    train_part, dev_part = _known_to_train(kind, held_out)
    if not train_part or not dev_part or not (test or held_out.test):
        reason = nothing_to_learn(kind.name, gold_counts(parts["train"]))
        whole = f" of {number} group{'s' * (number > 1)} to be kept whole" if number else ""
        raise DataError(
            f"{len(parts['train'])} examples{whole} are too few to hold some out."
            f"{f' Besides, {reason}.' if reason else ''}",
            path=train,
            remedy="Give --dev FILE (and --test FILE).",
        )
    split = Split(train_part, dev_part, parts["test"] or held_out.test)
    _note_torn(train, split, _AUDIT)
    return _checked(kind, split, train)


def _checked(kind: Task, split: Split, train: str | Path) -> Split:
    """The split, when its dev and test set ask for what its training set shows; what they do not is a note.

    Raises:
        DataError: no label of the dev or test set occurs in the training set.
    """
    counts = gold_counts(split.train)
    if (reason := nothing_to_learn(kind.name, counts)) is not None:
        note(f"{train}: {reason}. Check that the labels were exported, and that the right column is read.")
    for part in (split.dev, split.test):
        if part:
            check_known(kind.name, counts, part, training=True)
    return split


def divide(task: str, train: str | Path, stored: str | Path, *, seed: int = 1, **options: Any) -> Split:
    """Divide one file as ``stored`` says; where that is not there yet, divide 8:1:1 by :func:`read_split` and write it.

    The stored file holds hashes, no text (:mod:`hanlp_tutor.data.stored_split`): whoever has the same data gets the
    same sets.

    Raises:
        DataError: as :func:`read_split` and :func:`hanlp_tutor.data.stored_split.load_split`.
    """
    if Path(stored).exists():
        examples = task_named(task).read(train, **_whole(options))
        split = load_split(stored, task_named(task).admit(examples, examples))
        _note_torn(stored, split, "It was stored without them: name a file that is not there to divide anew.")
        return split
    split = read_split(task, train, seed=seed, **options)
    save_split(stored, split)
    return split


def _is_large(task: Task, path: Path, options: dict[str, Any]) -> bool:
    """Whether a file is read from the disk; of the kit's formats, those that are read piece by piece."""
    if task.large is None or not path.is_file() or path.stat().st_size <= LARGE:
        return False
    plain = options.get("format") in (None, task.large) and FORMATS[task.large].sniff(path)
    return plain and find_spec("pyarrow") is not None


def _split_large(
    task: str,
    train: str | Path,
    dev: str | Path | None,
    test: str | Path | None,
    seed: int,
    options: dict[str, Any],
) -> Split:
    reading = {name: value for name, value in options.items() if name not in ("format", "overlaps")}
    rest = open_large(train, task, **reading)
    dev_part, test_part = (read_examples(task, path, **_whole(options)) if path else [] for path in (dev, test))
    if not dev:
        dev_part, rest = rest.hold_out(seed=seed)
        if not test:
            test_part, rest = rest.hold_out(seed=seed)
    return Split(rest, dev_part, test_part)


def _whole(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a file that is read at once: it needs no folder for its prepared form."""
    return {name: value for name, value in options.items() if name != "folder"}


def _known_to_train(task: Task, split: Split) -> tuple[list[Any], list[Any]]:
    """Train and dev; an example that alone shows a label is there to learn from, not to choose weights by.

    It takes along what must not be torn from it.
    """
    known = set(task.label_set(split.train))
    strange = [not known.issuperset(gold_counts([example])) for example in split.dev]
    whole = task.kept_whole(split.dev)
    leaving = {key for key, gone in zip(whole, strange, strict=True) if gone} - {""}
    dev, moved = [], []
    for example, alone, key in zip(split.dev, strange, whole, strict=True):
        (moved if alone or key in leaving else dev).append(example)
    return [*split.train, *moved], dev


def _note_torn(path: str | Path, split: Split, remedy: str) -> None:
    """Note how many groups stand in two sets of a split that was made elsewhere."""
    parts = [_groups(part) for part in (split.train, split.dev, split.test)]
    torn = sorted(set().union(*(one & other for one, other in combinations(parts, 2))))
    if torn:
        number = f"{len(torn):,} groups stand" if len(torn) > 1 else "1 group stands"
        note(f"{path}: {number} in two sets, such as {torn[0]!r}: known groups flatter the scores. {remedy}")


def _groups(examples: Iterable[Any]) -> set[str]:
    """The groups that examples belong to; those that stand alone have none."""
    return {*map(group_of, examples)} - {""}


def train_job(
    task: str,
    split: Split,
    encoder: str | None,
    config: TrainConfig,
    out: str | Path,
    *,
    start: str | Path | None = None,
    resume: bool = False,
    progress: str = "auto",
    baseline: bool = False,
) -> dict[str, Any]:
    """Build, fine-tune, test and save; writes ``metrics.json``, ``split.json``, ``model/`` and what the loop writes.

    Args:
        task, split, config: what is learnt from what, and how.
        encoder: a name or folder; None with ``start``.
        out: the run folder.
        start: a model folder to go on from, with its encoder, head and labels (:mod:`hanlp_tutor.workbench.go_on`).
        resume: go on with the run that it holds.
        progress: see :func:`hanlp_tutor.progress.resolve_mode`.
        baseline: fit a classical baseline afterwards, too (:mod:`hanlp_tutor.workbench.baseline_run`).

    Returns:
        ``{"task", "best_dev", "test": {...} | None, "seconds"}``, and ``baseline`` where that was asked for.

    Raises:
        TrainingError: ``out`` holds a finished run, and whatever the loop raises.
        ConfigError: both an encoder and a start, or neither.
    """
    out = Path(out)
    if (out / RESULT_FILE).exists():
        raise TrainingError(f"{out}: holds a finished run, which is never overwritten. Choose another folder.")
    if (encoder is None) == (start is None):
        raise ConfigError("Give an encoder, or a model to go on from, which has its own; one of the two.")
    begun = None if start is None else go_on(start, task, split, config)
    if begun is not None and out.resolve().is_relative_to(Path(start).resolve()):
        raise TrainingError(f"{out}: lies in the model to go on from. Choose another folder.")
    if resume:
        check_same_start(out, begun and begun.facts)
    if begun is None:
        options = config.replace(**begun_with(out, config, BUILT)) if resume else config
        model = build_model(task, encoder, label_set(task, split.train), options)
    else:
        model, config = begun.model, begun.config

    def on_start(run: Run) -> None:
        note_facts(run)
        keep_split(run.out, split)
        tell("chosen", options=read_manifest(run.out).get("chosen", {}))
        if begun is not None:
            begun.note(run)

    result = fine_tune(model, split.train, split.dev, config, out, resume=resume, progress=progress, on_start=on_start)
    leads = join().leads
    leave()
    if not leads:  # of several processes the first tests and saves
        return {"task": task, "best_dev": result.best_dev, "test": None, "seconds": result.seconds}
    save_model(model, out / "model")
    metrics = finish(model, result, split)
    if baseline:
        metrics["baseline"] = measure_baseline(task, split, ours=partial(answers_of, model))
        write_json(out / RESULT_FILE, metrics)
    return metrics


def finish(model: Model, result: Result, split: Split) -> dict[str, Any]:
    """Test the best weights once and write ``metrics.json``, the last file of a run: a run with it is finished.

    The manifest gets what :mod:`hanlp_tutor.workbench.diagnose` asks of the data, such as how many test texts stand in
    the training set.
    """
    test = split.test
    update_manifest(result.out, data=data_facts(model, split.train, split.dev, test))
    metrics = {
        "task": model.task,
        "best_dev": result.best_dev,
        "test": score_on_test(model, test) if test else None,
        "seconds": result.seconds,
    }
    write_json(result.out / RESULT_FILE, metrics)
    if metrics["test"]:
        tell("tested", scores=metrics["test"])
    tell("sample", text=to_try(model, test, split.dev))
    return metrics
