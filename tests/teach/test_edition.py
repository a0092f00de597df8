"""Two editions from one source: nothing of the instructor's reaches a student, and the solutions are accepted."""

import copy
import json
import re
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.teach.course.edition import EditionError, for_instructor, for_student, write_editions
from hanlp_tutor.teach.course.grading import grade
from hanlp_tutor.teach.course.teaching import answer_cell, read_teaching
from hanlp_tutor.workbench.notebook_file import find_notebook

TEACHING = read_teaching()


def source_of(number):
    return nbformat.read(find_notebook(number), as_version=4)


@pytest.mark.parametrize("number", TEACHING)
def test_round_trip(number):
    source = source_of(number)
    before = copy.deepcopy(source)
    instructor = for_instructor(source, TEACHING[number])
    assert source == before, "the source is not touched"
    assert for_student(instructor) == for_student(source) == for_student(for_student(source))
    again = for_instructor(instructor, TEACHING[number])
    assert again == instructor, "made from either"
    nbformat.validate(instructor)


@pytest.mark.parametrize("number", TEACHING)
def test_no_stored_output_of_a_student_stands_behind_an_exercise(number):
    source = source_of(number)
    student = for_student(source)
    assert [cell.source for cell in student.cells] == [cell.source for cell in source.cells]
    answered = [answer_cell(student, name).id for name in TEACHING[number].solutions]
    first = min(index for index, cell in enumerate(student.cells) if cell.id in answered)
    assert student.cells[:first] == source.cells[:first], "what comes before it is shown"
    shown = [cell.id for cell in student.cells[first:] if cell.cell_type == "code" and cell.outputs]
    assert shown == ["quiz"]
    kept = for_instructor(source, TEACHING[number]).cells
    assert {cell.id for cell in kept if cell.get("outputs")} >= {
        cell.id for cell in source.cells if cell.get("outputs") and cell.id not in answered
    }, "the instructor's has them all"


def test_the_run_behind_a_prediction_is_not_told():
    """Lesson 05 asks which method finds most of the new names: the order stands in one stored table."""
    source = source_of("05")
    (told,) = {cell.outputs[-1].data["text/plain"] for cell in source.cells if cell.id == "novelty"}
    row = re.search(r"fine-tuned +[\d.]+ +[\d.]+", told)[0]
    assert row in json.dumps(source) and row not in json.dumps(for_student(source))


def test_an_exercise_that_is_filled_in_or_broken_still_ends_what_is_shown():
    shown = [nbformat.v4.new_output("stream", text="42")]
    cells = [nbformat.v4.new_code_cell(text, outputs=shown) for text in ("x = 1", "f = 42", "check.q00_3(f)", "f(")]
    node = nbformat.v4.new_notebook(cells=cells)
    assert [bool(cell.outputs) for cell in for_student(node).cells] == [True, True, False, False]
    node.cells[1].source = "f = ..."
    assert [bool(cell.outputs) for cell in for_student(node).cells] == [True, False, False, False]
    node.cells = node.cells[:1]
    assert for_student(node) == node, "no exercise, nothing to hide"


@pytest.mark.parametrize("number", TEACHING)
def test_what_the_instructor_has(number):
    lesson = TEACHING[number]
    instructor = for_instructor(source_of(number), lesson)
    notes = {cell.id: cell.source for cell in instructor.cells if "instructor" in cell.metadata.get("tags", [])}
    assert set(notes) == {"instructor-plan", "instructor-discuss", *(f"instructor-{name}" for name in lesson.solutions)}
    assert f"{lesson.minutes} minutes" in notes["instructor-plan"]
    assert lesson.discuss[0][1] in notes["instructor-discuss"]
    for wrong in lesson.misconceptions:
        assert wrong.belief in notes[f"instructor-{wrong.exercise}"]
    solved = [cell for cell in instructor.cells if "solution" in cell.metadata.get("tags", [])]
    assert len(solved) == len(lesson.solutions)
    assert not any(output for cell in solved for output in cell.outputs)
    student = json.dumps(for_student(instructor), ensure_ascii=False)
    assert "For the instructor" not in student and "student_source" not in student


@pytest.mark.slow
def test_the_solutions_are_accepted_when_the_notebook_runs(tmp_path):
    """Predictions are held against the run of a smaller profile, so they may miss; nothing else may."""
    for number in ("01b", "21"):
        write_editions(find_notebook(number), "instructor", tmp_path)
    report = grade(tmp_path)
    assert not report.unreadable and len(report.grades) == sum(len(TEACHING[n].solutions) for n in ("01b", "21"))
    missed = [each for each in report.grades if each.state != "solved"]
    assert [each.reason for each in missed if not each.prediction] == []
    assert not any(each.state in ("broken", "not tried") for each in report.grades)


def test_the_command(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for number in ("00", "21"):
        nbformat.write(source_of(number), source / find_notebook(number).name)
    arguments = ["edition", str(source), "--for", "instructor", "--out", str(tmp_path / "out"), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout.splitlines()[-1])["notebooks"]) == 2
    back = CliRunner().invoke(app, ["edition", str(tmp_path / "out"), "--for", "student", "--out", str(tmp_path / "s")])
    assert back.exit_code == 0 and "2 notebooks for the student" in back.stdout
    named = CliRunner().invoke(app, ["edition", "21", "--for", "student", "--out", str(tmp_path / "n"), "--json"])
    (path,) = json.loads(named.stdout.splitlines()[-1])["notebooks"]
    name = find_notebook("21").name
    assert Path(path).name == name
    assert nbformat.read(tmp_path / "s" / name, as_version=4) == for_student(nbformat.read(source / name, as_version=4))


def test_what_is_refused(tmp_path):
    nbformat.write(source_of("21"), tmp_path / "21_claims.ipynb")
    with pytest.raises(EditionError, match="would be overwritten"):
        write_editions(tmp_path, "student", tmp_path)
    with pytest.raises(EditionError, match="no notebook there"):
        write_editions(tmp_path / "nowhere.ipynb", "student", tmp_path / "out")
    (tmp_path / "99_x.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(EditionError, match="cannot be read"):
        write_editions(tmp_path / "99_x.ipynb", "student", tmp_path / "out")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "99_x.ipynb")
    with pytest.raises(EditionError, match="no lesson"):
        write_editions(tmp_path / "99_x.ipynb", "instructor", tmp_path / "out")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "21_claims.ipynb")
    with pytest.raises(EditionError, match="lesson 21: no cell calls"):
        write_editions(tmp_path / "21_claims.ipynb", "instructor", tmp_path / "out")
