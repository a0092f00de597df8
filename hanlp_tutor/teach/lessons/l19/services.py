"""Services in processes of their own, started and stopped from a notebook."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from hanlp_tutor.device import release_memory
from hanlp_tutor.errors import TutorError
from hanlp_tutor.teach.lessons.l19.listing import write_article_service

SLOWEST = 120  # seconds until a service has to answer


class Service:
    """A process that listens on the loopback; a ``with`` block ends it.

    Args:
        command: what follows ``python``; ``PORT`` in it is replaced by a free one.
        health: the path that answers once it is ready.
        environment: of the process, beside that of this one.
        one_core: let it compute on one core alone, where the system can.
    """

    def __init__(
        self, command: Sequence[str], health: str, environment: dict[str, str] | None = None, *, one_core: bool = False
    ):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{port}/"
        release_memory()  # the other process loads torch once more
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, *(port if part == "PORT" else part for part in command)],
            stdout=subprocess.DEVNULL, stderr=self._log, env={**os.environ, **(environment or {})},
            preexec_fn=_to_one_core if one_core and hasattr(os, "sched_setaffinity") else None,
        )  # fmt: skip
        began = time.monotonic()
        while self.process.poll() is None and time.monotonic() - began < SLOWEST:
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(self.address + health, timeout=5).close()
                self.started = time.monotonic() - began
                return
            time.sleep(0.05)
        self.stop()
        raise TutorError(f"the service did not start: {self.log()[-500:]}")

    def log(self) -> str:
        """What it wrote to standard error so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", errors="replace")

    @property
    def mib(self) -> float:
        """Its memory now."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def stop(self) -> int:
        """Ask it to end (SIGTERM), and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait(10)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _to_one_core() -> None:
    os.sched_setaffinity(0, {0})


def article_service(hanlp_folder: Path, folder: Path) -> Service:
    """The article's seven lines under uvicorn; the file is written into ``folder``."""
    name = write_article_service(folder)
    command = ["-m", "uvicorn", name, "--app-dir", str(folder), "--port", "PORT", "--log-level", "error"]
    return Service(command, "openapi.json", {"FINETUNED_HANLP": str(Path(hanlp_folder).resolve())})


def kit_service(model: Path, *options: str, one_core: bool = False) -> Service:
    """``hanlp-tutor serve MODEL``."""
    command = ["-m", "hanlp_tutor.cli", "serve", str(model), "--port", "PORT", *options]
    return Service(command, "health/ready", one_core=one_core)


def ask(service: Service, path: str, body: bytes | None = None, *, post: bool = False) -> tuple[int, str, float]:
    """Status, text and seconds of one request; an error's status is returned, not raised."""
    request = urllib.request.Request(
        service.address + path, body if body is not None else (b"" if post else None),
        {"Content-Type": "application/json"} if body else {},
    )  # fmt: skip
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read().decode("utf-8"), time.perf_counter() - began
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8"), time.perf_counter() - began
