"""The command ``hanlp-tutor``: a thin layer over the package's verbs.

Nothing heavy is imported before a command needs it. Results go to standard output, progress and errors to standard
error; with ``--json`` the last line of standard output is one JSON object. Exit code 0: done; 2: the user can mend it;
1: anything else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click

from hanlp_tutor import __version__
from hanlp_tutor.errors import TutorError


class _Reported(click.exceptions.Exit):
    """An error that has been printed already."""


def _speaks_json(command: Callable[..., dict[str, Any] | None]) -> Callable[..., None]:
    """Add ``--json``, print what the command returns, and turn a user's error into text and exit code 2."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
    @wraps(command)
    def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            answer = command(*args, as_json=as_json, **kwargs)
        except TutorError as error:
            click.echo(f"Error: {error}", err=True)
            if as_json:
                click.echo(json.dumps({"error": str(error)}, ensure_ascii=False))
            raise _Reported(2) from None
        if as_json and answer is not None:
            click.echo(json.dumps(answer, ensure_ascii=False))

    return wrapper


def _parameters(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    from hanlp_tutor.config import parse_value

    return {name: parse_value(value) for name, value in pairs}


_p_option = click.option(
    "-p", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", help="An option of the run, such as -p epochs 3."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hanlp-tutor")
def app() -> None:
    """Fine-tune Chinese language models, and open them with plain HanLP."""


@app.command()
@_speaks_json
def doctor(as_json: bool) -> dict[str, Any]:
    """Say what this machine can do, and what is missing."""
    from hanlp_tutor.doctor import examine, render

    report = examine()
    if not as_json:
        click.echo(render(report))
    if not report["healthy"]:
        if as_json:
            click.echo(json.dumps(report, ensure_ascii=False))
        raise _Reported(1)
    return report


@app.command()
@click.argument("notebook")
@_p_option
@click.option("--profile", default="class", show_default=True, help="smoke, class or full.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; by default the next number under runs/.")
@_speaks_json
def run(
    notebook: str, pairs: tuple[tuple[str, str], ...], profile: str, out: Path | None, as_json: bool
) -> dict[str, Any]:
    """Run NOTEBOOK (05, 05_finetune_ner, or a path) by papermill."""
    from hanlp_tutor.runner import run_notebook

    outcome = run_notebook(notebook, _parameters(pairs), profile=profile, out=out)
    if not as_json:
        if outcome.metrics and outcome.metrics.get("test"):
            click.echo("test: " + _headline(outcome.metrics["test"]))
        click.echo(f"folder: {outcome.out}")
    return {"notebook": str(outcome.notebook), "out": str(outcome.out), "metrics": outcome.metrics}


@app.command()
@click.option("--task", required=True, type=click.Choice(["ner", "classify"]))
@click.option("--train", "train_file", required=True, type=click.Path(path_type=Path))
@click.option("--dev", "dev_file", type=click.Path(path_type=Path), help="Default: held out of the training file.")
@click.option("--test", "test_file", type=click.Path(path_type=Path))
@click.option("--encoder", default="random:mini-bert", show_default=True, help="A name, a folder, or random:NAME.")
@click.option("-c", "--config", "config_file", type=click.Path(path_type=Path), help="A YAML file of options.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--scheme", type=click.Choice(["BIO", "BMES", "IOBES"]), help="Of the tags; default: detected.")
@click.option("--strip-segmentation-digits", is_flag=True, help="Tokens end in a digit that is no text (Weibo: 科0).")
@click.option("--encoding", default="utf-8", show_default=True, help="Of the files.")
@_p_option
@_speaks_json
def train(
    task: str,
    train_file: Path,
    dev_file: Path | None,
    test_file: Path | None,
    encoder: str,
    config_file: Path | None,
    out: Path,
    resume: bool,
    scheme: str | None,
    strip_segmentation_digits: bool,
    encoding: str,
    pairs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> dict[str, Any]:
    """Fine-tune on files; write metrics, history and the model into a run folder."""
    from hanlp_tutor.config import TrainConfig, config_from_yaml

    given = _parameters(pairs)
    config = config_from_yaml(config_file, given) if config_file else TrainConfig(**given)
    from hanlp_tutor.job import read_split, train_job

    options: dict[str, Any] = {"encoding": encoding}
    if task == "ner":
        options |= {"scheme": scheme, "strip_segmentation_digits": strip_segmentation_digits}
    split = read_split(task, train_file, dev_file, test_file, seed=config.seed, **options)
    click.echo(f"{len(split.train)} examples to train on, {len(split.dev)} dev, {len(split.test)} test", err=True)
    metrics = train_job(task, split, encoder, config, out, resume=resume)
    if not as_json:
        click.echo(f"best dev: {metrics['best_dev']:.4f}")
        if metrics["test"]:
            click.echo("test: " + _headline(metrics["test"]))
        click.echo(f"folder: {out}")
    return metrics


@app.command()
@click.option("--recipe", required=True, type=click.Choice(["bert", "roberta-wwm", "macbert"]))
@click.option("--tokens", required=True, type=int, help="To read in all; 7,000 a second is usual on two cores.")
@click.option("--text", "files", multiple=True, type=click.Path(path_type=Path), help="More text, one a line; repeat.")
@click.option("--from", "start", help="An embedded encoder or an earlier run's encoder/ to go on from.")
@click.option("--name", help="The encoder's name on its card; by default that of --out.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@_p_option
@_speaks_json
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
    """Pre-train a small encoder on the kit's corpora (training sides only) and on your text."""
    from hanlp_tutor.encoders.pretrain import PretrainConfig
    from hanlp_tutor.encoders.pretrain_job import pretrain_job
    from hanlp_tutor.precision import limit_threads

    limit_threads()
    config = PretrainConfig(**{"recipe": recipe, "tokens": tokens, **_parameters(pairs)})
    answer = pretrain_job(config, out, files=files, start=start, name=name, resume=resume)
    if not as_json:
        click.echo(f"held-out masked accuracy: {answer['held_out_accuracy']:.4f}")
        click.echo(f"encoder: {answer['encoder']}")
    return answer


@app.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheme", type=click.Choice(["BIO", "BMES", "IOBES"]), help="Of the tags; default: detected.")
@click.option("--strip-segmentation-digits", is_flag=True, help="Tokens end in a digit that is no text (Weibo: 科0).")
@click.option("--encoding", default="utf-8", show_default=True)
@_speaks_json
def evaluate(
    model: Path, file: Path, scheme: str | None, strip_segmentation_digits: bool, encoding: str, as_json: bool
) -> dict[str, Any]:
    """Score MODEL on a labelled FILE."""
    from hanlp_tutor.data import read_examples
    from hanlp_tutor.job import test_scores
    from hanlp_tutor.model import load_model

    loaded = load_model(_model_folder(model))
    options: dict[str, Any] = {"encoding": encoding}
    if loaded.task == "ner":
        options |= {"scheme": scheme, "strip_segmentation_digits": strip_segmentation_digits}
    scores = test_scores(loaded, read_examples(loaded.task, file, **options))
    if not as_json:
        click.echo(_headline(scores))
        for name, row in (scores.get("per_type") or scores.get("per_class")).items():
            click.echo(
                f"  {name}\tP {row['precision']:.4f}\tR {row['recall']:.4f}\tF1 {row['f1']:.4f}\tn {row['support']}"
            )
    return scores


@app.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("text", required=False)
@_speaks_json
def predict(model: Path, text: str | None, as_json: bool) -> None:
    """Label TEXT, or each line of standard input; with --json one object a text."""
    from hanlp_tutor.predict import Predictor

    predictor = Predictor.load(_model_folder(model))
    for chunk in [[text]] if text is not None else _chunks(256):
        for answer in predictor.predict_many(chunk):
            click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _readable(answer))


@app.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, type=click.Choice(["hanlp"]))
@_speaks_json
def export(model: Path, folder: Path, target: str, as_json: bool) -> dict[str, Any]:
    """Write MODEL as a FOLDER that plain hanlp.load opens."""
    from hanlp_tutor.hanlp_io import export_hanlp
    from hanlp_tutor.model import load_model

    written = export_hanlp(load_model(_model_folder(model)), folder)
    if not as_json:
        click.echo(f"hanlp.load({str(written)!r})")
    return {"folder": str(written), "to": target}


@app.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_speaks_json
def relocate(folder: Path, as_json: bool) -> dict[str, Any]:
    """Mend the paths of a HanLP folder that was moved or copied."""
    from hanlp_tutor.hanlp_io import relocate as mend

    mend(folder)
    if not as_json:
        click.echo(f"hanlp.load({str(folder.resolve())!r})")
    return {"folder": str(folder.resolve())}


def main() -> None:
    """Entry point; UTF-8 in and out, on Windows too."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="strict" if stream is sys.stdin else "backslashreplace")
    app()


def _model_folder(path: Path) -> Path:
    """A model folder, or the one inside a run folder."""
    inside = path / "model"
    return inside if (inside / "model.json").exists() else path


def _chunks(size: int) -> Iterator[list[str]]:
    """Lines of standard input in lists, so that a pipe is answered before it ends."""
    chunk: list[str] = []
    number = 0
    try:
        for number, line in enumerate(sys.stdin, start=1):  # noqa: B007 - the error below names it
            chunk.append(line.rstrip("\r\n"))
            if len(chunk) == size:
                yield chunk
                chunk = []
    except UnicodeDecodeError:
        raise TutorError(
            f"standard input, near line {number + 1}: not UTF-8. Convert it first, for instance with iconv -f GB18030."
        ) from None
    if chunk:
        yield chunk


def _headline(scores: dict[str, Any]) -> str:
    names = {"precision": "P", "recall": "R", "f1": "F1", "accuracy": "accuracy", "macro_f1": "macro F1"}
    return "  ".join(f"{label} {scores[name]:.4f}" for name, label in names.items() if name in scores)


def _readable(answer: dict[str, Any]) -> str:
    if "label" in answer:
        return f"{answer['label']}\t{answer['score']:.4f}\t{answer['text']}"
    rows = [f"  {e['start']}-{e['end']}\t{e['label']}\t{e['text']}\t{e['score']:.4f}" for e in answer["entities"]]
    return "\n".join([answer["text"], *rows])


if __name__ == "__main__":
    main()
