"""What a run shows to a person: a line a step, and in a terminal a bar below the lines that moves.

A run reports what happens (:func:`hanlp_tutor.progress.tell`); :class:`Steps` makes lines of it. ``hanlp-tutor train``
listens to its own process, :mod:`hanlp_tutor.workbench.runner` to that of the notebook, through a file that
:class:`Follower` reads.
"""

from __future__ import annotations

import json
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hanlp_tutor.progress import resolve_mode
from hanlp_tutor.workbench.closing import NAMES, headline

WIDTH, LABEL = 80, 13  # of a line, and of the step's name that it begins with
REDRAWN = 0.1  # seconds between two looks of the bar, at least
FOLLOWED = 0.2  # seconds between two looks into the file of events


@dataclass
class _Counted:
    """What a bar shows."""

    name: str
    total: int
    unit: str
    done: int
    form: str
    since: float = field(default_factory=time.time)
    begun_at: int = 0


class Steps:
    """Lines of a run on standard error, which leaves standard output to results.

    Args:
        mode: ``bar``, ``lines`` or ``none`` (the steps, but nothing while they last); ``auto`` asks the terminal.

    Attributes:
        sample: a text of its own data on which the model can be tried, once the run has named one.
        detailed: whether a training says how many updates it has and gets a line for each evaluation; where there are
            many trainings, that would be too much.
    """

    def __init__(self, mode: str = "auto"):
        self.mode, self.detailed = resolve_mode(mode), True
        self.sample: str | None = None
        self._score, self._encoder = "dev score", ""
        self._counted: list[_Counted] = []  # what is seen is the last
        self._bar: Any = None
        self._drawn = 0.0
        self._lock = threading.RLock()  # a follower speaks from a thread of its own

    def trains(self, task: str, encoder: str) -> None:
        """Call the score on the dev set by the name that it has in a task, such as ``dev F1``; name the encoder."""
        from hanlp_tutor.core.task import task_named

        measure = task_named(task).headline
        self._score, self._encoder = f"dev {NAMES.get(measure, measure)}", f"{encoder}, "

    def say(self, step: str, text: str) -> None:
        """A line of a step; what is too long for one goes on below, indented."""
        indent = " " * LABEL
        lines = textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        self._print(f"{step:{LABEL - 1}} " + "\n".join(lines)[LABEL:])

    def hear(self, event: dict[str, Any]) -> None:
        """An event of a run, as a line or as a movement of the bar."""
        kind = event["event"]
        if kind == "environment":
            self.say("environment", event["text"])
        elif kind == "chosen":
            from hanlp_tutor.config import typed_value  # pydantic, which `--help` does without

            named = (f"{name} {typed_value(value)}" for name, value in event["options"].items() if name != "because")
            if chosen := ", ".join(named):
                self.say("options", f"not given, so chosen: {chosen}")
        elif kind == "training":
            if self.detailed:
                before = f", {event['done']:,} of them done before" if event["done"] else ""
                self.say("training", f"{self._encoder}{event['updates']:,} updates{before}")
            self.begin("training", event["updates"], "updates", done=event["done"])
        elif kind == "update":
            self._updated(event["done"], event["row"])
        elif kind == "trained":
            self.end()
        elif kind == "note":
            self.say("note", event["line"])
        elif kind == "tested":
            self.say("test", headline(event["scores"]))
        elif kind == "sample":
            self.sample = event["text"]
        elif kind == "baseline":
            self.say("baseline", f"{event['name']} on the same files, {event['seconds']:g} s at most")

    def begin(self, name: str, total: int, unit: str, *, done: int = 0, remaining: bool = True) -> None:
        """Count up to ``total``; what was counted before waits until :meth:`end`.

        Args:
            name, unit: of what is counted.
            done: how many are.
            remaining: whether to say how long it will take, which needs them to be alike.
        """
        clock = "[{elapsed}<{remaining}]" if remaining else "[{elapsed}]"
        form = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit} " + clock
        with self._lock:
            self._counted.append(_Counted(name, total, unit, done, form, begun_at=done))
            self._draw()

    def count(self, done: int) -> None:
        """So many are done of what was begun last."""
        with self._lock:
            if self._counted:
                self._counted[-1].done = done
                self._draw(REDRAWN)

    def end(self) -> None:
        """What was begun last is over."""
        with self._lock:
            if self._counted:
                self._counted.pop()
            self._draw()

    def count_outermost(self, done: int) -> None:
        """So many are done of what was begun first, and all else is over: a training may have ended in an error."""
        with self._lock:
            del self._counted[1:]
            self._counted[0].done = done
            self._draw()

    def close(self) -> None:
        """Nothing is counted any more, and the bar is gone."""
        with self._lock:
            self._counted.clear()
            self._draw()

    def tick(self) -> None:
        """Let the clock of the bar go on."""
        with self._lock:
            self._draw(1.0)

    def _updated(self, done: int, row: dict[str, Any] | None) -> None:
        """An update is done; with a row, the model was evaluated after it."""
        self.count(done)
        if row and self.detailed and self.mode != "none":
            total = f"/{self._counted[-1].total:,}" if self._counted else ""
            self.say(
                "",
                f"update {row['step']:,}{total}  loss {row['loss']:.3f}  "
                f"{self._score} {row['dev_score']:.3f}  {row['tokens_per_second']:,.0f} tokens/s",
            )

    def _print(self, line: str) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.clear()
            print(line, file=sys.stderr, flush=True)
            self._draw()

    def _draw(self, after: float = 0.0) -> None:
        """The bar as it is now, unless it was drawn less than ``after`` seconds ago."""
        if self.mode != "bar" or time.monotonic() - self._drawn < after:
            return
        if not self._counted:
            if self._bar is not None:
                self._bar.close()
                self._bar = None
            return
        from tqdm import tqdm

        now = self._counted[-1]
        shown = {"total": now.total, "unit": now.unit, "bar_format": now.form}
        if self._bar is None:
            self._bar = tqdm(initial=now.done, leave=False, dynamic_ncols=True, file=sys.stderr, **shown)
        for name, value in {**shown, "n": now.done, "initial": now.begun_at, "start_t": now.since}.items():
            setattr(self._bar, name, value)
        self._bar.set_description_str(f"{now.name[: LABEL - 1]:{LABEL - 1}}")
        self._drawn = time.monotonic()


class Follower:
    """Hands on the events that another process writes into a file, while a ``with`` block runs.

    Args:
        path: the file; it need not exist yet.
        hear: called with each event, here or in a thread of the follower's own, never in both at once.
        tick: called again and again in between.
    """

    def __init__(self, path: Path, hear: Callable[[dict[str, Any]], None], tick: Callable[[], None]):
        self.path, self.hear, self.tick = path, hear, tick
        self._read = 0
        self._lock, self._over = threading.Lock(), threading.Event()

    def __enter__(self) -> Follower:
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()
        self.catch_up()

    def catch_up(self) -> None:
        """Hand on what has been written so far; only whole lines."""
        with self._lock:
            if not self.path.exists():
                return
            with open(self.path, "rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                for line in whole.splitlines():
                    self.hear(json.loads(line))

    def _follow(self) -> None:
        while not self._over.wait(FOLLOWED):
            self.catch_up()
            self.tick()
