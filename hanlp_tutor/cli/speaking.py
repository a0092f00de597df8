"""How commands speak: errors in words, notes, ``--json``, Ctrl-C, and which command goes on."""

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
from typing import Any

import click

from hanlp_tutor.errors import TrainingError, TutorError, first_line
from hanlp_tutor.extras import extra_of, missing
from hanlp_tutor.files import REMEDIES, error_of_machine

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
