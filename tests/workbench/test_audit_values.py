"""What an audit sees at the edges of entities, in labels that are one, and where a program had nothing to write."""

import json

import pytest

from hanlp_tutor.data import LabelledText, Span, TaggedText
from hanlp_tutor.workbench.audit import KINDS, audit
from hanlp_tutor.workbench.audit.labels import similar_labels


def entity(text, start, end):
    return TaggedText.from_spans(text, [Span(start, end, "PER")])


@pytest.mark.parametrize("blank", [" ", "\u3000", "\xa0", "\u200b", "\ufeff", "\t", "\u2028", "\u200e"])
@pytest.mark.parametrize(("start", "end", "words"), [(2, 5, "begins with"), (3, 6, "ends with"), (2, 6, "begins")])
def test_entities_with_blank_edges(blank, start, end, words):
    examples = [entity(f"姓名{blank}王建{blank}，住上海第{n}号", 3, 5) for n in range(12)]
    assert audit(examples).of("blank-edge") == []
    (finding,) = audit([*examples, entity(f"姓名{blank}王建{blank}，住武汉", start, end)]).of("blank-edge")
    assert (finding.severity, finding.index) == ("warning", 12)
    assert words in finding.message and f"U+{ord(blank):04X}" in finding.message
    (finding,) = audit([*examples, entity(f"姓名{blank}王建{blank}，住武汉", 2, 3)]).of("blank-edge")
    assert (finding.severity, "nothing but" in finding.message) == ("error", True)


def test_blank_edges_in_a_file_have_a_line(tmp_path):
    path = tmp_path / "a.jsonl"
    texts = [{"text": f"姓名： 王建国 ，住第{n}号", "label": [[4 - n % 2, 7, "PER"]]} for n in range(12)]
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in texts), encoding="utf-8")
    assert [finding.line for finding in audit(path).of("blank-edge")] == [2, 4, 6, 8, 10, 12]


def classes(*labels, text="第{}条评论"):
    return [LabelledText(text.format(n), label) for n, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "１"),
        ("1", "01"),
        ("-1", "-1.0"),
        ("Pos", "pos"),
        ("pos", "pos "),
        ("pos", "pos\u200b"),
        ("ＰＥＲ", "PER"),
        ("正面", "\ufeff正面"),
        ("正 面", "正\u3000面"),
    ],
)
def test_labels_that_are_one(one, other):
    report = audit(classes(*[one, one, one, other, "坏"] * 12))
    (finding,) = report.of("similar-labels")
    assert finding.severity == "warning" and "they differ only in" in finding.message
    assert {finding.evidence["label"], finding.evidence["likely"]} == {one, other}
    (missing,) = [
        finding
        for finding in audit(classes(*[one, "坏"] * 12), classes(other, "坏", text="另外{}条")).of("unknown-label")
        if finding.evidence["label"] == other
    ]
    assert missing.evidence["nearest"] == one


@pytest.mark.parametrize("labels", [("1", "10"), ("1.0", "10"), ("-1", "1"), ("1", "2", "1.5"), ("0", "-0.5")])
def test_numbers_that_are_others(labels):
    assert similar_labels(dict.fromkeys(labels, 20)) == []


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "NULL", "N/A", "null", "ＮＵＬＬ", "<NA>"])
def test_what_a_program_writes_for_nothing(word):
    (finding,) = audit(classes(*["好", "坏"] * 12, word)).of("missing-value")
    assert (finding.severity, finding.index, repr(word) in finding.message) == ("warning", 24, True)
    empty = [LabelledText(word, "好"), LabelledText(f" {word} ", "好")]
    (finding,) = audit([*classes(*["好", "坏"] * 12), *empty]).of("missing-value")
    assert (finding.evidence["count"], finding.index, "text" in finding.message) == (2, 24, True)


def test_usual_words_are_no_missing_values():
    assert audit(classes(*["NA", "无", "no", "na", "空"] * 12)).of("missing-value") == []


@pytest.mark.parametrize("text", ["", " ", "\u3000\u200b", "\ufeff"])
def test_empty_texts(text):
    (finding,) = audit([*classes(*["好", "坏"] * 12), LabelledText(text, "好")]).of("missing-value")
    assert (finding.severity, finding.index) == ("warning", 24)
    assert audit([entity("王建国来了", 0, 3), TaggedText(text, ("O",) * len(text))]).of("missing-value")


def test_one_class_and_nothing_but_o():
    (finding,) = audit(classes(*["好"] * 20)).of("class-balance")
    assert (finding.severity, "nothing to learn" in finding.message) == ("error", True)
    (finding,) = audit([TaggedText("无实体", ("O",) * 3)] * 20).of("class-balance")
    assert (finding.severity, "only O" in finding.message) == ("error", True)


def test_one_sentence_without_blank_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("赵\tB-PER\n来\tO\n。\tO\n" * 30, encoding="utf-8")
    report = audit(path)
    (finding,) = report.of("no-blank-lines")
    assert finding.severity == "error"
    assert "one sentence of 90 characters: blank lines are missing" in finding.message
    assert "-r split_at '。' (in Python: split_at='。')" in finding.remedy
    mended = audit(path, split_at="。")
    assert (mended.subsets["train"]["examples"], mended.of("no-blank-lines")) == (30, [])
    path.write_text("赵\tB-PER\n来\tO\n。\tO\n", encoding="utf-8")
    assert audit(path).of("no-blank-lines") == []


def test_the_report_says_what_each_file_was_read_as(tmp_path):
    (tmp_path / "a.txt").write_text("好\t正\n坏\t负\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("赵 S-PER\n来 O\n", encoding="utf-8")
    assert f"train ({tmp_path / 'a.txt'}, read as labels): 2 examples" in audit(tmp_path / "a.txt").to_text()
    assert "read as columns in IOBES)" in audit(tmp_path / "b.txt").to_text()
    assert audit(tmp_path / "a.txt").to_json()["sides"]["train"]["format"] == "labels"
    assert audit(classes("好", "坏")).to_text().startswith("train: 2 examples")


def test_every_new_kind_is_explained():
    assert {"blank-edge", "missing-value", "no-blank-lines"} <= KINDS.keys()
