"""Entities without blank edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.data import Span
from hanlp_tutor.data.edges import is_blank, visible_spans, without_blank_edges

# White space, controls, zero-width signs, a byte order mark, marks of direction, letters without a shape
UNSEEN = [" ", "\t", "\n", "\0", "\x1f", "\x85", "\xa0", "\xad", "\u1680", "\u2003", "\u2028", "\u200b", "\u200d",
          "\u200f", "\u202e", "\u2060", "\u3000", "\u3164", "\ufeff", "\u2800", "\ufe0f", "\U000e0041"]  # fmt: skip
SEEN = ["明", "a", "1", "。", "\N{EMOJI MODIFIER FITZPATRICK TYPE-6}", "\ufffd", "\ue000", "\U00020bb7", "\u0301"]


@pytest.mark.parametrize("character", UNSEEN)
def test_unseen(character):
    assert is_blank(character)
    text = f"{character}李{character}明{character}{character}在"
    assert visible_spans(["B-PER", *["I-PER"] * 5, "O"], text) == [Span(1, 4, "PER")], "inside it is text"
    assert visible_spans(["B-PER", *["O"] * 3, "B-LOC", "I-LOC", "O"], text) == [], "of blanks alone there is none"


@pytest.mark.parametrize("character", SEEN)
def test_seen(character):
    assert not is_blank(character)
    assert visible_spans(["B-PER"], character) == [Span(0, 1, "PER")]


def test_a_name_may_end_in_the_sign_of_its_variant_but_not_begin_with_one():
    variant = "葛\U000e0100"
    assert without_blank_edges(variant + "西", 0, 3) == (0, 3) == without_blank_edges("西" + variant, 0, 3)
    assert without_blank_edges(variant + "西", 1, 3) == (2, 3)


def test_words():
    words = ["\u3000", "李 明", "\u200b", "在", "北京", " "]
    tags = ["B-PER", "I-PER", "I-PER", "O", "B-LOC", "I-LOC"]
    assert visible_spans(tags, words) == [Span(1, 2, "PER"), Span(4, 5, "LOC")]


@given(st.lists(st.tuples(st.sampled_from(UNSEEN + SEEN), st.sampled_from(["O", "B-X", "I-X", "I-Y"]))))
def test_every_span_has_its_edges_in_what_is_seen_and_none_that_is_seen_is_lost(pairs):
    from hanlp_tutor.data.schemes import spans_from_bio

    text, tags = "".join(c for c, _ in pairs), [tag for _, tag in pairs]
    found = visible_spans(tags, text)
    for span in found:
        assert not is_blank(text[span.start]) and not is_blank(text[span.end - 1])
    before = {i for s in spans_from_bio(tags) for i in range(s.start, s.end) if not is_blank(text[i])}
    assert {i for s in found for i in range(s.start, s.end) if not is_blank(text[i])} == before
