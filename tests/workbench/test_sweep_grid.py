"""The grid of a sweep: how it is read, what is refused before anything runs."""

from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from hanlp_tutor.config import typed_value
from hanlp_tutor.errors import ConfigError, TutorError
from hanlp_tutor.workbench.sweep.grid import MOST, folder_name, parse_grid, plan_sweep


def notebook(folder: Path, *, tagged: bool = True) -> Path:
    cell = new_code_cell('PROFILE = "class"\nout = None\nlr = 1e-3\nseed = 1\nname = ""', id="values")
    cell.metadata["tags"] = ["parameters"] if tagged else []
    path = folder / "77_toy.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


def test_values_are_those_of_p():
    read = parse_grid(["lr=1e-4,3e-4", "seed=1, 2", "crf=true,none", "name='1','a,b',{NR: 2, NS: 1},[1,2]"])
    assert read == {
        "lr": [1e-4, 3e-4],
        "seed": [1, 2],
        "crf": [True, None],
        "name": ["1", "a,b", {"NR": 2, "NS": 1}, [1, 2]],
    }


@given(st.lists(st.one_of(st.integers(), st.booleans(), st.none(), st.text("ab,é字", min_size=1)), min_size=1))
def test_what_is_typed_for_values_is_read_as_those_values(values):
    quoted = [f'"{value}"' if isinstance(value, str) else typed_value(value) for value in values]
    assert parse_grid([f"x={','.join(quoted)}"]) == {"x": values}


@pytest.mark.parametrize(
    ("pairs", "word"),
    [
        (["lr"], "write --grid lr=V1,V2"),
        (["=1"], "write --grid NAME=V1,V2"),
        (["lr="], "write --grid lr=V1,V2"),
        (["lr=1,,2"], "write --grid lr=V1,V2"),
        (["lr=1", "lr=2"], "lr is given twice"),
    ],
)
def test_unreadable(pairs, word):
    with pytest.raises(ConfigError, match=word):
        parse_grid(pairs)


@pytest.mark.parametrize(
    ("grid", "fixed", "word"),
    [
        ({}, {}, "The grid is empty"),
        ({"lr": []}, {}, "lr: no value"),
        ({"sead": [1]}, {}, "seed"),
        ({"seed": [1, 2, 1]}, {}, "1 is given twice"),
        ({"seed": [1]}, {"seed": 2}, "by --grid and by -p"),
        ({"seed": [1]}, {"led": 2}, "led"),
        ({"out": ["a"]}, {}, "a folder of its own"),
        ({"PROFILE": ["smoke"]}, {}, "--profile"),
        ({"seed": list(range(60)), "lr": [1 / n for n in range(1, 51)]}, {}, r"60 × 50 = 3,000 runs.*--at-most 3000"),
        ({"epochs": [1, -1]}, {}, "epochs"),
    ],
)
def test_refused(tmp_path, grid, fixed, word):
    with pytest.raises(ConfigError, match=word):
        plan_sweep(notebook(tmp_path), grid, fixed)


def test_a_notebook_without_a_parameters_cell(tmp_path):
    with pytest.raises(TutorError, match="no cell has the tag `parameters`"):
        plan_sweep(notebook(tmp_path, tagged=False), {"seed": [1]})


def test_a_large_grid_on_purpose(tmp_path):
    grid = {"seed": list(range(MOST + 1))}
    assert len(plan_sweep(notebook(tmp_path), grid, most=MOST + 1).points) == MOST + 1


def test_the_command_lets_as_many_through():
    from hanlp_tutor.cli.sweep import RUNS_AT_MOST

    assert RUNS_AT_MOST == MOST


def test_points_and_keys(tmp_path):
    plan = plan_sweep(notebook(tmp_path), {"lr": [1e-4, 3e-4], "seed": [1, 2]})
    assert plan.points == tuple({"lr": lr, "seed": seed} for lr in (1e-4, 3e-4) for seed in (1, 2))
    keys = [plan.run_key(point) for point in plan.points]
    assert len(set(keys)) == 4
    wider = plan_sweep(notebook(tmp_path), {"seed": [1, 2, 3], "lr": [3e-4]})
    shared = {wider.run_key(point) for point in wider.points} & set(keys)
    assert len(shared) == 2, "the same run in another grid is the same run"
    other = plan_sweep(notebook(tmp_path), {"lr": [1e-4], "seed": [1]}, profile="smoke")
    assert other.run_key(other.points[0]) not in keys


def test_names_of_folders(tmp_path):
    assert folder_name({"lr": 1e-4, "name": "hfl/some model"}, "abcd1234") == "lr=0.0001,name=hfl-some,model-abcd1234"
    assert folder_name({"name": "../.."}, "abcd1234").count("/") == 0
    assert len(folder_name({"name": "x" * 500}, "abcd1234")) < 100
