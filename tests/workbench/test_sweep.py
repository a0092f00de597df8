"""Sweeps of a small notebook that trains nothing: on two local workers one of which is killed, and on a cluster."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hanlp_tutor.errors import ConfigError, TrainingError, TutorError
from hanlp_tutor.workbench.sweep.grid import plan_sweep
from hanlp_tutor.workbench.sweep.one_run import FAILED, FINISHED, verdict, visible_gpus
from hanlp_tutor.workbench.sweep.running import sweep

pytest.importorskip("distributed")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks/ is no part of the package
from benchmarks.sweep import cluster, until, working  # noqa: E402

PARAMETERS = 'PROFILE = "class"\nout = None\nlr = 1e-3\nseed = 1\npause = 0.0\nbegun = ""'
WORK = """import json, os, pathlib, time
open(begun, "a").write(f"{seed} {os.getpid()}\\n")
time.sleep(pause)
assert seed != 99, "planted"
scores = {"task": "ner", "best_dev": seed / 100, "test": {"f1": lr, "per_type": {"NR": {"f1": 1.0}}}}
(pathlib.Path(out) / "metrics.json").write_text(json.dumps(scores))"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    cells = [new_code_cell(PARAMETERS, id="values"), new_code_cell(WORK, id="work")]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "77_toy.ipynb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return tmp_path


def words(folder: Path, *more: str) -> list[str]:
    begun = ("-p", "begun", str(folder / "begun"), "--profile", "smoke", "--out", "s", "--json")
    return [sys.executable, "-m", "hanlp_tutor.cli", "sweep", "77_toy.ipynb", *begun, *more]


def last(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


def finished(folder: Path) -> int:
    return len(list((folder / "s" / "runs").glob("*/metrics.json"))) if (folder / "s" / "runs").exists() else 0


@pytest.mark.slow
def test_runs_on_two_workers_one_of_which_is_killed(folder: Path):
    """Ten of them; ``python -m benchmarks.sweep`` does it with 24, and records what came of it."""
    grid = ("--grid", "lr=1e-4,3e-4", "--grid", "seed=1,2,3,4,5", "--workers", "2")
    command = subprocess.Popen(
        words(folder, *grid, "-p", "pause", "0.3"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: finished(folder) >= 3)
    until(lambda: working(psutil.Process(command.pid).children(recursive=True)))
    worker = working(psutil.Process(command.pid).children(recursive=True))[0]
    below = worker.children(recursive=True)
    worker.send_signal(signal.SIGKILL)
    psutil.wait_procs(below, timeout=30)
    assert not any(process.is_running() and process.status() != "zombie" for process in below), "no forgotten twin"
    out, err = command.communicate(timeout=600)
    assert command.returncode == 0, err
    said = last(out)
    assert (said["begun"], said["finished"], said["failed"]) == (10, 10, 0)
    assert re.search(r"\[10/10\] finished  lr=", err)
    table = pd.read_csv(folder / "s" / "table.csv", float_precision="round_trip")
    assert len(table) == 10 and table["test.f1"].equals(table["lr"])
    assert table["best_dev"].equals(table["seed"] / 100)
    assert len((folder / "begun").read_text().splitlines()) in (10, 11), "only the killed one was begun twice"
    summary = nbformat.read(folder / "s" / "summary.ipynb", as_version=4)
    outputs = [output for cell in summary.cells for output in cell.get("outputs", [])]
    assert outputs and not any(output.output_type == "error" for output in outputs)

    again = subprocess.run(words(folder, *grid, "-p", "pause", "0.3"), capture_output=True, text=True)
    assert again.returncode == 0 and "10 of 10 runs are finished already; nothing to do" in again.stderr
    assert last(again.stdout) == {**said, "begun": 0}


@pytest.mark.slow
def test_a_scheduler_that_was_started_separately(folder: Path):
    """A worker without a nanny is not started again: its run is done by the other one. Of two threads one is used."""
    with cluster(folder, 2) as (address, workers):
        grid = ("--grid", "seed=1,2,3,4,5,6,7,99", "-p", "pause", "0.3", "--scheduler", address)
        command = subprocess.Popen(words(folder, *grid), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: finished(folder) >= 1 and len(working(workers)) == 2)
        assert all(sum("one_run" in " ".join(c.cmdline()) for c in w.children()) == 1 for w in working(workers))
        workers[0].send_signal(signal.SIGKILL)
        out, err = command.communicate(timeout=300)
        assert command.returncode == 1, err
        said = last(out)
        assert (said["finished"], said["failed"]) == (7, 1)
        failed = next(row for row in said["runs"] if row["state"] == FAILED)
        assert "AssertionError: planted" in failed["error"] and failed["point"] == {"seed": 99}
        executed = nbformat.read(folder / "s" / failed["folder"] / "77_toy.ipynb", as_version=4)
        assert executed.cells[-1].outputs[-1].ename == "AssertionError"
    begun = len((folder / "begun").read_text().splitlines())
    again = subprocess.run(words(folder, *grid[:5]), capture_output=True, text=True)
    assert "7 of 8 runs are finished already" in again.stderr and last(again.stdout)["begun"] == 1
    assert len((folder / "begun").read_text().splitlines()) == begun + 1, "only the failed one is tried again"


def plan(folder: Path, **fixed):
    return plan_sweep(folder / "77_toy.ipynb", {"seed": [1, 2]}, {"begun": str(folder / "begun"), **fixed})


def test_a_scheduler_that_does_not_answer(folder: Path, monkeypatch):
    monkeypatch.setattr("hanlp_tutor.workbench.sweep.cluster.PATIENCE", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://here", "127.0.0.1:9"):
        with pytest.raises(TrainingError, match=r"no scheduler answers.*dask scheduler"):
            sweep(plan(folder), folder / "s", scheduler=address)


def test_workers_are_for_a_local_cluster(folder: Path):
    with pytest.raises(ConfigError, match="--workers is for a local cluster"):
        sweep(plan(folder), folder / "s", scheduler="tcp://127.0.0.1:9", workers=2)
    with pytest.raises(ConfigError, match="--workers 0"):
        sweep(plan(folder), folder / "s", workers=0)


def test_no_two_runs_share_a_gpu(folder: Path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert visible_gpus() == ["3", "5"]
    with pytest.raises(ConfigError, match=r"--workers 3: no two runs share a GPU.*--workers 2"):
        sweep(plan(folder), folder / "s", workers=3)


def test_each_run_has_a_gpu_of_its_own_whoever_runs_it(monkeypatch):
    from hanlp_tutor.workbench.sweep.one_run import _a_device

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "test-a,test-b")
    with _a_device() as one, _a_device() as two:
        assert {one["CUDA_VISIBLE_DEVICES"], two["CUDA_VISIBLE_DEVICES"]} == {"test-a", "test-b"}
    with _a_device() as again:
        assert again == one


def test_a_folder_of_another_sweep(folder: Path):
    (folder / "s").mkdir()
    from hanlp_tutor.workbench.sweep.summary import write_sweep

    write_sweep(folder / "s", plan(folder), [])
    with pytest.raises(TrainingError, match="another set of -p"):
        sweep(plan(folder, pause=2.0), folder / "s")
    (folder / "s" / "sweep.json").write_text("{", encoding="utf-8")
    with pytest.raises(TutorError, match="no sweep can be read"):
        sweep(plan(folder), folder / "s")


def test_a_verdict_is_for_its_key_alone(tmp_path: Path):
    said = {"sweep": {"key": "abc", "state": FINISHED, "error": None, "seconds": 1.0}}
    (tmp_path / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    assert verdict(tmp_path, "abc") == said["sweep"] and verdict(tmp_path, "other") is None
    (tmp_path / "manifest.json").write_text('{"sweep": ', encoding="utf-8")
    assert verdict(tmp_path, "abc") is None and verdict(tmp_path / "nowhere", "abc") is None


def test_without_dask(folder: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r'pip install "hanlp-tutor\[sweep\]"'):
        sweep(plan(folder), folder / "s")


def test_runs_share_the_cores_of_the_fullest_machine():
    from hanlp_tutor.workbench.sweep.cluster import crowd, slots

    workers = {
        "a": {"host": "one", "resources": {"slot": 1}},
        "b": {"host": "one", "resources": {"slot": 2}},
        "c": {"host": "two", "resources": {"slot": 1}},
    }
    client = type("Client", (), {"scheduler_info": lambda self, n_workers: {"workers": workers}})()
    assert (crowd(client), slots(client)) == (3, 4)
