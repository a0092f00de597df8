"""Relations of label tools as pairs of entities, the negative class, and pairs to be predicted."""

import json
from pathlib import Path

import pytest

from hanlp_tutor.data import Document, Span, read_documents, read_examples
from hanlp_tutor.data.documents import Relation
from hanlp_tutor.data.examples import fingerprint, gold_counts
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.data.relation_files import parse_pair, read_pairs
from hanlp_tutor.data.relations import (
    RelationText,
    negative_class,
    pair_from,
    pairs_of,
    plausible,
    read_relations,
    type_pairs,
    write_relations,
)
from hanlp_tutor.errors import ConfigError, DataError

TEXT = "张三在北京的甲公司工作"
PLACES = {"张三": ("PER", 0), "北京": ("LOC", 3), "甲公司": ("ORG", 6)}
BRAT = "T1\tPER 0 2\t张三\nT2\tLOC 3 5\t北京\nT3\tORG 6 9\t甲公司\n"
DOCCANO = [
    {"id": number, "label": label, "start_offset": start, "end_offset": start + len(name)}
    for number, (name, (label, start)) in enumerate(PLACES.items(), 11)
]
REGIONS = [
    {
        "id": label,
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {"start": start, "end": start + len(name), "text": name, "labels": [label]},
    }
    for name, (label, start) in PLACES.items()
]


def brat(folder: Path, lines: str) -> Path:
    (folder / "1.txt").write_text(TEXT, encoding="utf-8")
    (folder / "1.ann").write_text(BRAT + lines, encoding="utf-8")
    return folder


def doccano(folder: Path, *relations: dict) -> Path:
    entry = {"text": TEXT, "entities": DOCCANO, "relations": list(relations)}
    (folder / "a.jsonl").write_text(json.dumps(entry, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / "a.jsonl"


def label_studio(folder: Path, *relations: dict) -> Path:
    results = [*REGIONS, *({"type": "relation", **each} for each in relations)]
    task = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": results}]}
    (folder / "a.json").write_text(json.dumps([task], ensure_ascii=False), encoding="utf-8")
    return folder / "a.json"


EXPORTS = {
    "brat": lambda folder: brat(folder, "R1\t就职 Arg1:T1 Arg2:T3\t\nR2\t位于 Arg2:T2 Arg1:T3\n"),
    "doccano": lambda folder: doccano(
        folder, {"id": 1, "from_id": 11, "to_id": 13, "type": "就职"}, {"from_id": 13, "to_id": 12, "type": "位于"}
    ),
    "label-studio": lambda folder: label_studio(
        folder,
        {"from_id": "PER", "to_id": "ORG", "direction": "right", "labels": ["就职"]},
        {"from_id": "LOC", "to_id": "ORG", "direction": "left", "labels": ["位于"]},
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_every_ordered_pair_is_an_example(tmp_path, name):
    examples = read_examples("relation", EXPORTS[name](tmp_path))
    found = {(each.head, each.tail): each.relation for each in examples}
    assert len(examples) == 6
    assert {pair: relation for pair, relation in found.items() if relation != "NA"} == {
        ("张三", "甲公司"): "就职",
        ("甲公司", "北京"): "位于",
    }
    assert all(each.types == (PLACES[each.head][0], PLACES[each.tail][0]) for each in examples)
    assert negative_class(examples) == "NA"
    assert negative_class(read_examples("relation", tmp_path if name == "brat" else next(tmp_path.iterdir()),
                                        negative="无")) == "无"  # fmt: skip
    allowed = type_pairs(examples, "NA")
    assert allowed == {("PER", "ORG"), ("ORG", "LOC")}
    assert [each.relation for each in plausible(examples, allowed, "NA")] == ["就职", "位于"]


@pytest.mark.parametrize("name", EXPORTS)
def test_other_tasks_count_relations_and_ignore_them_as_before(tmp_path, name):
    path = EXPORTS[name](tmp_path)
    notes = []
    with notes_to(notes.append):
        examples = read_examples("ner", path)
        documents = read_documents(path)
    assert len(examples[0].spans) == 3 and not documents[0].relations
    assert len(notes) == 2 and "ignored: 2" in notes[0] and "relation" in notes[0]


def test_an_arrow_with_two_heads_and_several_labels(tmp_path):
    path = label_studio(tmp_path, {"from_id": "PER", "to_id": "ORG", "direction": "bi", "labels": ["A", "B"]})
    found = [(each.head, each.relation) for each in read_examples("relation", path) if each.relation != "NA"]
    assert found == [("张三", "A"), ("张三", "B"), ("甲公司", "A"), ("甲公司", "B")]


def test_a_control_tag_chooses_entities_not_relations(tmp_path):
    path = label_studio(tmp_path, {"from_id": "PER", "to_id": "ORG", "labels": ["A"]})
    assert "A" in gold_counts(read_examples("relation", path, from_name="label"))


WRONG = {
    "brat: no such entity": (lambda f: brat(f, "R1\tx Arg1:T1 Arg2:T9\n"), r"1.ann:4: 'R1.* names T9, which"),
    "brat: no relation": (lambda f: brat(f, "R1\tx T1 T2\n"), r"1.ann:4: .* is no relation. Write R1<TAB>type Arg1"),
    "doccano: no such id": (lambda f: doccano(f, {"from_id": 11, "to_id": 5, "type": "x"}), r"a.jsonl:1: .* to 5, and"),
    "doccano: no type": (lambda f: doccano(f, {"from_id": 11, "to_id": 12}), r"a.jsonl:1: the type of a relation"),
    "doccano: a list": (lambda f: doccano(f, {"from_id": [1], "to_id": 12, "type": "x"}), r"a.jsonl:1: a relation is"),
    "studio: no region": (
        lambda f: label_studio(f, {"from_id": "PER", "to_id": "x", "labels": ["x"]}),
        r"a.json:1: task 1: a relation names the region 'x', which there is not",
    ),
    "none": (lambda f: doccano(f), r"a.jsonl: holds 3 entities and no relation.*--task ner"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place(tmp_path, name):
    make, message = WRONG[name]
    with pytest.raises(DataError, match=message):
        read_examples("relation", make(tmp_path))


def test_relations_of_what_is_not_read_are_counted(tmp_path):
    lines = "T4\tORG 6 7;8 9\t甲 司\nE1\tX:T1\nR1\tx Arg1:T1 Arg2:T4\nR2\tx Arg1:E1 Arg2:T1\nR3\ty Arg1:T1 Arg2:T1\n"
    notes = []
    with notes_to(notes.append):
        examples = read_examples("relation", brat(tmp_path, lines + "R4\tz Arg1:T1 Arg2:T2\n"))
    assert sorted({each.relation for each in examples}) == ["NA", "z"]
    for what in ("of discontinuous entities", "of events", "of an entity with itself"):
        assert any(f"relations {what} ignored: 1" in note for note in notes)
    path = label_studio(tmp_path, {"from_id": "PER", "to_id": "ORG", "labels": []})
    with notes_to(notes.append), pytest.raises(DataError, match="no relation"):
        read_examples("relation", path)
    assert any("relations without a label ignored: 1" in note for note in notes)


def test_places_of_repeated_strings(tmp_path):
    spans = (Span(0, 1, "A"), Span(2, 3, "A"), Span(1, 2, "B"))
    document = Document("甲乙甲", spans, relations=(Relation(spans[1], spans[2], "x"),))
    pairs = pairs_of(document)
    assert len(pairs) == len(set(pairs)) == 6
    second = next(each for each in pairs if each.relation == "x")
    assert second.starts == (2, 1) and second.spans == (Span(2, 3, "head"), Span(1, 2, "tail"))
    first = next(each for each in pairs if (each.head, each.tail) == ("甲", "乙") and each.relation == "NA")
    assert first.starts is None, "that is where they are looked for"
    assert fingerprint([first]) != fingerprint([RelationText("甲乙甲", "乙", "甲", "NA")])
    write_relations(tmp_path / "a.txt", [first])
    assert read_relations(tmp_path / "a.txt") == [first]
    assert RelationText("甲乙", "甲", "乙", "x", starts=(0, 1)) == RelationText("甲乙", "甲", "乙", "x")
    with pytest.raises(DataError, match="'乙' does not begin at character 0"):
        RelationText("甲乙", "甲", "乙", "x", starts=(0, 0))


def test_two_entities_at_one_place_are_no_pair():
    document = Document("甲乙", (Span(0, 1, "A"), Span(0, 1, "B"), Span(1, 2, "C")))
    assert [each.types for each in pairs_of(document)] == [("A", "C"), ("B", "C"), ("C", "A"), ("C", "B")]


def test_a_string_that_stands_twice_is_noted_once_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("甲\t乙\tx\t甲乙\n\n甲\t乙\tx\t甲乙甲\n甲\t乙\ty\t乙甲乙\n", encoding="utf-8")
    notes = []
    with notes_to(notes.append):
        read_examples("relation", path)
    assert notes == [
        f"{path}:3: sentences in which head or tail stands more than once, of which the first places are taken: 2 in "
        "this file, the first in this line."
    ]
    entry = {"text": "甲乙甲", "entities": [{"id": 1, "start_offset": 0, "end_offset": 1, "label": "A"},
             {"id": 2, "start_offset": 1, "end_offset": 2, "label": "B"}],
             "relations": [{"from_id": 1, "to_id": 2, "type": "x"}]}  # fmt: skip
    (tmp_path / "b.jsonl").write_text(json.dumps(entry, ensure_ascii=False), encoding="utf-8")
    with notes_to(notes.append):
        read_examples("relation", tmp_path / "b.jsonl", format="doccano")
    assert len(notes) == 1  # an export says where


@pytest.mark.parametrize(
    ("relations", "found"),
    [
        ("NA a a", "NA"),
        ("unknown a", "unknown"),
        ("无 NA NA", "NA"),
        ("无关系 a", "无关系"),
        ("None a", "None"),
        ("其他 Other a", None),
    ],
)
def test_the_negative_class_is_found_by_its_name(relations, found):
    assert negative_class([RelationText("甲乙", "甲", "乙", each) for each in relations.split()]) == found


def test_a_misspelt_negative_class(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("甲\t乙\tunknown\t甲乙\n甲\t乙\tx\t甲和乙\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no relation is called 'unkown'; did you mean 'unknown'"):
        read_examples("relation", path, negative="unkown")
    assert negative_class(read_examples("relation", path, negative="x")) == "x"
    with pytest.raises(ConfigError, match="not a blank"):
        read_examples("relation", path, negative=" ")


@pytest.mark.parametrize(
    "value",
    [
        {"head": "甲", "tail": "乙", "text": "甲乙"},
        {"head": "甲", "tail": "乙", "sentence": "甲乙", "relation": "x"},
        ("甲", "乙", "甲乙"),
        ["甲", "乙", "x", "甲乙"],
        RelationText("甲乙", "甲", "乙", "x"),
    ],
)
def test_a_pair_as_people_give_it(value):
    assert pair_from(value) == RelationText("甲乙", "甲", "乙", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("甲乙", "a pair is head, tail and text"),
        ("{", "is no JSON"),
        ('{"head": "甲"}', "a pair is head, tail and text"),
        ("甲\t丙\t甲乙", "the tail '丙' does not stand in the sentence"),
        ('{"head": "甲", "tail": "乙", "text": "甲乙", "starts": "ab"}', "'starts' are two whole numbers"),
    ],
)
def test_a_line_that_is_no_pair(line, message):
    with pytest.raises(DataError, match=message):
        parse_pair(line)


def test_pairs_of_files(tmp_path):
    pair = RelationText("甲乙", "甲", "乙", None)
    for lines in ("甲\t乙\t甲乙\n", "甲\t乙\tx\t甲乙\n\n", '{"head": "甲", "tail": "乙", "text": "甲乙"}\n'):
        (tmp_path / "p.txt").write_text(lines, encoding="utf-8")
        assert read_pairs(tmp_path / "p.txt") == [pair]
    assert read_pairs(tmp_path / "p.txt")[0].source == f"{tmp_path / 'p.txt'}:1"
    (tmp_path / "p.txt").write_text("甲\t乙\t甲乙\n甲\t丙\t甲乙\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"p.txt:2: the tail '丙' does not stand"):
        read_pairs(tmp_path / "p.txt")


@pytest.mark.parametrize("name", EXPORTS)
def test_pairs_of_an_export_are_all_pairs(tmp_path, name):
    pairs = read_pairs(EXPORTS[name](tmp_path))
    assert len(pairs) == 6 and all(each.relation is None for each in pairs)
    assert {each.types for each in pairs} >= {("PER", "ORG"), ("LOC", "PER")}


def test_an_id_of_two_entities_is_refused_where_a_relation_names_it(tmp_path):
    other = {**DOCCANO[0], "start_offset": 9, "end_offset": 11}
    entry = {"text": TEXT, "entities": [*DOCCANO, other], "relations": [{"from_id": 11, "to_id": 13, "type": "任职"}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(entry, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(DataError, match=r"a.jsonl:1: a relation names the id 11, which several entities have"):
        read_examples("relation", tmp_path / "a.jsonl", format="doccano")
    region = {**REGIONS[0], "value": {"start": 9, "end": 11, "text": "工作", "labels": ["X"]}}
    both = {**REGIONS[0], "value": {**REGIONS[0]["value"], "labels": ["X"]}}  # tags of one region share its id
    arrow = {"type": "relation", "from_id": "PER", "to_id": "ORG", "labels": ["任职"], "direction": "right"}
    for added, refused in ((region, True), (both, False)):
        task = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": [*REGIONS, added, arrow]}]}
        (tmp_path / "a.json").write_text(json.dumps([task], ensure_ascii=False), encoding="utf-8")
        if refused:
            with pytest.raises(DataError, match=r"a.json:1: task 1: a relation names the id 'PER', which several"):
                read_examples("relation", tmp_path / "a.json", format="label-studio")
        else:
            assert read_examples("relation", tmp_path / "a.json", format="label-studio")
    folder = tmp_path / "brat"
    folder.mkdir()
    brat(folder, "T1\tX 9 11\t工作\nR1\t任职 Arg1:T1 Arg2:T3\n")
    with pytest.raises(DataError, match=r"1.ann:5: .* names T1, which several lines of the file are. Give each"):
        read_examples("relation", folder, format="brat")
