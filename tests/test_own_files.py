"""Lessons 12 to 16 run from end to end on a user's own files, whose labels no corpus of the kit has.

A run takes 10 to 40 seconds; with HANLP_TUTOR_OWN_FILES=all in the environment all of them are made, else the cheapest.
"""

import os
from pathlib import Path

import nbformat
import own_files
import pytest

from hanlp_tutor.workbench.runner import run_notebook

ALL = os.environ.get("HANLP_TUTOR_OWN_FILES") == "all"
CHEAPEST = ("14", "train alone")
SIZES = {
    "train alone": {"train_file": 200},
    "three files": {"train_file": 200, "dev_file": 60, "test_file": 60},
}


def cases():
    for lesson in own_files.LESSONS:
        for files in SIZES:
            marks = [pytest.mark.slow]
            if not ALL and (lesson, files) != CHEAPEST:
                marks = [pytest.mark.skip(reason="HANLP_TUTOR_OWN_FILES=all runs the other lessons on own files")]
            yield pytest.param(lesson, files, marks=marks, id=f"{lesson}, {files}")


@pytest.mark.parametrize(("lesson", "files"), cases())
def test_a_lesson_runs_on_own_files(lesson: str, files: str, tmp_path: Path):
    write, options = own_files.LESSONS[lesson]
    made = {
        name: str(write(tmp_path / f"{name}.txt", count, seed))
        for seed, (name, count) in enumerate(SIZES[files].items(), start=1)
    }
    outcome = run_notebook(lesson, {**made, **options}, profile="smoke", out=tmp_path / "run")
    cells = nbformat.read(outcome.notebook, as_version=4).cells
    assert all(cell.execution_count for cell in cells if cell.cell_type == "code")
    shown = "\n".join(str(output) for cell in cells if cell.cell_type == "code" for output in cell.outputs)
    assert any(label in shown for label in own_files.LABELS[lesson])
