"""Entity markers: there and back, whatever the text holds."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.data.marking import MARKERS, PAIRS, choose_markers, clean, mark, unmark

LIKE = "「」『』﹁﹂﹃﹄【】[]［〈\u2329“(”"  # markers, what becomes one by NFKC, and others
TEXT = st.text(st.one_of(st.sampled_from(LIKE), st.characters()), min_size=1, max_size=30)


@st.composite
def marked_places(draw):
    text = draw(TEXT)
    places = []
    for _ in range(2):
        start = draw(st.integers(0, len(text) - 1))
        places.append((start, draw(st.integers(start + 1, len(text)))))
    return text, *places


@given(marked_places(), st.sampled_from([MARKERS, "【】〈〉", "[]{}"]))
def test_there_and_back(given_pair, markers):
    text, head, tail = given_pair
    marked = mark(text, head, tail, markers)
    assert unmark(marked, markers) == (clean(text, markers), head, tail)
    assert len(clean(text, markers)) == len(text), "no place shifts"
    read = unicodedata.normalize("NFKC", marked)
    assert all(read.count(marker) == 1 for marker in markers), "nor can a tokenizer take anything else for a marker"
    assert mark(clean(text, markers), head, tail, markers) == marked


@given(st.text(st.characters(exclude_characters=LIKE), min_size=1))
def test_a_text_without_such_characters_stays_as_it_is(text):
    assert clean(text) == text or not set(MARKERS).isdisjoint(unicodedata.normalize("NFKC", text))


@pytest.mark.parametrize(
    ("head", "tail", "marked"),
    [
        ((0, 1), (1, 2), "「甲」『乙』丙丁"),
        ((1, 2), (0, 1), "『甲』「乙」丙丁"),
        ((0, 4), (1, 2), "「甲『乙』丙丁」"),
        ((0, 2), (0, 4), "『「甲乙」丙丁』"),
        ((2, 4), (0, 4), "『甲乙「丙丁」』"),
        ((0, 3), (1, 4), "「甲『乙丙」丁』"),
    ],
)
def test_beside_inside_and_across(head, tail, marked):
    assert mark("甲乙丙丁", head, tail) == marked
    assert unmark(marked) == ("甲乙丙丁", head, tail)


def test_own_brackets_are_replaced():
    assert mark("他说「甲」买了『乙』﹁", (3, 4), (8, 9)) == "他说“「甲」”买了‘『乙』’“"
    assert mark("[甲]乙", (1, 2), (3, 4), "[]【】") == "([甲])【乙】"


@pytest.mark.parametrize("text", ["甲乙", "「甲」乙", "「甲」『乙』「", "「」甲『乙』", "」甲「『乙』"])
def test_what_is_not_marked(text):
    assert unmark(text) is None


@pytest.mark.parametrize("place", [(0, 0), (1, 0), (-1, 1), (0, 3)])
def test_places_that_do_not_fit(place):
    with pytest.raises(ValueError, match="does not fit into a text of 2"):
        mark("甲乙", place, (0, 1))


def test_markers_of_a_vocabulary():
    assert choose_markers(lambda c: True) == MARKERS
    assert choose_markers(lambda c: c not in "「』") == "【】〈〉"
    assert choose_markers(lambda c: c in PAIRS[-1]) is None
