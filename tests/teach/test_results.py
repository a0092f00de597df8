"""Result files: resumable, honest about settings, and what the README shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hanlp_tutor.errors import TutorError
from hanlp_tutor.teach.results import GRID, Experiment, read_results

ROOT = Path(__file__).resolve().parents[2]


def test_median_and_spread(tmp_path):
    experiment = Experiment("a", {"n": 1}, {"device": "d"}, tmp_path)
    experiment.measure("row", (1, 2, 3), lambda seed: {"f1": (0.5, 0.9, 0.6)[seed - 1]})
    row = read_results("a", tmp_path)["rows"]["row"]
    assert (row["median"]["f1"], row["min"]["f1"], row["max"]["f1"]) == (0.6, 0.5, 0.9)


def test_a_measured_seed_is_not_measured_again(tmp_path):
    Experiment("a", {"n": (1, 2)}, {}, tmp_path).measure("row", (1,), lambda seed: {"f1": 0.5})
    asked = []
    again = Experiment("a", {"n": (1, 2)}, {}, tmp_path)
    again.measure("row", (1, 2), lambda seed: asked.append(seed) or {"f1": 0.7})
    assert asked == [2]


def test_other_settings_begin_anew(tmp_path):
    Experiment("a", {"n": 1}, {}, tmp_path).measure("row", (1,), lambda seed: {"f1": 0.5})
    Experiment("a", {"n": 2}, {}, tmp_path).measure("row", (1,), lambda seed: {"f1": 0.7})
    assert read_results("a", tmp_path)["rows"]["row"]["seeds"] == {"1": {"f1": 0.7}}


def test_a_row_with_other_weights_begins_anew_and_leaves_the_others(tmp_path):
    for weights in ("old", "new", "new"):
        experiment = Experiment("a", {}, {}, tmp_path)
        experiment.measure("ours", (1, 2), lambda seed, w=weights: {"f1": {"old": 0.1, "new": 0.2}[w]},
                           depends_on={"weights": weights})  # fmt: skip
        experiment.measure("baseline", (1,), lambda seed, w=weights: {"f1": {"old": 0.5}[w]})
    rows = read_results("a", tmp_path)["rows"]
    assert rows["ours"]["seeds"] == {"1": {"f1": 0.2}, "2": {"f1": 0.2}} and rows["baseline"]["median"]["f1"] == 0.5


def test_what_a_row_depends_on_may_be_a_tuple(tmp_path):
    for score in (0.5, 0.6):  # the second reads a list from the file
        experiment = Experiment("e", {}, {}, tmp_path)
        experiment.measure("svm", [1], lambda seed, score=score: {"f1": score}, depends_on={"c": (1, 3)})
    assert experiment.content["rows"]["svm"]["seeds"] == {"1": {"f1": 0.5}}


def test_two_processes_fill_one_file(tmp_path):
    first, second = (Experiment("a", {"n": 1}, {"device": name}, tmp_path) for name in ("here", "there"))
    first.measure("row", (1,), lambda seed: {"f1": 0.5})
    second.measure("other", (1,), lambda seed: {"f1": 0.6})
    first.measure("row", (2,), lambda seed: {"f1": 0.7})
    rows = read_results("a", tmp_path)["rows"]
    assert rows["row"]["median"]["f1"] == 0.6 and rows["other"]["median"]["f1"] == 0.6
    assert [rows[name]["measured"]["1"]["device"] for name in ("row", "other")] == ["here", "there"]


def test_a_crash_keeps_the_seeds_before_it(tmp_path):
    def run(seed):
        if seed == 2:
            raise RuntimeError
        return {"f1": 0.5}

    with pytest.raises(RuntimeError):
        Experiment("a", {}, {}, tmp_path).measure("row", (1, 2), run)
    assert list(json.loads((tmp_path / "a.json").read_text())["rows"]["row"]["seeds"]) == ["1"]


def test_the_best_learning_rate_is_that_of_dev_and_is_measured_once(tmp_path):
    asked = []

    def dev(seed, lr):
        asked.append((seed, lr))
        return {1e-4: 0.5, 3e-4: 0.7, 1e-3: 0.7}[lr]

    grid, weights = (1e-4, 3e-4, 1e-3), {"weights": "w"}
    for _ in range(2):
        experiment = Experiment("a", {}, {}, tmp_path)
        assert experiment.best_learning_rate("ner/x", grid, (1, 2), dev, depends_on=weights) == 3e-4
    assert asked == [(1, 1e-4), (1, 3e-4), (1, 1e-3)]
    assert list(experiment.content["rows"]) == [f"{GRID}ner/x/lr={lr}" for lr in ("0.0001", "0.0003", "0.001")]
    assert experiment.best_learning_rate("ner/x", (1e-4,), (1, 2), dev, depends_on={"weights": "others"}) == 1e-4
    assert asked[3:] == [(1, 1e-4)]


def test_learning_rates_that_the_first_seed_cannot_tell_apart_are_tried_with_all(tmp_path):
    scores = {1e-4: (0.5, 0.9, 0.9), 3e-4: (0.695, 0.71, 0.72), 1e-3: (0.7, 0.65, 0.66)}
    asked = []

    def dev(seed, lr):
        asked.append((seed, lr))
        return scores[lr][seed - 1]

    experiment = Experiment("a", {}, {}, tmp_path)
    assert experiment.best_learning_rate("ner/x", tuple(scores), (1, 2, 3), dev, tie=0.01) == 3e-4
    assert asked[3:] == [(2, 3e-4), (3, 3e-4), (2, 1e-3), (3, 1e-3)]
    assert experiment.best_learning_rate("ner/x", tuple(scores), (1, 2, 3), dev, tie=0.001) == 1e-3
    assert len(asked) == 7


def test_a_misspelt_result_is_no_missing_one(tmp_path):
    Experiment("finetune_ner", {}, {}, tmp_path).measure("row", (1,), lambda seed: {"f1": 0.5})
    assert read_results("other", tmp_path) is None
    with pytest.raises(TutorError, match="finetune_ner"):
        read_results("finetune_nre", tmp_path)


def test_readme_shows_what_was_measured():
    done = subprocess.run([sys.executable, ROOT / "tools/render_readme.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
