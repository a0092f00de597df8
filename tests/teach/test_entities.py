"""Marked sentences, and what is wrong with a prediction."""

from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.teach.entities import ErrorGallery, Marked


def test_marked_as_text_and_as_html():
    marked = Marked("<b>$张三在北京", [Span(7, 9, "LOC"), Span(4, 6, "PER")])
    assert repr(marked) == "<b>$[张三 PER]在[北京 LOC]"
    page = marked._repr_html_()
    assert page.count("<mark") == 2
    assert "&lt;b&gt;&#36;" in page
    assert "<b>" not in page


def test_unknown_labels_get_a_colour_and_are_escaped():
    assert "&lt;X&gt;" in Marked("病", [Span(0, 1, "<X>")])._repr_html_()


def test_marked_without_entities():
    assert repr(Marked("无", [])) == "无"


def test_gallery_shows_one_of_each_kind_and_counts_all():
    examples = [TaggedText.from_spans("张三在北京", [Span(0, 2, "PER"), Span(3, 5, "LOC")])] * 3
    found = [[Span(0, 2, "LOC"), Span(3, 5, "LOC")], [Span(0, 1, "PER"), Span(3, 5, "LOC")], [Span(0, 2, "PER")]]
    gallery = ErrorGallery(examples, found)
    assert gallery.counts == {"wrong type": 1, "wrong borders": 1, "missed": 1}
    assert list(gallery.shown) == ["wrong type", "wrong borders", "missed"]
    assert "[张 PER]三在[北京 LOC]" in repr(gallery)
    assert gallery._repr_html_().count("gold:") == 3
    assert ErrorGallery(examples, found, longest=3).shown == {}


def test_gallery_without_errors():
    example = TaggedText.from_spans("张三", [Span(0, 2, "PER")])
    assert repr(ErrorGallery([example], [example.spans])) == ""
