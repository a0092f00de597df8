"""Commands that make models: ``train``, ``pretrain``, and ``run`` for a whole notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from hanlp_tutor.cli.model_folders import model_folder
from hanlp_tutor.cli.options import TASK, p_option, parameters, read_sets, reads_files, run_config, trains_on_files
from hanlp_tutor.cli.speaking import again, goes_on, in_processes, speaks_json
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.manifest import RESULT_FILE
from hanlp_tutor.workbench.closing import after_notebook, after_training, beside, comparison, headline, shown
from hanlp_tutor.workbench.steps import WIDTH, Steps

if TYPE_CHECKING:  # the command line starts without importing what it stands on
    from hanlp_tutor.workbench.runner import Outcome

LABELS_SHOWN = 12  # by name, of a training set's


@click.command()
@click.argument("notebook")
@p_option
@click.option("--profile", default="class", show_default=True, help="smoke, class or full.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; by default the next number under runs/.")
@speaks_json
def run(
    notebook: str, pairs: tuple[tuple[str, str], ...], profile: str, out: Path | None, as_json: bool
) -> dict[str, Any]:
    """Run NOTEBOOK (05, 05_finetune_ner, or a path) by papermill."""
    from hanlp_tutor.teach.course.cost import read_cost
    from hanlp_tutor.workbench.runner import described, find_notebook, run_notebook

    given = parameters(pairs)
    name, what = find_notebook(notebook).stem, described(profile, given)
    steps = Steps()
    steps.say("notebook", f"{name}, profile {what}")
    cost = read_cost(name, what)
    if cost:
        minutes = cost["minutes"]
        steps.say("minutes", f"about {max(1, round(minutes))} (measured: {minutes:.1f} on {cost['device']})")
    try:
        outcome = run_notebook(notebook, given, profile=profile, out=out, steps=steps)
    except KeyboardInterrupt as stop:
        # a notebook has no half-way: in a new folder it begins anew, and what lies in the old one stays
        raise KeyboardInterrupt(f"{stop or 'Stopped.'} Begin again with: {again(without='--out')}") from None
    if not as_json:
        _close_notebook(outcome, profile, steps.sample)
    return {
        "notebook": str(outcome.notebook),
        "out": str(outcome.out),
        "metrics": outcome.metrics,
        "baselines": outcome.baselines,
        "minutes": round(outcome.minutes, 2),
    }


def _close_notebook(outcome: Outcome, profile: str, sample: str | None) -> None:
    """What a notebook came to, and what to type next."""
    metrics = outcome.metrics or {}
    click.echo()
    if metrics.get("test"):
        click.echo("test: " + headline(metrics["test"]))
        for line in comparison(metrics["test"], outcome.baselines):
            click.echo(textwrap.fill(line, WIDTH))
        if profile == "smoke":
            click.echo("(Profile smoke: so few sentences show that it runs, not how good it gets.)")
    elif metrics.get("best_dev") is not None:
        click.echo(f"best dev: {metrics['best_dev']:.4f}")
    click.echo(f"minutes: {outcome.minutes:.1f}")
    click.echo(f"folder: {shown(outcome.out)}")
    _say_next(after_notebook(outcome.out, outcome.notebook, metrics.get("task"), sample))


def _say_next(commands: list[str]) -> None:
    if commands:
        click.echo("\nTo try next:")
        for command in commands:
            click.echo(f"  {command}")


@click.command()
@click.option("--task", required=True, type=TASK)
@trains_on_files
@click.option("--test", "test_file", type=click.Path(path_type=Path))
@click.option("-c", "--config", "config_file", type=click.Path(path_type=Path), help="A YAML file of options.")
@click.option("--from", "start", type=click.Path(path_type=Path), help="A run or model of the kit to train further.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--no-baseline", is_flag=True, help="Leave out the classical baseline on the same files.")
@reads_files()
@p_option
@speaks_json
@in_processes
def train(
    task: str,
    train_file: Path,
    dev_file: Path | None,
    test_file: Path | None,
    split_file: Path | None,
    encoder: str,
    config_file: Path | None,
    start: Path | None,
    out: Path,
    resume: bool,
    no_baseline: bool,
    reading: dict[str, Any],
    pairs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> dict[str, Any]:
    """Fine-tune on files; write metrics, history and the model into a run folder.

    The files of a multi-task model are written one a task, --train tok=FILE,pos=FILE,ner=FILE, and so are dev and test.
    Each holds word<TAB>tag lines and a blank line between sentences; that of tok may be lines of words between spaces.

    On several GPUs of a machine: torchrun --nproc_per_node 2 -m hanlp_tutor.cli train ...; each update stays the same.
    """
    config = run_config(config_file, pairs)
    if start and click.get_current_context().get_parameter_source("encoder") is not ParameterSource.DEFAULT:
        raise ConfigError("--from and --encoder exclude each other: the model to go on from has its encoder.")
    if split_file and _several(task):
        raise ConfigError("--split divides one file, and here each task has one: give --dev FILE and --test FILE.")
    if split_file and (dev_file or test_file):
        raise ConfigError("--split divides the training file, so leave out --dev and --test.")
    from hanlp_tutor.progress import listening

    if start:
        from hanlp_tutor.workbench.go_on import check_start

        start = model_folder(start)
        check_start(start, task)
    split = read_sets(task, train_file, dev_file, test_file, split_file, config.seed, reading)
    steps = Steps()
    steps.trains(task, f"from {start}" if start else encoder)
    train_size, dev_size, test_size = map(len, (split.train, split.dev, split.test))
    steps.say("examples", f"{train_size:,} examples to train on, {dev_size:,} dev, {test_size:,} test")
    if not _several(task):
        steps.say("read as", _read_as(task, split.train, [train_file, dev_file, test_file], reading))

    from transformers.utils.logging import disable_progress_bar

    from hanlp_tutor.workbench.doctor import in_a_line
    from hanlp_tutor.workbench.job import train_job

    if steps.mode != "bar":
        disable_progress_bar()  # of an encoder that is fetched or loaded: in a log it is no line
    steps.say("environment", in_a_line(config.device))
    steps.say("folder", shown(out))
    try:
        with goes_on(out, "--resume", saved="checkpoint.pt", done=RESULT_FILE), listening(steps.hear):
            begun = {"encoder": None, "start": start} if start else {"encoder": encoder}
            begun |= {"resume": resume, "baseline": not no_baseline}
            metrics = train_job(task, split, config=config, out=out, progress="none", **begun)
    finally:
        steps.close()
    if not as_json:
        click.echo()
        if metrics["best_dev"] is not None:
            click.echo(f"best dev: {metrics['best_dev']:.4f}")
        if metrics["test"]:
            click.echo("test: " + headline(metrics["test"]))
        for line in beside(metrics, out):
            click.echo(line)
        click.echo(f"minutes: {metrics['seconds'] / 60:.1f} of training")
        click.echo(f"folder: {shown(out)}")
        _say_next(after_training(out, task, steps.sample))
    return metrics


def _read_as(task: str, examples: Sequence[Any], files: list[Path | None], reading: dict[str, Any]) -> str:
    """The formats of the files, and what is learnt from the training set: where a file was misread, it shows here."""
    from hanlp_tutor.data import format_taken
    from hanlp_tutor.data.examples import gold_counts
    from hanlp_tutor.data.known_labels import names

    forms = dict.fromkeys(format_taken(task, file, **reading) for file in files if file)
    counts = names(task, gold_counts(examples)).most_common()
    shown = ", ".join(f"{name} {number:,}" for name, number in counts[:LABELS_SHOWN])
    more = f" and {len(counts) - LABELS_SHOWN:,} more" if len(counts) > LABELS_SHOWN else ""
    return f"{' and '.join(forms)}; to learn: {shown or 'nothing but O'}{more}"


def _several(task: str) -> bool:
    """Whether it is several tasks at once."""
    from hanlp_tutor.core.task import task_named

    return task_named(task).several


@click.command()
@click.option("--recipe", required=True, type=click.Choice(["bert", "roberta-wwm", "macbert"]))
@click.option("--tokens", required=True, type=int, help="To read in all; 7,000 a second is usual on two cores.")
@click.option("--text", "files", multiple=True, type=click.Path(path_type=Path), help="More text, one a line; repeat.")
@click.option("--from", "start", help="An embedded encoder or an earlier run's encoder/ to go on from.")
@click.option("--name", help="The encoder's name on its card; by default that of --out.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@p_option
@speaks_json
def pretrain(
    recipe: str,
    tokens: int,
    files: tuple[Path, ...],
    start: str | None,
    name: str | None,
    out: Path,
    resume: bool,
    pairs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> dict[str, Any]:
    """Pre-train a small encoder on the kit's corpora (training sets only) and on your text."""
    from hanlp_tutor.device import limit_threads
    from hanlp_tutor.pretraining.config import PretrainConfig
    from hanlp_tutor.pretraining.job import pretrain_job

    limit_threads()
    config = PretrainConfig(**{"recipe": recipe, "tokens": tokens, **parameters(pairs)})
    with goes_on(out, "--resume", saved="checkpoint.pt"):
        result = pretrain_job(config, out, files=files, start=start, name=name, resume=resume)
    if not as_json:
        click.echo(f"held-out masked accuracy: {result['held_out_accuracy']:.4f}")
        click.echo(f"encoder: {result['encoder']}")
    return result
