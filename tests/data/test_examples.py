import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.data import LabelledText, Span, TaggedText, fingerprint
from hanlp_tutor.errors import DataError


@st.composite
def tagged_texts(draw):
    text = draw(st.text(max_size=20))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)))))
    labels = [draw(st.sampled_from(["PER", "LOC", ""])) for _ in cuts[1:]]
    return text, [Span(a, b, label) for a, b, label in zip(cuts, cuts[1:], labels, strict=False) if label]


@given(tagged_texts())
def test_spans_survive_tagging_in_any_order(drawn):
    text, spans = drawn
    assert TaggedText.from_spans(text, reversed(spans)).spans == tuple(spans)


def test_every_code_point_has_one_tag():
    family = "👨\u200d👩\u200d👧"
    assert len(TaggedText.from_spans(family, [Span(0, 5, "X")]).tags) == 5
    with pytest.raises(DataError, match=r"f.txt:3: 2 characters have 1 tags"):
        TaggedText("张三", ("O",), "f.txt:3")
    with pytest.raises(DataError, match="'S-PER' is no BIO tag"):
        TaggedText("张", ("S-PER",))


@pytest.mark.parametrize("span", [Span(0, 3, "X"), Span(-1, 1, "X"), Span(1, 1, "X"), Span(0, 1, "")])
def test_a_span_that_does_not_fit_is_an_error(span):
    with pytest.raises(DataError, match="does not fit"):
        TaggedText.from_spans("张三", [span])


def test_overlapping_spans_are_an_error():
    with pytest.raises(DataError, match="overlaps"):
        TaggedText.from_spans("北京大学", [Span(0, 4, "ORG"), Span(0, 2, "LOC")])


def test_the_fingerprint_sees_content_and_order_but_not_the_source():
    one, two = LabelledText("好", "p", "a:1"), LabelledText("坏", "n", "a:2")
    assert fingerprint([one, two]) == fingerprint([dataclasses.replace(one, source="b:9"), two])
    assert len(fingerprint([])) == 64
    others = [[two, one], [one], [LabelledText("好p", ""), two], [TaggedText("好", ("O",)), two], []]
    assert len({fingerprint(examples) for examples in [[one, two], *others]}) == 6
    assert fingerprint([TaggedText("好", ("O",))]) != fingerprint([TaggedText("好", ("B-X",))])
