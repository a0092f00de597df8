"""Names seen and new, as notebook 03 shows them."""

import json

from hanlp_tutor.encoders import weights_of
from hanlp_tutor.teach.lessons.l03.results import shown_and_new


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
