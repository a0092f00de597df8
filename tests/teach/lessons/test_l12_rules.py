"""The rules of lesson 12: borders, patterns, the longest match, the keeper; whose a finding is; the lesson's scores."""

import pytest

from hanlp_tutor import load_corpus
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.teach.lessons.l12 import records
from hanlp_tutor.teach.lessons.l12.assertion import DENIED, FAMILY, PATIENT, asserted, whose
from hanlp_tutor.teach.lessons.l12.departments import tuned_svm
from hanlp_tutor.teach.lessons.l12.rules import PATTERNS, RuleBook, f1_of
from hanlp_tutor.teach.lessons.l12.scores import both, price, recall_counts, whose_scores
from hanlp_tutor.workbench.significance import f1_of as f1_of_counts


def example(text, *names):
    return TaggedText.from_spans(
        text, [Span(text.index(name), text.index(name) + len(name), label) for name, label in names]
    )


TRAIN = [
    example("诊断2型糖尿病，予二甲双胍片0.5g", ("2型糖尿病", "disease"), ("二甲双胍片", "drug")),
    example("行胃镜，转消化内科", ("胃镜", "test"), ("消化内科", "department")),
    example("行阑尾切除术后腹痛", ("阑尾切除术", "procedure"), ("腹痛", "symptom")),
]


def names(book, text):
    return [(text[s.start : s.end], s.label) for s in book.predict([text])[0]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("予苯磺酸氨氯地平片5mg qd", [("苯磺酸氨氯地平片", "drug")]),
        ("给予瑞舒伐他汀 10mg 每晚1次", [("瑞舒伐他汀", "drug")]),
        ("复查血肌酐 98μmol/L", [("血肌酐", "test")]),
        ("血红蛋白：103g/L，血钾3.1mmol/L↓", [("血红蛋白", "test"), ("血钾", "test")]),
        ("建议无痛胃镜", [("痛胃镜", "test")]),  # the price of 无 as a border
        ("既往2型糖尿病", [("2型糖尿病", "disease")]),
        ("收住心血管内科", [("心血管内科", "department")]),
        ("体温36.5℃，神志清", [("体温", "test")]),
        ("", []),
    ],
)
def test_names_by_dictionary_and_pattern(text, found):
    assert names(RuleBook(TRAIN), text) == found


def test_the_longest_wins_and_the_dictionary_is_enough_without_patterns():
    train = [*TRAIN, example("糖尿病肾病", ("糖尿病肾病", "disease")), example("糖尿病", ("糖尿病", "disease"))]
    assert names(RuleBook(train, patterns=()), "糖尿病肾病3年") == [("糖尿病肾病", "disease")]
    assert names(RuleBook(train, patterns=(), crossed_out={"糖尿病肾病"}), "糖尿病肾病3年") == [("糖尿病", "disease")]


def test_patterns_take_the_name_that_the_labels_have():
    operated = [example("行手术", ("手术", "treatment"))]
    book = RuleBook(operated)
    assert [pattern.name for pattern in book.patterns] == ["an operation"]
    assert names(book, "行胆囊切除术") == [("胆囊切除术", "treatment")]


def test_the_keeper_crosses_out_what_is_mostly_wrong_and_drops_what_harms():
    train = [*TRAIN, example("头痛", ("头", "body")), *[example("点头同意")] * 3]
    dev = [example("点头，服阿司匹林片", ("阿司匹林片", "drug")), example("有病，行胃镜", ("胃镜", "test"))]
    kept = RuleBook(train).kept_by(dev)
    assert "头" not in kept.entries and "form of a drug" in {pattern.name for pattern in kept.patterns}
    assert "kind of a disease" not in {pattern.name for pattern in kept.patterns}
    assert f1_of(kept, dev) >= f1_of(RuleBook(train), dev)
    assert RuleBook(train).right_shares()["头"] < 0.3


def test_wrong_finds_in_training_become_borders_and_exceptions():
    train = [example("自述胆囊炎", ("胆囊炎", "disease")), example("自述胰腺炎，行手术", ("胰腺炎", "disease")), *TRAIN]
    borders, exceptions = RuleBook(train).wrong_finds()
    assert borders == {"自述"} and "手术" in exceptions and "胆囊炎" not in exceptions
    kept = RuleBook(train, borders=borders, exceptions=exceptions)
    assert names(kept, "自述阑尾炎，行手术") == [("阑尾炎", "disease")]
    assert ("自述阑尾炎", "disease") in names(RuleBook(train), "自述阑尾炎，行手术")


def test_the_keeper_helps_on_dev_of_the_synthetic_records():
    corpus = load_corpus("clinic")
    train, dev = corpus.train[:300], corpus.dev[:150]
    dictionary, kept = RuleBook(train, patterns=()), RuleBook(train).kept_by(dev)
    assert f1_of(kept, dev) > f1_of(dictionary, dev) + 0.05
    assert {pattern.name for pattern in kept.patterns} <= {pattern.name for pattern in PATTERNS}


@pytest.mark.parametrize(
    ("text", "name", "answer"),
    [
        ("糖尿病10年。", "糖尿病", PATIENT),
        ("否认高血压、糖尿病史。", "糖尿病", DENIED),
        ("无发热，咳嗽3天。", "咳嗽", PATIENT),
        ("无明显诱因出现胸闷。", "胸闷", PATIENT),
        ("无心悸，无胸闷。", "胸闷", DENIED),
        ("肝炎（-），结核（-）。", "肝炎", DENIED),
        ("肝炎、结核均否认。", "肝炎", DENIED),
        ("父亲患糖尿病。", "糖尿病", FAMILY),
        ("否认糖尿病家族史。", "糖尿病", DENIED),
        ("胃癌家族史（+），外祖父患病。", "胃癌", FAMILY),
        ("家族史：胃癌。查体：腹痛。", "胃癌", FAMILY),
        ("家族史：无殊。查体：腹痛。", "腹痛", PATIENT),
        ("家属代诉咳嗽3天。", "咳嗽", PATIENT),
        ("诊断肾母细胞瘤，腹痛。", "腹痛", PATIENT),
        ("无痛风、癫痫病史。", "癫痫", DENIED),
        ("诊断ANFH，高血压。", "高血压", PATIENT),
        ("否认外伤，5年前诊断高血压。", "高血压", PATIENT),
    ],
)
def test_whose(text, name, answer):
    start = text.index(name)
    assert whose(text, start, start + len(name)) == answer


def test_asserted_labels_and_scores():
    text = "否认糖尿病，父亲患胃癌，服药片。"
    spans = [Span(2, 5, "disease"), Span(9, 11, "disease"), Span(13, 15, "drug")]
    found = asserted([text], [spans])
    assert [s.label for s in found[0]] == ["disease/denied", "disease/family"]
    right = whose_scores(found, found)
    assert right["denied"] == right["family"] == 1 and right["taken for the patient's"] == 0
    careless = whose_scores(found, asserted([text], [spans], cues=False))
    assert careless["denied"] == 0 and careless["taken for the patient's"] == 1


def test_recall_as_counts_and_two_finders_as_one():
    gold = [[Span(0, 2, "a"), Span(3, 5, "b")], [Span(1, 2, "a")]]
    first, second = [[Span(0, 2, "a")], []], [[Span(1, 3, "b"), Span(3, 5, "b")], [Span(1, 2, "a")]]
    assert f1_of_counts(recall_counts(gold, first)) == pytest.approx(1 / 3)
    assert both(first, second) == gold


def test_what_a_lead_in_recall_costs():
    ours, theirs = {"precision": 0.6, "f1": 0.7}, {"precision": 0.8, "f1": 0.75}
    assert price(ours, theirs) == ("It pays with precision: 0.600 against 0.800, so its F1 is 5.0 points lower.")
    assert "no precision" in price(theirs, ours) and "5.0 points higher" in price(theirs, ours)


def test_records_know_whose_a_finding_is():
    train, places, gold = records.told_apart(20)
    assert len(train) == 20 and len(places) == len(gold)
    labels = {span.label for e in records.with_whose(train) for span in e.spans}
    assert {"disease/denied", "disease/patient", "symptom/patient"} <= labels and "disease" not in labels
    truth, answers = records.answers_on_gold("dev")
    assert len(truth) == len(answers) and set(truth) == {PATIENT, DENIED, FAMILY}


def test_the_svm_is_chosen_on_dev():
    corpus = load_corpus("clinic", task="classify")
    pipeline, c = tuned_svm(corpus.train[:150], corpus.dev[:60], grid=(0.1, 1.0))
    assert c in (0.1, 1.0) and pipeline.predict([corpus.dev[0].text])[0] in {e.label for e in corpus.train[:150]}
