"""What the summary of a lesson states as shown is shown: by a cell that asserts it, by stored output, by result files.

``summaries.yaml`` says what shows which words. A sentence that speaks of a run or of results has to stand in it.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from hanlp_tutor.teach.course.evidence import fails, number_shown, shown_by
from hanlp_tutor.teach.take_away import read_take_aways

HERE = Path(__file__).parent
PARTS = {"says", "asserted", "values", "holds", "take_away"}
SHOWN = yaml.safe_load((HERE / "summaries.yaml").read_text(encoding="utf-8"))
NOTEBOOKS = {path.stem.partition("_")[0]: path for path in sorted((HERE.parent / "notebooks").glob("[0-9]*.ipynb"))}
# How prose speaks of a result, and of a tendency that a lesson could not show
OF_RESULTS = re.compile(r"\b(stored|here|usually|mostly|nearly|often|rarely|tends?|in general)\b", re.IGNORECASE)
# Sentences in which these words speak of no result of the lesson
OTHERWISE = {
    "07": ["measure its gradient once, as here"],
    "10": ["here `ORG` is a list of names", "Errors are read on dev"],
    "11": ["Sampling temperature decides how often a task is drawn"],
    "17": ["at other scales nobody has measured here"],
    "18": ["All pages here are synthetic"],
}


def cells_of(lesson: str) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.read(NOTEBOOKS[lesson], as_version=4).cells}


def contradictions(lesson: str, entry: dict, cells: dict[str, nbformat.NotebookNode]) -> list[str]:
    """In what way the words of an entry are not shown by what it names."""
    found = [] if entry["says"] in cells["summary"].source else ["the summary does not say it"]
    silent = [name for name in entry.get("asserted", ()) if "assert " not in cells[name].source]
    found += [f"cell {name} asserts nothing" for name in silent]
    values = {}
    for name, where in entry.get("values", {}).items():
        match = re.search(where["finds"], shown_by(cells[where["cell"]]))
        if match is None:
            found.append(f"cell {where['cell']} shows no {where['finds']!r}")
        elif where.get("as") != "text":
            values[name] = number_shown(shown_by(cells[where["cell"]]), where["finds"])
    if not found:
        found += fails(entry.get("holds", []), values)
    if "take_away" in entry:
        said = {" ".join(each["say"].split()): each.get("rests_on") for each in read_take_aways(lesson)}
        if not any(conditions for text, conditions in said.items() if entry["take_away"] in text):
            found.append(f"no take-away with conditions says {entry['take_away']!r}")
    return found


@pytest.mark.parametrize("lesson", SHOWN)
def test_what_a_summary_states_is_shown(lesson):
    cells = cells_of(lesson)
    for entry in SHOWN[lesson]:
        assert entry.keys() <= PARTS and entry.keys() & {"asserted", "values", "take_away"}, entry["says"]
        assert not contradictions(lesson, entry, cells), f"{lesson}, {entry['says']!r}: write what is shown now"


@pytest.mark.parametrize("lesson", NOTEBOOKS)
def test_a_sentence_that_speaks_of_results_says_what_shows_it(lesson):
    known = [*(entry["says"] for entry in SHOWN.get(lesson, ())), *OTHERWISE.get(lesson, ())]
    sentences = [
        sentence for line in cells_of(lesson)["summary"].source.splitlines() for sentence in re.split(r"(?<=\.) ", line)
    ]
    left = [
        s for s in sentences if OF_RESULTS.search(s) and not any(part in s or s.strip(".;") in part for part in known)
    ]
    assert not left, f"{lesson}: say in tests/summaries.yaml what shows this, or reword it: {left}"


def test_words_that_the_stored_output_contradicts_are_found():
    cells, entry = cells_of("00"), SHOWN["00"][0]
    assert not contradictions("00", entry, cells)
    spoiled = copy.deepcopy(cells)
    spoiled["more"].outputs[0].text = "never seen: 2 of 21 names\n"
    assert contradictions("00", entry, spoiled) == ["more > few: 2, 6"]
    spoiled["more"].outputs[0].text = "nothing\n"
    assert "cell more shows no" in contradictions("00", entry, spoiled)[0]
    assert "does not say it" in contradictions("00", {**entry, "says": "always"}, cells)[0]
    assert contradictions("00", {"says": "", "asserted": ["more"]}, cells) == ["cell more asserts nothing"]
    assert "no take-away" in contradictions("01", {"says": "", "take_away": "never said"}, cells_of("01"))[0]
