"""docs/teaching.yaml: right answers are accepted, and each misconception's answer is rejected with its own reason."""

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from hanlp_tutor.teach import check
from hanlp_tutor.teach.course.cost import read_cost
from hanlp_tutor.teach.course.evidence import shown_by
from hanlp_tutor.teach.course.hours import hours, numbers, place, read_hours
from hanlp_tutor.teach.course.teaching import answer_cell, blanks, filled_in, plan, read_teaching, verdict
from hanlp_tutor.workbench.notebook_file import find_notebook

ROOT = Path(__file__).parents[2]
TEACHING = read_teaching()
NOTEBOOKS = {number: nbformat.read(find_notebook(number), as_version=4) for number in TEACHING}
HOURS = read_hours()
SOLUTIONS = [(number, name) for number, each in TEACHING.items() for name in each.solutions]
MISCONCEPTIONS = [(number, wrong) for number, each in TEACHING.items() for wrong in each.misconceptions]


def test_every_lesson_that_is_there_has_its_plan():
    here = {path.name.partition("_")[0] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert set(TEACHING) == here


@pytest.mark.parametrize("number", TEACHING)
def test_a_plan_is_whole(number):
    each = TEACHING[number]
    assert set(each.solutions) == {found.name for found in check.exercises(number)}
    assert len(each.misconceptions) >= 2 and len(each.discuss) >= 2
    assert {wrong.exercise for wrong in each.misconceptions} <= set(each.solutions)
    assert 30 <= each.minutes <= 90 and each.aim.endswith(".") and each.offline.endswith(".")


@pytest.mark.parametrize(("number", "name"), SOLUTIONS)
def test_the_right_answer_is_accepted(number, name):
    solution = TEACHING[number].solutions[name]
    said = verdict(NOTEBOOKS[number], solution, solution.answer)
    assert said.accepted, said.reason


@pytest.mark.parametrize(("number", "wrong"), MISCONCEPTIONS, ids=lambda value: getattr(value, "exercise", value))
def test_a_misconception_is_rejected_with_its_reason(number, wrong):
    said = verdict(NOTEBOOKS[number], TEACHING[number].solutions[wrong.exercise], wrong.wrong)
    assert not said.accepted and wrong.says in said.reason, said.reason


def test_each_misconception_has_a_reason_of_its_own():
    """Of one exercise, no two are answered alike, and no reason stands for another's wrong answer."""
    for number, each in TEACHING.items():
        said = {}
        for wrong in each.misconceptions:
            reason = verdict(NOTEBOOKS[number], each.solutions[wrong.exercise], wrong.wrong).reason
            others = [says for says in said.get(wrong.exercise, []) if says in reason]
            assert not others, f"{wrong.belief}: {others}"
            said.setdefault(wrong.exercise, []).append(wrong.says)


@pytest.mark.parametrize(("number", "name"), SOLUTIONS)
def test_the_answer_has_its_place_in_the_notebook(number, name):
    cell = answer_cell(NOTEBOOKS[number], name)
    whole = filled_in(cell.source, TEACHING[number].solutions[name].answer)
    assert len(blanks(whole)) == len(blanks(cell.source)) - 1
    kept = [line for line in cell.source.splitlines() if "check.q" in line]
    assert all(line in whole.splitlines() for line in kept)


def test_the_page_shows_every_misconception_and_nothing_else():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert plan() in page, "run python tools/render_readme.py"
    for _, wrong in MISCONCEPTIONS:
        assert wrong.belief in page and f"“{wrong.says}”" in page
    assert page.count("the check's reason says") == len(MISCONCEPTIONS)


@pytest.mark.parametrize("hour", HOURS, ids=lambda hour: hour.title)
def test_an_hour_can_be_taught_as_it_is_planned(hour):
    node, number = NOTEBOOKS[hour.lesson.number], numbers(NOTEBOOKS[hour.lesson.number])
    assert {"Forty-five minutes": 45, "Ninety minutes": 90}[hour.title] == hour.minutes
    taught = sum(part.minutes for part in hour.parts if part.ask)
    assert TEACHING[hour.lesson.number].minutes == taught, "the plan, but for its breaks"
    runs = [tuple(number[name] for name in part.cells) for part in hour.parts if part.cells]
    assert all(first <= last for first, last in runs) and all(a[1] < b[0] for a, b in pairwise(runs)), "in their order"
    for part in hour.parts:
        assert part.minutes >= 3 and part.does.endswith(".") and part.late.endswith(".") and part.ask[-1:] in ("?", "")
        assert bool(part.ask) == bool(part.answer) and part.answer[-1:] in (".", "")
        if part.exercise:
            (asks,) = [c.id for c in node.cells if c.cell_type == "code" and f"check.{part.exercise}(" in c.source]
            assert number[part.cells[0]] <= number[asks] <= number[part.cells[1]], "within its cells"
        named = re.findall(r"`([a-z-]+)`", f"{part.does} {part.ask} {part.answer} {part.late}")
        assert {name for name in named if name != "end"} <= set(number), "a cell's name"
    cost = read_cost(hour.lesson.name, "class")
    assert cost["minutes"] < hour.minutes / 4, "most of an hour is not computing"


def test_the_page_shows_the_hours():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert hours() in page, "run python tools/render_readme.py"
    slow = shown_by(next(cell for cell in NOTEBOOKS["05"].cells if cell.id == "train"))
    assert f"{re.search(r'in ([.0-9]+) minutes', slow)[1]} of them in cell {numbers(NOTEBOOKS['05'])['train']}" in page
    assert place(NOTEBOOKS["05"], "train", "curves") == "25 to 26 (Training)"
    assert place(NOTEBOOKS["05"], "exercise-1", "exercise-1") == "9 (The corpus)"


def test_the_semester_has_every_lesson():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    weeks = re.findall(r"^\| (\d+) \| ([^|]+) \|", page.partition("## A semester")[2].partition("## ")[0], re.MULTILINE)
    assert [int(week) for week, _ in weeks] == list(range(1, 15))
    assert {number for _, lessons in weeks for number in re.findall(r"\d\d[a-z]?", lessons)} == set(TEACHING)


def test_other_lines_of_a_cell_stay():
    source = "import re\nx = ...  # a hint\nprint(x)\ncheck.q00_3(x)"
    assert filled_in(source, "x = (\n    1\n)") == "import re\nx = (\n    1\n)\nprint(x)\ncheck.q00_3(x)"
