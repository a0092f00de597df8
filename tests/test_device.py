"""What the machine grants: threads of a container, of a process bound to cores; and which device there is."""

import io
import mmap
import os
import subprocess
import sys

import pytest
import torch

from hanlp_tutor import device
from hanlp_tutor.device import choose_device, limit_threads, peak_memory_mb, reset_peak_memory
from hanlp_tutor.errors import ConfigError

CPU = torch.device("cpu")


def test_devices():
    assert choose_device("cpu") == CPU
    for wrong in ("gpu", "cuda:99", "meat"):
        with pytest.raises(ConfigError, match=wrong):
            choose_device(wrong)


@pytest.fixture
def container(monkeypatch):
    """A container on a host of eight cores, torch as it starts there; ``container(FILE=TEXT)`` sets its quota."""
    from joblib.externals.loky.backend import context

    before, real = torch.get_num_threads(), os.path.exists
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)

    def set_quota(files):
        files = {f"/sys/fs/cgroup/{name}": text for name, text in files.items()}
        exists = lambda path: path in files if str(path).startswith("/sys/fs/cgroup/") else real(path)  # noqa: E731
        monkeypatch.setattr(os.path, "exists", exists)
        monkeypatch.setattr(context, "open", lambda path: io.StringIO(files[path]), raising=False)
        torch.set_num_threads(8)

    yield set_quota
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("quota", "granted"), [("200000 100000", 2), ("max 100000", 8), ("50000 100000", 1), ("350000 100000", 4)]
)
def test_threads_granted_by_a_container(container, quota, granted):
    container({"cpu.max": quota})
    assert limit_threads() == torch.get_num_threads() == granted


def test_threads_granted_by_an_older_container(container):
    container({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"})
    assert limit_threads() == 2
    container({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"})
    assert limit_threads() == 8, "no quota"
    container({})
    assert limit_threads() == 8, "no control groups"


def test_threads_that_were_asked_for_stay(container, monkeypatch):
    container({"cpu.max": "200000 100000"})
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    torch.set_num_threads(3)
    assert limit_threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    torch.set_num_threads(1)
    assert limit_threads() == 1, "fewer than granted are no reason to take more"


BOUND = """
import os, torch
from hanlp_tutor.device import limit_threads
torch.set_num_threads(2)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(limit_threads())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
@pytest.mark.parametrize(("setting", "threads"), [(None, 1), ("2", 2)])
def test_a_process_bound_to_one_core(setting, threads):
    """No fake: what a class-room server does to a student's process, or taskset."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment |= {"OMP_NUM_THREADS": setting} if setting else {}
    done = subprocess.run([sys.executable, "-c", BOUND], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(threads)


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="only Linux lets a peak be forgotten")
def test_the_peak_of_memory_is_that_of_a_run_not_of_the_process():
    # mapped pages: what malloc hands out may lie in a heap that earlier tests have left resident
    with mapped(64):
        pass
    high = peak_memory_mb(CPU)
    reset_peak_memory(CPU)
    low = peak_memory_mb(CPU)
    assert low < high - 50
    with mapped(32):
        assert low + 25 < peak_memory_mb(CPU) < high


def mapped(mebibytes: int) -> mmap.mmap:
    """So much fresh memory, touched; it goes back to the system when it is closed."""
    pages = mmap.mmap(-1, mebibytes * 2**20)
    for place in range(0, len(pages), mmap.PAGESIZE):
        pages[place] = 1
    return pages


def test_without_procfs_the_peak_is_that_of_the_process(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "_OWN", tmp_path / "nothing")
    reset_peak_memory(CPU)
    assert peak_memory_mb(CPU) > 50
