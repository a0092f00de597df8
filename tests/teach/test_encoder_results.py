"""The encoders' comparison as notebook 03 and the README show it."""

import json
from collections import defaultdict
from statistics import median

import pytest

from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.encoder_results import Comparison
from hanlp_tutor.teach.results import GRID, UNMEASURED, read_results

TOTALS = {"ner": 15150, "classify": 13900}


def row(*values, weights=None, measure="f1", dev=None):
    middle = sorted(values)[len(values) // 2]
    more = {} if dev is None else {"best_dev": dev}
    return {
        "seeds": {str(seed): {measure: value, **more} for seed, value in enumerate(values, start=1)},
        "depends_on": {"weights": weights} if weights else {},
        **{
            part: {measure: value, **more}
            for part, value in (("median", middle), ("min", min(values)), ("max", max(values)))
        },
    }


@pytest.fixture
def comparison(tmp_path):
    rows = {
        "grid/ner/mini-bert/lr=0.001": row(0.9, measure="dev"),
        "ner/500/mini-bert": row(0.5, 0.7, 0.6, weights=read_card("mini-bert")["sha256"], dev=0.7),
        "ner/500/mini-roberta-wwm": row(0.64, weights=read_card("mini-roberta-wwm")["sha256"], dev=0.69),
        "ner/500/mini-macbert": row(0.99, weights="of an earlier version", dev=0.99),
        "ner/500/random:mini-bert": row(0.2, 0.3, 0.25),
        "ner/500/feature CRF": row(0.65),
        "ner/2000/mini-bert": {"seeds": {}},
    }
    content = {"settings": {"sizes": {"500": 500, "2000": 2000, "all": None}}, "rows": rows}
    (tmp_path / "encoders.json").write_text(json.dumps(content), encoding="utf-8")
    of_all = {
        "mini-bert": row(0.8, weights=read_card("mini-bert")["sha256"]),
        "mini-bert, all sentences": row(0.9, 0.91, 0.92, weights=read_card("mini-bert")["sha256"]),
    }
    (tmp_path / "finetune_ner.json").write_text(json.dumps({"rows": of_all}), encoding="utf-8")
    return Comparison(TOTALS, tmp_path)


def test_lines_are_ascending_and_of_todays_weights(comparison):
    lines = comparison.lines("ner")
    assert lines["mini-bert"] == [(500, 0.6, 0.5, 0.7), (15150, 0.91, 0.9, 0.92)]
    assert set(lines) == {"mini-bert", "mini-roberta-wwm", "random:mini-bert", "feature CRF"}
    assert comparison.lines("classify") == {} and comparison.seeds() == "1 to 3 seeds a point"


def test_the_table_says_what_is_missing(comparison):
    rows = {row.pop("learner"): row for row in comparison.table("ner")}
    assert rows["mini-bert"] == {
        "500 sentences": "60.0 (50.0 to 70.0)",
        "2,000 sentences": UNMEASURED,
        "15,150 sentences": "91.0 (90.0 to 92.0)",
    }
    assert rows["feature CRF"]["500 sentences"] == "65.0"


def test_gains_are_differences_of_medians_and_dev_chooses_the_encoder(comparison):
    first, second, third = comparison.gains("ner")
    assert first["best on dev"] == "mini-bert"  # although another has more on the test set
    assert first["over random weights"] == "+35.0 points (22.6 to 47.4)"
    assert first["over the classical baseline"] == "-5.0 points (-29.8 to 19.8)"
    assert second["best on dev"] == second["over random weights"] == UNMEASURED
    assert third["over random weights"] == UNMEASURED


def test_there_is_a_lead_where_both_are_measured(comparison):
    assert comparison.lead("ner", "mini-bert", "random:mini-bert") == {
        "500 sentences": "+35.0 points (22.6 to 47.4)",
        "2,000 sentences": UNMEASURED,
        "15,150 sentences": UNMEASURED,
    }


def test_nothing_measured_is_no_error(tmp_path):
    nothing = Comparison(TOTALS, tmp_path)
    assert nothing.table("ner") == nothing.gains("ner") == [] and nothing.seeds() == UNMEASURED


def test_a_size_that_only_the_newspaper_has_is_no_empty_column_of_the_reviews(tmp_path):
    rows = {"classify/500/mini-bert": row(0.75, measure="accuracy")}
    content = {"settings": {"sizes": {"500": 500, "all": None}}, "rows": rows}
    (tmp_path / "encoders.json").write_text(json.dumps(content), encoding="utf-8")
    comparison = Comparison({"ner": 15150, "classify": 9000}, tmp_path)
    assert comparison.table("classify") == [{"learner": "mini-bert", "500 sentences": "75.0"}]
    assert [row["sentences"] for row in comparison.gains("classify")] == ["500"]


def test_no_learning_rate_of_the_committed_file_was_chosen_at_the_edge_of_its_grid():
    content, tried = read_results("encoders"), defaultdict(dict)
    for name, measured in content["rows"].items():
        if name.startswith(GRID):
            of, rate = name.removeprefix(GRID).split("/lr=")
            tried[of][float(rate)] = median(seed["dev"] for seed in measured["seeds"].values())
    assert tried
    best = {of: max(scores, key=scores.get) for of, scores in tried.items()}
    assert [of for of, rate in best.items() if not min(tried[of]) < rate < max(tried[of])] == []
