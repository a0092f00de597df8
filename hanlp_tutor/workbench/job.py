"""One training job, from files to a run folder: what the command line does, and each notebook step by step."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.evaluate import evaluate_model, task_test_scores
from hanlp_tutor.core.history import RESULT_FILE, update_manifest
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model, label_set, save_model
from hanlp_tutor.core.run import Examples, Result
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import Split, read_examples, split_stratified
from hanlp_tutor.data.formats import FORMATS
from hanlp_tutor.data.formats.format import check_options
from hanlp_tutor.data.large import LARGE, open_large
from hanlp_tutor.data.stored_split import load_split, save_split
from hanlp_tutor.data.words import read_task_files, read_words, split_by_text
from hanlp_tutor.errors import DataError, TrainingError
from hanlp_tutor.files import write_json
from hanlp_tutor.progress import tell
from hanlp_tutor.workbench.diagnose.facts import data_facts, note_facts


def read_split(
    task: str,
    train: str | Path,
    dev: str | Path | None = None,
    test: str | Path | None = None,
    *,
    seed: int = 1,
    **options: Any,
) -> Split:
    """Read a job's files; what is missing is held out of the training file, seeded and stratified.

    Neither dev nor test: 8:1:1, as the article advises. Only test: a tenth of train becomes dev. Only dev: no test.
    Held-out dev examples with a label that no training example has go back to training.

    A training file too large for the memory is read from the disk while it trains (:mod:`hanlp_tutor.data.large`), and
    what is held out of it is a fixed number of examples.

    Args:
        task: ``ner``, ``classify`` or ``multitask``.
        train, dev, test: files in the task's format; for multitask ``tok=FILE,pos=FILE,ner=FILE``.
        seed: of the held-out examples.
        options: of the reader, such as ``strip_segmentation_digits``.

    Raises:
        DataError: an unreadable or empty file, or one too small to hold examples out of.
    """
    if task == "multitask":
        return _split_words(train, dev, test, seed, options)
    if _is_large(task, Path(train), options):
        return _split_large(task, train, dev, test, seed, options)
    parts = {
        name: read_examples(task, path, **options) if path else []
        for name, path in (("train", train), ("dev", dev), ("test", test))
    }
    for name, path in (("train", train), ("dev", dev), ("test", test)):
        if path and not parts[name]:
            raise DataError("holds no example.", path=path)
    if dev:
        return Split(**parts)
    held_out = split_stratified(parts["train"], ratio=(9, 1, 0) if test else (8, 1, 1), seed=seed)
    train_part, dev_part = _known_to_train(task, held_out)
    if not train_part or not dev_part or not (test or held_out.test):
        raise DataError(
            f"{len(parts['train'])} examples are too few to hold some out.",
            path=train,
            remedy="Give --dev (and --test) files.",
        )
    return Split(train_part, dev_part, parts["test"] or held_out.test)


def divide(task: str, train: str | Path, stored: str | Path, *, seed: int = 1, **options: Any) -> Split:
    """Divide one file as ``stored`` says; where that is not there yet, divide 8:1:1 by :func:`read_split` and write it.

    The stored file holds hashes, no text (:mod:`hanlp_tutor.data.stored_split`): whoever has the same data gets the
    same sides.

    Raises:
        DataError: as :func:`read_split` and :func:`hanlp_tutor.data.stored_split.load_split`.
    """
    if Path(stored).exists():
        return load_split(stored, read_examples(task, train, **options))
    split = read_split(task, train, seed=seed, **options)
    save_split(stored, split)
    return split


def _is_large(task: str, path: Path, options: dict[str, Any]) -> bool:
    """Whether a file is read from the disk; of the kit's formats, those that are read piece by piece."""
    form = FORMATS[{"ner": "columns", "classify": "labels"}.get(task, "columns")]
    large = options.get("format") in (None, form.name) and path.is_file() and path.stat().st_size > LARGE
    return large and form.sniff(path) and find_spec("pyarrow") is not None


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
    dev_part, test_part = (read_examples(task, path, **options) if path else [] for path in (dev, test))
    if not dev:
        dev_part, rest = rest.hold_out(seed=seed)
        if not test:
            test_part, rest = rest.hold_out(seed=seed)
    return Split(rest, dev_part, test_part)


def read_for(task: str, file: str | Path, **options: Any) -> Examples:
    """The examples of a file, or of the files of a multi-task model, ``tok=FILE,pos=FILE,ner=FILE``.

    Raises:
        DataError, ConfigError: as :func:`read_examples` and :func:`hanlp_tutor.data.words.read_words`.
    """
    if task == "multitask":
        check_options(options, read_words, "reading files of a multi-task model")
        return read_task_files(file, **options)
    return read_examples(task, file, **options)


def _split_words(
    train: str | Path, dev: str | Path | None, test: str | Path | None, seed: int, options: dict[str, Any]
) -> Split:
    """As :func:`read_split`, and a sentence is on one side in all its tasks."""
    parts = [read_for("multitask", files, **options) if files else [] for files in (train, dev, test)]
    if dev:
        return Split(*parts)
    held_out = split_by_text(parts[0], ratio=(9, 1, 0) if test else (8, 1, 1), seed=seed)
    known = set(label_set("multitask", held_out.train))
    strange = [example for example in held_out.dev if not known.issuperset(example.answers)]
    dev_part = [example for example in held_out.dev if example not in strange]
    if not held_out.train or not dev_part or not (test or held_out.test):
        raise DataError(f"{len(parts[0])} examples are too few to hold some out.", path=train,
                        remedy="Give --dev (and --test) files.")  # fmt: skip
    return Split([*held_out.train, *strange], dev_part, parts[2] or held_out.test)


def _known_to_train(task: str, split: Split) -> tuple[list[Any], list[Any]]:
    """Train and dev; an example that alone shows a label is there to learn from, not to choose weights by."""
    known = set(label_set(task, split.train))
    strange = [e for e in split.dev if not known.issuperset(e.tags if task == "ner" else [e.label])]
    return [*split.train, *strange], [e for e in split.dev if e not in strange]


def train_job(
    task: str,
    split: Split,
    encoder: str,
    config: TrainConfig,
    out: str | Path,
    *,
    resume: bool = False,
    progress: str = "auto",
) -> dict[str, Any]:
    """Build, fine-tune, test and save; writes ``metrics.json``, ``model/`` and what the loop writes into ``out``.

    Returns:
        ``{"task", "best_dev", "test": {...} | None, "seconds"}``

    Raises:
        TrainingError: ``out`` holds a finished run, and whatever the loop raises.
    """
    out = Path(out)
    if (out / RESULT_FILE).exists():
        raise TrainingError(f"{out}: holds a finished run, which is never overwritten. Choose another folder.")
    model = build_model(task, encoder, label_set(task, split.train), config)
    result = fine_tune(
        model, split.train, split.dev, config, out, resume=resume, progress=progress, on_start=note_facts
    )
    save_model(model, out / "model")
    return finish(model, result, split)


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
        "test": test_scores(model, test) if test else None,
        "seconds": result.seconds,
    }
    write_json(result.out / RESULT_FILE, metrics)
    if metrics["test"]:
        tell("tested", scores=metrics["test"])
    return metrics


def test_scores(model: Model, test: Examples) -> dict[str, Any]:
    """The scores of the contract alone. A gold label that training lacked counts as missed.

    Of a multi-task model those of each task on gold words, and under ``end_to_end`` its scores from the raw text.
    """
    if model.task == "multitask":
        return task_test_scores(model, test)
    scores = evaluate_model(model, test, encoded=[model.encode(example.text) for example in test])
    return {name: value for name, value in scores.items() if name not in ("loss", "minority")}
