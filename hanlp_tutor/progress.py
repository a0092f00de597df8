"""A progress bar that behaves: a bar in a terminal, a widget in a live notebook, plain lines in a file or papermill.

Beside what it prints, a run says what happens to whoever listens (:func:`tell`): the command line listens to its own
training, and to a notebook's kernel, which is another process, by way of a file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

EVENTS = "HANLP_TUTOR_EVENTS"  # the runner names a file by it, to which a kernel writes one event a line

_listeners: list[Callable[[dict[str, Any]], None]] = []


def tell(event: str, **facts: Any) -> None:
    """Say what happens: to the listeners of this process, and to the file that EVENTS names."""
    message = {"event": event, **facts}
    for listener in _listeners:
        listener(message)
    if EVENTS in os.environ:
        # a runner that is gone hears nothing, and that stops no run
        with suppress(OSError), open(os.environ[EVENTS], "a", encoding="utf-8") as file:
            file.write(json.dumps(message, ensure_ascii=False) + "\n")


def listen(listener: Callable[[dict[str, Any]], None]) -> None:
    """Call ``listener`` with each event of this process from now on, in the place of an earlier one of its type."""
    _listeners[:] = [other for other in _listeners if type(other) is not type(listener)]
    _listeners.append(listener)


@contextmanager
def listening(listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Within the block, ``listener`` is called with each event of this process: ``{"event": name, ...}``."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def heard() -> bool:
    """Whether anybody listens."""
    return bool(_listeners) or EVENTS in os.environ


def resolve_mode(mode: str) -> str:
    """``bar``, ``lines`` or ``none``, whatever is asked for.

    ``auto`` is resolved; HANLP_TUTOR_PROGRESS overrides all but ``none`` (the runner sets ``lines`` for papermill).
    """
    if mode != "none":
        mode = os.environ.get("HANLP_TUTOR_PROGRESS", mode)
    if mode != "auto":
        return mode
    return "bar" if in_notebook() or sys.stderr.isatty() else "lines"


def in_notebook() -> bool:
    """Whether this process is a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class Reporter:
    """Shows a run to a person, and tells it to those who listen; it computes nothing.

    Lines go to standard output in a notebook, where standard error is red, and to standard error elsewhere, where
    standard output belongs to results.
    """

    def __init__(self, updates: int, done: int, mode: str = "auto"):
        self.mode, self.updates = resolve_mode(mode), updates
        self.stream = sys.stdout if in_notebook() else sys.stderr
        self.bar: Any = None
        if self.mode == "bar":
            from tqdm.auto import tqdm

            self.bar = tqdm(total=updates, initial=done, unit="update", leave=False, dynamic_ncols=True)
        self.done = done
        tell("training", updates=updates, done=done, shown=self.mode == "bar")

    def update(self, row: dict[str, Any] | None) -> None:
        """One update is done; ``row`` is the history row it gave, if any."""
        self.done += 1
        evaluated = bool(row) and row.get("dev_score") is not None
        logged = {"step": row["step"], "loss": row["loss"]} if row else None
        tell("update", done=self.done, row=row if evaluated else None, logged=logged)
        if self.bar is not None:
            self.bar.update()
            if row:
                self.bar.set_postfix_str(f"loss {row['loss']:.4f}")
        if evaluated:
            self._print(
                f"epoch {row['epoch']}  update {row['step']:>5}/{self.updates}  loss {row['loss']:.4f}  "
                f"dev loss {row['dev_loss']:.4f}  dev score {row['dev_score']:.4f}  "
                f"train score {row['train_score']:.4f}  {row['tokens_per_second']:,.0f} tokens/s"
            )

    def say(self, line: str) -> None:
        """One line, above the bar if there is one."""
        tell("note", line=line)
        self._print(line)

    def _print(self, line: str) -> None:
        if self.mode == "none":
            return
        if self.bar is not None:
            self.bar.write(line, file=self.stream)
        else:
            print(line, file=self.stream, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        tell("trained", done=self.done)
        if self.bar is not None:
            self.bar.close()
