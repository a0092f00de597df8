"""The three draws of lesson 13: from a file of the experiment's form to tables and sentences, and without one."""

import json

from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.lessons.l13.results import Study
from hanlp_tutor.teach.results import summarise


def row(*runs, weights=None):
    depends_on = {"weights": weights} if weights else {}
    seeds = {str(n): run for n, run in enumerate(runs, 1)}
    return {"seeds": seeds, "depends_on": depends_on, **summarise(list(runs))}


def run(accuracy, **more):
    kinds = {f"accuracy, {kind}": accuracy for kind in ("figures", "narrative", "notes", "figures with other digits")}
    kinds |= {f"{way}, {kind}": 0.8 for way in ("suspicious", "typology") for kind in ("figures", "narrative", "notes")}
    insurance = {"recall, insurance": 0.1, "f1, insurance": 0.2, "flagged, fraud": 0.9, "flagged, legitimate": 0.2}
    hours = {"hours": 500.0, "hours, most probable class": 800.0, "hours, best on test": 490.0}
    return {"accuracy": accuracy, "macro_f1": accuracy - 0.1, **kinds, **insurance, **hours, **more}


def write(folder, fine_tuned=(0.60, 0.61, 0.62)):
    own, more = (read_card(name)["sha256"] for name in ("mini-bert", "mini-roberta-wwm-ext"))
    rows = {
        "always legitimate": row({"accuracy": 0.4, "macro_f1": 0.05}),
        "always suspicious": row({f"suspicious, {kind}": 0.6 for kind in ("figures", "narrative", "notes")}),
        "naive Bayes": row(*map(run, (0.65, 0.66, 0.67))),
        "linear SVM": row(*map(run, (0.70, 0.71, 0.72))),
        "linear SVM, class weights": row(run(0.74, **{"flagged, legitimate": 0.4})),
        "without fraud/linear SVM": row({"flagged": 0.4, "accuracy of the others": 0.7, "less sure": 0.6}),
        "fine-tuned": row(*map(run, fine_tuned), weights=own),
        "fine-tuned, random:mini-bert": row(run(0.55)),
        "fine-tuned, mini-roberta-wwm-ext": row(run(0.63), weights=more),
    }
    content = {"settings": {"encoder": "mini-bert", "sentences": 1000}, "rows": rows}
    (folder / "finance_aml.json").write_text(json.dumps(content), encoding="utf-8")


def test_tables(tmp_path):
    write(tmp_path)
    study = Study(tmp_path)
    assert study.best_classical == "linear SVM"
    names = ["always legitimate", "naive Bayes", "linear SVM", "fine-tuned"]
    assert [each["model"] for each in study.scores()] == names
    assert study.scores()[-1]["accuracy"] == "61.0 (60.0 to 62.0)"
    assert study.kinds()[1]["figures, other digits"] == "71.0 (70.0 to 72.0)"
    assert study.digits().endswith("mean over the draws: naive Bayes 0.0, linear SVM 0.0, fine-tuned 0.0.")
    assert [each["model"] for each in study.two_ways()] == ["always suspicious", "linear SVM", "fine-tuned"]
    assert study.two_ways()[1]["which typology: notes"] == "80.0 (80.0 to 80.0)"
    assert study.two_ways()[0]["which typology: notes"] == "" and "60.0" in study.two_ways()[0].values()
    assert [each["threshold from dev"] for each in study.hours()] == ["500 (500 to 500)"] * 3
    (fraud,) = study.new()
    assert fraud["SVM: flagged if known"] == "90.0 (90.0 to 90.0)" and fraud["SVM: if left out"] == "40.0"
    assert fraud["fine-tuned: if left out"] == ""
    alarms = "linear SVM 20.0 (20.0 to 20.0), fine-tuned 20.0 (20.0 to 20.0)"
    assert study.alarms() == f"Flagged of the legitimate alerts: {alarms}."
    assert len(study.weighted()) == 3 and len(study.encoders()) == 3


def test_sentences_follow_the_numbers_and_give_no_verdict(tmp_path):
    write(tmp_path)
    study = Study(tmp_path)
    assert "the linear SVM is ahead of the fine-tuned model by 10.0 points" in study.verdict()
    assert study.verdict().endswith("not testable here.") and "synthetic" in study.verdict()
    assert study.weights().endswith("macro F1 61.0 to 64.0 %, legitimate alerts flagged 20.0 to 40.0 %.")
    assert study.reading() == (
        "First draw: +5.0 points of accuracy for having read, +3.0 for more; "
        "the linear SVM has +7.0 points on the better of the two."
    )
    write(tmp_path, fine_tuned=(0.80, 0.82, 0.81))
    assert "the fine-tuned model is ahead of the linear SVM" in Study(tmp_path).verdict()


def test_labels_and_updates_are_told_apart(tmp_path):
    write(tmp_path)
    content = json.loads((tmp_path / "finance_aml.json").read_text(encoding="utf-8"))
    content["rows"]["fine-tuned, 4,000 labels, 1 pass"] = row(*map(run, (0.62, 0.64, 0.63)))
    content["rows"]["fine-tuned, 16 passes"] = row(run(0.7))
    (tmp_path / "finance_aml.json").write_text(json.dumps(content), encoding="utf-8")
    study = Study(tmp_path)
    assert [(each["model"], each["labels"], each["passes"]) for each in study.tried()] == [
        ("fine-tuned", "1,000", "4"),
        ("fine-tuned", "4,000", "1"),
        ("fine-tuned", "1,000", "16"),
        ("linear SVM", "1,000", ""),
    ]
    reasons = study.reasons()  # of one draw there is no interval
    assert set(reasons) == {"four times the labels, equal updates"}
    assert abs(reasons["four times the labels, equal updates"].difference - 0.02) < 1e-6


def test_nothing_measured(tmp_path):
    study = Study(tmp_path)
    for rows in (
        study.scores(),
        study.kinds(),
        study.two_ways(),
        study.weighted(),
        study.hours(),
        study.new(),
        study.encoders(),
        study.tried(),
    ):
        assert "experiments.finance_aml" in next(iter(rows[0].values()))
    assert "experiments.finance_aml" in study.weights()
    assert "experiments.finance_aml" in study.alarms() and "experiments.finance_aml" in study.digits()
    assert "experiments.finance_aml" in study.verdict() and "experiments.finance_aml" in study.reading()
