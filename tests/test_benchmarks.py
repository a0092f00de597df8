"""The benchmarks run, resume, and show what they know; what they measure is not for a test to judge."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]


def test_make_bench_runs_the_bench_alone_and_make_curves_the_scripts_without_an_argument():
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").split("\n\n")
    bench, curves = (next(r for r in recipes if r.startswith(name)).splitlines()[1:] for name in ("bench:", "curves:"))
    assert len(bench) == 1 and "hanlp-tutor bench --out results/speed.json" in bench[0]
    assert "benchmarks/[a-z]*.py" in curves[0]
    for script in (ROOT / "benchmarks").glob("[a-z]*.py"):
        text = script.read_text(encoding="utf-8")
        assert text.rstrip().endswith('if __name__ == "__main__":\n    main()'), f"{script.name} asks for an argument"


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import threads

    return threads


def content(threads, **medians: list[float]) -> dict:
    rows = {}
    for setting, values in medians.items():
        for busy, value in enumerate(values):
            part = {"tokens_per_second": value}
            rows[threads.row_name(setting.replace("_", " "), busy)] = {
                "seeds": {"1": part, "2": part},
                "median": part,
                "min": {"tokens_per_second": value - 1},
                "max": {"tokens_per_second": value + 1},
            }
    head = {
        "device": "a laptop",
        "versions": {"torch": "2.13.0"},
        "date": "2026-11-27T10:00",
        "command_line": "python x",
    }
    return {**head, "rows": rows}


def test_the_table_holds_each_against_the_default_beside_the_same_company(threads):
    text = threads.table(content(threads, default=[5400, 400, 370], passive=[4500, 4000, 3885], one_thread=[3500]))
    assert "| tokens a second | quiet | 1 busy process | 2 busy processes |" in text
    assert "| default | 5,400 (5,399 to 5,401) | 400 (399 to 401) | 370 (369 to 371) |" in text
    assert "| passive | 4,500 (4,499 to 4,501); × 0.83 | 4,000 (3,999 to 4,001); × 10.00 |" in text
    assert "| one thread | 3,500 (3,499 to 3,501); × 0.65 | not measured yet | not measured yet |" in text
    assert "Median of 2 rounds" in text and "`python x` on a laptop, torch 2.13.0, 2026-11-27" in text


def test_busy_processes_are_busy_and_end_with_the_block(threads):
    with threads.busy_processes(2):
        mine = psutil.Process().children()
        assert len(mine) == 2 and all(child.cpu_times().user > 0 for child in mine)
    assert not any(child.is_running() for child in mine)


def test_busy_processes_end_with_who_started_them():
    code = (
        f"import sys, os, time; sys.path[:0] = [{str(ROOT)!r}]\n"
        "from benchmarks.threads import busy_processes\n"
        "import psutil\n"
        "with busy_processes(1):\n"
        "    print(psutil.Process().children()[0].pid, flush=True)\n"
        "    os._exit(1)"  # as a kill would: nothing is tidied up
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid, until = int(done.stdout), time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)


@pytest.mark.slow
def test_one_round_is_measured_and_not_measured_again(threads, tmp_path):
    command = [sys.executable, "-m", "benchmarks.threads", "--rounds", "1", "--seconds", "0.1", "--crowded-anyway"]
    command += ["--setting", "one thread", "--results", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    measured = json.loads((tmp_path / "threads.json").read_text(encoding="utf-8"))
    assert set(measured["rows"]) == {threads.row_name("one thread", busy) for busy in threads.BUSY}
    for row in measured["rows"].values():
        assert row["median"]["tokens_per_second"] > 0 and row["median"]["threads"] == 1
    assert measured["command_line"] == "python -m benchmarks.threads" and "| one thread |" in first.stdout
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert again.stdout == first.stdout and "tokens/s" not in again.stderr


def test_a_sweeps_overhead_is_measured_and_not_measured_again(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import sweep

    sweeps, alone = iter([(5.0, 2.0), (7.0, 3.0)]), iter([1.0, 2.0])
    monkeypatch.setattr(sweep, "of_a_sweep", lambda: next(sweeps))
    monkeypatch.setattr(sweep, "in_this_process", lambda: next(alone))
    monkeypatch.setattr(sweep, "load", lambda: 3.0)
    killed = {"runs": 24, "results": 24, "runs killed": 1, "begun by the second call": 0, "seconds": 4.0, "least": 3.0,
              "greatest": 9.0, "a run": 2.5, "load": 3.0, "said that there is nothing to do": 1.0}  # fmt: skip
    monkeypatch.setattr(sweep, "of_a_killed_worker", lambda separately: killed | {"results": 24 - separately})
    sweep.measure(2, tmp_path)
    sweep.measure(2, tmp_path)
    text = sweep.table(json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8")))
    assert "| a run of a sweep | 6.0 (5.0 to 7.0) | 3.0 (3.0 to 3.0) |" in text
    assert "| the sweep around its runs | 2.5 (2.0 to 3.0) | 3.0 (3.0 to 3.0) |" in text
    assert "| run_notebook in this process | 1.5 (1.0 to 2.0) | 3.0 (3.0 to 3.0) |" in text
    assert "rounds: 2" in text and "python -m benchmarks.sweep" in text
    assert '| two local workers | 1 | 24 of 24 | 0, "nothing to do" | 4.0 (3.0 to 9.0) | 2.5 | 3.0 |' in text
    assert "| `dask scheduler` and two `dask worker` | 1 | 23 of 24 |" in text and "after 8 of them" in text


def test_a_point_of_each_curve_is_measured_and_shown(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import scaling

    monkeypatch.setattr(scaling, "POINTS", {"read": (100,), "length": (256,), "labels, CRF": (10,)})
    monkeypatch.setattr(scaling, "UPDATES", 1)
    monkeypatch.setattr(scaling, "WARM_UP", 1)
    monkeypatch.setattr(scaling, "_alone", scaling.measured)
    monkeypatch.setattr(sys, "argv", ["scaling", "--rounds", "1", "--results", str(tmp_path)])
    scaling.main()
    content = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))
    assert {name: sorted(row["median"]) for name, row in content["rows"].items()} == {
        "read/100": ["memory_mib", "seconds"],
        "length/256": ["memory_mib", "ms", "tokens_per_second"],
        "labels, CRF/10": ["memory_mib", "ms", "tokens_per_second"],
    }
    assert all(value > 0 for row in content["rows"].values() for value in row["median"].values())
    text = scaling.table(content)
    assert "| reviews | seconds | peak MiB |" in text and "Median of 1 round, " in text


@pytest.fixture
def devices(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import devices

    return devices


def test_one_process_is_measured_beside_several_in_turns(devices, monkeypatch, tmp_path):
    import torch

    started = []

    def run(processes, batch, sentences):
        started.append(processes)
        rate = 100.0 * len(started) * (1.5 if processes == 2 else 1.0)
        return {"tokens_per_second": rate, "updates": 16, "tokens": 4000, "seconds": 40.0, "load": 2.0}

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(devices, "_started", run)
    for _ in range(2):
        devices.measure_all(2, tmp_path)
    assert started == [1, 2, 2, 1], "and nothing twice"
    content = json.loads((tmp_path / "devices.json").read_text(encoding="utf-8"))
    assert content["settings"]["processors"] >= 1 and content["settings"]["processes"] == 2
    assert devices.ratio(content) == {"median": (3.0 + 1.125) / 2, "spread": [1.125, 3.0]}
    text = devices.table(content)
    assert "| 2 processes | 375 (300 to 450) | 16 | 2.0 (2.0 to 2.0) |" in text
    assert "2 processes beside 1: × 2.06 (1.12 to 3.00), on " in text and "processors" in text
    content["settings"]["processors"] = 1
    assert "The machine was shared" in devices.table(content)
    assert devices.for_gpu(content)["vs_one"]["median"] == 2.0625
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(SystemExit, match="There is one GPU"):
        devices.measure_all(1, tmp_path)


def test_what_one_of_the_processes_measures(devices, monkeypatch, capsys):
    monkeypatch.setattr(devices, "WARM_UP", 1)
    devices.measured(4, 8)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["updates"] >= 2 and found["tokens_per_second"] > 0 and found["tokens"] > 0


def test_the_padded_reference_makes_as_many_updates_with_batches_as_large(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT))
    from experiments import fast_mode
    from hanlp_tutor import TrainConfig
    from hanlp_tutor.core.batching import Encoded, Encodings

    lengths = [*range(3, 40), 300, 300]
    encoded = Encodings(lambda n: Encoded([7] * n, [0] * n, ""), lengths)
    config = TrainConfig(batch_size=4, max_batch_tokens=512)
    ours, theirs = (make(encoded, config, 1) for make in (fast_mode.epoch_batches, fast_mode.in_random_order))
    assert [len(batch) for batch in theirs] == [len(batch) for batch in ours]
    assert sorted(i for batch in theirs for i in batch) == list(range(len(lengths)))
    apart = [sum(max(lengths[i] for i in b) - lengths[j] for b in batches for j in b) for batches in (ours, theirs)]
    assert apart[0] < apart[1] / 4, "padding"
    assert fast_mode.said(tmp_path) == "Not measured yet: `python -m experiments.fast_mode`."
    rows = {
        name: {
            "seeds": {str(n): {"f1": f1, "padding": 0.1, "updates": 9} for n, f1 in enumerate(values)},
            "measured": {"0": {"device": "a laptop", "date": "2026-11-28T10:00"}},
            **{part: {"f1": max(values), "padding": 0.1, "updates": 9} for part in ("median", "min", "max")},
        }
        for name, values in (("fast", (0.70, 0.71, 0.72)), ("padded", (0.71, 0.71, 0.74)))
    }
    given = {"settings": {"encoder": "e", "sentences": 1000, "longest": 9, "epochs": 2}, "rows": rows}
    (tmp_path / "fast_mode.json").write_text(json.dumps(given), encoding="utf-8")
    assert "-1.0 points of F1, lower with 2 of 3 seeds" in fast_mode.said(tmp_path)
    assert "within the seeds, as 0 lies in it; a loss of up to 3.5 is not ruled out." in fast_mode.said(tmp_path)
