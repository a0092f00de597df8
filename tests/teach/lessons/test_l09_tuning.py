"""What notebook 09 draws and tabulates: convergence, the pictures of a search, the result file."""

import json

import pytest

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.teach.lessons.l09.convergence import best_within, dev_scores, reaching
from hanlp_tutor.teach.lessons.l09.pictures import parallel, trial_curves
from hanlp_tutor.teach.lessons.l09.results import TuningResults, crossed
from hanlp_tutor.teach.results import Experiment
from hanlp_tutor.workbench.tuning.search import Search
from hanlp_tutor.workbench.tuning.space import read_space

HISTORY = [
    {"step": 10, "tokens": 1000, "tokens_per_second": 500.0, "dev_score": None},
    {"step": 20, "tokens": 2000, "tokens_per_second": 1000.0, "dev_score": 0.2},
    {"step": 30, "tokens": 3000, "tokens_per_second": 250.0, "dev_score": 0.5},
    {"step": 40, "tokens": 4000, "tokens_per_second": 100.0, "dev_score": 0.4},
]
SPACE = {"lr": "1e-5..1e-3:log", "dropout": "0..0.3", "batch_size": "8,16"}
TRIALS = [
    {"state": "complete", "scores": [0.1, 0.3], "options": {"lr": 1e-5, "dropout": 0.0, "batch_size": 8}},
    {"state": "complete", "scores": [0.2, 0.6], "options": {"lr": 1e-4, "dropout": 0.15, "batch_size": 16}},
    {"state": "pruned", "scores": [0.05], "options": {"lr": 1e-3, "dropout": 0.3, "batch_size": 8}},
]


def search(trials=TRIALS):
    rows = [
        {"trial": n, "dev": max(t["scores"]), "tokens": 10, "seconds": 1.0, "error": None, **t}
        for n, t in enumerate(trials)
    ]
    complete = [row for row in rows if row["state"] == "complete"]
    best = max(complete, key=lambda row: row["dev"])
    config = TrainConfig(**best["options"])
    return Search(rows, config.model_dump(), best["trial"], {"lr": 1.0}, SPACE)


def test_reaching_a_goal_counts_training_only():
    assert dev_scores(HISTORY) == [0.2, 0.5, 0.4]
    assert reaching(HISTORY, 0.5, 16) == {
        "reached": 1.0, "updates": 30, "examples": 480, "tokens": 3000, "seconds": pytest.approx(2 + 1 + 4),
    }  # fmt: skip
    missed = reaching(HISTORY, 0.6, 16)
    assert missed["reached"] == 0 and missed["updates"] == 40 and missed["seconds"] == pytest.approx(17)


def test_the_best_within_a_budget():
    trials = search().trials  # ten tokens each: 0.3, 0.6, and one that was pruned
    assert [best_within(trials, tokens) for tokens in (1, 10, 19, 20, 100)] == [0.3, 0.3, 0.3, 0.6, 0.6]
    pruned_at_its_best = [*trials, {**trials[2], "dev": 0.9}]
    assert best_within(pruned_at_its_best, 100) == 0.6
    assert [best_within(trials, seconds, of="seconds") for seconds in (1, 2)] == [0.3, 0.6]


def test_the_curves_of_trials():
    picture = trial_curves(search())
    assert "3 trials" in picture.alt and "1 were pruned" in picture.alt and "trial 1, comes to 0.600" in picture.alt
    assert picture.png().startswith(b"\x89PNG")


def test_parallel_coordinates():
    picture = parallel(search(), read_space(SPACE, TrainConfig()))
    assert "2 complete trials" in picture.alt and "lr 0.0001" in picture.alt and "batch_size 16" in picture.alt
    lines = {tuple(line.get_ydata()) for line in picture.figure.axes[0].lines if len(line.get_xdata()) == 4}
    assert any(heights == pytest.approx((0.5, 0.5, 1.0, 1.0)) for heights in lines), "the middle of a log range"
    assert (0.0, 0.0, 0.0, 0.0) in lines


def test_one_trial_or_equal_ones_are_drawn_too():
    for trials in (TRIALS[:1], [TRIALS[0], TRIALS[0]]):
        assert parallel(search(trials), read_space(SPACE, TrainConfig())).png()
        assert trial_curves(search(trials)).png()


@pytest.fixture
def measured(tmp_path):
    settings = {"encoder": "mini-bert", "sentences": 200, "batch": {"lr": 5e-4, "head_lr": 5e-3}}
    experiment = Experiment("tuning", settings, {}, tmp_path)
    given = weights_of("mini-bert")

    def row(name, *values, **more):
        experiment.measure(name, range(1, len(values) + 1), lambda s: values[s - 1], depends_on={**given, **more})

    row("rate/1e-05", {"dev": 0.1}, {"dev": 0.2}, {"dev": 0.3})
    row("rate/0.001", {"dev": 0.5}, {"dev": 0.6}, {"dev": 0.7})
    row("batch/goal", {"dev": 0.6})
    reached = {"reached": 1.0, "updates": 100, "tokens": 1000, "seconds": 10.0, "lr": 1e-3}
    row("batch/16/one rate", reached)
    row("batch/64/one rate", {**reached, "updates": 50, "tokens": 2000})
    row("batch/64/scaled rate", {**reached, "reached": 0.0})
    row(
        "search/tpe",
        {"dev": 0.7, "test": 0.6, "seconds": 99.0, "trials": 20, "pruned": 9, "dev@1": 0.5, "dev@12": 0.7,
         "dev in 50 s": 0.6},
        {"dev": 0.72, "test": 0.6, "seconds": 99.0, "trials": 20, "pruned": 9, "dev@1": 0.5, "dev@12": 0.7,
         "dev in 50 s": 0.6},
        seconds="of the process",
    )  # fmt: skip
    row("search/random, pruned", {"dev": 0.6, "test": 0.6, "seconds": 99.0}, {"dev": 0.61, "test": 0.6, "seconds": 9.0})
    row(
        "search/random",
        {"dev": 0.6, "test": 0.6, "seconds": 99.0, "trials": 12, "pruned": 0, "dev@1": 0.4, "dev@12": 0.6},
    )
    row("search/default", {"dev": 0.5, "test": 0.5, "seconds": 9.0})
    return tmp_path


def test_tables_of_the_result_file(measured):
    results = TuningResults(measured)
    assert "200 sentences, 1 to 3 seeds" in str(results)
    low, high = results.learning_rates()
    assert low == {
        "learning rate of θ": "1e-05",
        "in the article's grid": True,
        "dev F1": "0.200 (0.100 to 0.300)",
        "best": False,
    }
    assert high["best"] and not high["in the article's grid"]
    base, large, scaled = results.batches()
    assert base["speed in updates"] == "+0 %"
    assert (large["speed in updates"], large["speed in tokens"]) == ("+100 %", "-50 %")
    assert scaled["speed in seconds"] == "goal not reached" and scaled["reached"] == "0 of 1"
    assert (base["learning rate of φ"], scaled["learning rate of φ"]) == ("0.01", "0.01")
    assert {row["chosen by"]: row["seconds of the processor"] for row in results.searches()} == {
        "no search": None, "random search, no pruning": None, "random search with pruning": None,
        "TPE with pruning": "99",
    }  # fmt: skip
    assert results.lines()["TPE with pruning"] == [(1.0, 0.5, 0.5, 0.5), (12.0, 0.7, 0.7, 0.7)]
    assert results.lines("dev in ", " s") == {"TPE with pruning": [(50.0, 0.6, 0.6, 0.6)]}


def test_two_searches_compared_by_seed(measured):
    results = TuningResults(measured)
    sentence = results.compared("search/tpe", "search/random, pruned", "dev", "dev F1")
    assert sentence.startswith("TPE with pruning is ahead of random search with pruning by 10.5 points of dev F1")
    assert "not measured yet" in results.compared("search/tpe", "search/default", "dev", "dev F1")  # one seed


def test_the_grid_of_lesson_06_says_what_a_rate_of_phi_does(tmp_path):
    assert len(crossed()) == 3 and set(crossed()[0]) == {"learning rate of φ", "θ 2e-5", "θ 3e-4", "θ 1e-3"}
    assert "not measured yet: python -m experiments.learning_rates" in str(crossed(tmp_path))


@pytest.mark.parametrize("state", ["absent", "of other weights"])
def test_what_is_not_measured_says_how(measured, tmp_path, state):
    if state == "absent":
        folder = tmp_path / "empty"
        folder.mkdir()
    else:
        folder = measured
        content = json.loads((folder / "tuning.json").read_text(encoding="utf-8"))
        for row in content["rows"].values():
            row["depends_on"]["weights"] = "of another day"
        (folder / "tuning.json").write_text(json.dumps(content), encoding="utf-8")
    results = TuningResults(folder)
    assert "experiments.tuning" in str(results) and results.lines() == {}
    for rows in (results.learning_rates(), results.batches(), results.searches()):
        assert len(rows) == 1 and "not measured" in str(rows)
