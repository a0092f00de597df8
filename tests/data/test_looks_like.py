"""A file that no reader takes as it stands: its error says what it looks like, and the remedy in it works."""

import json
import pickle
import re
import shlex
import tarfile
import zipfile
import zlib

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.data import LabelledText, read_examples
from hanlp_tutor.errors import DataError

SENTENCE = [("赵", "B-PER"), ("云", "I-PER"), ("在", "O"), ("东", "B-ORG"), ("风", "I-ORG"), ("。", "O")]
TEXTS = [f"酒店很好，服务不错{n}" for n in range(20)]
LABELS = ["负面", "正面"] * 10


@pytest.mark.parametrize(
    "name, content, what",
    [
        ("a.csv", 'text,entities\n王明在上海,"[[0,2,""PER""]]"\n李雷在北京,"[[0,2,""PER""]]"\n', "entities as JSON"),
        ("a.jsonl", '{"text": "王明在上海", "found": [[0, 2, "PER"]]}\n' * 2, "lists under 'found'"),
    ],
)
def test_entities_in_another_shape_are_told_the_line_that_is_read(tmp_path, name, content, what):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=what) as error:
        read_examples("ner", tmp_path / name)
    shape = re.search(r"\{.*\}", error.value.remedy)[0].replace("...", "王明在上海").replace("start, end", "0, 2")
    (tmp_path / "new.jsonl").write_text(shape + "\n", encoding="utf-8")
    assert read_examples("ner", tmp_path / "new.jsonl")[0].text == "王明在上海"


def columns(write, sentences=12):
    blocks = ("".join(write(n, token, tag) + "\n" for n, (token, tag) in enumerate(SENTENCE)) for _ in range(sentences))
    return "\n".join(blocks)


def lines(write):
    return "".join(write(n, text, label) + "\n" for n, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)))


def objects(write):
    return lines(lambda n, text, label: json.dumps(write(n, text, label), ensure_ascii=False))


CONLL = "-DOCSTART- -X- O O\n\n" + columns(lambda n, token, tag: f"{token} NN B-NP {tag}")
# Name -> the file, its content, the task that it is for, and words of what it looks like.
READABLE = {
    "CoNLL 2003": ("a.txt", CONLL, "ner", "columns with 4 fields a line, as CoNLL 2003"),
    "CoNLL 2003 with tabs": ("a.txt", CONLL.replace(" ", "\t"), "ner", "columns with 4 fields"),
    "three columns": ("a.txt", columns(lambda n, token, tag: f"{token}\tNN\t{tag}"), "ner", "columns with 3 fields"),
    "CoNLL-U": (
        "a.conllu",
        "# sent_id = 1\n" + columns(lambda n, token, tag: f"{n + 1}\t{token}\t_\tNN\t{tag}"),
        "ner",
        "the first of which numbers the tokens",
    ),
    "numbered from 0": ("a.txt", columns(lambda n, token, tag: f"{n}\t{token}\t{tag}"), "ner", "numbers the tokens"),
    "small letters": ("a.txt", columns(lambda n, token, tag: f"{token} {tag.lower()}"), "ner", "tags in small letters"),
    "small letters, tabs": (
        "a.txt",
        columns(lambda n, token, tag: f"{token}\t{tag.lower()}"),
        "ner",
        "tags in small letters (b-per)",
    ),
    "small letters, numbered": (
        "a.txt",
        columns(lambda n, token, tag: f"{n}\t{token}\t{tag.lower()}"),
        "ner",
        "small letters",
    ),
    "tag first": ("a.txt", columns(lambda n, token, tag: f"{tag}\t{token}"), "ner", "the tag before the token"),
    "label first": ("a.txt", lines(lambda n, text, label: f"{label}\t{text}"), "classify", "columns look swapped"),
    "many labels first": (
        "a.txt",
        lines(lambda n, text, label: f"类{n % 13}\t{text}"),
        "classify",
        "columns look swapped",
    ),
    "numbered texts": ("a.txt", lines(lambda n, text, label: f"{n}\t{text}\t{label}"), "classify", "3 columns"),
    "no header": ("a.csv", lines(lambda n, text, label: f"{text},{label}"), "classify", "2 columns without a header"),
    "no header, label first": (
        "a.csv",
        lines(lambda n, text, label: f"{n % 2},{text}"),
        "classify",
        "2 columns without a header",
    ),
    "heads of their own": (
        "a.csv",
        "编号,正文,类别\n" + lines(lambda n, text, label: f"{n},{text},{label}"),
        "classify",
        "3 columns whose heads are none of the usual ones",
    ),
    "heads of their own between tabs": (
        "a.tsv",
        "编号\t正文\t类别\n" + lines(lambda n, text, label: f"{n}\t{text}\t{label}"),
        "classify",
        "3 columns whose heads are none of the usual ones",
    ),
    "two heads of their own": (
        "a.txt",
        "正文\t类别\n" + lines(lambda n, text, label: f"{text}\t{label}"),
        "classify",
        "2 columns whose heads are none of the usual ones",
    ),
    "heads that no list knows": (
        "a.csv",
        "号,话,意\n" + lines(lambda n, text, label: f"{n},{text},{label}"),
        "classify",
        "3 columns whose heads are none of the usual ones",
    ),
    "no header, in a .txt": ("a.txt", lines(lambda n, text, label: f"{text},{label}"), "classify", "without a header"),
    "keys of their own": (
        "a.json",
        objects(lambda n, text, label: {"abst": text, "label": label}),
        "classify",
        "the keys 'abst', 'label'",
    ),
    "doccano in a .txt": (
        "a.txt",
        objects(lambda n, text, label: {"text": text, "label": [[0, 2, "X"]]}),
        "ner",
        "the format doccano",
    ),
}


@pytest.fixture
def files(tmp_path):
    def make(name):
        file, content, *rest = READABLE[name]
        path = tmp_path / file
        path.write_text(content, encoding="utf-8")
        return path, *rest

    return make


def remedy_of(message):
    """What a message says to pass: as arguments of a command, and of a Python function."""
    typed, python = re.search(r"Pass (.+?) \(in Python: (.+?)\)[ .,]", message).groups()
    return shlex.split(typed), eval(f"dict({python})")


@pytest.mark.parametrize("name", READABLE)
def test_the_error_of_reading_says_what_it_is_and_its_remedy_works(files, name):
    path, task, words = files(name)
    with pytest.raises(DataError, match=re.escape(words)) as error:
        read_examples(task, path)
    _, options = remedy_of(str(error.value))
    examples = read_examples(task, path, **options)
    assert len(examples) == (12 if task == "ner" and "doccano" not in name else 20)
    if task == "ner":
        assert {span.label.upper() for span in examples[-1].spans} in ({"PER", "ORG"}, {"X"})
    else:
        assert "酒店" in examples[0].text
        assert "\t" not in examples[0].text
        assert len({example.label for example in examples}) in (2, 13)


@pytest.mark.parametrize("name", [name for name in READABLE if name != "doccano in a .txt"])
def test_the_audit_says_what_it_is_and_its_remedy_works(files, name):
    path, task, words = files(name)
    refused = CliRunner().invoke(app, ["audit", str(path)])
    assert refused.exit_code == 2
    assert words in refused.stderr
    report = CliRunner().invoke(app, ["audit", str(path), *remedy_of(refused.stderr)[0], "--json"])
    content = json.loads(report.stdout.splitlines()[-1])
    assert content["task"] == task
    assert content["sides"]["train"]["examples"] == (12 if task == "ner" else 20)


@pytest.mark.parametrize("name", [n for n in READABLE if n != "doccano in a .txt"])
def test_convert_says_what_it_is_and_its_remedy_works(files, tmp_path, name):
    path, task, words = files(name)
    wanted = ["convert", str(path), str(tmp_path / "out.jsonl"), "--to", "doccano"]
    refused = CliRunner().invoke(app, wanted)
    assert refused.exit_code == 2
    assert words in refused.stderr
    done = CliRunner().invoke(app, [*wanted, *remedy_of(refused.stderr)[0]])
    assert (done.exit_code, done.stdout.split()[0]) == (0, "12" if task == "ner" else "20")


def write_archives(folder):
    """Files that are no text, and words of what they are."""
    (folder / "plain.txt").write_text("好\t正\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("admin.jsonl", "{}")
    for name, inside in (("a.xlsx", "xl/workbook.xml"), ("a.docx", "word/document.xml"), ("a.pt", "m/data.pkl")):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(inside, "<x/>")
    with zipfile.ZipFile(folder / "a.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.add(folder / "plain.txt")
    (folder / "cut.xlsx").write_bytes((folder / "a.xlsx").read_bytes()[:60])
    (folder / "a.pkl").write_bytes(pickle.dumps([("好", "正")]))
    (folder / "a.spacy").write_bytes(zlib.compress(b"x" * 100))
    begin = {
        "a.bz2": b"BZh91AY&SY",
        "a.gz": b"\x1f\x8b\x08\0",
        "a.7z": b"7z\xbc\xaf\x27\x1c",
        "a.rar": b"Rar!\x1a\x07\x01\0",
        "a.parquet": b"PAR1",
        "a.feather": b"ARROW1\0\0",
        "a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a.pdf": b"%PDF-1.4\n",
        "a.db": b"SQLite format 3\0",
    }
    for name, content in begin.items():
        (folder / name).write_bytes(content + b"\1\2\3" * 100)


NO_TEXT = {
    "a.zip": "an archive (zip of admin.jsonl)",
    "a.gz": "an archive (gzip)",
    "a.bz2": "an archive (bzip2)",
    "a.7z": "an archive (7z)",
    "a.rar": "an archive (rar)",
    "a.tar": "an archive (tar)",
    "a.xlsx": "a workbook (xlsx)",
    "cut.xlsx": "a workbook (xlsx)",
    "a.ods": "a workbook (ods)",
    "a.xls": "a workbook (xls)",
    "a.docx": "a document of a word processor",
    "a.pt": "a model saved by PyTorch",
    "a.parquet": "a Parquet file",
    "a.feather": "an Arrow file",
    "a.pkl": "a pickle of Python",
    "a.spacy": "documents of spaCy",
    "a.pdf": "a PDF document",
    "a.db": "an SQLite data base",
}


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.parametrize("encoding", ["utf-8", None])
def test_what_is_no_text_is_named(tmp_path, name, encoding):
    write_archives(tmp_path)
    path = tmp_path / name
    with pytest.raises(DataError, match=re.escape(NO_TEXT[name])):
        read_examples("classify", path, encoding=encoding)
    for command in (f"audit {path}", f"audit {path} --task ner", f"convert {path} {tmp_path}/o --to csv"):
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 2
        assert NO_TEXT[name] in result.stderr
        assert "save it as UTF-8" not in result.stderr


def test_a_row_that_could_be_a_head_stays_a_row(tmp_path):
    """A rare class in the first line is no head, as nothing below is numbered and other rows are as short."""
    path = tmp_path / "a.csv"
    path.write_text("好,罕见\n" + lines(lambda n, text, label: f"{text},{label}"), encoding="utf-8")
    with pytest.raises(DataError, match="2 columns without a header"):
        read_examples("classify", path)
    path = tmp_path / "a.txt"
    path.write_text("好\t罕见\n" + lines(lambda n, text, label: f"{text}\t{label}"), encoding="utf-8")
    assert read_examples("classify", path)[0] == LabelledText("好", "罕见")


TEXT_OF_NO_KIND = {
    "a.html": ("<!DOCTYPE html>\n<html>\n", "a page of HTML"),
    "lfs.txt": ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "a pointer of Git LFS"),
    "ocnli.json": (
        objects(lambda n, text, label: {"sentence1": text, "sentence2": text, "label": label}),
        "pairs of texts (sentence1, sentence2)",
    ),
    "test.json": (objects(lambda n, text, label: {"id": n, "sentence": text, "keywords": ""}), "texts without labels"),
    "cmrc.json": (
        json.dumps({"data": [{"paragraphs": [{"context": "好", "qas": [{"question": "?"}]}]}]}, ensure_ascii=False),
        "a set of questions",
    ),
    "spacy.json": (json.dumps([["张三来了", {"entities": [[0, 2, "PER"]]}]], ensure_ascii=False), "as spaCy 2 has"),
    "chat.json": (objects(lambda n, text, label: {"instruction": text, "output": label}), "dialogues"),
    "fasttext.txt": (lines(lambda n, text, label: f"__label__{label} {text}"), "lines of fastText"),
    "space.txt": (lines(lambda n, text, label: f"{text} {label}"), "(正面, 负面) last, behind a space"),
    "commas.csv": (columns(lambda n, token, tag: f"{token},{tag}"), "tokens and tags with commas between"),
    "nested.json": (
        json.dumps({str(n): {"text": text, "label": "a"} for n, text in enumerate(TEXTS)}, ensure_ascii=False),
        "one JSON object that holds an object for each text",
    ),
    "pandas.json": (
        json.dumps({name: dict(enumerate(TEXTS)) for name in ("text", "label")}, ensure_ascii=False),
        "a JSON table by columns",
    ),
    "data.json": (
        json.dumps({"version": 1, "data": [{"text": "好", "label": "a"}] * 3}),
        "whose 'data' lists the texts",
    ),
    "semicolons.csv": (lines(lambda n, text, label: f"{text};{label}"), "a table with ; between"),
    "plain.txt": ("\n".join(TEXTS), "lines of text without labels"),
}


@pytest.mark.parametrize("name", TEXT_OF_NO_KIND)
def test_what_nobody_reads_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_text(TEXT_OF_NO_KIND[name][0], encoding="utf-8")
    for task in ("ner", "classify"):
        with pytest.raises(DataError, match=re.escape(TEXT_OF_NO_KIND[name][1])):
            read_examples(task, path)
    assert TEXT_OF_NO_KIND[name][1] in CliRunner().invoke(app, ["audit", str(path)]).stderr


def test_one_broken_line_is_no_other_kind_of_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(columns(lambda n, token, tag: f"{token}\t{tag}") + "\n赵 NN B-NP B-PER\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_examples("ner", path)
    assert (error.value.line, "looks like" in str(error.value)) == (85, False)
    path.write_text(lines(lambda n, text, label: f"{text}\t{label}") + "没有标签\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_examples("classify", path)
    assert (error.value.line, "looks like" in str(error.value)) == (21, False)


def test_another_encoding_is_said_first(tmp_path):
    (tmp_path / "a.txt").write_bytes(CONLL.encode("gb18030"))
    with pytest.raises(DataError, match="gb18030") as error:
        read_examples("ner", tmp_path / "a.txt")
    assert "looks like" not in str(error.value)


FOR_ANOTHER_TASK = [
    ("classify", "a.bio", columns(lambda n, token, tag: f"{token}\t{tag}"), "ner"),
    ("classify", "a.bio", columns(lambda n, token, tag: f"{token} {tag}"), "ner"),
    ("classify", "a.bio", columns(lambda n, token, tag: f"{token}\t{tag.replace('I-', 'E-')}"), "ner"),
    ("classify", "a.bio", columns(lambda n, token, tag: f"{token}\tO"), "ner"),
    ("classify", "a.jsonl", objects(lambda n, text, label: {"text": text, "label": [[0, 2, "X"]]}), "ner"),
    ("ner", "a.txt", lines(lambda n, text, label: f"{text}\t{label}"), "classify"),
    ("ner", "a.csv", "text,label\n" + lines(lambda n, text, label: f"{text},{label}"), "classify"),
    ("ner", "a.jsonl", objects(lambda n, text, label: {"text": text, "label": [label]}), "classify"),
]


@pytest.mark.parametrize(("task", "name", "content", "right"), FOR_ANOTHER_TASK)
def test_a_file_for_another_task_is_refused_and_the_task_named(tmp_path, task, name, content, right):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"a file for the task {right}, not {task}"):
        read_examples(task, path)
    refused = CliRunner().invoke(app, ["audit", str(path), "--task", task])
    assert (refused.exit_code, f"--task {right}" in refused.stderr) == (2, True)
    assert CliRunner().invoke(app, ["audit", str(path), "--task", right]).exit_code in (0, 1)


def test_classes_that_only_look_like_tags_are_classes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("这是一条很长的评论，说了很多\tB-1\n这也是一条很长的评论，说了更多\tI-2\n" * 6, encoding="utf-8")
    assert len(read_examples("classify", path)) == 12
    path.write_text("好\tS-1\n坏\tM-2\n", encoding="utf-8")
    assert len(read_examples("classify", path)) == 2


def test_columns_that_are_not_swapped_are_not_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("".join(f"苹果{n}\tfruit and vegetables\n" for n in range(20)), encoding="utf-8")
    assert len(read_examples("classify", path)) == 20
    path.write_text(lines(lambda n, text, label: f"{label}\t{text}"), encoding="utf-8")
    assert read_examples("classify", path, label_first=False)[0].label == TEXTS[0]
    assert read_examples("classify", path, label_first=True)[0].label == LABELS[0]


def test_a_text_may_begin_as_such_a_file_does(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("PAR1是型号", "BZh是缩写", "FEA1是型号", "PK是对决", "Rar!真好"):
        path.write_text(f"{text}\t好\n第二条\t坏\n", encoding="utf-8")
        assert read_examples("classify", path)[0].text == text
