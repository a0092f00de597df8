"""What lesson 15 says of its result file follows from the numbers in it."""

import json

import pytest

from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.lessons.l15.results import HowMuch, reads_off
from hanlp_tutor.teach.results import Experiment, results_folder


def rows(folder, values):
    experiment = Experiment("how_much_data", {}, {}, folder)
    for row, runs in values.items():
        experiment.measure(row, range(len(runs)), lambda draw, runs=runs: runs[draw])


def of(*scores):
    return [{"accuracy": score} for score in scores]


@pytest.mark.parametrize(
    ("articles", "statutes", "said"),
    [
        ((0.95, 0.96), (0.92, 0.93), "are reproduced"),
        ((0.95, 0.96), (0.5, 0.6), "hold only where"),
        ((0.8, 0.81), (0.5, 0.6), "are not reached"),
    ],
)
def test_the_verdict_follows_the_numbers(tmp_path, articles, statutes, said):
    rows(tmp_path, {"laws/articles/2000/SVM": of(*articles), "laws/statutes/2000/SVM": of(*statutes)})
    study = HowMuch(tmp_path)
    assert said in study.verdict() and len(study.promise()) == 2


def test_nothing_measured(tmp_path):
    study = HowMuch(tmp_path)
    assert "experiments.how_much_data" in study.verdict()
    assert "experiments.how_much_data" in study.promise()[0]["dealt out"]
    assert study.active() == {} and study.forecasts() == [] and study.scores("reviews") == {}
    assert "experiments.how_much_data" in study.mix() and "experiments.pretraining_lead" in study.until_dev_stops()
    assert "not measured" in study.level()


def test_curves_and_forecasts(tmp_path):
    scores = {50: 0.6, 100: 0.68, 200: 0.745, 500: 0.81, 1000: 0.845, 2000: 0.87}
    rows(tmp_path, {f"laws/articles/{n}/SVM": of(s - 0.005, s, s + 0.005) for n, s in scores.items()})
    study = HowMuch(tmp_path)
    assert study.lines("laws/articles")["SVM"][0] == (50.0, 0.6, 0.595, 0.605)
    (forecast,) = study.forecasts()
    assert forecast["labels"] == 2000 and forecast["came"] == pytest.approx(0.87)
    assert forecast["in the wide one"]
    assert study.forecasts(least=100)[0]["foretold"] != forecast["foretold"]
    assert study.forecasts(least=200) == []  # too few sizes are left


def test_more_passes_are_held_against_the_same_draws(tmp_path):
    rows(tmp_path, {"laws/articles/200/mini-bert": of(0.6, 0.61, 0.62), "laws/articles/200/SVM": of(0.7, 0.69, 0.71)})
    assert HowMuch(tmp_path).more_passes() == {}
    rows(tmp_path, {"more passes/200": of(0.65, 0.66, 0.67), "more passes/2000": of(0.8, 0.8, 0.8)})
    study = HowMuch(tmp_path)
    assert study.more_passes()[200].difference == pytest.approx(0.05) and list(study.more_passes()) == [200]
    assert study.more_passes("SVM")[200].difference == pytest.approx(-0.04)


def test_pairs_are_of_the_same_draws(tmp_path):
    rows(tmp_path, {"laws/articles/200/SVM": of(0.6, 0.61, 0.62), "laws/articles/200/other": of(0.5, 0.52, 0.51)})
    found = HowMuch(tmp_path).compared("laws/articles", "SVM", "other")
    assert found[200].difference == pytest.approx(0.1) and found[200].excludes_zero


def test_thousands_are_read_off_the_newspapers_curves(tmp_path):
    experiment = Experiment("encoders", {}, {}, tmp_path)
    weights = {"weights": read_card("mini-bert")["sha256"]}
    for learner, at_500, at_2000, depends_on in (
        ("mini-bert", 0.7, 0.8, weights),
        ("random:mini-bert", 0.4, 0.6, {}),
        ("feature CRF", 0.6, 0.82, {}),
    ):
        for size, f1 in (("500", at_500), ("2000", at_2000)):
            row = f"ner/{size}/{learner}"
            experiment.measure(row, [1], lambda seed, f1=f1: {"f1": f1}, depends_on=depends_on)
    said = HowMuch(tmp_path).thousands("peoples_daily")
    assert "0.800" in said and "random weights over 2,000" in said and "classical learner 1,800" in said
    assert "not measured" in HowMuch(tmp_path).thousands("reviews")


def test_active_selection(tmp_path):
    runs = {
        "uncertain": [{"100": 0.6, "200": 0.7}] * 2,
        "random": [{"100": 0.6, "200": 0.69}, {"100": 0.6, "200": 0.68}],
    }
    rows(tmp_path, {f"active/reviews/{how}": some for how, some in runs.items()})
    found = HowMuch(tmp_path).active()
    assert list(found) == [200] and found[200].difference == pytest.approx(0.015)


def test_labels_read_off_a_curve():
    scores = {100: [0.6], 1000: [0.8]}
    assert reads_off(scores, 0.5) == "under 100" and reads_off(scores, 0.9) == "over 1,000"
    assert reads_off(scores, 0.7) == "320" and "not measured" in reads_off({}, 0.7)


def test_the_committed_file_holds_what_the_lesson_asserts():
    if not (results_folder() / "how_much_data.json").exists():
        pytest.skip("not measured yet")
    study = HowMuch()
    by = {split: study.scores(f"laws/{split}")["SVM"][2000] for split in ("articles", "statutes")}
    assert max(by["statutes"]) < min(by["articles"])
    near, apart = (study.under("nearest/").rows[split]["median"] for split in ("articles", "statutes"))
    control = study.under("nearest/").rows["articles, own statute left out"]["median"]
    for other in (near["accuracy_of_other_statutes"], control["accuracy"]):
        assert abs(other - apart["accuracy"]) < 0.05
    assert control["nearest_of_same_statute"] == 0 and "can only be learnt: 0% of test" in study.mix()
    assert "the encoder that dev chose" in study.level() and "passes" in study.until_dev_stops()
    text = json.dumps(study.promise(), ensure_ascii=False)
    assert not any("一" <= character <= "鿿" for character in text)  # numbers alone, none of the statutes' text
