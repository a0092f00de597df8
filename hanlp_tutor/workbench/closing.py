"""The last block of a run: what it came to, what that means, where it lies, and what to type next."""

from __future__ import annotations

import math
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = {"precision": "P", "recall": "R", "f1": "F1", "accuracy": "accuracy", "macro_f1": "macro F1"}
NAMES["micro_f1"] = "micro F1"
SAMPLES = {  # something to try a model of each task on, where none of its own texts is at hand
    "ner": "江泽民主席在北京会见了克林顿。",
    "classify": "房间很干净，服务也很周到。",
    "multitask": "今天北京天气很好。",
    "relation": "「东方航空」宣布将与『上海航空』合并。",
}
SHORT = (4, 40, 120)  # characters of a text to try: at least, at most if there is such a one, and at most in any case
AWKWARD = frozenset("'\"\\`$!\t\r\n")  # in a line that is pasted into a shell


def headline(scores: Mapping[str, Any]) -> str:
    """The main scores in one line; of a multi-task model those of each task."""
    tasks = {name: value for name, value in scores.items() if name in ("tok", "pos", "ner")}
    if tasks:
        return "; ".join(f"{name}: {headline(value)}" for name, value in tasks.items())
    shown = [name for name in NAMES if name in scores]
    if "micro_f1" in shown and math.isclose(scores["micro_f1"], scores["accuracy"]):  # as of any classes without a
        shown.remove("micro_f1")  # negative one
    return "  ".join(f"{NAMES[name]} {scores[name]:.4f}" for name in shown)


def comparison(ours: Mapping[str, Any], baselines: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The baselines' scores beside a model's, and one sentence on what that means; nothing where none was measured.

    Args:
        ours: the model's test scores.
        baselines: for each its scores, in one measure at least that ``ours`` has too.
    """
    measure = _main_measure(ours, *baselines.values())
    if not baselines or measure is None:
        return []
    ranked = sorted(baselines, key=lambda name: -baselines[name][measure])
    scores = ", ".join(f"{name} {NAMES[measure]} {baselines[name][measure]:.3f}" for name in ranked)
    lead = _points(ours[measure] - baselines[ranked[0]][measure])
    if not lead:
        means = f"The fine-tuned model is level with the best baseline, the {ranked[0]}, on the same sentences."
    elif lead > 0:
        means = (
            f"The fine-tuned model is ahead of the best baseline, the {ranked[0]}, by {lead:.1f} points, having learnt "
            "from the same sentences."
        )
    else:
        means = (
            f"The {ranked[0]} is ahead of the fine-tuned model by {-lead:.1f} points: to pass it, an encoder has to "
            "have read more text, or seen more labels, than this one."
        )
    return [f"baselines: {scores}", means]


def _points(lead: float) -> float:
    """A lead in points, to the tenth that is printed: what is less than that is none."""
    return round(100 * lead, 1)


def _main_measure(*scores: Mapping[str, Any]) -> str | None:
    """Of the measures that all of them have the one that sums up the others."""
    return next((name for name in reversed(NAMES) if all(name in each for each in scores)), None)


def beside(metrics: Mapping[str, Any], folder: Path) -> list[str]:
    """The baseline of ``metrics.json`` in a line, and a second one with what to try where it is ahead.

    Args:
        metrics: with ``baseline`` (:func:`hanlp_tutor.workbench.baseline_run.measure_baseline`).
        folder: of the run, whose history tells whether dev was best at the end.
    """
    baseline = metrics.get("baseline")
    if not baseline:
        return []
    name, on = baseline["name"], baseline["on"]
    if "missing" in baseline:
        return [f"baseline: none ({name}: {baseline['missing']})"]
    measure = _main_measure(baseline)
    ours = metrics["test"][measure] if on == "test" else metrics["best_dev"]
    lead = _points(ours - baseline[measure])
    line = f"baseline: {name} {NAMES[measure]} {baseline[measure]:.4f} on {on}, same files: "
    if not lead:
        return [f"{line}the two are level"]
    interval, real = "", True  # of a run of an earlier kit nothing more is known than the two scores
    if "lead" in baseline:
        low, high = (100 * baseline["lead"][end] for end in ("low", "high"))
        interval, real = f" (95 % interval {low:+.1f} to {high:+.1f})", low > 0 or high < 0
    if not real:
        return [f"{line}no difference that so few {on} examples can show: the model's lead is {lead:+.1f} points"
                f"{interval}"]  # fmt: skip
    if lead > 0:
        return [f"{line}the model is ahead by {lead:.1f} points{interval}"]
    more = "a larger encoder (--encoder bert-base-chinese, on a GPU)"
    epochs = _more_epochs(folder)
    if epochs:
        more = f"more passes, for dev was best at the end (-p epochs {epochs})"
    return [f"{line}it is ahead by {-lead:.1f} points{interval}", f"To pass it: {more}, or more labelled examples."]


def _more_epochs(folder: Path) -> int | None:
    """Twice the epochs of a run whose last evaluation was its best; None for another."""
    from hanlp_tutor.workbench.diagnose.record import read_run

    evaluations = read_run(folder).evaluations
    scores = [row["dev_score"] for row in evaluations]
    if not scores or scores[-1] < max(scores):
        return None
    return 2 * math.ceil(evaluations[-1]["epoch"])


def shown(path: Path) -> str:
    """A path as one would type it here: relative where it lies below the working directory."""
    here, there = Path.cwd(), Path(path).absolute()
    return str(there.relative_to(here)) if there.is_relative_to(here) else str(there)


def to_try(model: Any, *sets: Sequence[Any]) -> str | None:
    """A short text of a model's own data to try it on; of a pair the text with its marks. None: none of them is short.

    Args:
        model: as it was trained.
        sets: of examples that it was not trained on, test before dev.
    """
    marked = getattr(model, "marked", None)
    for most in SHORT[1:]:
        for example in (example for examples in sets for example in examples or ()):
            text = (marked(example) if marked else example.text).strip()
            if SHORT[0] <= len(text) <= most and not AWKWARD & set(text) and not text.startswith("-"):
                return text
    return None


def after_notebook(folder: Path, executed: Path, task: str | None, sample: str | None = None) -> list[str]:
    """Up to four commands for what a notebook left in its run folder, ready to be pasted.

    Args:
        sample: a text of the model's own data (:func:`to_try`).
    """
    commands = []
    has_model = (folder / "model" / "model.json").exists() and task
    text = _sample(task or "", sample)
    if has_model:
        commands.append(predict_line(folder, task, sample))
    if (folder / "hanlp" / "config.json").exists() and task:
        given = f"list({text!r})" if task == "ner" else repr(text)
        code = f"import hanlp; print(hanlp.load({shown(folder / 'hanlp')!r})({given}))"
        commands.append(command_line(_tool("python") or sys.executable, "-c", code))
    if has_model:
        commands.append(_serve(folder))
    jupyter = _tool("jupyter")
    if jupyter and find_spec("jupyterlab"):
        commands.append(command_line(jupyter, "lab", shown(executed)))
    return commands


def after_training(folder: Path, task: str, sample: str | None = None) -> list[str]:
    """Four commands for the run folder of ``hanlp-tutor train``, ready to be pasted; ``sample`` as above."""
    out = shown(folder)
    return [
        predict_line(folder, task, sample),
        _serve(folder),
        command_line(*kit(), "export", out, shown(folder / "hanlp"), "--to", "hanlp"),
        command_line(*kit(), "diagnose", out),
    ]


def predict_line(folder: Path, task: str, sample: str | None = None) -> str:
    """What to type to try a model, ready to be pasted; one of relations takes a text with the pair marked in it."""
    return command_line(*kit(), "predict", shown(folder), _sample(task, sample))


def _serve(folder: Path) -> str:
    return command_line(*kit(), "serve", shown(folder))


def _sample(task: str, sample: str | None) -> str:
    return sample or SAMPLES.get(task, SAMPLES["ner"])  # of a task that has none of its own any sentence will do


def kit() -> list[str]:
    """The command line of the kit, as one would type it here."""
    script = _tool("hanlp-tutor")
    return [script] if script else [_tool("python") or sys.executable, "-m", "hanlp_tutor.cli"]


def _tool(name: str) -> str | None:
    """A program of this environment: its bare name where that is found first, its path otherwise."""
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=str(beside))
    if found is None:
        return None
    first = shutil.which(name)
    return name if first and Path(first).parent.absolute() == beside.absolute() else shown(Path(found))


def command_line(*words: str) -> str:
    """A line for the shell of this system."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """As shlex does it, but Python code that is full of single quotes stays readable."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)
