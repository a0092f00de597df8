"""What every lesson has for the class room, put in by a tool: the first cell for Colab, take-aways, the quiz."""

import copy
import importlib.util
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

from hanlp_tutor.teach.course.execute import CLASS_ROOM, fingerprint
from hanlp_tutor.teach.quiz import lessons_with_quiz, outputs, read_quiz
from hanlp_tutor.teach.take_away import lessons_with_take_aways, sentences

pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
ADDRESS = "https://github.com/someone/some-kit"


@pytest.fixture(scope="module")
def tool():
    sys.path.insert(0, str(ROOT / "tools"))  # where the tool finds its sibling, as when it is run
    try:
        yield importlib.import_module("class_room_cells")
    finally:
        sys.path.remove(str(ROOT / "tools"))


def without_cells(node):
    node = copy.deepcopy(node)
    node.cells = [cell for cell in node.cells if not CLASS_ROOM & set(cell.metadata.get("tags", []))]
    return node


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_has_the_cells_that_the_tool_puts_in(path, tool):
    node = nbformat.read(path, as_version=4)
    made = tool.with_cells(node, path.stem, tool.repository())
    assert nbformat.writes(made) == nbformat.writes(node), "run python tools/class_room_cells.py"
    number = path.stem.partition("_")[0]
    if number in lessons_with_quiz():
        (cell,) = [cell for cell in node.cells if cell.id == "quiz"]
        (script,) = [o.data["application/javascript"] for o in cell.outputs if "application/javascript" in o.data]
        now = outputs(number, read_quiz(number))[1]["application/javascript"]
        assert embedded("".join(script)) == embedded(now), "run python tools/class_room_cells.py"
    if number in lessons_with_take_aways():
        (cell,) = [cell for cell in node.cells if cell.id == "take-away"]
        (shown,) = [output.data["text/markdown"] for output in cell.outputs]
        now = "\n".join(f"- {each}" for each in sentences(number))
        assert shown == now, "the results have changed: run python tools/class_room_cells.py"


def embedded(script: str) -> list:
    """The questions that a quiz's script holds."""
    return json.loads(re.search(r"var questions\w+=(\[.*\]);", script)[1])


@pytest.mark.parametrize("path", NOTEBOOKS[:3], ids=lambda path: path.stem)
def test_the_cells_have_no_part_in_what_was_measured(path, tool):
    bare = without_cells(nbformat.read(path, as_version=4))
    made = tool.with_cells(bare, path.stem, ADDRESS)
    again = tool.with_cells(made, path.stem, ADDRESS)
    assert nbformat.writes(again) == nbformat.writes(made) and len(made.cells) >= len(bare.cells) + 2
    assert fingerprint(made) == fingerprint(bare)
    assert [cell.source for cell in without_cells(made).cells] == [cell.source for cell in bare.cells]
    changed = copy.deepcopy(made)
    next(cell for cell in changed.cells if cell.id == "parameters").source += "\nmore = 1"
    assert fingerprint(changed) != fingerprint(bare), "the lesson's own cells still count"


def test_the_first_cell_is_short_and_knows_the_address_and_the_extras(tool):
    text, cell = tool.colab_cells("05_finetune_ner", ADDRESS)
    assert "github/someone/some-kit/blob/main/notebooks/05_finetune_ner.ipynb" in text.source
    assert len(cell.source.splitlines()) <= 8 and f'"{ADDRESS}", "kit"' in cell.source
    _, served = tool.colab_cells("19_deployment", ADDRESS)
    assert served.source == cell.source.replace('("course")', '("course", "serve")')


def test_a_lesson_without_a_summary_is_named(tool):
    node = nbformat.read(NOTEBOOKS[0], as_version=4)
    node.cells = [cell for cell in node.cells if cell.id != "summary"]
    with pytest.raises(ValueError, match="00_start_here: expected one cell with the id `summary`, behind"):
        tool.with_cells(node, "00_start_here", ADDRESS)


@pytest.fixture
def cell(tool, tmp_path, monkeypatch):
    """Run the first cell in an empty folder; the commands that it and the kit's installation start."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    commands = []

    def clone(command, **_):
        commands.append([*command, "!"])
        (tmp_path / "kit" / "tools").mkdir(parents=True)
        (tmp_path / "kit" / "tools" / "colab.py").write_text((ROOT / "tools" / "colab.py").read_text("utf-8"), "utf-8")

    def pip(command, **_):
        constraints = Path(command[command.index("-c") + 1])
        commands.append([*command, constraints.read_text(encoding="utf-8")])

    monkeypatch.setattr(subprocess, "check_call", clone)
    monkeypatch.setattr(subprocess, "run", pip)

    def run():
        exec(tool.colab_cells("05_finetune_ner", ADDRESS)[1].source, {})
        return commands

    return run


def test_the_first_cell_does_nothing_elsewhere(cell, tmp_path, capsys):
    assert cell() == [] and not os.listdir(tmp_path)
    assert capsys.readouterr() == ("", "")


def test_in_colab_it_installs_what_is_missing_and_keeps_torch_and_numpy(cell, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert cell() == [], "the kit is installed already: a second run of the cell does nothing"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    clone, pip = cell()
    assert clone == ["git", "clone", "-q", "--depth=1", ADDRESS, "kit", "!"]
    assert pip[0] == sys.executable and f"{tmp_path / 'kit'}[course]" in pip
    assert "--upgrade" not in pip and "-U" not in pip
    assert pip[-1].splitlines() == [f"torch=={version('torch')}", f"numpy=={version('numpy')}"]
    assert sys.path[0] == str(tmp_path / "kit"), "the lesson's imports find it in this kernel"
