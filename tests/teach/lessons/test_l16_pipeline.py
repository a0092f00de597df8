"""Lesson 16's road from entities to triples, the rules over types, and what it says of its result file."""

from collections import Counter

import pytest

from hanlp_tutor import Predictor, TrainConfig, build_model, load_corpus
from hanlp_tutor.data import Span
from hanlp_tutor.data.relations import RelationText, type_pairs
from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.lessons.l16 import pipeline
from hanlp_tutor.teach.lessons.l16.pipeline import Triple
from hanlp_tutor.teach.lessons.l16.results import RelationStudy
from hanlp_tutor.teach.lessons.l16.rules import RULES, by_rule, relation_of_types
from hanlp_tutor.teach.results import Experiment

TEXT = "高血压用氨氯地平；糖尿病用二甲双胍。"
SPANS = (Span(0, 3, "disease"), Span(4, 8, "drug"), Span(9, 12, "disease"), Span(13, 17, "drug"))


def pair(head, tail, relation="unknown"):
    spans = {TEXT[s.start : s.end]: s for s in SPANS}
    types = (spans[head].label, spans[tail].label)
    return RelationText(TEXT, head, tail, relation, types=types, negative="unknown")


PAIRS = [
    pair("氨氯地平", "高血压", "treats"),
    pair("二甲双胍", "高血压"),
    pair("氨氯地平", "糖尿病"),
    pair("二甲双胍", "糖尿病", "treats"),
    pair("高血压", "氨氯地平"),
]


def test_candidates_are_the_ordered_pairs_of_allowed_types():
    places, pairs = pipeline.candidates(TEXT, SPANS, [["drug", "disease"]])
    assert [(each.head, each.tail) for each in pairs] == [
        ("氨氯地平", "高血压"), ("氨氯地平", "糖尿病"), ("二甲双胍", "高血压"), ("二甲双胍", "糖尿病")
    ]  # fmt: skip
    assert [(h.start, t.start) for h, t in places] == [tuple(s.start for s in each.spans) for each in pairs]
    assert pipeline.candidates(TEXT, SPANS, []) == ([], [])
    assert len(pipeline.candidates(TEXT, SPANS, None)[1]) == 12


def test_the_sentences_are_those_of_the_corpus():
    corpus, sentences = load_corpus("clinic", task="relation", size=200), pipeline.sentences("train", 200)
    by_text = {each.text: each for each in sentences}
    assert {each.text for each in corpus.train} <= by_text.keys()
    wrong = 0
    for each in corpus.train:
        head, tail = ((span.start, span.end) for span in each.spans)
        is_triple = Triple(head, tail, each.relation) in by_text[each.text].triples
        wrong += is_triple != (each.relation != "unknown")
    assert wrong <= 0.05 * len(corpus.train)  # label noise
    assert pipeline.tagged(sentences)[0].spans == sentences[0].spans


def test_triples_are_scored_with_both_places():
    gold = [{Triple((4, 8), (0, 3), "treats"), Triple((13, 17), (9, 12), "treats")}]
    found = [
        {Triple((4, 8), (0, 3), "treats"), Triple((13, 16), (9, 12), "treats"), Triple((13, 17), (0, 3), "treats")}
    ]
    scores = pipeline.triple_scores(gold, found)
    assert scores == {"precision": pytest.approx(1 / 3), "recall": 0.5, "f1": pytest.approx(0.4)}
    assert pipeline.triple_scores([set()], [set()]) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_a_model_is_asked_about_each_candidate_of_its_own_sentence(small_encoder):
    model = build_model("relation", small_encoder, ("unknown", "treats"), TrainConfig()).eval()
    model.extra["type_pairs"] = [["drug", "disease"]]
    predictor = Predictor(model)
    found = pipeline.related(predictor, [TEXT, "无。", TEXT], [SPANS, (), SPANS])
    assert found[0] == found[2] and found[1] == set()
    for triple in found[0]:
        asked = RelationText(TEXT, TEXT[slice(*triple.head)], TEXT[slice(*triple.tail)], None)
        assert predictor.predict(asked)["relation"] == triple.relation == "treats"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("types alone", ["treats", "treats", "treats", "treats", "unknown"]),
        ("same clause", ["treats", "unknown", "unknown", "treats", "unknown"]),
        ("nearest", ["treats", "unknown", "treats", "treats", "unknown"]),
    ],
)
def test_rules(rule, said):
    known = relation_of_types(PAIRS, "unknown")
    assert known == {("drug", "disease"): "treats"} and rule in RULES
    assert by_rule(rule, PAIRS, known, "unknown") == said


def test_rules_know_nothing_of_pairs_without_types():
    bare = [RelationText(TEXT, "氨氯地平", "高血压", "treats")]
    assert by_rule("types alone", bare, relation_of_types(bare, "unknown"), "unknown") == ["unknown"]


def test_the_types_of_clinic():
    corpus = load_corpus("clinic", task="relation", size=300)
    known = relation_of_types(corpus.train, "unknown")
    assert set(known) == type_pairs(corpus.train, "unknown")
    assert Counter(known.values()) == {"treats": 1, "finds": 1, "symptom_of": 1}


def test_what_is_said_follows_from_the_file(tmp_path):
    experiment = Experiment("relation_extraction", {}, {}, tmp_path)
    weights = {"weights": read_card("mini-bert")["sha256"]}

    def put(row, scores, **depends_on):
        runs = [{"micro_f1": s, "accuracy": s, "best_dev": s} for s in scores]
        experiment.measure(row, range(len(runs)), lambda n: runs[n], depends_on=depends_on)

    put("clinic/rules, nearest", [0.8])
    put("clinic/rules, types alone", [0.7])
    put("clinic/mini-bert", [0.9, 0.91, 0.92], **weights)
    put("clinic/n-grams", [0.93, 0.89, 0.9])
    study = RelationStudy(tmp_path)
    assert study.best_rule() == "rules, nearest"
    found = study.compared("clinic", "mini-bert", study.best_rule(), "n-grams", "absent")
    rule, grams = found.values()
    assert rule.low > 0 and not grams.excludes_zero
    assert [row["micro F1"] for row in study.table("clinic")] == ["80.0", "70.0", "91.0 (90.0 to 92.0)",
                                                                  "90.0 (89.0 to 93.0)"]  # fmt: skip
    assert "experiments.relation_extraction" in study.pipeline()[0]["step"]
    assert "experiments.relation_extraction" in RelationStudy(tmp_path / "none").table("clinic")[0]["learner"]
