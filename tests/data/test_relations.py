from pathlib import Path

import pytest

from hanlp_tutor.data import Document, Span
from hanlp_tutor.data.relations import RelationText, read_relations, write_relations
from hanlp_tutor.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "finre"
LINE = RelationText("甲公司收购乙公司,甲公司出资。", "甲公司", "乙公司", "收购")


def test_lines_and_back(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("甲公司\t乙公司\t收购\t甲公司收购乙公司,甲公司出资。\r\n\r\n", encoding="utf-8", newline="")
    assert read_relations(path) == [LINE]
    assert read_relations(path)[0].source == f"{path}:1"
    write_relations(path, [LINE, LINE])
    assert read_relations(path) == [LINE, LINE]


@pytest.mark.parametrize(
    ("text", "head", "tail", "spans"),
    [
        (LINE.text, "甲公司", "乙公司", (Span(0, 3, "head"), Span(5, 8, "tail"))),
        ("甲与甲", "甲", "甲", (Span(0, 1, "head"), Span(2, 3, "tail"))),  # two places, not one twice
        ("甲公司甲", "甲公司", "甲", (Span(0, 3, "head"), Span(3, 4, "tail"))),
        ("甲公司", "甲公司", "公司", (Span(0, 3, "head"), Span(1, 3, "tail"))),  # there is no way apart
    ],
)
def test_places_do_not_overlap_where_they_need_not(text, head, tail, spans):
    relation = RelationText(text, head, tail, "x")
    assert relation.document() == Document(text, spans, "x")
    assert RelationText.from_document(relation.document()) == relation


@pytest.mark.parametrize("field", ["head", "tail", "text", "relation"])
def test_nothing_is_empty(field):
    fields = {"text": "甲乙", "head": "甲", "tail": "乙", "relation": "x"}
    with pytest.raises(DataError, match=r"is missing|stand in the sentence"):
        RelationText(**{**fields, field: " "})


@pytest.mark.parametrize(
    "document",
    [
        Document("甲乙", (Span(0, 1, "head"),), "x"),
        Document("甲乙", (Span(0, 1, "head"), Span(1, 2, "tail"))),
        Document("甲乙", (Span(0, 1, "head"), Span(1, 2, "head")), "x"),
        Document("甲乙丙", (Span(0, 1, "head"), Span(1, 2, "tail"), Span(2, 3, "tail")), "x"),
    ],
)
def test_other_documents_are_no_relation(document):
    with pytest.raises(DataError, match="a relation needs one entity 'head', one entity 'tail' and a label"):
        RelationText.from_document(document)


@pytest.mark.parametrize(
    "example",
    [
        RelationText("甲\t乙", "甲", "乙", "x"),
        RelationText("甲\n乙", "甲", "乙", "x"),
        RelationText("甲乙\r", "甲", "乙", "x"),
        RelationText("甲乙", "甲", "乙", " x"),
    ],
)
def test_what_a_line_cannot_hold_is_refused(tmp_path, example):
    with pytest.raises(DataError):
        write_relations(tmp_path / "out.txt", [example])
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not part of the project")
@pytest.mark.parametrize(("subset", "count", "kinds"), [("valid", 1489, 44), ("test", 3727, 44)])
def test_finre(subset, count, kinds):
    examples = read_relations(SHARED / f"{subset}.txt")
    assert len(examples) == count
    assert len({each.relation for each in examples}) <= kinds
    assert all(len(each.document().spans) == 2 for each in examples)
