"""``convert`` and ``hanlp-tutor convert``: choices, notes, and files that are whole or absent."""

import json
import os
from dataclasses import replace

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.data import FORMATS, Document, Span, convert, read_documents, write_documents
from hanlp_tutor.data.documents import Relation, split_at_line_feeds
from hanlp_tutor.data.relations import pairs_of, read_relations
from hanlp_tutor.errors import ConfigError, DataError

NESTED = Document("北京大学", (Span(0, 4, "ORG"), Span(0, 2, "LOC")))
BOTH = Document("北京", (Span(0, 2, "LOC"),), "正")
PLAIN = Document("好\n坏")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.jsonl"
    write_documents(path, [NESTED, BOTH, PLAIN], "doccano")
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def test_nothing_is_written_when_something_cannot_be_held(source, tmp_path):
    target = tmp_path / "b.bio"
    target.write_text("kept", encoding="utf-8")
    for options in ({}, {"overlaps": "longest"}, {"overlaps": "longest", "drop": "labels"}):
        with pytest.raises(DataError):
            convert(source, target, to="bio", **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.bio"]
    assert target.read_text(encoding="utf-8") == "kept"


def test_what_is_given_up_is_chosen_and_noted(source, tmp_path):
    done = convert(source, tmp_path / "b.bio", to="bio", overlaps="longest", drop="labels", split_lines=True)
    assert (done.texts, done.entities, done.labels, done.from_) == (4, 2, 0, "doccano")
    assert done.notes[0].startswith(f"{source}:3: 1 of 3 texts have no annotation, the first here")
    assert done.notes[1:] == (
        f"{source}:2: 1 labels dropped as asked, the first here.",
        f"{source}:1: LOC 0-2 '北京' overlaps ORG 0-4 '北京大学' and is dropped.",
    )
    assert [each.text for each in read_documents(tmp_path / "b.bio")] == ["北京大学", "北京", "好", "坏"]


def test_a_format_that_holds_everything_needs_no_choice_but_that_of_overlaps(source, tmp_path):
    with pytest.raises(DataError, match=r"a.jsonl:1: LOC 0-2"):
        convert(source, tmp_path / "b.json", to="label-studio")
    done = convert(source, tmp_path / "b.json", to="label-studio", overlaps="keep")
    assert len(done.notes) == 2 and "both are kept" in done.notes[1]
    assert read_documents(tmp_path / "b.json") == [NESTED, BOTH, PLAIN]


def test_a_source_is_never_overwritten(source):
    before = source.read_bytes()
    with pytest.raises(ConfigError, match="overwrite its own source"):
        convert(source, source.parent / "." / source.name, to="clue")
    assert source.read_bytes() == before


def test_a_folder_as_the_target_is_refused_and_the_name_given_works(source, tmp_path):
    (tmp_path / "there").mkdir()
    for folder in (f"{tmp_path}/new/", f"{tmp_path}/there", f"{tmp_path}/there/", f"{tmp_path}/"):
        done = run(source, folder, "--to", "doccano", "--overlaps", "longest")
        assert done.exit_code == 2 and "a folder, and doccano is written into a file" in done.stderr
        assert not (tmp_path / "new").exists()
        target = done.stderr.split("Name one in it: ")[1].strip()
        assert run(source, target, "--to", "doccano", "--overlaps", "keep").exit_code == 0
        assert read_documents(target) == [NESTED, BOTH, PLAIN]
        (tmp_path / "new" / "a.jsonl").unlink(missing_ok=True)
        (tmp_path / "new").exists() and (tmp_path / "new").rmdir()
    pairs = run(source, f"{tmp_path}/pairs/", "--to", "brat", "--drop", "labels", "--overlaps", "keep")
    assert pairs.exit_code == 0, "BRAT's is a folder"
    assert (tmp_path / "pairs" / "00001.ann").exists()


@pytest.mark.parametrize("words", [["predict", "MODEL", "text", "--out"], ["grade", ".", "--csv"], ["bench", "--out"]])
def test_other_files_to_be_written_are_no_folders_either(words, tmp_path):
    done = CliRunner().invoke(app, [*words, f"{tmp_path}/new/"])
    assert done.exit_code == 2 and "Name a file in it" in done.stderr and not (tmp_path / "new").exists()


def test_a_relation_file_names_strings_not_places(tmp_path):
    document = Document("甲乙甲", (Span(1, 2, "tail"), Span(2, 3, "head")), "x")
    write_documents(tmp_path / "a.jsonl", [document], "doccano")
    with pytest.raises(DataError, match="stands elsewhere in the sentence too"):
        convert(tmp_path / "a.jsonl", tmp_path / "b.txt", to="relation")
    convert(tmp_path / "a.jsonl", tmp_path / "b.txt", to="relation", write={"repeated": "any"})
    assert read_documents(tmp_path / "b.txt")[0].spans == (Span(0, 1, "head"), Span(1, 2, "tail"))


SPANS = (Span(0, 2, "PER"), Span(4, 6, "ORG"), Span(6, 8, "LOC"))
RELATED = Document("张三创立甲乙北京", SPANS, relations=(Relation(SPANS[0], SPANS[1], "founded"),))


def test_a_relation_file_has_every_pair_of_a_document_with_relations(tmp_path):
    write_documents(tmp_path / "a.jsonl", [RELATED], "doccano")
    done = convert(tmp_path / "a.jsonl", tmp_path / "b.tsv", to="relation", write={"negative": "none"})
    assert done.relations == 1 and "the types of 6 pairs' entities are not written" in done.notes[0]
    kept = read_relations(tmp_path / "b.tsv")
    assert sorted((each.head, each.tail, each.relation) for each in kept) == sorted(
        (each.head, each.tail, each.relation) for each in pairs_of(RELATED, "none")
    )


def test_keys_that_no_target_holds_are_said_once_a_file(tmp_path):
    entry = {"id": 1, "text": "张三", "label": [[0, 2, "PER"]], "科室": "内科", "empty": "", "meta": {"病人": "P1"}}
    (tmp_path / "a.jsonl").write_text("\n".join([json.dumps(entry, ensure_ascii=False)] * 3), encoding="utf-8")
    done = convert(tmp_path / "a.jsonl", tmp_path / "b.bio", to="bio")
    assert done.notes == (f"{tmp_path / 'a.jsonl'}:1: keys left out: 科室, 病人.",)
    done = convert(tmp_path / "a.jsonl", tmp_path / "b.bio", to="bio", read={"group_column": "病人"})
    assert done.notes[0] == f"{tmp_path / 'a.jsonl'}:1: keys left out: 科室."
    value = {"start": 0, "end": 2, "labels": ["PER"]}
    result = [{"from_name": "label", "to_name": "text", "type": "labels", "value": value}]
    tasks = [{"id": n, "data": {"text": "张三", "科室": "内科"}, "annotations": [{"result": result}]} for n in range(2)]
    (tmp_path / "a.json").write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    done = convert(tmp_path / "a.json", tmp_path / "b.bio", to="bio")
    assert done.notes == (f"{tmp_path / 'a.json'}:1: keys left out: 科室.",)


def test_relations_are_refused_or_dropped_where_they_have_no_place(tmp_path):
    write_documents(tmp_path / "a.jsonl", [RELATED], "doccano")
    target = tmp_path / "b.bio"
    with pytest.raises(DataError, match=r"a.jsonl:1: the format bio cannot hold the relation 'founded'.* --drop rel"):
        convert(tmp_path / "a.jsonl", target, to="bio", read={"relations": True})
    for options in ({}, {"read": {"relations": True}, "drop": "relations"}):
        done = convert(tmp_path / "a.jsonl", target, to="bio", **options)
        assert done.relations == 0 and "a.jsonl:1" in done.notes[0] and "relations" in done.notes[0]
    done = convert(tmp_path / "a.jsonl", tmp_path / "b.json", to="label-studio", drop="entities")
    assert (done.entities, done.relations) == (0, 0)
    with pytest.raises(DataError, match=r"founded.* runs over a line end"):
        split_at_line_feeds([replace(RELATED, text="张三创立\n甲" + RELATED.text[6:])])
    with_two = Document("甲\n" + RELATED.text, [Span(s.start + 2, s.end + 2, s.label) for s in SPANS])
    with_two = replace(with_two, relations=(Relation(*with_two.spans[:2], "founded"),))
    assert split_at_line_feeds([with_two])[1] == RELATED


def test_a_relation_goes_with_an_entity_that_is_dropped(tmp_path):
    inner, outer, other = Span(0, 2, "LOC"), Span(0, 4, "ORG"), Span(5, 6, "PER")
    document = Document("北京大学的甲", (inner, outer, other), relations=(Relation(other, inner, "in"),))
    write_documents(tmp_path / "a.jsonl", [document], "doccano")
    done = convert(tmp_path / "a.jsonl", tmp_path / "b.jsonl", to="doccano", overlaps="longest")
    assert done.relations == 0 and "the relation 'in' from PER 5-6 '甲' to LOC 0-2 '北京' is dropped" in done.notes[1]


def test_the_old_file_stays_when_the_new_one_cannot_be_finished(source, tmp_path, monkeypatch):
    target = tmp_path / "b.json"
    target.write_text("kept", encoding="utf-8")

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"b.json: cannot be written: No space left"):
        convert(source, target, to="label-studio", overlaps="keep")
    assert target.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(("name", "to"), [("a.tags", "tag-lines"), ("a.ann", "brat")])
def test_a_second_file_never_replaces_the_source(tmp_path, name, to):
    path = tmp_path / "a.txt"
    path.write_text("张\tB-PER\n三\tI-PER\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a.txt: is there already"):
        convert(path, tmp_path / name, to=to)
    assert path.read_text(encoding="utf-8").startswith("张\tB-PER")
    for _ in range(2):  # the same again is no harm
        convert(path, tmp_path / f"b{name[1:]}", to=to)
    assert (tmp_path / "b.txt").read_text(encoding="utf-8").strip() == "张三"


def test_the_command(source, tmp_path):
    target = tmp_path / "b.bmes"
    options = ["--to", "bmes", "--overlaps", "longest", "--drop", "labels", "--split-lines", "-w", "separator", "space"]
    result = run(source, target, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"4 texts, 2 entities, 0 labels: doccano -> bmes, {target}\n"
    assert result.stderr.count("Note: ") == 3
    assert target.read_text(encoding="utf-8").startswith("北 B-ORG\n京 M-ORG\n大 M-ORG\n学 E-ORG\n\n")
    answer = json.loads(run(source, target, *options, "--json").stdout)
    assert answer["notes"] and {k: answer[k] for k in ("from", "to", "texts", "entities", "labels")} == {
        "from": "doccano",
        "to": "bmes",
        "texts": 4,
        "entities": 2,
        "labels": 0,
    }


def test_many_notes_are_shortened_for_people_only(tmp_path):
    write_documents(tmp_path / "a.jsonl", [NESTED] * 30, "doccano")
    arguments = [tmp_path / "a.jsonl", tmp_path / "b.json", "--to", "clue", "--overlaps", "keep", "--json"]
    result = run(*arguments)
    assert result.stderr.count("Note: ") == 21 and "10 more" in result.stderr
    assert len(json.loads(result.stdout)["notes"]) == 30


def test_the_formats_are_listed():
    result = run("--formats")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(FORMATS)


def test_weibo_digits_and_encodings(tmp_path):
    (tmp_path / "a.txt").write_bytes("科0 O\n技1 B-A\n".encode("gb18030"))
    result = run(tmp_path / "a.txt", tmp_path / "b.jsonl", "--to", "doccano", "--strip-segmentation-digits")
    assert result.exit_code == 0 and "read as GB18030" in result.stderr
    assert read_documents(tmp_path / "b.jsonl") == [Document("科技", (Span(1, 2, "A"),))]
