"""What the commands share: errors in words, ``--json``, options of a run, model folders."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hanlp_tutor.errors import ConfigError, ModelError, TrainingError, TutorError, first_line
from hanlp_tutor.extras import extra_of, missing
from hanlp_tutor.files import REMEDIES, error_of_machine

if TYPE_CHECKING:  # the command line starts without importing what these stand on
    from hanlp_tutor.config import TrainConfig
    from hanlp_tutor.data import Split

# The names in TASKS and ROOMS of hanlp_tutor.core.task, and those that are not several tasks at once. They stand here
# so that the command line need not import the tasks, and with them numpy; a test compares them.
TASK = click.Choice(["ner", "classify", "multitask", "relation"])
ONE_TASK = click.Choice(["ner", "classify", "relation"])

NOTES_SHOWN = 20
_TYPED = "hanlp_tutor.typed"  # in click's context
GRACE = 1.0  # seconds that one process waits for another to speak
STOPPED = 128 + 2  # a shell's exit code for what SIGINT, signal 2, ended


class Ended(Exception):
    """This process was asked to end."""


class Reported(click.exceptions.Exit):
    """An error that has been printed already."""


def speaks_json(command: Callable[..., dict[str, Any] | None]) -> Callable[..., None]:
    """Add ``--json``, print what the command returns, and turn a user's error into text and exit code 2.

    What readers have to note goes to standard error as ``Note: ...``. Ctrl-C ends in one line too, the text of the
    KeyboardInterrupt if it has one, and in a shell's exit code for it.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
    @wraps(command)
    def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            with notes_printed():
                result = command(*args, as_json=as_json, **kwargs)
        except Exception as error:
            message = in_words(error)
            if message is None:
                raise
            click.echo(f"Error: {message}", err=True)
            if as_json:
                click.echo(json.dumps({"error": message}, ensure_ascii=False))
            raise Reported(2) from None
        except KeyboardInterrupt as stop:
            message = str(stop) or "Stopped."
            click.echo(f"\n{message}", err=True)
            if as_json:
                click.echo(json.dumps({"error": message}, ensure_ascii=False))
            raise Reported(STOPPED) from None
        if as_json and result is not None:
            click.echo(json.dumps(result, ensure_ascii=False))

    return wrapper


def in_processes(command: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any] | None]:
    """Where torchrun started several processes for a command, let one speak: the first, or the one that fails."""

    @wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> dict[str, Any] | None:
        if os.environ.get("WORLD_SIZE", "1") == "1" or "TORCHELASTIC_RUN_ID" not in os.environ:
            return command(*args, **kwargs)
        from hanlp_tutor.core.parallel import first_to_speak, is_gone, join

        def end(*_: Any) -> None:  # torchrun asks so when another process has ended
            raise Ended

        usual = signal.signal(signal.SIGTERM, end)
        try:
            leads = join().leads
            with nullcontext() if leads else silence():
                result = command(*args, **kwargs)
            return result if leads else None
        except Exception as error:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # there is still something to be said
            if gone := isinstance(error, Ended) or is_gone(error):
                time.sleep(GRACE)  # the process that knows why speaks first
            if not first_to_speak():
                time.sleep(GRACE)  # torchrun ends all when one has ended
                raise Reported(2) from None
            if gone:
                lost = "Another process of the run was ended, and so the others end."
                raise TrainingError(f"{lost} Go on by the same command with --resume, or begin anew.") from None
            raise
        finally:
            signal.signal(signal.SIGTERM, usual)

    return wrapper


@contextmanager
def silence() -> Iterator[None]:
    """Print nothing."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def in_words(error: BaseException) -> str | None:
    """What to say of an error that a user can mend: ours, a missing extra, one of the machine; None for a bug."""
    if isinstance(error, TutorError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return None if extra_of(error.name) is None else str(missing(error.name, "This command"))
    if isinstance(error, MemoryError):
        context = click.get_current_context(silent=True)
        trains = context is not None and context.info_name in ("train", "tune")
        return "memory ran out. " + ("Take smaller batches: -p batch_size 8." if trains else REMEDIES[errno.ENOMEM])
    machine = error_of_machine(error)
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):  # pathlib's, until Python 3.13
        return f"{error}. {REMEDIES[errno.ELOOP]}"
    if machine is None:
        return first_line(error) if isinstance(error, OSError) else None  # such as one of the network
    if machine.errno == errno.EPIPE:
        return None  # whoever read our output has had enough; click ends the command
    place = "" if machine.filename is None else f"{os.fsdecode(machine.filename)}: "
    reason = (machine.strerror or os.strerror(machine.errno)).lower()
    return f"{place}{reason}. {REMEDIES.get(machine.errno, '')}".rstrip()


@contextmanager
def notes_printed() -> Iterator[None]:
    """Print what readers note, and what the kit warns of, as ``Note: ...``; after many only their number."""
    from hanlp_tutor.data.notes import notes_to

    said: list[str] = []

    def say(note: str) -> None:
        said.append(note)
        if len(said) <= NOTES_SHOWN:
            click.echo(f"Note: {note}", err=True)

    def show(message: Warning | str, category: type[Warning], filename: str, *place: Any) -> None:
        if category.__module__.startswith("hanlp_tutor."):
            say(str(message))
        else:
            usual(message, category, filename, *place)

    with warnings.catch_warnings(), notes_to(say):
        usual, warnings.showwarning = warnings.showwarning, show
        try:
            yield
        finally:
            if len(said) > NOTES_SHOWN:
                click.echo(f"Note: {len(said) - NOTES_SHOWN} more.", err=True)


class App(click.Group):
    """A group of commands that remembers what was typed, for messages that say how to go on."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        context.meta[_TYPED] = list(args)
        return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> Any:
        """Run the command; an option of the run that was typed as one of the command is named as it should be."""
        try:
            return super().invoke(context)
        except click.NoSuchOption as error:
            from hanlp_tutor.config import option_meant

            name = option_meant(error.option_name.lstrip("-").replace("-", "_"))
            command = error.ctx.command if error.ctx is not None else self
            if name is not None and any("-p" in one.opts for one in command.params):
                error.message = f"{error.message} It is an option of the run: -p {name} VALUE."
            raise


def again(*more: str, without: str | None = None) -> str:
    """The command that is running, ready to be pasted, with more words that it lacks.

    Args:
        without: an option with a value that is left out.
    """
    from hanlp_tutor.workbench.closing import command_line, kit

    words = list(click.get_current_context().meta.get(_TYPED, []))
    if without in words:
        place = words.index(without)
        del words[place : place + 2]
    words = [word for word in words if without is None or not word.startswith(f"{without}=")]
    return command_line(*kit(), *words, *(word for word in more if word not in words))


@contextmanager
def goes_on(out: Path, *more: str, saved: str | None = None, done: str | None = None) -> Iterator[None]:
    """Let Ctrl-C, and a full disk and the like, say where the run lies and which command continues it.

    Args:
        out: its folder.
        more: what the command needs to continue, such as ``--resume``.
        saved: the file in ``out`` without which there is nothing to continue; None: the same command always does.
        done: the file in ``out`` with which the run is finished.
    """
    from hanlp_tutor.workbench.closing import shown

    def how() -> str:
        if done is not None and (out / done).exists():
            return f"The run is finished: {shown(out / done)}."
        if saved is None or (out / saved).exists():
            return f"Go on with: {again(*more)}"
        return f"Nothing to go on from is saved yet; begin again with: {again()}"

    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Stopped. What there is lies in {shown(out)}. {how()}") from None
    except Exception as error:
        message = None if isinstance(error, TutorError) else in_words(error)
        if message is None:
            raise
        raise TutorError(f"{message} {how()}") from error


def parameters(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The options of ``-p NAME VALUE``, values parsed as YAML would.

    Raises:
        ConfigError: one is given twice.
    """
    from hanlp_tutor.config import parse_value

    names = [name for name, _ in pairs]
    for name, value in pairs:
        if names.count(name) > 1:
            raise ConfigError(f"-p {name} is given {names.count(name)} times, first as {value}: keep one.")
    return {name: parse_value(value) for name, value in pairs}


p_option = click.option(
    "-p", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", help="An option of the run, such as -p epochs 3."
)


r_option = click.option(
    "-r",
    "--reading",
    "reading_pairs",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="An option of the files' reader, such as -r annotator 1; repeat.",
)

scheme_option = click.option(
    "--scheme", type=click.Choice(["BIO", "IOB1", "BMES", "IOBES"]), help="Of the tags; default: detected."
)
strip_option = click.option(
    "--strip-segmentation-digits", is_flag=True, help="Tokens end in a digit that is no text (Weibo: 科0)."
)

_reading_flags = (
    click.option("--format", metavar="FORMAT", help="Of the files; default: that of the task, or detected."),
    click.option("--overlaps", help="Of nested entities: refuse (default) or longest."),
    scheme_option,
    strip_option,
)


def reading_options(pairs: tuple[tuple[str, str], ...], **flags: Any) -> dict[str, Any]:
    """The reader's options of ``-r NAME VALUE`` and of the flags that have been given.

    Raises:
        ConfigError: one is given twice, with different values: neither is dropped in silence.
    """
    given = {name: value for name, value in flags.items() if value not in (None, False)}
    for name, value in pairs:
        name = name.replace("-", "_")
        value = parameters(((name, value),))[name]
        if given.setdefault(name, value) != value:
            from hanlp_tutor.data.reader_options import on_command_line

            both = f"{on_command_line(name, given[name])} and {on_command_line(name, value)}"
            raise ConfigError(f"the reading option {name!r} is given twice: {both}. Leave one of them out.")
    return given


def reads_files(encoding: str | None = "utf-8") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of reading labelled files; what is given goes to the command as ``reading``.

    Args:
        encoding: the command's default; None detects it.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            names = ("format", "overlaps", "scheme", "strip_segmentation_digits", "encoding")
            given = reading_options(kwargs.pop("reading_pairs"), **{name: kwargs.pop(name) for name in names})
            if encoding is not None:
                given.setdefault("encoding", encoding)
            return command(*args, reading=given, **kwargs)

        default = f"Of the files; default: {encoding or 'detected'}."
        for option in reversed((*_reading_flags, click.option("--encoding", help=default), r_option)):
            wrapper = option(wrapper)
        return wrapper

    return decorate


_training_options = (
    click.option("--train", "train_file", required=True, type=click.Path(path_type=Path)),
    click.option("--dev", "dev_file", type=click.Path(path_type=Path), help="Default: held out of the training file."),
    click.option(
        "--split",
        "split_file",
        type=click.Path(path_type=Path),
        help="A file of hashes that divides the training file 8:1:1; written if it is not there.",
    ),
    click.option(
        "--encoder", default="mini-roberta-wwm-ext", show_default=True, help="A name, a folder, or random:NAME."
    ),
)


def trains_on_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every command that trains asks for: ``--train``, ``--dev``, ``--split``, ``--encoder``."""
    for option in reversed(_training_options):
        command = option(command)
    return command


def run_config(config_file: Path | None, pairs: tuple[tuple[str, str], ...]) -> TrainConfig:
    """The options of a run: those of ``-c FILE``, over which ``-p NAME VALUE`` wins."""
    from hanlp_tutor.config import TrainConfig, config_from_yaml

    given = parameters(pairs)
    return config_from_yaml(config_file, given) if config_file else TrainConfig(**given)


def read_sets(
    task: str,
    train: Path,
    dev: Path | None,
    test: Path | None,
    split_file: Path | None,
    seed: int,
    reading: dict[str, Any],
) -> Split:
    """Training, dev and test set of a job: from their files, or one file divided as ``--split`` says."""
    from hanlp_tutor.workbench.job import divide, read_split

    if split_file:
        return divide(task, train, split_file, seed=seed, **reading)
    return read_split(task, train, dev, test, seed=seed, **reading)


def model_folder(path: Path) -> Path:
    """A model folder, or the one inside a run folder.

    Raises:
        ModelError: a run folder that has no model (yet); says what it has, and how to come to a model.
    """
    from hanlp_tutor.run_folder import why_no_model
    from hanlp_tutor.workbench.closing import kit

    inside = path / "model"
    if (inside / "model.json").exists():
        return inside
    reason = why_no_model(path, kit())
    if reason is not None:
        raise ModelError(f"{path}: {reason}")
    return path


def predicting_folder(path: Path) -> Path:
    """A model folder to predict with: an ONNX folder as it is, else as :func:`model_folder`."""
    from hanlp_tutor.serving.onnx_folder import is_onnx_folder

    return path if is_onnx_folder(path) else model_folder(path)


def predictor_of(folder: Path) -> Any:
    """The predictor of a :func:`predicting_folder`; for an ONNX folder torch is not even loaded."""
    from hanlp_tutor.serving.onnx_folder import is_onnx_folder

    if is_onnx_folder(folder):
        from hanlp_tutor.serving.onnx_predictor import OnnxPredictor as Predictor
    else:
        from hanlp_tutor.core.predict import Predictor
    return Predictor.load(folder)
