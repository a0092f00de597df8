"""Where a prediction disagrees with the gold labels, and which wrong example is worth reading first."""

from hanlp_tutor.core.mistakes import SpanError, class_mistake, entity_mistake, span_errors, surest_first
from hanlp_tutor.data import LabelledText, Span, TaggedText


def test_span_errors():
    gold = [Span(0, 2, "PER"), Span(4, 8, "ORG"), Span(10, 12, "LOC"), Span(14, 16, "LOC")]
    found = [Span(0, 2, "PER"), Span(4, 6, "LOC"), Span(10, 12, "ORG"), Span(20, 21, "PER")]
    assert span_errors(gold, found) == [
        SpanError("wrong borders", gold[1], found[1]),
        SpanError("wrong type", gold[2], found[2]),
        SpanError("missed", gold[3], None),
        SpanError("invented", None, found[3]),
    ]


def test_each_span_takes_part_in_one_error():
    errors = span_errors([Span(0, 4, "ORG")], [Span(0, 2, "LOC"), Span(2, 4, "ORG")])
    assert [error.kind for error in errors] == ["wrong borders", "invented"]


def test_no_errors():
    assert span_errors([Span(0, 1, "PER")], [Span(0, 1, "PER")]) == []


def test_an_entity_mistake_says_what_is_missing_and_extra_around_the_place():
    text = "昨天" * 20 + "张三在北京市" + "今天" * 20
    gold = [Span(40, 42, "PER"), Span(43, 46, "LOC")]
    example = TaggedText.from_spans(text, gold, "a.bio:7")
    wrong = entity_mistake(example, [Span(43, 45, "LOC"), Span(0, 2, "ORG")], [0.75, 0.5])
    assert (wrong["source"], wrong["score"], wrong["text"]) == ("a.bio:7", 0.75, text)
    assert [each["text"] for each in wrong["missing"]] == ["张三", "北京市"]
    assert wrong["extra"][1] == {"start": 43, "end": 45, "label": "LOC", "text": "北京"}
    said, excerpt = wrong["shown"].split("\t")
    assert said == "invented 昨天 ORG; missed 张三 PER; wrong borders 北京 LOC, is 北京市 LOC"
    assert excerpt == "昨天" * 7 + " … " + "昨天" * 6 + "张三在北京市" + "今天" * 6 + " …"
    assert entity_mistake(example, gold, [0.5, 0.5]) is None


def test_the_surest_come_first_and_those_without_a_score_last_in_the_order_of_the_file():
    text = LabelledText("很好\n真的", "正", "a.tsv:1")
    wrong = [class_mistake(text, "正", "负", score, "很好\n真的") for score in (None, 0.6, 0.9)]
    assert class_mistake(text, "正", "正", 0.9, "很好") is None
    assert [each["score"] for each in surest_first([*wrong, None])] == [0.9, 0.6, None]
    assert wrong[1]["shown"] == "负, is 正\t很好 真的" and wrong[1]["text"] == "很好\n真的"
