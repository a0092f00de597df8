"""How an audit reads: each file by the reader that training uses, as often whether lines are broken or not."""

import json
import re

import pytest

from hanlp_tutor.data import LabelledText
from hanlp_tutor.data import lines as lines_module
from hanlp_tutor.errors import DataError
from hanlp_tutor.workbench.audit import KINDS, audit

LINES = {
    "a.txt": ("第{}条\t好", "没有标签"),
    "a.bio": ("字\tO", "字{}"),
    "a.csv": ("第{}条,好", "第{}条,好,坏"),
    "a.jsonl": ('{{"text": "第{}条", "label": ["好"]}}', '{{"text": "第{}条", "label": ['),
    "a.tsv": ("张\t三\t在\t张三{}", "张\t李\t在\t张三{}"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_file_is_read_as_often_with_broken_lines_as_without(tmp_path, monkeypatch, name):
    reads = []
    plain = lines_module._read_bytes
    monkeypatch.setattr(lines_module, "_read_bytes", lambda path: reads.append(path) or plain(path))
    good, broken = LINES[name]
    counts = []
    for number in (0, 1, 90):
        lines = [(broken if n < number else good).format(n) for n in range(300)]
        head = ["text,label"] if name == "a.csv" else []
        (tmp_path / name).write_text("\n".join([*head, *lines[150:], *lines[:150]]) + "\n", encoding="utf-8")
        reads.clear()
        report = audit(tmp_path / name)
        assert [f.line for f in report.of("broken-line")] == [151 + len(head) + n for n in range(number)]
        counts.append(len(reads))
    assert counts == [2] * 3  # to see what it is, and to read it


def test_a_hundred_refused_lines_are_findings_and_one_more_is_another_format(tmp_path):
    path = tmp_path / "a.txt"
    for number in (100, 101):
        path.write_text("好\tp\n" * 200 + "没有标签\n" * number, encoding="utf-8")
        if number == 100:
            assert len(audit(path).of("broken-line")) == 100
        else:
            with pytest.raises(DataError, match=r"a\.txt:201: no tab"):
                audit(path)


def test_notes_name_the_file_that_was_given(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label,id\n很好,好,1\n坏\n不好,坏,2\n", encoding="utf-8")
    report = audit(path)
    assert [(f.where, f.message) for f in report.of("reader-note")] == [(f"{path}:1", "columns left out: id.")]
    assert f"  {path}:1: columns left out: id.\n" in str(report)  # the file once, and no blank behind it
    assert [f.line for f in report.of("broken-line")] == [3]


def test_programs_find_the_keys_that_they_know():
    report = audit([LabelledText("很好", "p")] * 2, dev=[LabelledText("很好", "p"), LabelledText("坏", "n")])
    content = json.loads(json.dumps(report.to_json()))
    assert list(content["sides"]) == ["train", "dev"]
    keys = ["kind", "severity", "message", "remedy", "side", "path", "line", "index", "evidence"]
    assert [list(finding) for finding in content["findings"]] == [keys] * len(report.findings)
    assert {finding["side"] for finding in content["findings"]} == {"train", "dev"}
    assert not re.search(r"\bsides?\b", report.to_text() + " ".join(KINDS.values()))
