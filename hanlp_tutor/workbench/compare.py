"""Two or more run folders side by side: what differs in their options, their curves, their scores, and what is real.

A difference is paired where something is the same on both sides: the texts of a labelled file that each model predicts
(:func:`~hanlp_tutor.workbench.significance.paired_bootstrap`), or the seeds of several runs with the same options
(:func:`~hanlp_tutor.workbench.significance.paired_seeds`). What cannot be paired is said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hanlp_tutor.config import typed_value
from hanlp_tutor.core.task import ROOMS, TASKS, measures_of, task_named
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.extras import needs
from hanlp_tutor.files import write_file
from hanlp_tutor.workbench.closing import NAMES
from hanlp_tutor.workbench.diagnose.record import Record, read_run
from hanlp_tutor.workbench.significance import (
    Comparison,
    label_counts,
    paired_bootstrap,
    paired_seeds,
    span_counts,
)
from hanlp_tutor.workbench.sweep.summary import numbers_of

_OF_PLACE = ("out", "device")  # options that say where, not what
ROWS = 12  # of the table of curves
ROUNDING = 1e-12  # what floating point alone makes of equal differences


@dataclass(frozen=True)
class Pairing:
    """A paired difference: that of ``second`` less ``first``, in ``measure``, over ``pairs`` pairs of ``by``."""

    first: str
    second: str
    measure: str
    by: str
    pairs: int
    comparison: Comparison

    def __str__(self) -> str:
        c = self.comparison
        verdict = "real" if c.excludes_zero else "could be chance"
        return (
            f"{self.second} less {self.first}: {self.measure} {c.difference:+.4f}, 95 % interval {c.low:+.4f} to "
            f"{c.high:+.4f}, p = {c.p:.3f}, {self.pairs} {self.by} ({verdict})"
        )


@dataclass(frozen=True)
class Compared:
    """Runs side by side.

    Attributes:
        names: of the runs, as short as tells them apart.
        options: all options of each.
        differing: the options that differ, by name a value for each run.
        metrics: the numbers of ``metrics.json``, and of a run without them the best dev score of its history; by name
            one for each run or None.
        curves: of each run its evaluations: step, dev_score, loss.
        pairings, unpaired: the paired differences; why others cannot be had.
    """

    names: list[str]
    options: list[dict[str, Any]]
    differing: dict[str, list[Any]]
    metrics: dict[str, list[float | None]]
    curves: list[list[dict[str, Any]]]
    pairings: list[Pairing]
    unpaired: list[str]

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def compare_runs(
    folders: Sequence[str | Path], *, on: str | Path | None = None, reading: dict[str, Any] | None = None
) -> Compared:
    """Read run folders and hold them against each other; the first is what the others are compared with.

    Args:
        folders: two or more.
        on: a labelled file that each run's model predicts, to pair text by text.
        reading: options of its reader.

    Raises:
        ConfigError: fewer than two folders, or one twice. DataError: one that is no run folder, or ``on`` unreadable.
        ModelError: ``on``, and a run without a model.
    """
    paths = [Path(folder) for folder in folders]
    resolved = [path.resolve() for path in paths]
    if len(paths) < 2:
        raise ConfigError("Give two run folders or more.")
    twice = next((path for path in paths if resolved.count(path.resolve()) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice} is given twice; compare it with another run.")
    records = [read_run(path) for path in paths]
    names, options = _short_names(resolved), [options_of(record) for record in records]
    known = list(dict.fromkeys(name for each in options for name in each))
    values = {name: [each.get(name) for each in options] for name in known}
    numbers = [_numbers(record) for record in records]
    measures = dict.fromkeys(name for each in numbers for name in each)
    pairings, unpaired = _by_seeds(names, records, options, numbers)
    if on is not None:
        found, why = _by_texts(names, records, Path(on), reading or {})
        pairings, unpaired = [*found, *pairings], [*why, *unpaired]
    elif not pairings:
        unpaired.append("text by text: give --on FILE, a labelled file that both models predict")
    return Compared(
        names,
        options,
        {name: row for name, row in values.items() if any(value != row[0] for value in row[1:])},
        {name: [each.get(name) for each in numbers] for name in measures},
        [[{key: row.get(key) for key in ("step", "dev_score", "loss")} for row in r.evaluations] for r in records],
        pairings,
        unpaired,
    )


def options_of(record: Record) -> dict[str, Any]:
    """What a run was started with: task, encoder, every option, and the parameters that a sweep gave its notebook."""
    given = record.fact("sweep", "parameters") or {}
    start = {name: record.fact(name) for name in ("task", "encoder") if record.fact(name) is not None}
    merged = {**start, **(record.fact("config") or {}), **given}
    if record.fact("seed") is not None:
        merged.setdefault("seed", record.fact("seed"))
    return {name: value for name, value in merged.items() if name not in _OF_PLACE}


def _numbers(record: Record) -> dict[str, float]:
    """What ``metrics.json`` says; ``fine_tune`` called from Python writes none, and its dev scores are in the history.

    A value of ``best_dev`` that the run has written itself stands.
    """
    scores = [row["dev_score"] for row in record.evaluations if row.get("dev_score") is not None]
    return {**({"best_dev": max(scores)} if scores else {}), **numbers_of(record.folder)}


def _by_seeds(
    names: list[str],
    records: Sequence[Record],
    options: Sequence[dict[str, Any]],
    numbers: Sequence[dict[str, float]],
) -> tuple[list[Pairing], list[str]]:
    """Groups of runs that differ by their seed alone, each against the first group, seed by seed."""
    groups: dict[str, list[int]] = {}
    for number, each in enumerate(options):
        key = json.dumps({k: v for k, v in each.items() if k != "seed"}, sort_keys=True, default=str)
        groups.setdefault(key, []).append(number)
    first, *others = groups.values()
    if not others:
        return [], ["seed by seed: these runs differ by nothing but the seed, so there is nothing to hold together"]
    pairings, unpaired = [], []
    for other in others:
        pair = f"{_group(names, other)} and {_group(names, first)}, seed by seed"
        measure = _measure([*first, *other], records, numbers)
        if measure is None:
            unpaired.append(f"{pair}: they have no score in common")
            continue
        mine = {options[i].get("seed"): i for i in other}
        theirs = {options[i].get("seed"): i for i in first}
        shared = [seed for seed in theirs if seed in mine and seed is not None]
        same = [seed for seed in shared if _same_data(records[theirs[seed]], records[mine[seed]])]
        if len(same) < 2:
            why = "on different data" if len(shared) > len(same) else "an interval needs two seeds that both have"
            unpaired.append(f"{pair}: {why} ({len(same)} usable)")
            continue
        scores = [[numbers[runs[seed]][measure] for seed in same] for runs in (mine, theirs)]
        differences = np.subtract(*scores)
        if np.ptp(differences) < ROUNDING:  # Student's interval would be a point, and p = 0
            unpaired.append(f"{pair}: every pair differs by exactly {differences[0]:+.4f}, so there is no spread")
            continue
        found = paired_seeds(*scores)
        pairings.append(Pairing(_group(names, first), _group(names, other), measure, "seeds", len(same), found))
    return pairings, unpaired


def _by_texts(
    names: list[str], records: Sequence[Record], on: Path, reading: dict[str, Any]
) -> tuple[list[Pairing], list[str]]:
    """Each run against the first, text by text of a labelled file."""
    from hanlp_tutor.data import read_examples

    task = records[0].task
    alone = [name for name in (*TASKS, *ROOMS) if not task_named(name).several]
    if task not in alone or any(record.task != task for record in records):
        what = "one task" if task in alone else f"a task of {', '.join(dict.fromkeys(alone))}"
        return [], [
            f"text by text: this needs runs of {what}, and these are of {', '.join(str(r.task) for r in records)}"
        ]
    examples = read_examples(task, on, **reading)
    counts = [_counts(record.folder, examples) for record in records]
    measure = f"{'F1' if task == 'ner' else 'accuracy'} on {on.name}"
    return [
        Pairing(names[0], name, measure, "texts", len(examples), paired_bootstrap(mine, counts[0]))
        for name, mine in zip(names[1:], counts[1:], strict=True)
    ], []


def _counts(folder: Path, examples: Sequence[Any]) -> np.ndarray:
    """Right, found and wanted of each text, by the model of a run."""
    from hanlp_tutor.core.evaluate import answers_of
    from hanlp_tutor.core.model_folder import load_model
    from hanlp_tutor.errors import ModelError
    from hanlp_tutor.run_folder import why_no_model

    if not (folder / "model" / "model.json").exists():
        raise ModelError(f"{folder}: {why_no_model(folder) or 'holds no model.'}")
    model = load_model(folder / "model")
    found = answers_of(model, examples)
    if model.task == "ner":
        return span_counts([example.spans for example in examples], found)
    return label_counts([_label(example) for example in examples], found)


def _label(example: Any) -> str:
    return example.label if hasattr(example, "label") else example.relation


def _measure(runs: Sequence[int], records: Sequence[Record], numbers: Sequence[dict[str, float]]) -> str | None:
    """The score by which runs are held against each other: of the test set, else of dev, else any that all have."""
    shared = [name for name in numbers[runs[0]] if all(name in numbers[i] for i in runs)]
    return next((name for name in measures_of(records[runs[0]].task) if name in shared), None)


def _same_data(one: Record, other: Record) -> bool:
    """Whether two runs learnt from, and were tested on, the same examples, as far as their manifests say."""
    keys = ("train", "dev", "test_examples", "test_labels")
    return all(one.fact("data", key) == other.fact("data", key) for key in keys)


def _group(names: Sequence[str], runs: Sequence[int]) -> str:
    return " + ".join(names[i] for i in runs)


def _short_names(paths: Sequence[Path]) -> list[str]:
    """The end of each path, as long as it takes to tell them apart."""
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def in_words(compared: Compared) -> str:
    """The whole comparison as text: a letter for each run, then tables."""
    letters = [chr(ord("a") + i) if i < 26 else f"run{i + 1}" for i in range(len(compared.names))]
    lines = [f"{letter}  {name}" for letter, name in zip(letters, compared.names, strict=True)]
    if compared.differing:
        rows = [[name, *map(typed_value, values)] for name, values in compared.differing.items()]
        lines += ["", *_aligned([["options that differ", *letters], *rows])]
    else:
        lines += ["", "options: all the same"]
    if compared.metrics:
        rows = [[NAMES.get(name, name), *map(_number, values)] for name, values in compared.metrics.items()]
        lines += ["", *_aligned([["metrics", *letters], *rows])]
    steps = sorted({int(row["step"]) for curve in compared.curves for row in curve})
    if steps:
        shown = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, ROWS).round().astype(int))]
        by_step = [{int(row["step"]): row["dev_score"] for row in curve} for curve in compared.curves]
        rows = [[str(step), *(_number(scores.get(step)) for scores in by_step)] for step in shown]
        lines += ["", *_aligned([["dev score at update", *letters], *rows])]
    lines += ["", *(f"paired: {pairing}" for pairing in compared.pairings)]
    lines += [f"not paired: {why}" for why in compared.unpaired]
    return "\n".join(lines).rstrip()


def draw(compared: Compared, path: Path) -> None:
    """The curves as a picture: the training loss, and the dev score, at each evaluation.

    Raises:
        ConfigError: matplotlib is missing, an ending that it cannot write, or no run has a curve.
    """
    if not any(compared.curves):
        raise ConfigError("No run has a history, so there is no curve to draw. Leave out --out.")
    needs("matplotlib", "A picture", "leave out --out for a table")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    known = figure.canvas.get_supported_filetypes()
    kind = path.suffix.removeprefix(".").lower()
    if kind not in known:
        raise ConfigError(f"--out {path}: the name has to end in .png, .svg or .pdf.")
    for axes, column in zip(figure.subplots(1, 2), ("loss", "dev_score"), strict=True):
        for name, curve in zip(compared.names, compared.curves, strict=True):
            axes.plot([r["step"] for r in curve], [r[column] for r in curve], marker=".", label=name)
        axes.set(xlabel="update", ylabel=column.replace("_", " "))
    axes.legend(fontsize="small")
    write_file(path, lambda file: figure.savefig(file, format=kind, dpi=120))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.4g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
