"""What an audit finds in data with known faults, and that it finds none in data without."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES, Entities

from hanlp_tutor import load_corpus
from hanlp_tutor.data import LabelledText, Span, TaggedText, read_columns, read_labels, write_columns
from hanlp_tutor.data.relations import RelationText, read_relations
from hanlp_tutor.errors import ConfigError, DataError, TutorError
from hanlp_tutor.teach.planted import plant_label_errors, plant_tag_errors
from hanlp_tutor.workbench.audit import KINDS, audit
from hanlp_tutor.workbench.audit.characters import odd
from hanlp_tutor.workbench.audit.duplicates import check_duplicates
from hanlp_tutor.workbench.audit.labels import one_slip, similar_labels
from hanlp_tutor.workbench.audit.reading import Reading, read_subset
from hanlp_tutor.workbench.audit.subsets import Subset

SHARED = Path(__file__).parents[3] / "shared" / "data"
CAREFUL = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = "张李王赵钱孙周吴郑冯陈褚"
CLEAN = [
    TaggedText.from_spans(f"{a}某在{b}城开会", [Span(0, 2, "PER"), Span(3, 5, "LOC")], f"news.txt:{i * len(NAMES) + k}")
    for i, a in enumerate(NAMES)
    for k, b in enumerate(NAMES)
]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def column_file(path: Path, *sentences: str) -> Path:
    """``张/B-PER 三/I-PER`` each, one token a line, a blank line behind each sentence."""
    return write(path, "\n\n".join(s.replace("/", "\t").replace(" ", "\n") for s in sentences) + "\n")


def lines_of(report, kind: str) -> list[int | None]:
    return [finding.line for finding in report.of(kind)]


# ---------------------------------------------------------------- nothing to find


def test_clean_data_has_no_finding():
    report = audit(CLEAN[:100], CLEAN[100:120], CLEAN[120:])
    assert report.findings == []
    assert report.counts == {"error": 0, "warning": 0, "note": 0}
    assert report.subsets["train"]["labels"] == {"LOC": 100, "PER": 100}
    assert report.to_text().endswith("0 errors, 0 warnings, 0 notes")


@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "BMES", "IOBES"])
def test_clean_files_of_each_scheme(tmp_path, scheme):
    write_columns(tmp_path / "train.txt", CLEAN, scheme=scheme)
    assert audit(tmp_path / "train.txt", encoding="utf-8").findings == []


# ---------------------------------------------------------------- transitions


LABELS = {"IOB2": ("B", "I"), "IOBES": ("B", "I", "E", "S")}


@pytest.mark.parametrize(("scheme", "strict"), [("BIO", IOB2), ("IOBES", IOBES)])
@CAREFUL
@given(data=st.data())
def test_invalid_transitions_are_those_that_seqeval_drops(tmp_path, scheme, strict, data):
    """Strict and lenient reading by seqeval agree exactly where the audit has nothing to say."""
    tag = st.sampled_from(["O"] + [f"{letter}-{label}" for letter in LABELS[strict.__name__] for label in "XY"])
    tags = data.draw(st.lists(tag, min_size=1, max_size=8))
    path = column_file(tmp_path / "a.txt", " ".join(f"字/{tag}" for tag in tags))
    found = audit(path, task="ner", scheme=scheme).of("invalid-transition")
    kept = {(e.tag, e.start, e.end - 1) for e in Entities([tags], strict).entities[0]}
    assert bool(found) == (set(get_entities(tags)) != kept)


def test_each_invalid_transition_has_its_line(tmp_path):
    sentences = ("来/O 张/I-PER 三/I-PER", "北/B-LOC 京/I-ORG 的/O 市/I-ORG", "张/B-PER 三/I-PER")
    path = column_file(tmp_path / "a.txt", *sentences)
    report = audit(path)
    assert lines_of(report, "invalid-transition") == [2, 6, 8]
    assert "I-ORG cannot stand between B-LOC and O in BIO: read as B-ORG" in report.of("invalid-transition")[1].message
    assert report.of("invalid-transition")[1].where == f"{path}:6"


def test_bmes(tmp_path):
    path = column_file(tmp_path / "a.txt", "张/B-PER 三/M-PER 来/O", "北/M-LOC 京/E-LOC", "市/S-LOC 张/B-PER 三/E-PER")
    assert lines_of(audit(path), "invalid-transition") == [2, 5]


def test_iob1_is_no_fault_but_one_line_out_of_line_is(tmp_path):
    good = ["张/I-PER 三/I-PER 来/O", "张/I-PER 李/B-PER 来/O"]
    assert audit(column_file(tmp_path / "a.txt", *good)).of("invalid-transition") == []
    mixed = column_file(tmp_path / "b.txt", *good, "王/B-PER 来/O")  # BIO after all, with faults
    assert lines_of(audit(mixed), "invalid-transition") == [1, 5]


def test_examples_in_memory_have_transitions_too():
    report = audit([TaggedText("张三来", ("O", "I-PER", "O"), "a.txt:7")])
    (finding,) = report.of("invalid-transition")
    assert (finding.where, finding.index) == ("a.txt:7", 0)


# ---------------------------------------------------------------- lines that the strict reader refuses


@CAREFUL
@given(st.sets(st.integers(0, 39), max_size=15), st.integers(0, 3))
def test_every_broken_line_is_named(tmp_path, broken, kind):
    """Whatever lines of a column file are spoilt, exactly those are findings, and the rest is read."""
    good = [f"字\t{'B-PER' if n % 4 == 0 else 'I-PER' if n % 4 == 1 else 'O'}" for n in range(40)]
    bad = ["字", "字\tX-PER", "字\tB-PER\tNN\tO", "\tO"][kind]
    text = "".join((bad if n in broken else line) + "\n" for n, line in enumerate(good))
    report = audit(write(tmp_path / "a.txt", text), task="ner")
    assert lines_of(report, "broken-line") == [n + 1 for n in sorted(broken)]
    assert report.subsets["train"]["characters"] == 40 - len(broken)


def test_every_broken_line_of_a_label_file(tmp_path):
    path = write(tmp_path / "a.txt", "好\tp\n没有标签\n坏\tn\n\tp\n很好\t\n很坏\tn\n")
    report = audit(path, task="classify")
    assert lines_of(report, "broken-line") == [2, 4, 5]
    assert [f.message.split()[0] for f in report.of("broken-line")] == ["no", "the", "the"]
    assert report.subsets["train"]["labels"] == {"n": 2, "p": 1}
    assert audit(path, task="classify").of("broken-line")[0].path == str(path)


def test_what_can_be_read_strictly_is_read_alike(tmp_path):
    lines = ("\ufeff-DOCSTART- O", "", "张\tB-PER", "三\tI-PER", "", "\u3000 O", "iPhone B_ORG")
    tags = write(tmp_path / "a.txt", "\r\n".join(lines) + "\r\n")
    labels = write(tmp_path / "b.txt", "a\tb\tp\r\n\r\n好 \t n \n")
    for path, read, task in ((tags, read_columns, "ner"), (labels, read_labels, "classify")):
        subset = read_subset("train", path, None, Reading())
        assert (subset.task, subset.findings, list(subset.examples)) == (task, [], read(path))
        assert [e.source for e in subset.examples] == [e.source for e in read(path)]


@pytest.mark.parametrize(
    ("content", "task", "message"),
    [
        ("", "ner", "no sentence"),
        ("\n\n", "classify", "no example"),
        ("没有标签\n没有标签\n", "ner", "a.txt:1: the token or tag is missing"),
        ("没有标签\n没有标签\n", "classify", "a.txt:1: no tab"),
        ("没有标签\n" * 300, "classify", "a.txt:1: no tab"),
    ],
)
def test_a_file_of_another_kind_cannot_be_audited(tmp_path, content, task, message):
    with pytest.raises(DataError, match=message):
        audit(write(tmp_path / "a.txt", content), task=task)


def test_no_file_no_task_no_example(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        audit(tmp_path / "none.txt")
    with pytest.raises(ConfigError, match="summary"):
        audit(CLEAN, task="summary")
    with pytest.raises(ConfigError, match="TaggedText"):
        audit([LabelledText("好", "p")], CLEAN[:1])
    with pytest.raises(DataError, match="dev set holds no example"):
        audit(CLEAN, [])


def test_schemes_that_are_mixed_or_wrong(tmp_path):
    path = column_file(tmp_path / "a.txt", "张/B-PER 三/I-PER 来/O", "北/B-LOC 京/M-LOC 市/E-LOC")
    assert lines_of(audit(path), "scheme") == [6]
    report = audit(path, scheme="bio")
    assert lines_of(report, "broken-line") == [6, 7]
    assert report.subsets["train"]["characters"] == 6  # the characters stay


def test_segmentation_digits(tmp_path):
    path = column_file(tmp_path / "a.txt", "科0/O 技1/O 张0/B-PER 三1/I-PER")
    report = audit(path)
    assert lines_of(report, "segmentation-digit") == [1]
    assert report.subsets["train"]["characters"] == 4
    assert audit(path, strip_segmentation_digits=True).of("segmentation-digit") == []


@CAREFUL
@given(st.binary(max_size=200) | st.text("字B-XIOE \t\n", max_size=60).map(str.encode))
def test_any_bytes_are_audited_or_refused(tmp_path, content):
    (tmp_path / "a.txt").write_bytes(content)
    for task in (None, "ner", "classify", "relation"):
        try:
            report = audit(tmp_path / "a.txt", task=task)
        except TutorError as error:
            assert "a.txt" in str(error)
        else:
            assert json.loads(json.dumps(report.to_json()))["task"] == report.task


# ---------------------------------------------------------------- encodings


def test_encodings(tmp_path):
    text = "张\tB-PER\n三\tI-PER\n在\tO\n北\tB-LOC\n京\tI-LOC\n"
    for encoding, name in (("utf-8", None), ("utf-8-sig", None), ("gb18030", "GB18030"), ("utf-16", "UTF-16")):
        found = audit(write(tmp_path / "a.txt", text, encoding)).of("encoding")
        assert [f.evidence["encoding"] for f in found] == ([name] if name else [])
    assert audit(write(tmp_path / "a.txt", text, "gb18030"), encoding="gb18030").of("encoding") == []


def test_lines_of_two_encodings(tmp_path):
    lines = [f"这是第{n}条评论，写得很好\tp".encode("gb18030" if n in (4, 9) else "utf-8") for n in range(1, 12)]
    lines[2] = b"\xff\xff\tn"
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines) + b"\n")
    report = audit(tmp_path / "a.txt", task="classify")
    assert lines_of(report, "encoding") == [3, 4, 9]
    assert report.subsets["train"]["examples"] == 11
    assert lines_of(report, "odd-character") == [3]  # what could not be decoded is reported as lost


def test_binary_files_are_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(DataError, match=r"a\.bin"):
        audit(tmp_path / "a.bin")


# ---------------------------------------------------------------- labels


def test_labels_that_train_lacks():
    dev = [TaggedText.from_spans("老钱来了", [Span(0, 2, "PRE")], "dev.txt:9")]
    report = audit(CLEAN, dev)
    (finding,) = report.of("unknown-label")
    assert (finding.where, finding.severity, finding.evidence["nearest"]) == ("dev.txt:9", "error", "PER")
    assert [f.evidence["likely"] for f in report.of("similar-labels")] == ["PER"]


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("PER", "PRE", True), ("LOC", "LOCATION", True), ("ORG", "OGR", True), ("ORG", "ORGG", True),
        ("PER", "PET", True), ("disease", "diseese", True), ("体育", "体育类", True), ("财经", "经财", True),
        ("per", "PER", False), ("PER", "LOC", False), ("体育", "教育", False), ("F101", "F102", False),
        ("F10", "F101", False), ("A", "B", False),
    ],
)  # fmt: skip
def test_slips(one, other, slip):
    assert one_slip(one, other) == one_slip(other, one) == slip


def test_similar_labels():
    counts = Counter({"PER": 500, "PRE": 3, "LOC": 400, "Loc": 300, "ORG": 50, "OGR": 40, "体育": 90, "教育": 2})
    assert similar_labels(counts) == [("Loc", "LOC"), ("PRE", "PER")]
    weibo = Counter({"PER.NOM": 772, "PER.NAM": 578, "GPE.NAM": 205, "GPE.NOM": 8, "GEP.NAM": 2})
    assert similar_labels(weibo) == [("GEP.NAM", "GPE.NAM")]


def test_class_balance():
    rare = [LabelledText(f"第{n}条", "好" if n else "坏") for n in range(30)]
    report = audit(rare, [LabelledText("新的", "好")])
    found = [finding.message for finding in report.of("class-balance")]
    assert ["坏 1" in found[0], "97% of train are '好'" in found[1], "lacks labels of train" in found[2]] == [True] * 3
    empty = [TaggedText(e.text, ("O",) * len(e)) for e in CLEAN]
    (finding,) = audit(empty).of("class-balance")
    assert finding.severity == "error"
    report = audit([*CLEAN[:10], *empty[20:]])
    assert ["93% of the sentences" in f.message for f in report.of("class-balance")] == [True]


# ---------------------------------------------------------------- texts that stand twice


def test_duplicates_leaks_and_conflicts():
    train = [*CLEAN[:50], CLEAN[3]]
    dev = [CLEAN[60], CLEAN[4], CLEAN[60]]
    wrong = TaggedText.from_spans(CLEAN[4].text, [Span(0, 2, "LOC"), Span(3, 5, "LOC")], "test.txt:1")
    report = audit(train, dev, [wrong, *CLEAN[70:80]])
    assert [(f.subset, f.index) for f in report.of("duplicate")] == [("train", 50), ("dev", 2)]
    assert [(f.subset, f.index) for f in report.of("leak")] == [("test", 0)]
    assert report.of("leak")[0].evidence["places"] == ["news.txt:4", "news.txt:4", "test.txt:1"]
    (conflict,) = report.of("conflict")
    assert conflict.where == "test.txt:1"
    assert "LOC 张某 here, PER 张某 in news.txt:4" in conflict.message
    labels = [LabelledText("很好", "p"), LabelledText("很好", "n")]
    assert "'n' here, 'p' in train[0]" in audit(labels).of("conflict")[0].message


def test_near_leaks_and_near_duplicates():
    text = "据新华社北京一月一日电，国务院今天召开会议，研究部署今年的经济工作，会议指出要继续坚持稳中求进的方针。"
    changed = text.replace("今天", "昨天")
    other = "昨天晚上本市下了今年的第一场雪，气象台说未来三天还会有小到中雪，请市民出行时注意安全，减少开车外出。"
    train = [LabelledText(text, "政"), LabelledText(other, "气"), LabelledText(other + "！", "政")]
    report = audit(train, test=[LabelledText(changed, "政"), LabelledText("完全不同的一句话", "气")])
    (leak,) = report.of("near-leak")
    assert (leak.subset, leak.index, leak.evidence["other"]) == ("test", 0, "train[0]")
    (twin,) = report.of("near-duplicate")
    assert (twin.subset, twin.index) == ("train", 2)
    assert "but '政' here and '气' there" in twin.message
    assert report.of("leak", "duplicate", "conflict") == []


def test_relations(tmp_path):
    """A sentence may hold several pairs; the same pair twice is a duplicate, with two relations a conflict alone."""
    sentence = "东方航空将与上海航空合并"
    rows = [("东方航空", "上海航空", "合并"), ("上海航空", "东方航空", "合并"), ("上海航空", "东方航空", "竞争")]
    train = write(tmp_path / "train.txt", "".join("\t".join([*row, sentence]) + "\n\n" for row in rows) + "没有\n")
    test = [RelationText("甲公司收购乙公司", "甲公司", "乙公司", "收购"), RelationText(sentence, *rows[0])]
    report = audit(train, test=test)
    assert report.task == "relation"
    assert report.subsets["train"]["labels"] == {"合并": 2, "竞争": 1}
    assert lines_of(report, "broken-line") == [7]
    (conflict,) = report.of("conflict", "duplicate")
    assert conflict.line == 5 and "the pair '上海航空', '东方航空' is '竞争' here, and '合并' in" in conflict.message
    twice = [RelationText(sentence, *rows[0]), *(RelationText(sentence, *rows[n]) for n in (0, 1, 2))]
    assert [(f.kind, f.index) for f in audit(twice).of("conflict", "duplicate")] == [("conflict", 3), ("duplicate", 1)]
    others = [RelationText(sentence, *rows[n]) for n in (1, 2, 2)]  # copies of the relation that came second
    assert [(f.kind, f.index) for f in audit(others).of("duplicate")] == [("duplicate", 2)]
    with pytest.raises(ConfigError, match=r"no relation is called 'N/A', .*; there are 合并, 竞争"):
        audit(train, task="relation", negative="N/A")
    assert audit(train, task="relation", negative="竞争").task == "relation"
    assert [f.index for f in report.of("leak")] == [1]
    assert report.of("unknown-label")[0].evidence["label"] == "收购"
    assert audit(train, label_errors=True).of("label-error")[0].severity == "note"


# ---------------------------------------------------------------- characters and lengths


@pytest.mark.parametrize("character", [*"\u200b\ufeff\u00ad\x07\t\ue000\ufffd\u2028\u00a0⼀\uf900\u0378"])
def test_odd_characters(character, tmp_path):
    assert odd(character)
    path = write(tmp_path / "a.txt", f"很好\tp\n不{character}好\tn\n一般\tn\n")
    (finding,) = audit(path, task="classify").of("odd-character")
    assert (finding.line, finding.evidence) == (2, {"character": f"U+{ord(character):04X}", "count": 1})
    assert finding.severity == ("error" if character == "\ufffd" else "warning")


def test_usual_characters_are_not_odd():
    assert [c for c in "一龥㐀𠀀，。“”…·—\u3000 aZ９é①℃♥😀" if odd(c)] == []
    assert audit([LabelledText("医生👩\u200d⚕️来了", "p"), LabelledText("好", "n")]).of("odd-character") == []


def test_the_end_of_a_line_of_windows_is_none_and_a_lone_carriage_return_is():
    assert audit([LabelledText("很好。\r\n再来", "p"), LabelledText("差", "n")]).of("odd-character") == []
    assert len(audit([LabelledText("很好。\r再来", "p"), LabelledText("差", "n")]).of("odd-character")) == 1


def test_two_widths():
    report = audit([LabelledText("版本1.0和2.0", "p"), LabelledText("版本３", "n")])
    (finding,) = report.of("odd-character")
    assert (finding.index, finding.evidence) == (1, {"full_width": 1, "ascii": 4})


def test_an_odd_character_behind_longer_tokens_has_its_own_line(tmp_path):
    path = column_file(tmp_path / "a.txt", "iPhone/O 很/O \u200b/O")
    assert lines_of(audit(path), "odd-character") == [3]


def test_long_texts():
    from hanlp_tutor.core.batching import windows

    lengths = [509, 510, 511, 764, 765, 766, 1020, 1021, 5000]
    found = audit([LabelledText("好" * length, "p") for length in lengths]).of("long-text")
    assert [f.evidence for f in found] == [{"characters": n, "windows": len(windows(n, 510))} for n in lengths[2:]]


# ---------------------------------------------------------------- probable label errors


def test_planted_label_errors_are_found_far_above_chance():
    reviews = load_corpus("reviews").train[:600]
    examples, planted = plant_label_errors(reviews, 0.05, seed=1)
    found = {f.index for f in audit(examples, label_errors=True).of("label-error")}
    hits = sum(error.index in found for error in planted)
    assert hits >= 0.4 * len(planted)
    assert hits >= 3 * 0.05 * len(found)  # three times as many as among texts drawn at random


def test_planted_tag_errors_are_found_far_above_chance():
    news = [e for e in load_corpus("peoples_daily").train if len(e.text) < 50 and e.spans][:800]
    examples, planted = plant_tag_errors(news, 0.05, seed=1)
    found = audit(examples, label_errors=True).of("label-error")
    assert [f.evidence["probability"] for f in found] == sorted(f.evidence["probability"] for f in found)
    for finding in found:
        assert finding.evidence["given"] != finding.evidence["expected"]
        assert finding.where == examples[finding.index].source

    places = {(f.index, position) for f in found for position in range(f.evidence["start"], f.evidence["end"])}
    hits = sum(any((e.index, position) in places for position in range(e.start, e.end)) for e in planted)
    assert hits >= 0.4 * len(planted)
    assert hits >= 3 * 0.05 * len(found)


def test_too_little_for_label_errors_is_reported():
    (note,) = audit(CLEAN[:10], label_errors=True).of("label-error")
    assert (note.severity, "10 texts are too few" in note.message) == ("note", True)
    rare = [LabelledText(f"第{n}条很好", "p") for n in range(60)] + [LabelledText("坏", "n")]
    messages = [f.message for f in audit(rare, label_errors=True).of("label-error")]
    assert ["too rare: n" in messages[0], "all have one label" in messages[1]] == [True, True]
    only_o = [TaggedText(f"第{n:02}条", ("O",) * 4) for n in range(60)]
    assert audit(only_o, label_errors=True).of("label-error") == []


# ---------------------------------------------------------------- the report


def test_the_report_in_all_its_forms(tmp_path):
    path = column_file(tmp_path / "a.txt", *["来/O 张/I-PER 三/I-PER"] * 11, "来/B-PER 张/I-LOC")
    report = audit(path)
    content = json.loads(json.dumps(report.to_json()))
    assert content["kinds"] == report.kinds() == {"invalid-transition": 12, "duplicate": 1, "class-balance": 1}
    assert content["counts"] == {"error": 12, "warning": 2, "note": 0}
    assert content["findings"][0]["line"] == 2
    assert set(content["kinds"]) <= set(KINDS)
    text = report.to_text()
    assert text.count(": read as") == 10
    assert "... and 2 more" in text
    assert f"{path}:2: I-PER" in text
    assert list(report.table()["where"])[:2] == [f"{path}:2", f"{path}:6"]
    assert report._repr_html_().count(": read as") == 10
    assert "2 more findings" in report._repr_html_()
    assert repr(report) == str(report) == text


# ---------------------------------------------------------------- real data


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published data sets are not beside this checkout")
@pytest.mark.parametrize(
    ("folder", "names", "errors"),
    [
        ("weibo", ("train.conll", "dev.conll", "test.conll"), {"segmentation-digit": 3, "invalid-transition": 14}),
        ("cmedqaner", ("train.txt", "dev.txt", "test.txt"), {}),
        ("finre", ("train.txt", "valid.txt", "test.txt"), {}),
    ],
)
def test_published_sets(folder, names, errors):
    report = audit(*(SHARED / folder / name for name in names))
    kinds = report.kinds()
    strip = {"strip_segmentation_digits": True} if folder == "weibo" else {}
    read = read_relations if folder == "finre" else read_columns
    texts = [{e.text for e in read(SHARED / folder / name, **strip)} for name in names]
    leaked = len(texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2])
    assert kinds.get("leak", 0) == leaked
    for kind in ("broken-line", "encoding", "scheme", "segmentation-digit", "invalid-transition"):
        assert kinds.get(kind, 0) == errors.get(kind, 0)


@pytest.mark.parametrize("name", ["peoples_daily", "reviews"])
def test_the_split_of_a_corpus_has_no_leak(name):
    """Also not nearly: what lesson 01 says, and what every score on a test set rests on."""
    corpus = load_corpus(name)
    subsets = [Subset(name, corpus.task, getattr(corpus, name)) for name in ("train", "dev", "test")]
    found = check_duplicates(subsets)
    assert [finding for finding in found if finding.severity == "error"] == []
    assert any(finding.kind == "near-duplicate" for finding in found)  # it does look
