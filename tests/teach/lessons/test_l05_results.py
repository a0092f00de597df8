"""What lesson 05 quotes stands in the result file."""

import json

from hanlp_tutor.teach.lessons.l05.results import with_more_sentences
from hanlp_tutor.teach.results import results_folder


def test_the_rows_are_those_of_the_file():
    rows = json.loads((results_folder() / "finetune_ner.json").read_text(encoding="utf-8"))["rows"]
    first, last = with_more_sentences("mini-macbert")
    assert first["feature CRF"] == f"{100 * rows['feature CRF']['median']['f1']:.1f}"
    assert last["mini-macbert"].startswith(f"{100 * rows['mini-macbert, all sentences']['median']['f1']:.1f}")
    assert last["training sentences"] == "all"


def test_nothing_is_made_up(tmp_path):
    assert with_more_sentences("mini-macbert", tmp_path) == [
        {"training sentences": "not measured yet: python -m experiments.finetune_ner"}
    ]
