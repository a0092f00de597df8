"""A classical baseline beside a result: on the same files, in another process, within its time."""

import os
import subprocess

import pytest
from sklearn.metrics import accuracy_score, f1_score
from toy import labelled, tagged

from hanlp_tutor.data import LabelledText, Split
from hanlp_tutor.progress import listening
from hanlp_tutor.workbench import baseline_run
from hanlp_tutor.workbench.baseline_run import measure_baseline
from hanlp_tutor.workbench.baselines import ngram_classifier
from hanlp_tutor.workbench.closing import beside
from hanlp_tutor.workbench.steps import Steps


@pytest.fixture
def reviews():
    return Split(labelled(60), labelled(20, seed=2), labelled(30, seed=3))


def test_it_is_scored_where_the_model_is(reviews):
    found = measure_baseline("classify", reviews, ours=lambda judged: [example.label for example in judged])
    model = ngram_classifier().fit([e.text for e in reviews.train], [e.label for e in reviews.train])
    gold, said = [e.label for e in reviews.test], model.predict([e.text for e in reviews.test])
    assert found["accuracy"] == pytest.approx(accuracy_score(gold, said))
    assert found["macro_f1"] == pytest.approx(f1_score(gold, said, average="macro"))
    assert (found["name"], found["on"]) == ("n-gram classifier", "test") and found["seconds"] > 0
    assert found["lead"]["difference"] == pytest.approx(1 - found["macro_f1"]) and "answers" not in found


def test_without_a_test_set_dev_is_taken_and_entities_have_their_crf():
    split = Split(tagged(40), tagged(10, seed=2), [])
    found = measure_baseline("ner", split, ours=lambda judged: [example.spans for example in judged])
    assert (found["name"], found["on"]) == ("feature CRF", "dev") and 0 <= found["f1"] <= 1
    assert found["lead"]["low"] <= found["lead"]["difference"] == pytest.approx(1 - found["f1"])


def test_whoever_waits_is_told_what_for(reviews, capsys):
    with listening(Steps("lines").hear):
        measure_baseline("classify", reviews, seconds=0.01)
    assert "n-gram classifier on the same files, 0.01 s at most" in capsys.readouterr().err


def test_it_runs_in_a_process_of_its_own_and_for_so_long(reviews, monkeypatch):
    began = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: began.append(k["timeout"]) or run(*a, **k))
    found = measure_baseline("classify", reviews, seconds=0.01)
    assert began == [0.01] and found["missing"] == "not done within 0.01 s" and "accuracy" not in found


def test_a_baseline_that_dies_costs_the_run_nothing(reviews, monkeypatch):
    monkeypatch.setattr(baseline_run.sys, "executable", os.path.join(os.path.dirname(__file__), "no-such-python"))
    assert "failed" in measure_baseline("classify", reviews)["missing"]
    monkeypatch.undo()
    only_one_class = Split([each for each in reviews.train if each.label == reviews.train[0].label], reviews.dev, [])
    assert "all of one class" in measure_baseline("classify", only_one_class)["missing"]
    nothing_twice = [LabelledText(text, label) for text, label in zip("甲乙丙丁", "1212", strict=True)]  # min_df is 2
    assert "failed: ValueError" in measure_baseline("classify", Split(nothing_twice, nothing_twice, []))["missing"]


def test_what_it_lacks_is_said(reviews, monkeypatch):
    monkeypatch.setattr(baseline_run, "find_spec", lambda module: None)
    assert "pip install" in measure_baseline("ner", reviews)["missing"]
    assert "neither test nor dev" in measure_baseline("classify", Split(reviews.train, [], []))["missing"]
    monkeypatch.setattr(baseline_run, "MOST", 10)
    assert "60 training examples" in measure_baseline("classify", reviews)["missing"]
    assert measure_baseline("multitask", reviews) is None


@pytest.mark.parametrize(
    ("f1", "dev_scores", "words"),
    [
        (0.8, (0.5, 0.6), ["the model is ahead by 10.0 points"]),
        (0.9, (0.5, 0.6), ["the two are level"]),
        (0.9004, (0.5, 0.6), ["the two are level"]),
        (0.95, (0.5, 0.6), ["it is ahead by 5.0 points", "best at the end (-p epochs 8)"]),
        (0.95, (0.6,), ["it is ahead by 5.0 points", "best at the end (-p epochs 4)"]),
        (0.95, (0.6, 0.5), ["it is ahead by 5.0 points", "a larger encoder"]),
    ],
)
def test_the_line_says_who_is_ahead_and_what_to_try(tmp_path, f1, dev_scores, words):
    rows = "".join(f"{10 * n},{2 * n},{score}\n" for n, score in enumerate(dev_scores, 1))
    (tmp_path / "history.csv").write_text("step,epoch,dev_score\n" + rows, encoding="utf-8")
    baseline = {"name": "feature CRF", "on": "test", "f1": f1, "seconds": 3.0}
    lines = beside({"test": {"f1": 0.9}, "best_dev": 0.6, "baseline": baseline}, tmp_path)
    text = " ".join(lines)
    assert all(word in text for word in words)
    assert ("To pass it" in text) == (f1 > 0.901)


@pytest.mark.parametrize(
    ("ours", "low", "high", "words"),
    [
        (0.901, -0.08, 0.09, "no difference that so few test examples can show: the model's lead is +0.1 points (95 %"),
        (0.85, -0.12, 0.02, "no difference that so few test examples can show: the model's lead is -5.0 points (95 %"),
        (0.95, 0.02, 0.09, "the model is ahead by 5.0 points (95 % interval +2.0 to +9.0)"),
        (0.85, -0.09, -0.02, "it is ahead by 5.0 points (95 % interval -9.0 to -2.0)"),
    ],
)
def test_ahead_is_said_only_where_the_interval_leaves_0_out(tmp_path, ours, low, high, words):
    (tmp_path / "history.csv").write_text("step,epoch,dev_score\n10,2,0.5\n", encoding="utf-8")
    baseline = {"name": "feature CRF", "on": "test", "f1": 0.9, "lead": {"low": low, "high": high}}
    line, *more = beside({"test": {"f1": ours}, "best_dev": 0.5, "baseline": baseline}, tmp_path)
    assert words in line and bool(more) == (high < 0)


def test_no_baseline_no_line(tmp_path):
    assert beside({"test": None, "best_dev": 0.5}, tmp_path) == []
    missing = {"name": "feature CRF", "on": "dev", "missing": "not done within 120 s"}
    assert beside({"baseline": missing}, tmp_path) == ["baseline: none (feature CRF: not done within 120 s)"]
