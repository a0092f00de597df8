"""``make memory``: lessons under a real limit of memory, 2 GiB as Binder gives, and what each of them took.

Each runs in the profile class unless PROFILE says otherwise, in processes of its own: the runner, which stands for the
server that Binder counts too, the kernel, and what the lesson starts. One that is killed, or fails, is named with its
reason and what to do, and the exit code is 1.

How the limit is set, the first that can be had:

- a control group that ``systemd-run --user --scope`` makes, or one below ``--group``, a folder of them that you may
  write (cgroup v2, or of v1 the hierarchy of memory, such as ``ARGS="--group /sys/fs/cgroup/memory"``). The kernel
  counts what all processes hold together, and kills the largest when it is too much;
- else a watch that adds up, twenty times a second, what all processes hold, and kills the largest when it is too much.
  The kernel keeps the most that each process held, and that is asked at the end, so that a peak between two looks is
  missed only where several processes share it. Behind the watch stands ``RLIMIT_DATA`` at twice the limit, by which the
  kernel refuses a leap of several GiB at once. It cannot be the limit itself, nor can ``ulimit -v``: both count what is
  reserved, of which torch touches a part (lesson 01 in smoke: 1.8 GiB of private memory reserved, 0.7 held). Where
  there is none of this (Windows), the watch is alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from hanlp_tutor.errors import TutorError
from hanlp_tutor.teach.course.cost import TreeMeter
from hanlp_tutor.workbench.notebook_file import find_notebook, notebook_folder
from hanlp_tutor.workbench.runner import PROFILES

LIMIT_MB = 2048
_LOOK = 0.05  # seconds between two looks of the watch
# A control group's files of the limit and of swap, and what forbids swap; v1 counts memory and swap together
_OF_MEMORY = (("memory.max", "memory.swap.max", "0"), ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", None))
_ENDED = (-9, -15, 137, 143)  # the runner itself, by the kernel or by systemd, which ends all of a scope
# How NumPy, Python and torch say that the kernel gave no memory
_REFUSED = ("MemoryError", "can't allocate memory", "Unable to allocate")


@dataclass(frozen=True)
class Limit:
    """A way to limit a command.

    Attributes:
        how: in words.
        prefix: put before the command.
        in_child: called in the new process before the command begins.
        watched: whether the watch has to kill, because the kernel counts each process by itself.
    """

    how: str
    prefix: tuple[str, ...] = ()
    in_child: Callable[[], None] | None = None
    watched: bool = False


@dataclass(frozen=True)
class Run:
    """A lesson under the limit.

    Attributes:
        state: ``passed``, ``killed``, ``refused`` memory, ``over`` the limit between two looks, ``failed`` otherwise.
        peak_mb: MiB of all its processes.
        reason: why it did not pass, and what to do.
    """

    lesson: str
    state: str
    peak_mb: float
    reason: str = ""


def by_scope(limit_mb: int) -> Limit | None:
    """A scope of the user's systemd; None where there is none, or where it sets no limit of memory."""
    if shutil.which("systemd-run") is None:
        return None
    prefix = ("systemd-run", "--user", "--scope", "--quiet", "--collect", f"--property=MemoryMax={limit_mb}M",
              "--property=MemorySwapMax=0", "--")  # fmt: skip
    look = 'cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"'  # it may be ignored in silence
    asked = subprocess.run([*prefix, "sh", "-c", look], capture_output=True, text=True)
    if asked.returncode or asked.stdout.strip() != str(limit_mb * 2**20):
        return None
    return Limit("a control group, made by systemd-run", prefix)


@contextmanager
def by_group(parent: Path, limit_mb: int):
    """A control group (cgroup v2, or v1's of memory) below ``parent``, gone afterwards.

    Raises:
        TutorError: it cannot be made there, or has no controller of memory.
    """
    group = parent / f"lessons-{os.getpid()}"
    try:
        group.mkdir()
        limits = next((each for each in _OF_MEMORY if (group / each[0]).exists()), None)
        if limits is None:
            raise OSError("it has no controller of memory (cgroup.subtree_control)")
        (group / limits[0]).write_text(str(limit_mb * 2**20))
    except OSError as error:
        with suppress(OSError):
            group.rmdir()
        raise TutorError(f"{parent}: no control group can be made there: {error}. Leave --group out.") from None
    with suppress(OSError):  # a kernel without swap accounting
        (group / limits[1]).write_text(limits[2] or str(limit_mb * 2**20))
    try:
        yield Limit(f"a control group below {parent}", in_child=lambda: _join(group))
    finally:
        with suppress(OSError):
            group.rmdir()


def _join(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def by_watch(limit_mb: int) -> Limit:
    """The watch, and RLIMIT_DATA behind it where that counts all private memory."""
    how = "a watch that kills the largest process when all together hold more"
    if not sys.platform.startswith("linux"):
        return Limit(how, watched=True)
    from resource import RLIMIT_DATA, setrlimit

    most = 2 * limit_mb * 2**20
    return Limit(f"{how}, RLIMIT_DATA behind it", in_child=lambda: setrlimit(RLIMIT_DATA, (most, most)), watched=True)


def run_lesson(path: Path, profile: str, limit: Limit, limit_mb: int = LIMIT_MB) -> Run:
    """Run one notebook under a limit, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="memory-") as folder, open(Path(folder) / "said", "w+b") as said:
        command = [sys.executable, "-m", "hanlp_tutor.cli", "run", str(path), "--profile", profile,
                   "--out", str(Path(folder) / "run")]  # fmt: skip
        process = subprocess.Popen(
            [*limit.prefix, *command], stdin=subprocess.DEVNULL, stdout=said, stderr=said, preexec_fn=limit.in_child
        )
        with TreeMeter(process.pid, interval=_LOOK) as meter:
            over, most = _wait(process, meter, limit_mb if limit.watched else None)
        said.seek(0)
        lines = said.read().decode("utf-8", errors="replace").replace(folder, "FOLDER").splitlines()
    peak = max(meter.peak_mb, most)
    if not process.returncode and peak <= limit_mb:
        return Run(path.stem, "passed", peak)
    found = [place for place, line in enumerate(lines) if line.startswith("Error: ")]
    reason = " ".join(line.strip() for line in lines[found[-1] :]).removeprefix("Error: ") if found else ""
    reason = reason.partition(" The notebook up to there: ")[0]  # which is thrown away
    state = "failed"
    if over or "was killed" in reason or process.returncode in _ENDED:
        state, reason = "killed", reason or f"{path.name} was ended, as the system does when memory runs out."
    elif not process.returncode:
        state, reason = "over", f"{path.name} held more than {limit_mb} MiB between two looks."
    elif any(word in reason for word in _REFUSED):
        state = "refused"
    if state != "failed" and profile != "smoke" and "--profile smoke" not in reason:
        number = path.stem.partition("_")[0]
        reason += f" To see whether a lighter setting fits: make memory LESSONS={number} PROFILE=smoke"
    return Run(path.stem, state, peak, reason or " ".join(lines[-1:]))


def _wait(process: subprocess.Popen, meter: TreeMeter, limit_mb: int | None) -> tuple[bool, float]:
    """Wait for the end; whether something was killed on the way, and the most MiB that one process held."""
    killed, most, quiet_until = False, 0.0, 0.0
    while process.returncode is None:
        time.sleep(_LOOK)
        if limit_mb is not None and meter.now_mb > limit_mb and time.monotonic() > quiet_until:
            killed = _kill_largest(process.pid) or killed
            quiet_until = time.monotonic() + 1.0  # until its memory has been given back
        if not hasattr(os, "wait4"):
            process.poll()
            continue
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            most = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return killed, most


def _kill_largest(pid: int) -> bool:
    """As the kernel does in a control group: the runner then says what has died."""
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        sizes = {}
        for each in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                sizes[each] = each.memory_info().rss
        max(sizes, key=sizes.get).kill()
        return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lessons", nargs="*", help="such as 01 or 05, or a path; none: all of the course")
    parser.add_argument("--profile", choices=PROFILES, default="class")
    parser.add_argument("--limit", type=int, default=LIMIT_MB, metavar="MIB", help="of memory (2048)")
    parser.add_argument("--group", type=Path, help="a folder of control groups that you may write")
    given = parser.parse_args()
    try:
        found = [find_notebook(name) for name in given.lessons] or sorted(notebook_folder().glob("[0-9]*.ipynb"))
        if given.group:
            with by_group(given.group, given.limit) as limit:
                return report(found, given.profile, limit, given.limit)
        return report(found, given.profile, by_scope(given.limit) or by_watch(given.limit), given.limit)
    except TutorError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def report(paths: list[Path], profile: str, limit: Limit, limit_mb: int) -> int:
    """The table, a row as each lesson ends; then the reasons."""
    print(f"At most {limit_mb} MiB, by {limit.how}; profile {profile}")
    print(f"{'lesson':32}  {'':7}  peak MiB", flush=True)
    runs = []
    for path in paths:
        runs.append(run_lesson(path, profile, limit, limit_mb))
        print(f"{runs[-1].lesson:32}  {runs[-1].state:7}  {runs[-1].peak_mb:8,.0f}", flush=True)
    failed = [each for each in runs if each.state != "passed"]
    for each in failed:
        print(f"{each.lesson}: {each.state}: {each.reason}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
