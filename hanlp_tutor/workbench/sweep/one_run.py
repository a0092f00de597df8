"""One run of a sweep: what a Dask worker does with it, and the fresh process that executes the notebook.

``python -m hanlp_tutor.workbench.sweep.one_run`` reads a job, one line of JSON, from its standard input, and goes on
listening there: when that pipe closes, the worker that started it is gone (``kill -9`` too), and the process ends
itself with all that it has started. So a run that is begun again elsewhere never has a forgotten twin.

The worker's side imports neither torch nor papermill.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hanlp_tutor.errors import TutorError
from hanlp_tutor.manifest import manifest, read_manifest, update_manifest
from hanlp_tutor.processes import kill_with_children, part_of_the_cores

FINISHED, FAILED = "finished", "failed"
LOG_FILE = "run.log"  # what the process printed
SLOT = "slot"  # the Dask resource that a run takes one of
_LAST_WORDS = 2000  # bytes of the log that an error looks at


class RunDied(Exception):
    """A run whose process ended without a word; it may be tried again."""


class NoSharedFolder(Exception):
    """A worker that does not see the sweep's folder."""


def run_on_worker(job: dict[str, Any]) -> dict[str, Any]:
    """Execute a job in a fresh process, unless it is finished already; called by Dask in a thread of a worker.

    Args:
        job: ``notebook``, ``parameters``, ``profile``, ``folder``, ``key``, ``directory`` (to run in),
            ``threads`` as somebody has chosen them, or None, ``beside``: how many runs share this machine.

    Returns:
        What the run's manifest says of it (:func:`verdict`).

    Raises:
        NoSharedFolder: the sweep's folder is not there. RunDied: the process ended without a word.
    """
    folder = Path(job["folder"])
    if not Path(job["notebook"]).exists():
        raise NoSharedFolder(f"{socket.gethostname()} does not see {job['notebook']}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        before = verdict(folder, job["key"])
        if before is not None and before["state"] == FINISHED:
            return before
        _empty(folder)
        with _a_device() as environment:
            code = _executed(job, folder, environment)
        after = verdict(folder, job["key"])
    if after is None:
        raise RunDied(f"its process ended with {_how(code)}{_last_line(folder / LOG_FILE)}")
    return after


def verdict(folder: Path, key: str) -> dict[str, Any] | None:
    """What the manifest in a run folder says of the run with this key; None when it says nothing, or is damaged."""
    with suppress(OSError, ValueError):
        said = read_manifest(folder).get("sweep")
        if isinstance(said, dict) and said.get("key") == key and said.get("state") in (FINISHED, FAILED):
            return said
    return None


def _executed(job: dict[str, Any], folder: Path, environment: dict[str, str]) -> int:
    """Start the process, hand it the job, wait; its exit code."""
    directory = job["directory"] if Path(job["directory"]).is_dir() else None
    # Dask tells its workers to compute with one thread; what they start would inherit that
    threads = part_of_the_cores(job["beside"], job["threads"])
    variables = {**os.environ, **threads, **environment}
    with open(folder / LOG_FILE, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=variables,
        )
        with process:
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(job).encode("utf-8") + b"\n")
                process.stdin.flush()  # and left open: its end is the sign that we are gone
            return process.wait()


@contextmanager
def _a_device() -> Iterator[dict[str, str]]:
    """A GPU of this machine that no other run has, as environment variables; nothing where there is none.

    Slots keep the runs of one scheduler apart; the lock keeps apart those of two workers that see the same GPU.
    """
    devices = visible_gpus()
    if not devices:
        yield {}
        return
    while True:
        for device in devices:
            lock = FileLock(Path(tempfile.gettempdir()) / f"hanlp-tutor-gpu-{device}.lock", timeout=0, mode=0o666)
            try:
                lock.acquire()
            except Timeout:
                continue
            try:
                yield {"CUDA_VISIBLE_DEVICES": device}
            finally:
                lock.release()
            return
        time.sleep(0.5)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES or else the driver lists them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        chosen = [part.strip() for part in named.split(",")]
        return [part for part in chosen if part and part != "-1"]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(lines))] if listed.returncode == 0 else []


def _empty(folder: Path) -> None:
    """The run's folder, without what a killed or failed run left there."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _last_line(log: Path) -> str:
    """The last line that a process printed, as the end of a sentence."""
    with suppress(OSError):
        lines = log.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        if said:
            return f": {said[-1]}"
    return ""


def main() -> None:
    """The fresh process: run the notebook, and write into its manifest how that went."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_worker, daemon=True).start()
    from hanlp_tutor.workbench.runner import run_notebook

    folder, began = Path(job["folder"]), time.monotonic()
    said: dict[str, Any] = {"state": FINISHED, "error": None}
    try:
        run_notebook(job["notebook"], job["parameters"], profile=job["profile"], out=folder)
    except TutorError as error:
        said |= {"state": FAILED, "error": str(error)}
    said |= {"key": job["key"], "parameters": job["parameters"], "profile": job["profile"]}
    said |= {"seconds": time.monotonic() - began, "host": socket.gethostname()}
    device = "cuda" if os.environ.get("CUDA_VISIBLE_DEVICES") else "cpu"
    facts = {} if read_manifest(folder) else manifest(device)
    update_manifest(folder, **facts, sweep=said)


def _end_with_worker() -> None:
    """Wait for the end of standard input, then end this process and all that it has started."""
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    kill_with_children()
    os._exit(1)


if __name__ == "__main__":
    main()
