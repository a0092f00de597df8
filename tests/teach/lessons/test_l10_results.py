"""The seed study: from a file of the experiment's form to tables, and without one."""

import json

import pytest

from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.lessons.l10.results import SeedStudy


def write(folder, *, weights=None):
    weights = weights or read_card("mini-bert")["sha256"]

    def row(*runs):
        return {"seeds": {str(n): run for n, run in enumerate(runs, start=1)}, "depends_on": {"weights": weights}}

    def run(f1):
        return {"f1": f1, "standard_error": 0.01, "standard_error_by_story": 0.02}

    def pair(difference):
        return {"difference": difference, "low": difference - 0.01, "high": difference + 0.01, "standard_error": 0.005,
                "p": 0.1}  # fmt: skip

    rows = {
        "with a CRF": row(run(0.70), run(0.72), run(0.71)),
        "with a softmax": row(run(0.60), run(0.62), run(0.64)),
        "CRF against softmax": row(pair(0.1), pair(0.1), pair(0.005)),
        "with a CRF, against its next seed": row(pair(-0.02), pair(0.001), pair(0.01)),
    }
    content = {"settings": {"encoder": "mini-bert", "test": 1922}, "rows": rows}
    (folder / "evaluation.json").write_text(json.dumps(content), encoding="utf-8")


def test_spread_and_verdicts(tmp_path):
    write(tmp_path)
    study = SeedStudy(tmp_path)
    assert study.settings["test"] == 1922 and study.models == ["with a CRF", "with a softmax"]
    first, second = study.spread()
    assert (first["mean"], first["standard deviation over seeds"], first["over stories"]) == ("71.0", "1.0", "2.0")
    assert second["F1 of each seed"] == "60.0  62.0  64.0"
    between, same = study.verdicts()
    assert (between["pairs"], between["interval excludes zero"], between["mean"]) == ("3", "2", "+6.8")
    assert (same["compared"], same["interval excludes zero"]) == ("with a CRF: two seeds", "1")
    assert study.pairs()["with a CRF, seed 3 against 1"].difference == 0.01


@pytest.mark.parametrize("stale", [False, True])
def test_nothing_measured(tmp_path, stale):
    """No file, or one of weights that are no longer those of the encoder."""
    if stale:
        write(tmp_path, weights="of yesterday")
    study = SeedStudy(tmp_path)
    assert study.models == [] and study.pairs() == {}
    assert "experiments.evaluation" in study.spread()[0]["model"]
    assert "experiments.evaluation" in study.verdicts()[0]["compared"]
