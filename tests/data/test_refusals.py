"""Readers whose refusals are collected: clean files are read as ever, and of broken ones the rest, in one pass."""

import json
import sys
import threading

import pytest
from format_documents import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanlp_tutor.data import FORMATS, read_columns, read_documents, read_labels, write_documents
from hanlp_tutor.data import lines as lines_module
from hanlp_tutor.data.columns import ForeignTag, SegmentationDigits
from hanlp_tutor.data.lines import ForeignLine, read_lines
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.data.refusals import collecting, refusals_to
from hanlp_tutor.data.relations import read_relations
from hanlp_tutor.data.schemes import MixedSchemes
from hanlp_tutor.errors import DataError

CAREFUL = settings(max_examples=50, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def collected(read, *arguments, **options):
    """What is read, and what was refused."""
    refused = []
    with refusals_to(refused.append), notes_to(lambda note: None):
        return read(*arguments, **options), refused


def as_read(examples) -> list[tuple]:
    return [(example, example.source) for example in examples]


# ---------------------------------------------------------------- clean files


@pytest.mark.parametrize("name", FORMATS)
@CAREFUL
@given(data=st.data())
def test_a_clean_file_is_read_alike(tmp_path, name, data):
    count = 1 if name == "brat" else 4
    given_documents = data.draw(st.lists(documents(name), min_size=1, max_size=count))
    path = tmp_path / ("a.ann" if name == "brat" else "a.x")
    options = {"repeated": "any"} if name == "relation" else {}
    path.with_suffix(".txt").unlink(missing_ok=True)  # of a pair: no writer replaces a second file
    write_documents(path, given_documents, name, **options)
    with notes_to(lambda note: None):
        strict = read_documents(path, name)
    read, refused = collected(read_documents, path, name)
    assert (as_read(read), refused) == (as_read(strict), [])


# ---------------------------------------------------------------- broken lines

TEXT = st.text("张三李四在北京上海。", min_size=1, max_size=6)
LINES = {
    "columns": st.sampled_from(["张\tB-PER", "三\tI-PER", "在 O", "U.N. B_ORG", "", "-DOCSTART- O"]),
    "bmes": st.sampled_from(["张\tB-PER", "三\tE-PER", "在 O", "京\tS-LOC", ""]),
    "labels": st.builds("{}\t{}".format, TEXT, st.sampled_from(["好", "坏"])) | st.just(""),
    "relation": TEXT.map(lambda text: f"{text[0]}\t{text[-1]}\t在\t{text}"),
    "csv": st.builds("{},{}".format, TEXT, st.sampled_from(["好", "坏"])) | st.just(""),
    "tsv": st.builds("{}\t{}".format, TEXT, st.sampled_from(["好", "坏"])),
    "doccano": TEXT.map(lambda text: json.dumps({"text": text, "label": [[0, 1, "PER"]]}, ensure_ascii=False)),
    "clue": TEXT.map(lambda text: json.dumps({"text": text, "label": {"PER": {text: [[0, len(text) - 1]]}}})),
}
FILLED = {"columns": "在\tO", "bmes": "在\tO", "labels": "在\t好", "relation": "在\t在\t在\t在", "csv": "在,好",
          "tsv": "在\t好", "doccano": '{"text": "在", "label": []}', "clue": '{"text": "在", "label": {}}'}  # fmt: skip
HEAD = {"csv": ["text,label"], "tsv": ["text\tlabel"]}
BROKEN = {
    "columns": ["字", "字\tX-PER", "字\tB-PER\tNN\tO", "\tO", "U.N. NNP O"],
    "bmes": ["字", "字\tX-PER", "\tO"],
    "labels": ["没有标签", "\t好", "很好\t"],
    "relation": ["张\t三\t在", "张\t李\t在\t张三", "张\t三\t\t张三", "\t三\t在\t张三"],
    "csv": ["张,三,好", "张三,", '"张"三,好', '"张三,好', "没有标签"],
    "tsv": ["张\t三\t好", "张三\t", '"张三\t好'],
    "doccano": ['{"text": "张", "label": [', '{"text": "张"}', '{"text": "张", "label": [[0, 9, "A"]]}', "3", "张",
                '{"text": "张", "label": ["\\ud800"]}'],
    "clue": ['{"text": "张", "label": {', '{"text": "张"}', '{"text": "张", "label": {"A": {"三": [[0, 0]]}}}', "张"],
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
@CAREFUL
@given(data=st.data())
def test_a_broken_file_is_read_as_the_file_without_those_lines(tmp_path, name, data):
    good = [*data.draw(st.lists(LINES[name], max_size=8)), FILLED[name]]
    head = HEAD.get(name, [])
    mixed = [(line, True) for line in good]
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(mixed)))
        mixed.insert(place, (data.draw(st.sampled_from(BROKEN[name])), False))
    whole, path = tmp_path / "whole.x", tmp_path / "broken.x"
    whole.write_text("\n".join([*head, *good]) + "\n", encoding="utf-8")
    path.write_text("\n".join([*head, *(line for line, _ in mixed)]) + "\n", encoding="utf-8")
    first = 1 + len(head)
    numbers = [number for number, (_, is_good) in enumerate(mixed, first) if is_good]  # of the good lines, among others
    broken = [number for number, (_, is_good) in enumerate(mixed, first) if not is_good]

    examples, refused = collected(read_documents, path, name)
    expected, _ = collected(read_documents, whole, name)
    assert examples == expected
    lines = [int(example.source.rpartition(":")[2]) for example in expected]
    assert [e.source for e in examples] == [f"{path}:{numbers[line - first]}" for line in lines]
    assert sorted(error.line for error in refused) == broken
    assert all(str(error).startswith(f"{path}:{error.line}: ") and error.remedy for error in refused)
    with pytest.raises(DataError) as strict:
        read_documents(path, name)
    # JSON that breaks off in the first line may go on in the next: the strict reader names the line where it cannot
    assert str(strict.value) == str(refused[0]) or (name in ("doccano", "clue") and broken[0] == 1)


@pytest.mark.parametrize("name", LINES)
def test_one_pass_however_many_lines_are_refused(tmp_path, monkeypatch, name):
    """Calls are counted, not seconds: of twice as many lines there are twice as many, and one look at the disk."""
    reads = []
    plain = lines_module._read_bytes
    monkeypatch.setattr(lines_module, "_read_bytes", lambda path: reads.append(path) or plain(path))

    def calls(count: int) -> int:
        path = tmp_path / f"{count}.x"
        broken = BROKEN[name]
        body = [line for n in range(count) for line in (FILLED[name], broken[n % len(broken)])]
        path.write_text("\n".join([*HEAD.get(name, []), *body]) + "\n", encoding="utf-8")
        made = 0

        def count_call(frame, event, argument):
            nonlocal made
            made += event in ("call", "c_call")

        reads.clear()
        sys.setprofile(count_call)
        try:
            examples, refused = collected(read_documents, path, name)
        finally:
            sys.setprofile(None)
        assert len(refused) == count and len(reads) == 1
        assert sum(map(len, (example.text for example in examples))) == count
        return made

    calls(100)  # what is remembered from line to line is remembered now
    assert calls(800) < 2.1 * calls(400)


# ---------------------------------------------------------------- faults that concern more than a line


def test_faults_that_are_read_over(write):
    digits, refused = collected(read_columns, write("科0\tO\n技1\tO\n\n张0\tB-A\n"))
    assert ([e.text for e in digits], [type(e) for e in refused]) == (["科技", "张"], [SegmentationDigits])
    mixed, refused = collected(read_columns, write("张 B-A\n三 M-A\n\n李 B-A\n四 I-A\n"))
    assert ([e.tags for e in mixed], refused[0].line, refused[0].tag) == ([("B-A", "I-A")] * 2, 5, "I-A")
    assert [type(e) for e in refused] == [MixedSchemes]
    foreign, refused = collected(read_columns, write("张 B-A\n三 E-A\n"), scheme="bio")
    assert (foreign[0].tags, [(type(e), e.line) for e in refused]) == (("B-A", "O"), [(ForeignTag, 2)])
    missing, refused = collected(read_columns, write("科0\tO\n技\tO\n"), strip_segmentation_digits=True)
    assert ([e.text for e in missing], [e.line for e in refused]) == (["科"], [2])


def test_lines_of_another_encoding(write):
    lines = [("一二三四五\t好" if n else "\ufeff第一行\t好").encode("gb18030" if n == 3 else "utf-8") for n in range(9)]
    lines[5] = b"\xff\xff\tx\r"
    path = write(b"\n".join(lines) + b"\n")
    for encoding in (None, "utf-8"):
        examples, refused = collected(read_labels, path, encoding=encoding)
        assert [e.text for e in examples] == ["第一行", *["一二三四五"] * 4, "\ufffd\ufffd", *["一二三四五"] * 3]
        assert [(type(e), e.line) for e in refused] == [(ForeignLine, 4), (ForeignLine, 6)]
        assert [e.encoding for e in refused] == ["GB18030", "UTF-8 with replacement characters"]
        with pytest.raises(DataError, match=r"encoding|UTF-8"):
            read_labels(path, encoding=encoding)
    for content in (b"\xff\n" * 3, bytes(range(256)) * 4):  # most of it is no UTF-8, or it is no text at all
        with pytest.raises(DataError) as strict:
            read_lines(write(content), None)
        with pytest.raises(DataError) as lenient:
            collected(read_lines, write(content), None)
        assert str(strict.value) == str(lenient.value)


def test_an_open_quote_takes_no_other_row_with_it(write):
    path = write('text,label\n好,正\n"坏,负\n差,负\n"两\n行",正\n很好,正\n')
    read, refused = collected(read_documents, path, "csv")
    assert [e.text for e in read] == ["好", "差", "两\n行", "很好"]
    assert [(e.line, "is no table" in e.message) for e in refused] == [(3, True)]


def test_a_list_of_objects(write):
    good = '{"text": "好", "label": []}'
    path = write("[\n" + ",\n".join([good, '{"text": "坏" "label": []}', good, '{"text": 3}', "{bad}"]) + "\n]\n")
    read, refused = collected(read_documents, path, "doccano")
    assert (len(read), sorted(e.line for e in refused)) == (2, [3, 5, 6])
    # without its bracket an element goes on in the next line: where that one begins is not known
    for broken in ('{"text": "坏", "label": [[0, 1, "A"]', '{"text": "坏", "label": []'):
        with pytest.raises(DataError, match=r"a\.x:\d: is no JSON"):
            collected(read_documents, write("[\n" + ",\n".join([good, broken, good]) + "\n]\n"), "doccano")
    whole = write('{"text": "好",\n "label": []}\n')  # one object over several lines
    assert collected(read_documents, whole, "doccano") == (read_documents(whole, "doccano"), [])


# ---------------------------------------------------------------- the block


@pytest.mark.parametrize("read", [read_columns, read_labels, read_relations])
def test_what_is_wrong_with_the_whole_file_is_raised(write, tmp_path, read):
    for path in (write("\n\n"), tmp_path / "absent.x"):
        with pytest.raises(DataError) as strict:
            read(path)
        with pytest.raises(DataError) as lenient:
            collected(read, path)
        assert str(strict.value) == str(lenient.value)


def test_the_block_ends_and_may_hold_another(write):
    path = write("没有标签\n好\tp\n")
    outer, inner = [], []
    with refusals_to(outer.append):
        read_labels(path)
        with refusals_to(inner.append), pytest.raises(ZeroDivisionError):
            read_labels(path)
            raise ZeroDivisionError
        read_labels(path)
        other = []  # another thread reads for itself
        thread = threading.Thread(target=lambda: other.append(collecting()))
        thread.start()
        thread.join()
    assert (len(outer), len(inner), other, collecting()) == (2, 1, [False], False)
    with pytest.raises(DataError, match="no tab"):
        read_labels(path)


def test_a_collector_may_have_enough(write):
    """An error of its own ends the reading: such as that of a file with more faults than anyone reads."""

    def one_is_enough(error):
        raise error

    with pytest.raises(DataError, match=r"a\.x:1: no tab"), refusals_to(one_is_enough):
        read_labels(write("没有标签\n好\tp\n"))
