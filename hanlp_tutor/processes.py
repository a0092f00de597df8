"""Processes that the kit starts: their part of the machine's cores, and their end with all that they have started."""

from __future__ import annotations

import os
from contextlib import suppress

# By these a process's libraries are told how many threads they may use
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def part_of_the_cores(beside: int, chosen: str | None = None) -> dict[str, str]:
    """Variables for one of several processes that compute at the same time.

    Args:
        beside: how many they are.
        chosen: the number of threads that somebody has asked for; it wins.
    """
    from joblib import cpu_count

    return dict.fromkeys(THREADS, chosen or str(max(1, cpu_count() // beside)))


def kill_with_children(pid: int | None = None) -> None:
    """End a process and all that it has started; without ``pid`` what this process has started, and not itself."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid if pid is not None else os.getpid())
        for each in (*root.children(recursive=True), *([root] if pid is not None else [])):
            with suppress(psutil.Error):
                each.kill()
