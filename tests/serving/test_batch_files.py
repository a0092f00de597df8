"""Files of any size: order kept, gone on with after any interruption, errors with the line."""

import csv
import errno
import io
import json
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanlp_tutor.errors import ConfigError, DataError, InputError
from hanlp_tutor.serving import batch_files
from hanlp_tutor.serving.batch_files import label_file


def parrot(inputs):
    """A classifier whose class is the length of the text."""
    return [{"text": text, "label": str(len(text)), "score": 0.5} for text in inputs]


def first_two(inputs):
    """A tagger that takes the first two characters for a name."""
    return [
        {"text": text, "entities": [{"start": 0, "end": min(2, len(text)), "label": "PER", "text": text[:2]}]}
        for text in inputs
    ]


def read_csv(content):
    return list(csv.reader(io.StringIO(content, newline="")))


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@SOME
@given(st.lists(st.tuples(TEXT, TEXT), max_size=9), st.integers(1, 4), st.integers(0, 8))
def test_csv_any_fields_any_interruption(tmp_path_factory, monkeypatch, rows, chunk, stop):
    """Quotation marks, line ends within fields, commas: what Python's csv wrote, and the answer at the end."""
    folder = tmp_path_factory.mktemp("csv")
    source, out = folder / "in.csv", folder / "out.csv"
    with open(source, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *rows])
    monkeypatch.setattr(batch_files, "CHUNK", chunk)
    calls = []

    def breaks(inputs):
        calls.append(inputs)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return parrot(inputs)

    try:
        label_file(breaks, source, out)
    except KeyboardInterrupt:
        assert not out.exists()
        done = label_file(parrot, source, out)
        assert done == {"records": len(rows), "before": chunk * (stop - 1)}
    expected = [["id", "text", "prediction", "prediction_score"], *([a, b, str(len(b)), "0.5"] for a, b in rows)]
    assert read_csv(out.read_bytes().decode("utf-8")) == expected
    assert sorted(path.name for path in folder.iterdir()) == ["in.csv", "out.csv"]


@SOME
@given(st.lists(TEXT.filter(lambda text: "\n" not in text and "\r" not in text), max_size=9), st.booleans())
def test_lines_and_jsonl_keep_every_record(tmp_path_factory, texts, windows):
    folder = tmp_path_factory.mktemp("lines")
    end = "\r\n" if windows else "\n"
    (folder / "in.txt").write_bytes("".join(text + end for text in texts).encode("utf-8"))
    label_file(parrot, folder / "in.txt", folder / "out.jsonl")
    lines = (folder / "out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    expected = texts if not texts or not texts[0].startswith("\ufeff") else [texts[0][1:], *texts[1:]]
    assert [json.loads(line)["text"] for line in lines] == expected
    rows = [{"id": number, "body": text} for number, text in enumerate(texts)]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    label_file(parrot, folder / "in.jsonl", folder / "out2.jsonl", column="body")
    found = [json.loads(line) for line in (folder / "out2.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert found == [{**row, "prediction": {"label": str(len(row["body"])), "score": 0.5}} for row in rows]


def test_half_a_surrogate_pair_leaves_as_the_escape_that_it_came_as(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "\\ud83d好"}\n', encoding="utf-8")
    label_file(parrot, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    found = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert found == {"text": "\ud83d好", "prediction": {"label": "2", "score": 0.5}}


def test_columns_keep_their_lines_and_get_a_tag(tmp_path):
    (tmp_path / "in.bio").write_text("王\tB-PER\n小\tI-PER\n明\tI-PER\n\n\n上 O\n海 O\n", encoding="utf-8")
    label_file(first_two, tmp_path / "in.bio", tmp_path / "out.bio")
    assert (tmp_path / "out.bio").read_text(encoding="utf-8") == (
        "王\tB-PER\tB-PER\n小\tI-PER\tI-PER\n明\tI-PER\tO\n\n上 O B-PER\n海 O I-PER\n\n"
    )
    with pytest.raises(ConfigError, match="named entities"):
        label_file(parrot, tmp_path / "in.bio", tmp_path / "other.bio")


def test_pairs_go_to_a_model_of_relations(tmp_path):
    (tmp_path / "in.csv").write_text("head,tail,text\n甲,乙,甲在乙\n", encoding="utf-8")
    asked = []

    def relation(inputs):
        asked.extend(inputs)
        return [{"relation": "在", "score": 1.0, "text": "", "head": "", "tail": ""} for _ in inputs]

    label_file(relation, tmp_path / "in.csv", tmp_path / "out.csv")
    assert asked == [{"head": "甲", "tail": "乙", "text": "甲在乙"}]
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1] == "甲,乙,甲在乙,在,1.0"


@pytest.mark.parametrize(
    "name, content, line, message",
    [
        ("a.jsonl", '{"text": "a"}\n{"text"\n', 2, "not JSON"),
        ("a.jsonl", '{"text": "a"}\n\n[1]\n', 3, "an object belongs here"),
        ("a.jsonl", '{"body": "a"}\n', 1, "--column body"),
        ("a.csv", "text,n\na,1\nb\n", 3, "1 fields, the header has 2"),
        ("a.csv", 'text,n\na,1\n"b,1\n', 3, "quotation marks"),
        ("a.csv", "", 1, "a header"),
        ("a.txt", b"a\nb\n\xc4\xe3\n", 3, "--encoding gb18030"),
        ("a.txt", "a\n好\n".encode() + b"\xc4\n", 3, "this one is damaged: mend or remove it. 2 records are kept"),
        ("a.txt", b"\xc4\n" + "好\n".encode(), 1, "this one is damaged"),
        ("a.txt", "a\n好\n".encode("utf-16"), 1, "iconv -f UTF-16"),
        ("a.txt", b"\xff\xfd\xfd\n", 1, "--encoding NAME"),
        ("a.jsonl", '{"text": "a", "prediction": 1}\n', 1, "Rename it"),
    ],
)
def test_a_broken_record_is_named_and_what_came_before_is_kept(tmp_path, monkeypatch, name, content, line, message):
    monkeypatch.setattr(batch_files, "CHUNK", 1)
    source, out = tmp_path / name, tmp_path / "out"
    source.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    with pytest.raises(DataError, match=message) as error:
        label_file(parrot, source, out)
    assert error.value.line == line and not out.exists() and not (tmp_path / "out.partial.lock").exists()
    assert (tmp_path / "out.partial").exists() == (line > 1 and "encoding" not in message)
    if "damaged" in message and line == 3:  # mended, it goes on
        source.write_bytes("a\n好\n你\n".encode())
        assert label_file(parrot, source, out) == {"records": 3, "before": 2}


def test_a_record_that_the_model_refuses_is_named(tmp_path):
    (tmp_path / "in.txt").write_text("a\nb\nbad\n", encoding="utf-8")

    def choosy(inputs):
        if "bad" in inputs:
            raise InputError("no")
        return parrot(inputs)

    with pytest.raises(DataError, match="no") as error:
        label_file(choosy, tmp_path / "in.txt", tmp_path / "out")
    assert error.value.line == 3


def test_what_is_gone_on_with_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_files, "CHUNK", 1)
    source, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("a\nb\nc\n", encoding="utf-8")

    def twice(inputs):
        if inputs == ["c"]:
            raise KeyboardInterrupt
        return parrot(inputs)

    with pytest.raises(KeyboardInterrupt):
        label_file(twice, source, out, model="one")
    with pytest.raises(ConfigError, match="begun with model 'one', this is 'two'"):
        label_file(parrot, source, out, model="two")
    source.write_text("x\nb\nc\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="another content"):
        label_file(parrot, source, out, model="one")
    assert label_file(parrot, source, out, model="one", fresh=True) == {"records": 3, "before": 0}
    assert json.loads(out.read_text(encoding="utf-8").splitlines()[0])["text"] == "x"


def test_wrong_use(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("a\n", encoding="utf-8")
    for name, out, message in (
        ("in.txt", source, "overwrite its own source"),
        ("in.xlsx", tmp_path / "out", "--file"),
        ("in.txt", tmp_path, "is a folder"),
    ):
        (tmp_path / name).touch()
        with pytest.raises(ConfigError, match=message):
            label_file(parrot, tmp_path / name, out)
    (tmp_path / "in.csv").write_text("body\na\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="--column body "):
        label_file(parrot, tmp_path / "in.csv", tmp_path / "out")


def test_another_encoding_is_read_as_told_and_written_in_utf_8(tmp_path):
    (tmp_path / "in.csv").write_text("id,内容\n1,很好\n", encoding="gb18030")
    label_file(parrot, tmp_path / "in.csv", tmp_path / "out.csv", column="内容", encoding="gb18030")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1] == "1,很好,2,0.5"
    with pytest.raises(ConfigError, match="iconv -f UTF-16 "):
        label_file(parrot, tmp_path / "in.csv", tmp_path / "out.csv", encoding="utf-16")
    with pytest.raises(ConfigError, match="no encoding 'gbx'"):
        label_file(parrot, tmp_path / "in.csv", tmp_path / "out.csv", encoding="gbx")


def test_a_file_of_somebody_else_is_not_written_over(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a"}\n', encoding="utf-8")
    for name, form, message in (
        ("notes.jsonl", None, "is no answer to"),
        ("notes.csv", None, "out .*notes.jsonl"),
        ("notes.txt", "lines", "an object of JSON"),
    ):
        (tmp_path / name).write_text("mine\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=message):
            label_file(parrot, source, tmp_path / name, form=form)
        assert (tmp_path / name).read_text(encoding="utf-8") == "mine\n"
    for fresh in (True, False):  # its own answer it does replace
        assert label_file(parrot, source, tmp_path / "notes.jsonl", fresh=fresh)["records"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
def test_a_link_stays_and_a_pipe_is_refused(tmp_path):
    source, target, link = tmp_path / "in.txt", tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    source.write_text("a\n", encoding="utf-8")
    link.symlink_to(target)
    label_file(parrot, source, link)
    assert link.is_symlink() and json.loads(target.read_text(encoding="utf-8"))["label"] == "1"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="--json < FILE"):
        label_file(parrot, source, tmp_path / "pipe")


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    source, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("a\n", encoding="utf-8")

    def meanwhile(inputs):
        with pytest.raises(ConfigError, match="another run writes"):
            label_file(parrot, source, out)
        return parrot(inputs)

    assert label_file(meanwhile, source, out)["records"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.jsonl"]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.csv", "编号,内容\n1,很好\n", "--column .内容. "),
        ("a.csv", "id;text\n1;a\n", "';' seems to stand between the columns, not ','. Save it with that, as CSV"),
        ("a.csv", "酒店很好，早餐也不错。\n房间小。\n", "--format lines each line is a text"),
        ("a.csv", "1,酒店很好，早餐也不错。\n2,房间小。\n", "names of the columns, 'text' for the texts, of pairs"),
        ("a.csv", "text,prediction\na,b\n", "'prediction' already. Rename it"),
    ],
)
def test_the_column_with_the_texts_is_found(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        label_file(parrot, tmp_path / name, tmp_path / "out")


def test_a_tagger_has_no_score_of_a_whole_row(tmp_path):
    (tmp_path / "in.csv").write_text("text\n王明\n", encoding="utf-8")
    label_file(first_two, tmp_path / "in.csv", tmp_path / "out.csv")
    rows = read_csv((tmp_path / "out.csv").read_text(encoding="utf-8"))
    assert rows[0] == ["text", "prediction"] and json.loads(rows[1][1])[0]["text"] == "王明"


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text("a\n", encoding="utf-8")

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(batch_files.os, "fsync", full)
    with pytest.raises(OSError, match=r"out\.jsonl\.partial"):
        label_file(parrot, tmp_path / "in.txt", tmp_path / "out.jsonl")


def test_killed_and_gone_on_with_by_the_command(tagger_folder, tmp_path):
    """A real process, killed while it writes; the same command finishes it."""
    texts = [f"第{number}天王小明从上海飞往北京。" for number in range(3000)]
    (tmp_path / "in.csv").write_text("text\n" + "\n".join(texts) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "hanlp_tutor.cli", "predict", str(tagger_folder), "--in", str(tmp_path / "in.csv"),
               "--out", str(tmp_path / "out.csv"), "--json"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    state = tmp_path / "out.csv.partial.json"
    while not state.exists() and process.poll() is None:
        pass
    process.kill()
    process.communicate()
    assert not (tmp_path / "out.csv").exists()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HANLP_TUTOR_PROGRESS": "lines"})
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["records"] == 3000 and told["before"] >= 512, done.stderr
    rows = read_csv((tmp_path / "out.csv").read_text(encoding="utf-8"))
    assert [row[0] for row in rows] == ["text", *texts]
