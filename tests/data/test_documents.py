from itertools import combinations

import pytest
from format_documents import documents
from hypothesis import given, settings
from hypothesis import strategies as st

from hanlp_tutor.data import Document, Span, TaggedText, flatten
from hanlp_tutor.data.documents import split_at_line_feeds
from hanlp_tutor.errors import ConfigError, DataError

NESTED = Document("北京大学在北京", (Span(0, 4, "ORG"), Span(0, 2, "LOC"), Span(5, 7, "LOC")), source="a.txt:3")
SPANS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 10), st.sampled_from("AB")).filter(lambda s: s[0] < s[1]), max_size=6
)


def meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def test_spans_are_in_order_and_the_longer_comes_first():
    assert NESTED.spans == (Span(0, 4, "ORG"), Span(0, 2, "LOC"), Span(5, 7, "LOC"))
    assert Document("ab", NESTED.spans[1:2]) == Document("ab", [Span(0, 2, "LOC")], source="elsewhere")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("张", (Span(0, 2, "A"),)), "A 0-2 does not fit into a text of 1"),
        (("张", (Span(0, 0, "A"),)), "the entity A 0-0 is empty"),
        (("张", (Span(-1, 1, "A"),)), "does not fit"),
        (("张", (Span(0, 1, " "),)), "a label is empty"),
        (("张", (), ""), "a label is empty"),
        (("\ud83d",), "half of a surrogate pair"),
    ],
)
def test_what_is_no_document(arguments, message):
    with pytest.raises(DataError, match=message) as caught:
        Document(*arguments, source="a.txt:7")
    assert str(caught.value).startswith("a.txt:7: ") and caught.value.remedy


def test_the_three_ways_with_nested_entities():
    with pytest.raises(DataError, match=r"a.txt:3: LOC 0-2 '北京' overlaps ORG 0-4 '北京大学'; 1 in all.*longest"):
        flatten([NESTED])
    kept, notes = flatten([NESTED], "keep")
    assert kept == [NESTED] and "both are kept" in notes[0]
    (flat,), notes = flatten([NESTED], "longest")
    assert flat.spans == (Span(0, 4, "ORG"), Span(5, 7, "LOC"))
    assert notes == ["a.txt:3: LOC 0-2 '北京' overlaps ORG 0-4 '北京大学' and is dropped."]
    with pytest.raises(ConfigError, match="overlaps is one of"):
        flatten([], "first")


@settings(derandomize=True)
@given(SPANS)
def test_longest_leaves_no_overlap_and_reports_each_entity_that_went(spans):
    document = Document("一" * 10, tuple(Span(*span) for span in spans))
    assert bool(document.overlaps()) == any(meet(*pair) for pair in combinations(document.spans, 2))
    (flat,), notes = flatten([document], "longest")
    assert not any(meet(*pair) for pair in combinations(flat.spans, 2))
    assert len(notes) == len(document.spans) - len(flat.spans)
    for span in document.spans:  # each that went met one that is as long and stayed
        assert span in flat.spans or any(meet(span, s) and s.end - s.start >= span.end - span.start for s in flat.spans)
    assert flat.tagged() == TaggedText.from_spans(flat.text, flat.spans)


@settings(derandomize=True)
@given(documents("doccano"))
def test_lines_keep_the_characters_of_their_entities(document):
    try:
        pieces = split_at_line_feeds([document])
    except DataError as error:
        assert "line" in str(error)
        return
    if "\n" not in document.text:
        assert pieces == [document]
        return

    def covered(each):
        return [(each.text[s.start : s.end], s.label) for s in each.spans]

    assert [pair for piece in pieces for pair in covered(piece)] == covered(document)
    assert [piece.text for piece in pieces] == [
        line.removesuffix("\r") for line in document.text.split("\n") if line.removesuffix("\r").strip()
    ]
