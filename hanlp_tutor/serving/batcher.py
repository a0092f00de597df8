"""Dynamic micro-batching: what arrives while the model computes is computed together next, and the queue is bounded.

One thread computes. A batch is whatever waits when it becomes free, up to a number of texts and of characters; where
little waits it may wait a few milliseconds for more. A request is let in only if it can be answered within the
deadline at the speed measured so far (admission control); else it is refused at once, with the time after which
another try may succeed, so that a burst can neither fill the memory nor make everybody wait. What was let in is
answered, also when the service is asked to stop.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

OVERHEAD = 16  # a text costs as much as its characters and this many more: measured with the embedded encoders
HEADROOM = 0.55  # of the deadline that admission plans with: the speed is known from the past only
MEMORY = 0.8  # weight of the past in the measured speed


@dataclass(frozen=True)
class Batching:
    """How requests are put together.

    Args:
        texts: in one batch at most; 1 computes one request after the other.
        characters: in one batch at most, unless one text alone has more.
        wait: seconds that a batch waits for more texts after its first has arrived.
        deadline: seconds within which a request that is let in is to be answered.
        queue: texts that may wait at most, whatever the speed.
    """

    texts: int = 64
    characters: int = 8192
    wait: float = 0.002
    deadline: float = 1.0
    queue: int = 2048


class QueueFull(Exception):
    """No room: try again after ``retry_after`` seconds, a whole number of at least 1."""

    def __init__(self, seconds: float):
        super().__init__(f"busy; try again in {seconds:.1f} s")
        self.retry_after = max(1, math.ceil(seconds))


class Stopping(Exception):
    """The service is being stopped and lets nobody in."""


@dataclass
class _Job:
    inputs: Sequence[Any]
    cost: int
    future: Future = field(default_factory=Future)
    arrived: float = field(default_factory=time.monotonic)


class Batcher:
    """A queue before a model, and the thread that works it off.

    Args:
        answer: from a list of inputs to the list of their answers; called from one thread only.
        batching: its limits.
        size: characters of an input.
        seen: called after each batch with its number of texts and the seconds it took.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Any]], Sequence[Any]],
        batching: Batching | None = None,
        *,
        size: Callable[[Any], int] = len,
        seen: Callable[[int, float], None] = lambda texts, seconds: None,
    ):
        self.batching = batching or Batching()
        self._answer, self._size, self._seen = answer, size, seen
        self._waiting: deque[_Job] = deque()
        self._texts = self._cost = self._computing = 0
        self._speed: float | None = None  # cost a second
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Texts that wait, without those being computed."""
        return self._texts

    @property
    def alive(self) -> bool:
        """Whether requests are let in and worked off."""
        return self._thread.is_alive() and not self._closed

    def submit(self, inputs: Sequence[Any]) -> Future:
        """Let a request in; its answers, in order, are the result of what is returned.

        Raises:
            QueueFull: it would have to wait for longer than the deadline. Stopping: :meth:`close` was called.
        """
        job = _Job(inputs, sum(self._size(each) + OVERHEAD for each in inputs))
        with self._changed:
            if not self.alive:
                raise Stopping
            before = self._cost + self._computing
            seconds = before / self._speed if self._speed else 0.0
            own = job.cost / self._speed if self._speed else 0.0
            # a request that takes long by itself is let in where nobody waits
            late = before and seconds + own > self.batching.deadline * HEADROOM
            if late or (self._texts and self._texts + len(inputs) > self.batching.queue):
                raise QueueFull(seconds)
            self._waiting.append(job)
            self._texts += len(inputs)
            self._cost += job.cost
            self._changed.notify()
        return job.future

    def close(self, timeout: float | None = None) -> bool:
        """Let nobody in any more, answer what was let in, end the thread; whether it has ended in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while jobs := self._next():
            began = time.monotonic()
            answered = self._compute(jobs)
            self._count(jobs, time.monotonic() - began)
            for job, answers in answered:  # counted before: whoever has an answer finds it in the counts
                job.future.set_result(answers)

    def _count(self, jobs: list[_Job], seconds: float) -> None:
        with suppress(Exception):  # a count that fails must not stop the answers
            self._seen(sum(len(job.inputs) for job in jobs), seconds)
        with self._changed:
            speed = sum(job.cost for job in jobs) / max(seconds, 1e-6)
            self._speed = speed if self._speed is None else MEMORY * self._speed + (1 - MEMORY) * speed
            self._computing = 0

    def _next(self) -> list[_Job]:
        """The jobs of the next batch; none when the service has been stopped and all are answered."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if not self._waiting:
                return []
            until = self._waiting[0].arrived + self.batching.wait
            while (rest := until - time.monotonic()) > 0 and not self._closed and not self._full():
                self._changed.wait(rest)
            jobs, texts, characters = [], 0, 0
            while self._waiting:
                job = self._waiting[0]
                if jobs and (
                    texts + len(job.inputs) > self.batching.texts or characters + job.cost > self.batching.characters
                ):
                    break
                jobs.append(self._waiting.popleft())
                texts, characters = texts + len(job.inputs), characters + job.cost
            self._texts -= texts
            self._cost -= characters
            self._computing = characters
            return jobs

    def _full(self) -> bool:
        return self._texts >= self.batching.texts or self._cost >= self.batching.characters

    def _compute(self, jobs: list[_Job]) -> list[tuple[_Job, list[Any]]]:
        """The jobs' answers, computed together; where that fails, each job is answered by itself, and none is returned.

        So the text that cannot be answered fails alone.
        """
        jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        if not jobs:
            return []
        try:
            answers = iter(list(self._answer([each for job in jobs for each in job.inputs])))
        except BaseException as error:  # it goes to whoever asked; the thread lives on
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
            else:
                for job in jobs:
                    self._alone(job)
            return []
        return [(job, list(islice(answers, len(job.inputs)))) for job in jobs]

    def _alone(self, job: _Job) -> None:
        try:
            job.future.set_result(list(self._answer(job.inputs)))
        except BaseException as error:
            job.future.set_exception(error)
