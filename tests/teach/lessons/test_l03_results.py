"""Names seen and new, and the leads of several draws, as notebook 03 shows them."""

import json

from hanlp_tutor.encoders import weights_of
from hanlp_tutor.teach.lessons.l03.results import drawn_leads, shown_and_new
from hanlp_tutor.teach.results import summarise


def test_names_seen_and_new_are_shown_for_rows_of_all_sentences_only(tmp_path):
    assert shown_and_new(tmp_path) == []
    measures = {"f1": 0.9, "precision": 0.95, "recall_seen": 0.96, "recall_unseen": 0.7}
    of_all = {"seeds": {"1": measures}, **dict.fromkeys(("median", "min", "max"), measures)}
    rows = {"mini-bert": {**of_all, "depends_on": weights_of("mini-bert")}, "mini-bert, all sentences": of_all}
    (tmp_path / "finetune_ner.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    assert shown_and_new(tmp_path) == [
        {
            "learner": "mini-bert",
            "F1": "90.0",
            "precision": "95.0",
            "recall of seen names": "96.0",
            "recall of new names": "70.0",
        }
    ]


def test_leads_are_paired_by_draw(tmp_path):
    assert drawn_leads(tmp_path) == []

    def row(*scores, weights=None):
        values = [{"f1": score} for score in scores]
        of = weights_of(weights) if weights else {}
        return {"seeds": {str(k): v for k, v in enumerate(values)}, "depends_on": of, **summarise(values)}

    rows = {
        "ner/100/feature CRF": row(0.5, 0.5, 0.5),
        "ner/100/mini-bert": row(0.6, 0.7, 0.8, weights="mini-bert"),
        "ner/100/random:mini-bert": row(0.4, 0.52, 0.58),
        "ner/500/mini-bert": row(0.6, 0.7, 0.8, weights="mini-bert"),
        "grid/ner/500/mini-bert/lr=0.0001": row(0.1, weights="mini-bert"),
    }
    (tmp_path / "pretraining_lead.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    first, second, *rest = drawn_leads(tmp_path)
    assert first == {
        "task": "entities",
        "labelled": "100",
        "pre-trained": "70.0 (60.0 to 80.0)",
        "random": "52.0 (40.0 to 58.0)",
        "classical": "50.0 (50.0 to 50.0)",
        "lead over random weights": "+20.0 (15.0 to 25.0)",  # although the draws themselves differ as much
    }
    assert second["random"] == second["lead over random weights"] == "not measured yet"
    assert [(each["task"], each["labelled"]) for each in rest][-1] == ("reviews", "500")
