"""The sentences with numbers at the end of a lesson: they hold, and withdraw themselves when their numbers change."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from hanlp_tutor import ConfigError
from hanlp_tutor.teach.course.lessons import LESSONS as ALL
from hanlp_tutor.teach.results import UNMEASURED, read_results
from hanlp_tutor.teach.take_away import WITHDRAWN, lessons_with_take_aways, read_take_aways, sentences, take_away

LESSONS = lessons_with_take_aways()
ENTRIES = [(lesson, entry) for lesson in LESSONS for entry in read_take_aways(lesson)]
IDS = [f"{lesson}-{number}" for lesson in LESSONS for number, _ in enumerate(read_take_aways(lesson), start=1)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_said_holds(lesson):
    for sentence in sentences(lesson):
        assert not sentence.startswith((WITHDRAWN, UNMEASURED)), f"l{lesson}/take_aways.yaml: {sentence}"
        assert "{" not in sentence and "nan" not in sentence


@pytest.mark.parametrize(("lesson", "entry"), ENTRIES, ids=IDS)
def test_an_entry_says_and_tests_what_it_reads(lesson, entry):
    text = entry["say"] + " ".join(entry.get("rests_on", []))
    assert not [name for name in entry["values"] if not re.search(rf"\b{name}\b", text)]
    typed = re.findall(r"(?<![\w.-])\d+\.\d+(?![\w-])", re.sub(r"\{[^}]*\}", "", entry["say"]))
    assert set(typed) <= {"0.1", "0.3"}, "a measured number comes from a value; λ and dropout are options"
    read = [each for each in entry["values"].values() if "cell" not in each]
    names = {each.get("experiment", entry.get("experiment")) for each in read}
    if any(read_results(name)["settings"].get("synthetic") for name in names):
        assert "synthetic" in entry.get("scale", ""), "synthetic data are called synthetic"


def test_lessons_without_a_file_are_named():
    with pytest.raises(ConfigError, match=r"lesson '99' has no take-aways.*00, 01, 01b, 02"):
        read_take_aways("99")


def test_every_lesson_has_some():
    assert [lesson.number for lesson in ALL] == LESSONS


def test_outside_of_a_notebook_they_are_printed(capsys):
    take_away("06")
    assert capsys.readouterr().out.splitlines() == [f"- {each}" for each in sentences("06")]


@pytest.fixture
def room(tmp_path: Path):
    """Write the take-aways of a lesson 99 and the F1 of two rows, a value a seed; its sentences."""

    def say(rows: dict[str, list[float]], entry: str):
        (tmp_path / "l99").mkdir(exist_ok=True)
        (tmp_path / "l99" / "take_aways.yaml").write_text(entry, encoding="utf-8")
        filled = {
            row: {
                "seeds": {str(i): {"f1": f1} for i, f1 in enumerate(all_)},
                "median": {"f1": sorted(all_)[len(all_) // 2]},
            }
            for row, all_ in rows.items()
        }
        content = {"schema": 1, "settings": {}, "rows": filled}
        (tmp_path / "runs.json").write_text(json.dumps(content), encoding="utf-8")
        return sentences("99", tmp_path, tmp_path)

    return say


ENTRY = """
- experiment: runs
  values: {lead: {row: a, measure: f1, minus: b}}
  say: A is {lead:+.1f~} points ahead.
  scale: ten lines
  rests_on: [lead.least > 0]
"""


def test_a_sentence_withdraws_itself_when_its_numbers_change(room):
    assert room({"a": [0.5, 0.6, 0.7], "b": [0.4, 0.55, 0.6]}, ENTRY) == [
        "A is +10.0 (+5.0 to +10.0) points ahead. (ten lines; median of 3 seeds.)"
    ]
    (withdrawn,) = room({"a": [0.5, 0.6], "b": [0.4, 0.65]}, ENTRY)
    assert withdrawn.startswith(f"{WITHDRAWN} (lead.least > 0: -5, 0): A is ")
    assert room({"a": [0.5]}, ENTRY) == [f"{UNMEASURED}: python -m experiments.runs"]
    assert room({"a": [0.5], "b": [0.4]}, ENTRY.replace("  scale: ten lines\n", ""))[0].endswith("ahead. (one run.)")


FROM_A_CELL = r"""
- values:
    few: {cell: run, finds: 'found (\d+)'}
    more: {cell: run, finds: 'then ([\d,]+)'}
  say: "{few:.0f} names were found, then {more:.0f}."
  scale: ten lines
  rests_on: [more > few]
"""


def test_a_sentence_on_a_cell_withdraws_itself_when_the_stored_output_changes(tmp_path):
    (tmp_path / "l99").mkdir()
    (tmp_path / "l99" / "take_aways.yaml").write_text(FROM_A_CELL, encoding="utf-8")

    def say(shown):
        cell = nbformat.v4.new_code_cell("...", id="run", outputs=[nbformat.v4.new_output("stream", text=shown)])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "99_x.ipynb")
        return sentences("99", tmp_path, tmp_path, tmp_path / "99_x.ipynb")

    assert say("found 3, then 1,200") == ["3 names were found, then 1200. (ten lines; this notebook's stored run.)"]
    assert say("found 3, then 2")[0].startswith(f"{WITHDRAWN} (more > few: 2, 3): 3 names")
    assert say("nothing") == [f"{UNMEASURED}: python -m experiments.course 99"]
    assert sentences("99", tmp_path, tmp_path, tmp_path / "none.ipynb")[0].startswith(UNMEASURED)
    (tmp_path / "l99" / "take_aways.yaml").write_text(FROM_A_CELL.replace("finds", "shows"), encoding="utf-8")
    with pytest.raises(ConfigError, match="without `experiment` each value names a `cell`"):
        read_take_aways("99", tmp_path)


@pytest.mark.parametrize("old", ["  say: A is {lead:+.1f~} points ahead.\n", "scale:"])
def test_a_broken_entry_says_where(room, old):
    with pytest.raises(ConfigError, match=r"l99/take_aways.yaml, entry 1: expected `experiment`"):
        room({}, ENTRY.replace(old, "" if old.startswith("  say") else "on:"))
