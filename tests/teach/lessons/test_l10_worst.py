"""Errors side by side, and what is taken for what."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.teach.lessons.l10.worst import NOTHING, WorstSentences, taken_for

TAGS = st.lists(st.sampled_from(["O", "O", "B-PER", "I-PER", "B-LOC"]), min_size=40, max_size=40)


def test_taken_for():
    gold = [[Span(0, 2, "PER"), Span(4, 8, "ORG"), Span(10, 12, "LOC"), Span(14, 16, "LOC")], []]
    found = [[Span(0, 2, "PER"), Span(4, 6, "LOC"), Span(10, 12, "ORG")], [Span(0, 1, "PER")]]
    assert Counter(zip(*taken_for(gold, found), strict=True)) == Counter(
        [("PER", "PER"), ("ORG", "LOC"), ("LOC", "ORG"), ("LOC", NOTHING), (NOTHING, "PER")]
    )


@given(st.lists(st.tuples(TAGS, TAGS), max_size=4))
def test_each_entity_is_counted_once(pairs):
    gold, found = [[spans_from_bio(tags) for tags in column] for column in zip(*pairs, strict=True)] or ([], [])
    rows, columns = taken_for(gold, found)
    for labels, spans in ((rows, gold), (columns, found)):
        expected = Counter(span.label for sentence in spans for span in sentence)
        assert Counter(label for label in labels if label != NOTHING) == expected


def sentence(text, *spans):
    return TaggedText.from_spans(text, [Span(*span) for span in spans])


def test_the_worst_come_first_and_right_ones_never():
    examples = [sentence("张三在北京", (0, 2, "PER"), (3, 5, "LOC")), sentence("无", ), sentence("李四", (0, 2, "PER")),
                sentence("王五", (0, 2, "PER"))]  # fmt: skip
    found = [[], [], [Span(0, 2, "LOC")], [Span(0, 2, "PER")]]
    worst = WorstSentences(examples, found)
    assert [row.number for row in worst.rows] == [0, 2]
    assert [row.kinds for row in worst.rows] == ["2 missed", "1 wrong type"]
    assert len(WorstSentences(examples, found, count=1).rows) == 1
    assert WorstSentences(examples[3:], found[3:]).rows == []
    assert "gold       [李四 PER]" in repr(worst) and "predicted  [李四 LOC]" in repr(worst)


def test_what_is_far_from_any_error_is_left_out():
    text = "甲" * 100 + "张三" + "乙" * 100 + "李四" + "丙" * 100
    row = WorstSentences([sentence(text, (100, 102, "PER"), (202, 204, "PER"))], [[]], around=3).rows[0]
    assert repr(row.gold) == " … 甲甲甲[张三 PER]乙乙乙 … 乙乙乙[李四 PER]丙丙丙 … "
    assert repr(row.predicted) == " … 甲甲甲张三乙乙乙 … 乙乙乙李四丙丙丙 … "


def test_a_short_text_is_shown_whole():
    row = WorstSentences([sentence("张三在北京", (0, 2, "PER"))], [[]]).rows[0]
    assert repr(row.gold) == "[张三 PER]在北京"


def test_an_entity_at_the_border_is_shown_whole():
    text = "中华人民共和国外交部发言人张三说"
    row = WorstSentences([sentence(text, (0, 10, "ORG"), (13, 15, "PER"))], [[Span(0, 10, "ORG")]], around=5).rows[0]
    assert repr(row.predicted) == "[中华人民共和国外交部 ORG]发言人张三说"


@given(TAGS, TAGS)
def test_every_error_is_in_the_excerpt(gold, found):
    text = "".join(chr(0x4E00 + i) for i in range(40))  # each character once
    spans = spans_from_bio(found)
    for row in WorstSentences([sentence(text, *((s.start, s.end, s.label) for s in spans_from_bio(gold)))], [spans],
                              around=1).rows:  # fmt: skip
        for error in row.errors:
            for span, view in ((error.gold, row.gold), (error.predicted, row.predicted)):
                if span:
                    shown = [(view.text[s.start : s.end], s.label) for s in view.spans]
                    assert (text[span.start : span.end], span.label) in shown


def test_html_is_escaped_and_two_columns():
    page = WorstSentences([sentence("<b>$张三", (4, 6, "PER"))], [[]])._repr_html_()
    assert page.count("<mark") == 1 and page.count("<tr>") == 2 and "<b>" not in page and "&#36;" in page
    assert "1 missed" in page
