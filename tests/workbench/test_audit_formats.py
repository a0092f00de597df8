"""The audit reads what the kit's formats read, and more of a broken file than they do."""

import json

import pytest

from hanlp_tutor.data import Document, Span, write_documents
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.workbench.audit import audit

NER = [Document(f"第{n}条：张三到北京", (Span(4, 6, "PER"), Span(7, 9, "LOC"))) for n in range(10)]
CLASSES = [Document(f"第{n}条评论", (), "好" if n % 2 else "坏") for n in range(20)]


@pytest.mark.parametrize("name", ["bmes", "doccano", "label-studio", "label-studio-min", "clue", "label-studio-conll"])
def test_formats_with_entities(tmp_path, name):
    path = tmp_path / ("a.txt" if name in ("bmes", "label-studio-conll") else "a.json")
    write_documents(path, NER, name)
    report = audit(path)
    assert report.task == "ner"
    assert report.subsets["train"]["labels"] == {"LOC": 10, "PER": 10}
    assert report.findings == []


FILES = [("csv", "a.csv"), ("tsv", "a.tsv"), ("doccano", "a.jsonl"), ("labels", "a.txt")]


@pytest.mark.parametrize(("name", "file"), FILES)
def test_formats_with_classes(tmp_path, name, file):
    write_documents(tmp_path / file, CLASSES, name)
    report = audit(tmp_path / file)
    assert (report.task, report.subsets["train"]["labels"], report.findings) == ("classify", {"坏": 10, "好": 10}, [])


def test_a_brat_folder(tmp_path):
    write_documents(tmp_path / "brat", NER, "brat")
    assert audit(tmp_path / "brat").subsets["train"]["labels"] == {"LOC": 10, "PER": 10}
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="folder"):
        audit(tmp_path / "empty")


def test_every_broken_line_of_json_lines_is_named(tmp_path):
    lines = [json.dumps({"text": "张三来了", "label": [[0, 2, "PER"]]}, ensure_ascii=False) for _ in range(6)]
    lines[1] = lines[1][:-3]
    lines[4] = lines[4].replace("2,", "99,")
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = audit(tmp_path / "a.jsonl")
    assert [f.line for f in report.of("broken-line")] == [2, 5]
    assert {f.path for f in report.findings} == {str(tmp_path / "a.jsonl")}
    assert report.subsets["train"]["examples"] == 4


def test_overlapping_entities_are_findings(tmp_path):
    nested = Document("中国银行开会", (Span(0, 2, "LOC"), Span(0, 4, "ORG")))
    write_documents(tmp_path / "a.jsonl", [*NER, nested], "doccano")
    (finding,) = audit(tmp_path / "a.jsonl").of("overlap")
    assert (finding.line, "LOC 0-2" in finding.message) == (11, True)


def test_texts_without_a_class_are_findings(tmp_path):
    write_documents(tmp_path / "a.jsonl", [*CLASSES, Document("没有标签")], "doccano")
    assert [f.line for f in audit(tmp_path / "a.jsonl").of("broken-line")] == [21]
    write_documents(tmp_path / "b.jsonl", [Document("没有标签")] * 3, "doccano")
    with pytest.raises(DataError, match="no text has a label"):
        audit(tmp_path / "b.jsonl", task="classify", format="doccano")


def test_formats_by_name(tmp_path):
    write_documents(tmp_path / "a.txt", NER, "bmes")
    assert audit(tmp_path / "a.txt", format="bmes").findings == []
    assert audit(tmp_path / "a.txt", format="bio").of("broken-line")
    with pytest.raises(ConfigError, match="doccano"):
        audit(tmp_path / "a.txt", format="docano")


def test_what_a_reader_leaves_out_is_a_note(tmp_path):
    (tmp_path / "a.csv").write_text("text,label,id\n很好,好,1\n不好,坏,2\n", encoding="utf-8")
    (finding,) = audit(tmp_path / "a.csv").of("reader-note")
    assert (finding.severity, "id" in finding.message) == ("note", True)
