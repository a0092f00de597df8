"""The options that commands share: of a run, of the files' reader, of what is trained on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.files import names_a_folder

if TYPE_CHECKING:  # the command line starts without importing what these stand on
    from hanlp_tutor.config import TrainConfig
    from hanlp_tutor.data import Split


# The names in TASKS and ROOMS of hanlp_tutor.core.task, and those that are not several tasks at once. They stand here
# so that the command line need not import the tasks, and with them numpy; a test compares them.
TASK = click.Choice(["ner", "classify", "multitask", "relation"])
ONE_TASK = click.Choice(["ner", "classify", "relation"])


class NewFile(click.Path):
    """A file to be written: a name that ends in a slash is that of a folder, and is not taken for a file's."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if names_a_folder(value):
            self.fail(f"{value} is a folder. Name a file in it: {value}NAME", param, ctx)
        return super().convert(value, param, ctx)


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
