"""``make memory``: a notebook that takes too much is killed and named, one that does not passes."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hanlp_tutor.errors import TutorError

ROOT = Path(__file__).parents[1]
SMALL = "len(bytes(2**20))"
# Touched, and that in steps: a watch has to see it
LARGE = "kept = []\nfor step in range(96):\n    kept.append(bytearray(b'x') * 2**25)"


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return __import__("memory")


def notebook(path: Path, source: str) -> Path:
    parameters = new_code_cell('PROFILE = "class"\nout = None', metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=[parameters, new_code_cell(source)], metadata={"kernelspec": kernel}), path)
    return path


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="limits of Linux and macOS")
def test_three_gib_are_killed_and_a_little_passes(tmp_path):
    """The command itself, on a notebook of each kind; 3 GiB under 2 GiB."""
    paths = [notebook(tmp_path / "98_small.ipynb", SMALL), notebook(tmp_path / "99_large.ipynb", LARGE)]
    command = [sys.executable, str(ROOT / "tools" / "memory.py"), *map(str, paths)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300
    )
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    small, large = ([line for line in lines if line.startswith(name)] for name in ("98_small", "99_large"))
    assert small[0].split()[1] == "passed" and float(small[0].split()[2]) < 1000
    assert large[0].split()[1] == "killed" and 1500 < float(large[0].split()[2].replace(",", "")) < 3000
    assert "its kernel was killed, most likely because memory ran out" in large[1]
    assert large[1].endswith("Run it with --profile smoke (fewer examples).")


def test_a_folder_that_is_no_control_group_is_refused_and_left_clean(tool, tmp_path):
    told = r"no control group .*no controller of memory.*Leave --group out"
    with pytest.raises(TutorError, match=told), tool.by_group(tmp_path, 2048):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_control_group_gets_the_limit_and_the_process(tool, tmp_path, monkeypatch):
    """Files in the place of the kernel's: what is written where. No group of a kernel is made here."""
    made = Path.mkdir

    def mkdir(path, *arguments, **options):
        made(path, *arguments, **options)
        (path / "memory.max").write_text("max")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with tool.by_group(tmp_path, 2048) as limit:
        limit.in_child()
        (group,) = tmp_path.iterdir()
        written = {path.name: path.read_text() for path in group.iterdir()}
    assert written == {"memory.max": str(2**31), "memory.swap.max": "0", "cgroup.procs": str(os.getpid())}
    assert not limit.watched and not limit.prefix


GROUPS = next((p for p in map(Path, ("/sys/fs/cgroup/memory", "/sys/fs/cgroup")) if os.access(p, os.W_OK)), None)


@pytest.mark.parametrize(("mib", "code"), [(40, 0), (400, -9)])
def test_the_kernel_ends_what_takes_more(tool, mib, code):
    if GROUPS is None:
        pytest.skip("no control groups here that may be written")
    try:
        with tool.by_group(GROUPS, 200) as limit:
            command = [sys.executable, "-c", f"bytes = b'1' * ({mib} << 20)"]
            done = subprocess.run(command, preexec_fn=limit.in_child)
    except TutorError as error:
        pytest.skip(str(error))
    assert done.returncode == code


@pytest.mark.parametrize("profile", ["class", "smoke"])
def test_a_notebook_that_is_refused_memory_is_told_apart_from_one_that_fails(tool, tmp_path, profile):
    """The runner's words, without a kernel."""
    said = "print('Error: 99_large.ipynb, cell 2: MemoryError: Unable to allocate 9 GiB'); raise SystemExit(1)"
    limit = tool.Limit("nothing", prefix=(sys.executable, "-c", said))
    run = tool.run_lesson(tmp_path / "99_large.ipynb", profile, limit)
    assert run.state == "refused" and "cell 2: MemoryError" in run.reason
    assert run.reason.endswith("make memory LESSONS=99 PROFILE=smoke") == (profile == "class")
    said = "print('Error: 99_large.ipynb, cell 2: NameError'); raise SystemExit(1)"
    limit = tool.Limit("nothing", prefix=(sys.executable, "-c", said))
    assert tool.run_lesson(tmp_path / "99_large.ipynb", profile, limit).state == "failed"


@pytest.mark.parametrize(("answer", "is_limit"), [("2147483648", True), ("max", False), ("", False)])
def test_a_scope_counts_only_if_its_limit_can_be_read_back(tool, monkeypatch, answer, is_limit):
    monkeypatch.setattr(tool.shutil, "which", lambda name: name)
    told = subprocess.CompletedProcess([], 0 if answer else 1, answer + "\n", "")
    monkeypatch.setattr(tool.subprocess, "run", lambda command, **_: told)
    limit = tool.by_scope(2048)
    assert (limit is not None) == is_limit
    assert limit is None or ("--property=MemoryMax=2048M" in limit.prefix and not limit.watched)
