"""What a notebook costs: measured minutes and memory, in ``results/notebooks.json``; its set-up cell shows them."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from hanlp_tutor.files import write_json

SCHEMA = 1
COSTS_FILE = "notebooks.json"
SMOKE_MINUTES = 1.0  # a lesson takes no more in the profile smoke, on one core: a rule for whoever writes one
NOT_MEASURED = "minutes and memory: not measured"


class TreeMeter:
    """Peak memory of a process and all its descendants, and the wall-clock time, while a ``with`` block runs.

    Resident sizes are added up, so pages that two processes share count twice: what is reported is never too little.

    Args:
        pid: of the root; None: of this process.
        include_root: False leaves the root itself out (a measuring process that is no part of the cost).
        interval: seconds between two looks; a peak in between is missed.

    Attributes:
        now_mb, peak_mb: MiB at the last look, and the most so far.
        seconds: of the block, once it has ended.
    """

    def __init__(self, pid: int | None = None, *, include_root: bool = True, interval: float = 0.1):
        self.pid, self.include_root, self.interval = pid, include_root, interval
        self.now_mb, self.peak_mb, self.seconds = 0.0, 0.0, 0.0
        self._over = threading.Event()

    def __enter__(self) -> TreeMeter:
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds = time.monotonic() - self._start
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.now_mb = self._now()
            self.peak_mb = max(self.peak_mb, self.now_mb)
            if self._over.wait(self.interval):
                return

    def _now(self) -> float:
        import psutil

        try:
            root = psutil.Process(self.pid)
            processes = [root] * self.include_root + root.children(recursive=True)
        except psutil.NoSuchProcess:
            return 0.0
        total = 0
        for process in processes:
            try:
                if process is root or not _before_exec(process):
                    total += process.memory_info().rss
            except psutil.Error:  # ended between the two calls
                continue
        return total / 2**20


def _before_exec(process: Any) -> bool:
    """Whether it was forked and has not become another program yet: for that moment its pages are its parent's."""
    parent = process.parent()
    return parent is not None and process.cmdline() == parent.cmdline()


def costs_file(folder: Path | None = None) -> Path:
    """Where the measured costs lie; the file need not exist."""
    from hanlp_tutor.teach.results import results_folder

    return (folder or results_folder()) / COSTS_FILE


def read_cost(notebook: str, profile: str, folder: Path | None = None) -> dict[str, Any] | None:
    """What a notebook was measured to cost in a profile; None when it has not been, or not by this version."""
    try:
        content = json.loads(costs_file(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if content.get("schema") != SCHEMA:
        return None
    return content["notebooks"].get(notebook, {}).get(profile)


def expected_minutes(notebook: str, profile: str) -> float | None:
    """What a notebook may take: as measured in ``class``, in ``smoke`` no more than the rule lets it; None: unknown."""
    cost = read_cost(notebook, "class")
    if cost is None:
        return None
    return min(cost["minutes"], SMOKE_MINUTES) if profile == "smoke" else cost["minutes"]


def write_cost(notebook: str, profile: str, cost: dict[str, Any], folder: Path | None = None) -> None:
    """Put one measurement into the file, beside the others there; whole or not at all.

    Args:
        cost: ``minutes``, ``memory_mb``, ``device``, ``date`` and what else it takes to measure it again.
    """
    path = costs_file(folder)
    content: dict[str, Any] = {"schema": SCHEMA, "notebooks": {}}
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before.get("schema") == SCHEMA:
            content = before
    content["notebooks"].setdefault(notebook, {})[profile] = cost
    content["notebooks"] = dict(sorted(content["notebooks"].items()))
    write_json(path, content)


def describe_cost(cost: dict[str, Any] | None) -> str:
    """One line for a reader.

    >>> describe_cost({"minutes": 3.14, "memory_mb": 900.0, "device": "a laptop", "date": "2026-11-22T10:00:00+00:00"})
    'measured: 3.1 min, 0.9 GiB on a laptop (2026-11-22)'
    """
    if cost is None:
        return NOT_MEASURED
    gib = cost["memory_mb"] / 1024
    return f"measured: {cost['minutes']:.1f} min, {gib:.1f} GiB on {cost['device']} ({cost['date'][:10]})"
