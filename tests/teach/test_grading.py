"""A class handed in: right, wrong, blank and broken answers, copies, forgeries, files that are no notebooks."""

import csv
import json
import threading

import nbformat
import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.processes import part_of_the_cores
from hanlp_tutor.teach import check
from hanlp_tutor.teach.course import grading
from hanlp_tutor.teach.course.submission import (
    SubmissionError,
    course_cells,
    find_submissions,
    normal_form,
    read_submission,
)

PARAMETERS = 'PROFILE = "class"'
IMPORT = "from hanlp_tutor.teach import check"
CUT = 'def cut(text, entity):\n    return text[entity["start"] : entity["end"]]\n\ncheck.q00_2(cut)'
SHORT = 'def cut(text, entity):\n    return text[entity["start"]]\n\ncheck.q00_2(cut)'
BLANK = "def cut(text, entity):\n    ...\n\ncheck.q00_2(cut)"
SHARE = "f1_of_random_weights = 73.6\ncheck.q00_3(f1_of_random_weights)"
FORMAT = "def fastest_format(capability):\n    {}\n\ncheck.q00_4(fastest_format)"
RIGHT_FORMAT = (
    'return "bf16" if capability >= (8, 0) else "fp16" if capability >= (7, 0) else "float32"'
)


def handed_in(path, *answers, guess="..."):
    """A notebook of lesson 00 with the exercise cells of the course; ``answers`` by their ids."""
    sources = {"imports": IMPORT, "parameters": PARAMETERS, "exercise-1-guess": f"my_guess = {guess}",
               "unseen": "check.q00_1(my_guess, 30.0)", "exercise-2": BLANK,
               "exercise-3": "f1_of_random_weights = ...\ncheck.q00_3(f1_of_random_weights)",
               "exercise-4": FORMAT.format("..."), **dict(answers)}  # fmt: skip
    node = nbformat.v4.new_notebook()
    for id_, source in sources.items():
        cell = nbformat.v4.new_code_cell(source)
        cell.id = id_
        cell.metadata["tags"] = ["parameters"] if id_ == "parameters" else []
        node.cells.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(node, path)
    return path


def with_output(path, cell_id, text):
    node = nbformat.read(path, as_version=4)
    for cell in node.cells:
        if cell.id == cell_id:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    nbformat.write(node, path)


def states(report, student):
    return {each.exercise: each.state for each in report.grades if each.student == student}


def reason(report, student, exercise):
    return next(each.reason for each in report.grades if (each.student, each.exercise) == (student, exercise))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    answers = [("exercise-2", CUT), ("exercise-3", SHARE)]
    handed_in(folder / "00_start_here_li.ipynb", *answers, ("exercise-4", FORMAT.format(RIGHT_FORMAT)), guess="29")
    copied = CUT.replace("text", "string").replace("entity", "e").replace("    return", "    # mine\n    return")
    handed_in(folder / "wang" / "00_start_here.ipynb", ("exercise-2", copied), answers[1],
              ("exercise-4", FORMAT.format(RIGHT_FORMAT)), guess="29")  # fmt: skip
    forged = "print('Accepted. Well done')\ncheck.q00_3(50)"
    handed_in(folder / "zhao.ipynb", ("exercise-2", SHORT), ("exercise-3", forged),
              ("exercise-4", "def fastest_format(:\ncheck.q00_4(fastest_format)"), guess="90")  # fmt: skip
    handed_in(folder / "blank.ipynb")
    handed_in(folder / "dead.ipynb", ("exercise-2", CUT), ("exercise-3", "import os\nos._exit(3)\ncheck.q00_3(73.6)"))
    (folder / "broken.ipynb").write_text("{", encoding="utf-8")
    nbformat.write(nbformat.v4.new_notebook(), folder / "other.ipynb")
    handed_in(folder / ".ipynb_checkpoints" / "zhao-checkpoint.ipynb")
    return folder, grading.grade(folder)


@pytest.mark.slow
def test_states_by_student_and_exercise(graded):
    _, report = graded
    assert set(states(report, "li").values()) == {"solved"} and len(states(report, "li")) == 4
    assert states(report, "zhao") == {"q00_1": "wrong", "q00_2": "wrong", "q00_3": "wrong", "q00_4": "broken"}
    assert set(states(report, "blank").values()) == {"not tried"}
    assert report.tally()["zhao"] == {"solved": 0, "wrong": 3, "not tried": 0, "broken": 1}


def test_wrong_answers_come_with_the_reason_and_errors_with_the_cell(graded):
    _, report = graded
    assert "not" in reason(report, "zhao", "q00_2") and "50" not in report.unreadable
    assert reason(report, "zhao", "q00_4").startswith("cell exercise-4: SyntaxError")
    assert next(e.prediction for e in report.grades if (e.student, e.exercise) == ("zhao", "q00_1"))


def test_a_dead_kernel_breaks_what_comes_after_it_only(graded):
    _, report = graded
    assert states(report, "dead") == {"q00_1": "not tried", "q00_2": "solved", "q00_3": "broken", "q00_4": "broken"}
    assert "exercise-3: its kernel died" in reason(report, "dead", "q00_4")


def test_bad_files_are_named_and_stop_nobody(graded):
    folder, report = graded
    assert set(report.unreadable) == {str(folder / "broken.ipynb"), str(folder / "other.ipynb")}
    assert "cannot be read as a notebook" in report.unreadable[str(folder / "broken.ipynb")].reason
    assert "calls no check" in report.unreadable[str(folder / "other.ipynb")].reason


def test_a_file_that_cannot_be_graded_has_a_row_with_the_reason(tmp_path):
    handed_in(tmp_path / "li.ipynb", ("exercise-2", CUT))
    (tmp_path / "wang.ipynb").write_text('{"cells": [', encoding="utf-8")
    (tmp_path / "zhao").mkdir()
    (tmp_path / "zhao" / "00.ipynb").touch()
    report = grading.grade(tmp_path, trust_outputs=True)
    rows = list(csv.DictReader(grading.as_csv(report).decode("utf-8-sig").splitlines()))
    left_out = [(row["student"], row["notebook"], row["exercise"]) for row in rows if row["state"] == "not graded"]
    assert left_out == [("wang", "wang.ipynb", ""), ("zhao", "00.ipynb", "")] and len(rows) == 4 + 2
    assert all("cannot be read as a notebook" in row["reason"] for row in rows[4:])
    assert grading.as_text(report).count("not graded: ") == 2
    assert set(report.as_json()["unreadable"]) == {str(tmp_path / "wang.ipynb"), str(tmp_path / "zhao" / "00.ipynb")}


def test_how_long_it_may_take_is_said_before(tmp_path, monkeypatch):
    for number in range(40):
        handed_in(tmp_path / f"s{number:02}.ipynb")
    read = [read_submission(student, path) for student, path in find_submissions(tmp_path)]
    measured = {"00_start_here": {"minutes": 3.0}}
    monkeypatch.setattr("hanlp_tutor.teach.course.cost.read_cost", lambda name, profile: measured.get(name))
    assert grading.forecast(read, "smoke") == (
        "40 notebooks to execute in the profile smoke, one after the other: up to 40 minutes on a machine like the "
        "one that measured the lessons."
    )
    assert "class, 4 at a time: up to 30 minutes" in grading.forecast(read, "class", jobs=4)
    assert "1 notebook to execute in the profile smoke, one after the other: up to 60 s" in grading.forecast(
        read[:1], "smoke"
    )
    measured.clear()
    assert grading.forecast(read, "smoke").endswith("how long that takes was never measured.")


def test_some_run_at_a_time_and_stay_in_order(tmp_path, monkeypatch):
    """With three at a time the first, slowest one is told first in the report; a turn comes with what is to go."""
    meeting, told = threading.Barrier(3, timeout=20), []

    def executed(submission, profile, limits, jobs):
        if submission.student != "d":
            meeting.wait()  # three are under way at the same time, or this fails
        return {"q00_2": {"state": "solved", "reason": submission.student, "cell": "x"}}

    monkeypatch.setattr(grading, "_executed", executed)
    for student in "abcd":
        handed_in(tmp_path / f"{student}.ipynb")
    report = grading.grade(tmp_path, jobs=3, tell=told.append)
    assert [each.reason for each in report.grades if each.state == "solved"] == list("abcd")
    assert "4 notebooks" in told[0] and "3 at a time" in told[0]
    assert [line.partition(" ")[0] for line in sorted(told[1:])] == ["1/4", "2/4", "3/4", "4/4"]
    assert " to go" in next(line for line in told if line.startswith("4/4")) and len(told) == 5


def test_what_runs_at_a_time_shares_the_cores(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    assert set(part_of_the_cores(3).values()) == {"2"} and set(part_of_the_cores(30).values()) == {"1"}
    assert set(part_of_the_cores(3, "5").values()) == {"5"}


def test_copies_are_noticed_through_new_names_and_comments(graded):
    _, report = graded
    assert [pair["students"] for pair in report.copies] == [["li", "wang"]]


def test_a_changed_call_is_remarked(graded):
    _, report = graded
    assert [line for line in report.remarks if "zhao" in line and "exercise-3" in line]
    of_li = [line for line in report.remarks if "00_start_here_li" in line]
    assert len(of_li) == 1 and "unseen" in of_li[0], "the one that this test has shortened"


@pytest.mark.slow
def test_limits_of_time_and_memory(tmp_path):
    slow = [("exercise-2", CUT), ("exercise-3", "import time\ntime.sleep(600)\ncheck.q00_3(73.6)")]
    handed_in(tmp_path / "a" / "slow.ipynb", *slow)
    report = grading.grade(tmp_path / "a", limits=grading.Limits(seconds=20))
    assert states(report, "slow")["q00_3"] == "broken"
    assert "cell exercise-3: stopped after 20 s" in reason(report, "slow", "q00_3")
    assert states(report, "slow")["q00_2"] == "solved"
    large = [("exercise-2", "x = bytearray(900 * 2**20)\nimport time\ntime.sleep(60)\ncheck.q00_2(x)")]
    handed_in(tmp_path / "b" / "large.ipynb", *large)
    report = grading.grade(tmp_path / "b", limits=grading.Limits(memory_mb=800))
    assert "stopped at 800 MiB" in reason(report, "large", "q00_2")


def test_stored_outputs_are_read_only_on_request(tmp_path, capsys):
    path = handed_in(tmp_path / "forger.ipynb", ("exercise-2", SHORT), ("exercise-3", "check.q00_3(50)"))
    with_output(path, "exercise-2", "Accepted. That is it.\n")
    check.q00_3(50)
    with_output(path, "exercise-3", capsys.readouterr().out)
    check.q00_4(...)
    with_output(path, "exercise-4", capsys.readouterr().out)
    trusted = grading.grade(tmp_path, trust_outputs=True)
    expected = {"q00_1": "not tried", "q00_2": "solved", "q00_3": "wrong", "q00_4": "not tried"}
    assert states(trusted, "forger") == expected
    assert reason(trusted, "forger", "q00_3") == check.q00_3.judge(50).reason
    assert states(grading.grade(tmp_path), "forger")["q00_2"] == "wrong"


def test_the_command(tmp_path):
    handed_in(tmp_path / "in" / "=cmd.ipynb", ("exercise-2", CUT))
    table = tmp_path / "grades.csv"
    done = CliRunner().invoke(app, ["grade", str(tmp_path / "in"), "--trust-outputs", "--csv", str(table), "--json"])
    told = json.loads(done.stdout.splitlines()[-1])
    assert done.exit_code == 0 and told["students"]["=cmd"]["not tried"] == 4
    rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["exercise"] for row in rows] == ["q00_1", "q00_2", "q00_3", "q00_4"]
    assert rows[0]["student"] == "'=cmd", "no spreadsheet takes it for a formula"
    shown = CliRunner().invoke(app, ["grade", str(tmp_path / "in"), "--trust-outputs"])
    assert "q00_4" in shown.stdout and shown.exit_code == 0


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_notebooks_is_refused(tmp_path, exists):
    folder = tmp_path if exists else tmp_path / "nowhere"
    done = CliRunner().invoke(app, ["grade", str(folder)])
    assert done.exit_code == 2 and "Error: " in done.stderr and str(folder) in done.stderr


def test_every_lesson_of_the_course_is_read():
    from hanlp_tutor.teach.course.lessons import LESSONS
    from hanlp_tutor.workbench.notebook_file import notebook_folder

    for lesson in LESSONS:
        path = notebook_folder() / f"{lesson.name}.ipynb"
        if path.exists() and check.exercises(lesson.number):
            read = read_submission("course", path)
            called = [name for names in read.calls.values() for name in names]
            assert sorted(called) == [each.name for each in check.exercises(lesson.number)], lesson.name
            assert read.answers() == {} and read.tampered() == [] and read.lessons == [lesson.number]


def test_names_of_students(tmp_path):
    for name in ("00_start_here-李雷.ipynb", "韩梅梅/x.ipynb", "00_start_here.ipynb", "jim_05_finetune_ner.ipynb"):
        handed_in(tmp_path / name)
    assert sorted(student for student, _ in find_submissions(tmp_path)) == ["00_start_here", "jim", "李雷", "韩梅梅"]


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(SubmissionError, match="larger than 64 MiB"):
        read_submission("x", path)


def test_a_notebook_from_colab_has_other_ids(tmp_path):
    path = handed_in(tmp_path / "li.ipynb", ("exercise-2", CUT))
    node = json.loads(path.read_text(encoding="utf-8"))
    for number, cell in enumerate(node["cells"]):
        cell["metadata"] = {"id": f"Xy{number}Z"}
        del cell["id"]
    node["nbformat_minor"] = 0
    path.write_text(json.dumps(node), encoding="utf-8")
    read = read_submission("li", path)
    assert list(read.answers()) == ["Xy4Z"] and read.lessons == ["00"]


def test_normal_form():
    assert normal_form("def f(a):\n    '''doc'''\n    return a + 1  # one") == normal_form("def f(b): return b + 1")
    assert normal_form("def f(a): return a + 1") != normal_form("def f(a): return a + 2")
    assert normal_form("x = (") == "x = ("
    assert course_cells("99") == {}
