"""How an exercise is found by its name."""

import sys

import pytest

from hanlp_tutor.teach import check, lessons
from hanlp_tutor.teach.check import Exercise


def test_unknown_exercise(capsys):
    check.hint("q05_11")
    assert "Did you mean 'q05_1'" in capsys.readouterr().out
    with pytest.raises(AttributeError, match="no exercise 'q99_1'"):
        _ = check.q99_1
    assert isinstance(check.q05_1, Exercise)


@pytest.fixture
def lesson_between_two_others(tmp_path, monkeypatch):
    """A room of a lesson 98b, and one of 98, each with an exercise."""
    for lesson in ("98", "98b"):
        room = tmp_path / f"l{lesson}"
        room.mkdir()
        (room / "__init__.py").touch()
        source = f"""
from hanlp_tutor.teach.check import exercise, require

@exercise("Think.", "Count.", "It is 2.")
def q{lesson}_1(answer):
    require(answer == 2, "No.")
    return "Yes."
"""
        (room / "checks.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(lessons, "__path__", [*lessons.__path__, str(tmp_path)])
    monkeypatch.setattr(check, "_EXERCISES", dict(check._EXERCISES))
    yield
    for name in [name for name in sys.modules if name.startswith("hanlp_tutor.teach.lessons.l98")]:
        del sys.modules[name]


def test_a_lesson_may_be_numbered_with_a_letter(lesson_between_two_others, capsys):
    check.q98b_1(2)
    assert capsys.readouterr().out == "Accepted. Yes.\n"
    assert [found.name for found in check.exercises("98b")] == ["q98b_1"]
    assert [found.name for found in check.exercises("98")] == ["q98_1"]
    check.hint("q98b_1")
    check.hint("q98b_2")
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 3: Think.",
        "There is no exercise 'q98b_2'. Did you mean 'q98b_1'?",
    ]


def test_a_lesson_without_a_room_has_no_exercises():
    assert check.exercises("99") == check.exercises("99b") == []
