"""Lessons 12 to 16 on files of the user's own, run as an engineer runs them: other labels than any corpus here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from own_files import LESSONS

ROOT = Path(__file__).parents[1]
QUICK = ("13", "16")  # the others take longer: pytest tests/test_own_files.py --own-files


@pytest.mark.slow
@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_runs_on_own_files(number, tmp_path: Path, request):
    if number not in QUICK and not request.config.getoption("--own-files"):
        pytest.skip("--own-files runs this one too")
    write, more = LESSONS[number]
    files = {f"{name}_file": write(tmp_path / f"{name}.txt", count, seed)
             for seed, (name, count) in enumerate({"train": 200, "dev": 60, "test": 60}.items(), 1)}  # fmt: skip
    if number == "16":
        files = {"train_file": files["train_file"]}  # held out of it, 8:1:1
    command = [sys.executable, "-m", "hanlp_tutor.cli", "run", number, "--profile", "smoke", "--json"]
    for name, value in {**files, **more}.items():
        command += ["-p", name, json.dumps(value) if isinstance(value, list) else str(value)]
    done = subprocess.run([*command, "--out", tmp_path / "run"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
