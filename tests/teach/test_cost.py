"""Minutes and memory of a notebook: measured over the process tree, kept whole or not at all."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hanlp_tutor.teach.course.cost import (
    NOT_MEASURED,
    FetchMeter,
    TreeMeter,
    costs_file,
    describe_cost,
    read_cost,
    read_download,
    write_cost,
)
from hanlp_tutor.teach.course.lessons import LESSONS

COST = {"minutes": 1.0, "memory_mb": 512, "device": "a laptop", "date": "2026-11-22T10:00:00+00:00"}
EATER = "import sys, time; eaten = bytearray(int(sys.argv[1]) << 20); time.sleep(0.6)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], '100'])"


# In a small process of its own: between fork and exec a child of a large one (pytest) looks as large as its parent.
METER = """
import subprocess, sys
from hanlp_tutor.teach.course.cost import TreeMeter
with TreeMeter(include_root=False, interval=0.02) as meter:
    subprocess.run([sys.executable, '-c', *sys.argv[1:]], check=True)
print(meter.peak_mb, meter.seconds)
"""


def test_memory_of_grandchildren_counts():
    done = subprocess.run([sys.executable, "-c", METER, PARENT, EATER], check=True, capture_output=True, text=True)
    peak_mb, seconds = map(float, done.stdout.split())
    assert 100 < peak_mb < 300
    assert 0.5 < seconds < 30


def test_root_counts_when_asked_to():
    process = subprocess.Popen([sys.executable, "-c", EATER, "50"])
    with TreeMeter(process.pid, interval=0.02) as meter:
        process.wait()
    assert 50 < meter.peak_mb < 200


def test_a_process_that_is_gone_takes_no_memory():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with TreeMeter(process.pid) as meter:
        time.sleep(0.01)
    assert meter.peak_mb == 0


def test_caches_are_those_of_before_after_a_measurement(monkeypatch):
    monkeypatch.setenv("HF_HOME", "mine")
    monkeypatch.setenv("HF_HUB_CACHE", "mine/hub")  # would take what HF_HOME is to catch
    monkeypatch.delenv("HANLP_HOME", raising=False)
    with FetchMeter() as meter:
        assert "mine" not in os.environ["HF_HOME"] and "HF_HUB_CACHE" not in os.environ
    after = [os.environ.get(name) for name in ("HF_HOME", "HF_HUB_CACHE", "HANLP_HOME")]
    assert after == ["mine", "mine/hub", None] and meter.mib == 0


def test_what_is_fetched_is_read_from_class_first(tmp_path: Path):
    write_cost("a", "class", COST, tmp_path)  # of a time when it was not measured
    assert read_download("a", tmp_path) is None
    write_cost("a", "smoke", {**COST, "download_mib": 3.0}, tmp_path)
    assert read_download("a", tmp_path) == 3.0
    write_cost("a", "class", {**COST, "download_mib": 0.0}, tmp_path)
    assert read_download("a", tmp_path) == 0.0


def test_costs_of_other_notebooks_and_profiles_stay(tmp_path: Path):
    write_cost("b", "class", COST, tmp_path)
    write_cost("a", "class", {**COST, "minutes": 2.0}, tmp_path)
    write_cost("b", "smoke", {**COST, "minutes": 0.1}, tmp_path)
    write_cost("b", "class", {**COST, "minutes": 3.0}, tmp_path)
    minutes = {key: read_cost(*key, tmp_path)["minutes"] for key in (("a", "class"), ("b", "class"), ("b", "smoke"))}
    assert minutes == {("a", "class"): 2.0, ("b", "class"): 3.0, ("b", "smoke"): 0.1}
    assert [path.name for path in tmp_path.iterdir()] == ["notebooks.json"]


@pytest.mark.parametrize("content", [None, "", "{", json.dumps({"schema": 0, "notebooks": {"a": {"class": COST}}})])
def test_what_cannot_be_read_is_not_measured(content, tmp_path: Path):
    if content is not None:
        costs_file(tmp_path).write_text(content)
    assert read_cost("a", "class", tmp_path) is None
    assert describe_cost(None) == NOT_MEASURED


def test_failed_write_leaves_the_old_file(tmp_path: Path):
    write_cost("a", "class", COST, tmp_path)
    before = costs_file(tmp_path).read_bytes()
    with pytest.raises(ValueError):
        write_cost("a", "class", {**COST, "minutes": float("nan")}, tmp_path)
    assert costs_file(tmp_path).read_bytes() == before


def test_the_course_keeps_its_budgets():
    """As measured in the profile class: five minutes and 1.5 GiB a lesson, 100 minutes in all; nothing is fetched."""
    measured = [read_cost(lesson.name, "class") for lesson in LESSONS]
    assert all(cost["minutes"] <= 5.0 and cost["memory_mb"] <= 1536 for cost in measured)
    assert sum(cost["minutes"] for cost in measured) < 100
    assert {lesson.name: read_download(lesson.name) for lesson in LESSONS} == {lesson.name: 0 for lesson in LESSONS}
