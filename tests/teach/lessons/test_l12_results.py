"""What notebook 12 shows of its result file, and what it says of the article's +23 points; and without a file."""

import json

import pytest

from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.lessons.l12.pictures import lead_by_novelty
from hanlp_tutor.teach.lessons.l12.results import ARTICLE, SETS, Medical


def row(*runs, encoder=None):
    names = runs[0].keys()
    parts = {part: {n: pick([run[n] for run in runs]) for n in names}
             for part, pick in (("median", lambda c: sorted(c)[len(c) // 2]), ("min", min), ("max", max))}  # fmt: skip
    depends_on = {"weights": read_card(encoder)["sha256"]} if encoder else {}
    return {"seeds": {str(n): run for n, run in enumerate(runs, 1)}, "depends_on": depends_on, **parts}


def names(recall, seen, unseen, **more):
    return {"precision": 0.8, "recall": recall, "f1": 0.8, "recall_seen": seen, "recall_unseen": unseen,
            "share_unseen": 0.2, **more}  # fmt: skip


def ahead(points, spread=3.0):
    return {"lead_difference": points / 100, "lead_low": (points - spread) / 100, "lead_high": (points + spread) / 100,
            "lead_p": 0.2}  # fmt: skip


def write(folder, points=(1.0, 2.0, 3.0)):
    rows = {}
    for corpus in SETS:
        rows[f"{corpus}: rules"] = row(names(0.75, 0.9, 0.15))
        rows[f"{corpus}: rules, as written"] = row(names(0.65, 0.8, 0.05))
        rows[f"{corpus}: room"] = row({"left": 0.25, "left_low": 0.22, "left_high": 0.28, "updates": 130})
        runs = [names(0.75 + p / 100, 0.88, 0.33, **ahead(p)) for p in points]
        rows[f"{corpus}: fine-tuned"] = row(*runs, encoder="mini-roberta-wwm-ext")
    rows["whose: cue words"] = row({"patient": 0.8, "denied": 0.7, "family": 0.6, "taken for the patient's": 0.1})
    measures = ("accuracy", "macro_f1", "accuracy_known", "accuracy_new")
    rows["departments: TF-IDF and linear SVM"] = row({**dict.fromkeys(measures, 0.7), "C": 1.0})
    for encoder, scores in {"mini-bert": (0.7, 0.71, 0.72), "mini-macbert": (0.72, 0.71, 0.73)}.items():
        rows[f"departments: {encoder}"] = row(*[dict.fromkeys(measures, score) for score in scores], encoder=encoder)
    (folder / "medical.json").write_text(json.dumps({"settings": {}, "rows": rows}), encoding="utf-8")


def test_tables_and_the_lead_taken_apart(tmp_path):
    write(tmp_path)
    measured = Medical(tmp_path)
    assert [line["finder"] for line in measured.names("cmedqaner")] == ["rules, as written", "rules", "fine-tuned"]
    assert measured.names("cmedqaner")[-1]["recall"] == "77.0 (76.0 to 78.0)"
    parts = measured.parts("cmedqaner")
    lead = (1 - parts["share_unseen"]) * parts["seen"] + parts["share_unseen"] * parts["unseen"]
    assert parts["seen"] == pytest.approx(-0.02) and lead == pytest.approx(0.02)
    assert measured.whose()[0]["taken for the patient's"] == "10.0"
    assert [line["lead on all"] for line in measured.apart()] == ["+2.0"] * 3
    assert "cue words: 10.0%" in measured.taken() and measured.apart()[0]["updates of the model"] == "130"
    assert [line["classifier"] for line in measured.departments()][1:] == ["mini-bert", "mini-macbert"]
    assert measured.macbert().startswith("Neither is ahead for certain: mini-macbert has +1.0 points of accuracy")


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ((1.0, 2.0, 3.0), "is 1.0, 2.0, 3.0 points of recall ahead of the rules (3 seeds"),
        ((1.0, 2.0, 3.0), "+23 lies outside the intervals"),
        ((1.0, 2.0, 3.0), "not refuted"),
        ((21.0, 22.0, 24.0), "+23 lies within the intervals"),
        ((21.0, 22.0, 24.0), "not confirmed"),
        ((-4.0, -5.0, 2.0), "by -4.0, -5.0, +2.0 points"),
        ((-9.0,), "is 9.0 points of recall behind the rules (one seed; 95 % over test texts 6.0 to 12.0)"),
    ],
)
def test_the_verdict_follows_from_the_intervals(tmp_path, points, said):
    write(tmp_path, points)
    assert said in Medical(tmp_path).verdict()


def test_the_room_above_the_rules_has_an_interval(tmp_path):
    write(tmp_path)
    measured = Medical(tmp_path)
    assert measured.room() == pytest.approx({"left": 25.0, "low": 22.0, "high": 28.0})
    said = measured.verdict()
    assert "more than 25.0 points ahead of the kept rules here (95 % over texts 22.0 to 28.0: 23 lies inside)" in said
    assert "as written leave 35.0." in said and "75.0 × 1.23 = 92.2 could be reached" in said
    del measured.rows["cmedqaner: room"]
    assert measured.room() == {"left": 25.0} and "95 % over texts" not in measured.verdict()


@pytest.mark.parametrize(("high", "said"), [(0.01, "1 of 1 intervals hold zero: the"), (-0.01, "0 of 1 intervals")])
def test_the_departments_have_intervals_over_test_texts_too(tmp_path, high, said):
    write(tmp_path)
    measured = Medical(tmp_path)
    pair = {"difference": -0.03, "low": -0.06, "high": high, "p": 0.1, "points": -3.0}
    measured.rows["departments: mini-macbert against mini-bert"] = row(pair)
    assert said in measured.macbert()
    assert ("not shown" in measured.macbert()) == (high > 0)


def test_what_was_tried_because_the_model_is_behind(tmp_path):
    write(tmp_path, (-9.0,))
    content = json.loads((tmp_path / "medical.json").read_text())
    content["rows"]["cmedqaner: fine-tuned, 12 passes"] = row(names(0.73, 0.8, 0.4, **ahead(-2.0)))
    gain = {"f1_difference": 0.05, "f1_low": 0.03, "f1_high": 0.07, "f1_p": 0.0}
    content["rows"]["cmedqaner: gain by passes"] = row(gain)
    content["rows"]["departments: mini-bert, 3,000 complaints"] = row({"accuracy": 0.8, "macro_f1": 0.7})
    (tmp_path / "medical.json").write_text(json.dumps(content))
    measured = Medical(tmp_path)
    fewer, more = measured.tried()
    assert fewer["gain in f1"] == "" and fewer["lead over the rules"] == "-9.0 [-12.0 to -6.0]"
    assert more["gain in f1"] == "5.0 [+3.0 to +7.0]" and more["lead over the rules"] == "-2.0 [-5.0 to +1.0]"
    last = measured.tried_departments()[-1]
    assert last["classifier"] == "mini-bert, 3,000 complaints" and last["known symptom"] == ""
    assert measured.more_complaints() == {"mini-bert": pytest.approx(0.1)} and measured.rates() == {}


def test_a_synthetic_set_earns_no_verdict(tmp_path):
    write(tmp_path, (22.0, 23.0, 24.0))
    said = Medical(tmp_path).verdict("clinic")
    assert "not testable here" in said and "reproduced" not in said


def test_the_picture_says_what_it_shows(tmp_path):
    write(tmp_path)
    alt = lead_by_novelty(Medical(tmp_path).points(), article=ARTICLE).alt
    assert "cMedQANER: 20 % new, +1.0, +2.0, +3.0" in alt and "+23" in alt


def test_one_seed_says_so(tmp_path):
    write(tmp_path, (1.0,))
    content = json.loads((tmp_path / "medical.json").read_text())
    for encoder in ("mini-bert", "mini-macbert"):
        content["rows"][f"departments: {encoder}"]["seeds"].pop("3")
        content["rows"][f"departments: {encoder}"]["seeds"].pop("2")
    pair = {"difference": -0.03, "low": -0.06, "high": 0.01, "p": 0.1, "points": -3.0}
    content["rows"]["departments: mini-macbert against mini-bert"] = row(pair, encoder="mini-macbert")
    (tmp_path / "medical.json").write_text(json.dumps(content))
    measured = Medical(tmp_path)
    assert "One seed so far" in measured.macbert() and "-3.0 points of accuracy" in measured.macbert()
    assert "one seed;" in measured.verdict()


def test_nothing_measured(tmp_path):
    measured = Medical(tmp_path)
    tables = (measured.names("clinic"), measured.whose(), measured.departments(), measured.apart(), measured.tried())
    for table in tables:
        assert "experiments.medical" in next(iter(table[0].values()))
    assert measured.points() == {} and measured.parts("clinic") is None
    assert "experiments.medical" in measured.verdict() + measured.taken()
    assert "experiments.medical" in measured.macbert()
    assert "None measured" in lead_by_novelty({}, article=ARTICLE).alt
