"""What a notebook costs: measured minutes, memory and MiB to fetch, in ``results/notebooks.json``.

Its set-up cell shows minutes and memory.
"""

from __future__ import annotations

import json
import os
import tempfile
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


class FetchMeter:
    """What is fetched while a ``with`` block runs: the caches of all that fetch are empty then, and what is in them
    at the end is counted.

    The environment points to them, and processes that are started in the block inherit it: pooch (corpora), the hub of
    Hugging Face, HanLP, torch. What libraries put into a cache without fetching it is left out. Measure on Linux, for
    elsewhere pooch's cache lies in the home, and with a network: what could not be fetched is not counted.

    Attributes:
        mib: MiB on the disk, once the block has ended.
    """

    _CACHES = ("XDG_CACHE_HOME", "HF_HOME", "HANLP_HOME", "TORCH_HOME")
    _WITHIN = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_XET_CACHE", "TRANSFORMERS_CACHE", "HF_DATASETS_CACHE")
    # Lists of fonts; wheels of other work; the number that ONNX Runtime gives to a machine
    _MADE_HERE = frozenset({"matplotlib", "fontconfig", "pip", ".onnxruntime"})

    def __init__(self) -> None:
        self.mib = 0.0

    def __enter__(self) -> FetchMeter:
        self._folder = tempfile.TemporaryDirectory(prefix="fetched-")
        self._before = {name: os.environ.pop(name, None) for name in (*self._CACHES, *self._WITHIN)}
        os.environ.update({name: str(Path(self._folder.name, name.lower())) for name in self._CACHES})
        return self

    def __exit__(self, *exc: object) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        root = Path(self._folder.name)
        files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
        kept = [path for path in files if not self._MADE_HERE & set(path.relative_to(root).parts)]
        self.mib = sum(path.stat().st_size for path in kept) / 2**20
        self._folder.cleanup()


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


def read_download(notebook: str, folder: Path | None = None) -> float | None:
    """MiB that a notebook fetches while it runs; None when it has not been measured.

    As measured in ``class``, else in ``smoke``: those profiles read the same corpora and weights, whole, and differ in
    how many examples of them are taken.
    """
    costs = (read_cost(notebook, profile, folder) for profile in ("class", "smoke"))
    return next((cost["download_mib"] for cost in costs if cost and "download_mib" in cost), None)


def expected_minutes(notebook: str, profile: str) -> float | None:
    """What a notebook may take: as measured in ``class``, in ``smoke`` no more than the rule lets it; None: unknown."""
    cost = read_cost(notebook, "class")
    if cost is None:
        return None
    return min(cost["minutes"], SMOKE_MINUTES) if profile == "smoke" else cost["minutes"]


def write_cost(notebook: str, profile: str, cost: dict[str, Any], folder: Path | None = None) -> None:
    """Put one measurement into the file, beside the others there; whole or not at all.

    Args:
        cost: ``minutes``, ``memory_mb``, ``download_mib``, ``device``, ``date`` and what else it takes to measure it
            again.
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
