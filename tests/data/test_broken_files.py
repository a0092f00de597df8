"""Files that people break: each gives a message of its own with file, line and remedy, exit code 2, and no traceback.

A case is a name, the files that it consists of, the arguments behind ``convert FIRST-FILE OUT``, the line that the
message must name (None: the file as a whole), and words of the message.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.data import read_labels
from hanlp_tutor.errors import DataError

ROOT = Path(__file__).parents[2]
TO_JSON, TO_BIO, TO_LABELS = ("--to", "doccano"), ("--to", "bio"), ("--to", "labels")


def _task(**change):
    task = {"id": 1, "data": {"text": "张三到北京"}, "annotations": [{"completed_by": 1, "result": []}]}
    return json.dumps([{**task, **change}], ensure_ascii=False)


def _result(*values, kind="labels"):
    return [{"completed_by": 1, "result": [{"type": kind, "value": value} for value in values]}]


COLUMNS = [
    ("no tag", {"a.bio": "张\tB-PER\n三\n"}, ("--from", "bio"), 2, "the token or tag is missing in '三'"),
    ("no token", {"a.bio": "张\tB-PER\n\tI-PER\n"}, ("--from", "bio"), 2, "the token is missing"),
    ("no such tag", {"a.bio": "张 B-PER\n三 PER\n"}, ("--from", "bio"), 2, "'PER' is no tag"),
    ("CoNLL 2003", {"a.bio": "U.N. NNP I-NP I-ORG\n"}, ("--from", "bio"), 1, "more than two columns"),
    ("two schemes", {"a.txt": "张 B-A\n三 M-A\n\n李 B-A\n四 I-A\n"}, (), 5, "tags of BMES (M-) and of BIO"),
    ("another scheme", {"a.bio": "张 B-PER\n三 E-PER\n"}, ("--from", "bio"), 2, "'E-PER' does not belong to"),
    ("blank lines", {"a.bio": "\n \n\n"}, ("--from", "bio"), None, "holds no sentence"),
    ("Weibo", {"a.txt": "科0\tO\n技1\tO\n"}, (), 1, "a segmentation digit ('科0')"),
    ("not Weibo", {"a.txt": "科0\tO\n技\tO\n"}, ("--strip-segmentation-digits",), 2, "does not end in a segmentation"),
    ("a folder", {"a/b": ""}, ("--from", "bio"), None, "cannot be read: it is a folder"),
]
BYTES = [
    ("no file", {}, ("--from", "bio"), None, "there is no such file"),
    ("empty", {"a.txt": ""}, (), None, "looks like none of the formats"),
    ("GBK", {"a.bio": "张\tO\n三\tO\n".encode("gbk")}, ("--encoding", "utf-8"), 1, "Pass --encoding gb18030"),
    ("ASCII", {"a.bio": "a\tO\n三\tO\n"}, ("--from", "bio", "--encoding", "ascii"), 2, "is not ascii"),
    ("binary", {"a.bio": b"\x89PNG\r\n\x1a\n\xff\xfe\xfd"}, ("--from", "bio"), 1, "is neither UTF-8 nor"),
    (
        "UTF-16 without mark",
        {"a.bio": "张\tO\n".encode("utf-16-le")},
        ("--from", "bio"),
        None,
        "full of NUL characters",
    ),
]
LABELS = [
    ("no tab", {"a.txt": "好\t正\n坏 负\n"}, ("--from", "labels"), 2, "no tab separates"),
    ("no label", {"a.txt": "好\t正\n坏\t\n"}, ("--from", "labels"), 2, "the label is missing. Write text<TAB>label"),
    ("no text", {"a.txt": "好\t正\n\t负\n"}, ("--from", "labels"), 2, "the text is missing"),
    ("no line", {"a.txt": "\n\n"}, ("--from", "labels"), None, "Write one text<TAB>label a line"),
    ("open quote", {"a.csv": 'text,label\n好,正\n"坏,负\n'}, (), 3, "is no table: unexpected end of data"),
    ("comma in a text", {"a.csv": "text,label\n好,正\n坏,很坏,负\n"}, (), 3, "3 cells in a table of 2 columns"),
    ("strange head", {"a.csv": "a,b\n好,正\n"}, ("--from", "csv"), 1, "no columns could be the text"),
    ("no such column", {"a.csv": "a,b\n好,正\n"}, ("--from", "csv", "-p", "text_column", "c"), 1, "are called 'c'"),
    ("cell without label", {"a.csv": "text,label\n好,正\n坏,\n"}, (), 3, "Label the text, or leave out such rows"),
    ("head only", {"a.csv": "text,label\n"}, (), None, "holds a header and no row"),
    ("Label Studio's CSV", {"a.csv": 'text,label\n张三,"[{""start"":0}]"\n'}, (), 2, "the label is JSON"),
    ("three columns", {"a.txt": "张\t北京\t张在北京\n"}, ("--from", "relation"), 1, "3 columns instead of four"),
    ("no such head", {"a.txt": "李\t北京\t在\t张在北京\n"}, ("--from", "relation"), 1, "the head '李' does not stand"),
    ("no relation", {"a.txt": "张\t北京\t\t张在北京\n"}, ("--from", "relation"), 1, "the relation is missing"),
]
PARALLEL = [
    ("too few tags", {"a.tags": "O O\nO O\n", "a.txt": "张三\n李四到\n"}, (), 2, "2 tags for 3 characters"),
    ("too few lines", {"a.tags": "O O\n", "a.txt": "张三\n李四\n"}, (), 2, "1 lines stand beside 2 lines of a.txt"),
    ("no tag line", {"a.tags": "O O\n张三\n", "a.txt": "张三\n李四\n"}, ("--from", "tag-lines"), 2, "'张三' is no tag"),
    ("two schemes", {"a.tags": "B-A I-A\nB-A M-A\n", "a.txt": "张三\n李四\n"}, (), 2, "stand in one file"),
    ("no texts", {"a.tags": "O O\n"}, (), None, "a.txt: there is no such file"),
    ("text alone", {"a.labels": "正\n\n负\n", "a.txt": "好\n坏\n差\n"}, (), 2, "nothing stands beside the text '坏'"),
    ("label alone", {"a.labels": "正\n负\n", "a.txt": "好\n\n"}, ("--from", "label-lines"), 2, "1 lines of a.txt"),
    ("label in a gap", {"a.labels": "正\n负\n正\n", "a.txt": "好\n\n差\n"}, (), 2, "'负' stands beside no text"),
]
JSON = [
    (
        "Python",
        {"a.jsonl": '{"text": "好", "label": []}\n{\'text\': 1}\n'},
        ("--from", "doccano"),
        2,
        "is no JSON: Expecting",
    ),
    ("cut off", {"a.jsonl": '{"text": "好", "label": ['}, ("--from", "doccano"), 1, "is no JSON: Expecting value"),
    ("more in a line", {"a.jsonl": '{"text": "a", "label": []} 3\n'}, ("--from", "doccano"), 1, "more follows behind"),
    ("a number", {"a.jsonl": '{"text": "a", "label": []}\n3\n'}, ("--from", "doccano"), 2, "a number stands where"),
    ("a list of strings", {"a.json": '["a"]'}, ("--from", "doccano"), 1, "a string stands where an object"),
    ("empty list", {"a.json": "[]"}, ("--from", "doccano"), None, "holds no object"),
    ("endless list", {"a.json": '[{"text": "a", "label": []}\n'}, ("--from", "doccano"), 2, "the list does not end"),
    ("no comma", {"a.json": '[{"text": "a", "label": []}\n{}]'}, ("--from", "doccano"), 2, "a comma is missing"),
    ("key twice", {"a.jsonl": '{"text": "a", "text": "b"}'}, ("--from", "doccano"), 1, "the key 'text' stands twice"),
    ("too deep", {"a.jsonl": "[" * 200000}, ("--from", "doccano"), 1, "nested too deeply"),
    ("no text", {"a.jsonl": '{"content": "a", "label": []}'}, ("--from", "doccano"), 1, "there is no 'text'"),
    ("text is a number", {"a.jsonl": '{"text": 3, "label": []}'}, ("--from", "doccano"), 1, "'text' is a number"),
    ("half a character", {"a.jsonl": '{"text": "\\ud83d", "label": []}'}, ("--to", "clue"), 1, "half of a surrogate"),
]
DOCCANO = [
    ("unlabelled", {"a.jsonl": '{"text": "好"}\n'}, ("--from", "doccano"), 1, "there is none of 'label'"),
    ("outside", {"a.jsonl": '{"text": "好", "label": [[0, 2, "A"]]}'}, (), 1, "A 0-2 does not fit into a text of 1"),
    ("empty", {"a.jsonl": '{"text": "好", "label": [[1, 1, "A"]]}'}, (), 1, "the entity A 1-1 is empty: it begins and"),
    ("no number", {"a.jsonl": '{"text": "好", "label": [["0", 1, "A"]]}'}, (), 1, "an offset is a string"),
    ("no type", {"a.jsonl": '{"text": "好", "label": [[0, 1]]}'}, (), 1, "an entity has 2 parts"),
    ("empty type", {"a.jsonl": '{"text": "好", "label": [[0, 1, ""]]}'}, (), 1, "the type of an entity is empty"),
    ("two classes", {"a.jsonl": '{"text": "好", "label": ["正", "负"]}'}, (), 1, "the text has 2 classes"),
    (
        "labels no list",
        {"a.jsonl": '{"text": "好", "label": null, "labels": 1.5}'},
        (),
        1,
        "'labels' is a number, not a",
    ),
]
LABEL_STUDIO = [
    (
        "two people",
        {"a.json": _task(annotations=_result({"start": 0, "end": 1, "labels": ["A"]}) + _result())},
        (),
        1,
        "2 annotations (1, 1) disagree",
    ),
    ("nobody", {"a.json": _task(annotations=[])}, (), None, "no task is annotated"),
    (
        "shifted",
        {"a.json": _task(annotations=_result({"start": 1, "end": 3, "text": "张三", "labels": ["A"]}))},
        (),
        1,
        "A 1-3 covers '三到', not '张三'",
    ),
    (
        "two choices",
        {"a.json": _task(annotations=_result({"choices": ["a", "b"]}, kind="choices"))},
        (),
        1,
        "there are 2 choices: a, b",
    ),
    (
        "HTML",
        {"a.json": _task(annotations=_result({"start": "/p[1]", "labels": ["A"]}, kind="hypertextlabels"))},
        (),
        1,
        "places in HTML",
    ),
    ("two texts", {"a.json": _task(data={"question": "a", "answer": "b"})}, (), 1, "its data hold several strings"),
    ("no value", {"a.json": _task(annotations=_result(None))}, (), 1, "a result has no 'value' object"),
    ("two strings", {"a.json": '[{"text": "a", "annotation_id": 1, "x": "b", "y": "c"}]'}, (), 1, "could be the class"),
    ("no text", {"a.json": '[{"body": "a", "annotation_id": 1}]'}, (), 1, "there is no string 'text'"),
    ("a sentence a token", {"a.conll": "-DOCSTART- -X- O\n张三到北京 -X- _ B-PER\n"}, (), 2, "is not said"),
    ("cut line", {"a.conll": "-DOCSTART- -X- O\n张 O\n"}, ("--from", "label-studio-conll"), 2, "is not of the form"),
]
BRAT_AND_CLUE = [
    ("no .ann", {"a.txt": "张三"}, ("--from", "brat"), None, "has no .ann of the same name"),
    ("no .txt", {"a/1.ann": "T1\tA 0 1\t张"}, ("--from", "brat"), None, "has no .txt of the same name"),
    ("empty folder", {"a/readme.md": ""}, ("--from", "brat"), None, "holds no .txt and .ann files"),
    ("another suffix", {"a.doc": "张三"}, ("--from", "brat"), None, "is no .txt, no .ann and no folder"),
    ("no places", {"a.ann": "T1\tA 0\t张", "a.txt": "张三"}, (), 1, "is no entity"),
    ("no annotation", {"a.ann": "\nX1\tA 0 1\t张", "a.txt": "张三"}, (), 2, "is no annotation"),
    ("other text", {"a.ann": "T1\tA 0 1\t李", "a.txt": "张三"}, (), 1, "A 0-1 covers '张', not '李'"),
    ("test set", {"a.json": '{"id": 0, "text": "张三"}'}, ("--from", "clue"), 1, "there is no 'label': the text is"),
    ("no types", {"a.json": '{"text": "张三", "label": {"A": [[0, 1]]}}'}, (), 1, "the type 'A' is no object"),
    (
        "three numbers",
        {"a.json": '{"text": "张三", "label": {"A": {"张": [[0, 0, 1]]}}}'},
        (),
        1,
        "a place has 3 numbers",
    ),
    (
        "beyond the end",
        {"a.json": '{"text": "张三", "label": {"A": {"张三": [[0, 2], [0, 1]]}}}'},
        (),
        1,
        "A 0-3 does not fit into a text of 2 characters. Offsets count Unicode code points from 0, and the end is the",
    ),
]
NESTED = '{"text": "北京大学", "label": [[0, 4, "ORG"], [0, 2, "LOC"]]}\n'
BOTH = '{"text": "北京", "cats": ["正"], "entities": [[0, 2, "LOC"]]}\n'
PLAIN = '{"text": "北京", "label": []}\n'
TARGETS = [
    ("nested", {"a.jsonl": PLAIN + NESTED}, TO_BIO, 2, "LOC 0-2 '北京' overlaps ORG 0-4 '北京大学'; 1 in all"),
    ("nested kept", {"a.jsonl": NESTED}, (*TO_BIO, "--overlaps", "keep"), 1, "bio cannot hold LOC 0-2 '北京', which"),
    ("a class", {"a.jsonl": BOTH}, TO_BIO, 1, "bio cannot hold the label '正'"),
    ("entities", {"a.jsonl": BOTH}, TO_LABELS, 1, "labels cannot hold the entity LOC 0-2"),
    ("no class", {"a.jsonl": PLAIN}, TO_LABELS, 1, "the text '北京' has no label. Label it"),
    ("two lines", {"a.jsonl": '{"text": "北\\n京", "label": []}'}, TO_BIO, 1, "is empty or holds a line feed"),
    (
        "over a line end",
        {"a.jsonl": '{"text": "北\\n京", "label": [[0, 3, "A"]]}'},
        (*TO_BIO, "--split-lines"),
        1,
        "runs over a line end",
    ),
    (
        "a class of lines",
        {"a.jsonl": '{"text": "北\\n京", "label": ["正"]}'},
        (*TO_LABELS, "--split-lines"),
        1,
        "belongs to a text of 2 lines",
    ),
    (
        "a spaced type",
        {"a.jsonl": '{"text": "北", "label": [[0, 1, "a b"]]}'},
        TO_BIO,
        1,
        "the label 'a b' holds white",
    ),
    (
        "BRAT's type",
        {"a.jsonl": '{"text": "北", "label": [[0, 1, "a b"]]}'},
        ("--to", "brat"),
        1,
        "the type 'a b' holds",
    ),
    ("a tabbed class", {"a.jsonl": '{"text": "北", "label": ["a\\tb"]}'}, TO_LABELS, 1, "cannot stand as a label"),
    ("no relation", {"a.jsonl": BOTH}, ("--to", "relation"), 1, "a relation needs one entity 'head'"),
    (
        "another place",
        {"a.jsonl": '{"text": "a b a", "cats": ["x"], "entities": [[4, 5, "head"], [2, 3, "tail"]]}'},
        ("--to", "relation"),
        1,
        "stands elsewhere in the sentence too",
    ),
]
OPTIONS = [
    ("misspelt format", {"a.jsonl": PLAIN}, ("--to", "bieo"), None, "there is no format 'bieo'; did you mean 'bio'"),
    ("misspelt option", {"a.jsonl": PLAIN}, (*TO_BIO, "-w", "seperator", "tab"), None, "did you mean 'separator'"),
    ("separator", {"a.jsonl": PLAIN}, (*TO_BIO, "-w", "separator", ","), None, "separated by a tab or a space"),
    ("overlaps", {"a.jsonl": PLAIN}, (*TO_BIO, "--overlaps", "drop"), None, "overlaps is one of refuse, longest, keep"),
    ("drop", {"a.jsonl": PLAIN}, (*TO_BIO, "--drop", "all"), None, "drop is one of entities, labels"),
    ("encoding", {"a.jsonl": PLAIN}, (*TO_BIO, "--encoding", "utf-88"), None, "there is no encoding 'utf-88'"),
]  # fmt: skip
CASES = [*COLUMNS, *BYTES, *LABELS, *PARALLEL, *JSON, *DOCCANO, *LABEL_STUDIO, *BRAT_AND_CLUE, *TARGETS, *OPTIONS]


def build(case, folder: Path) -> tuple[list[str], Path]:
    """Write a case's files; the arguments of the command, and the target."""
    _, files, options, _, _ = case
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    source = folder / next(iter(files), "absent.bio").split("/")[0]
    target = folder / "out" / "target"
    return ["convert", str(source), str(target), *options, *(() if "--to" in options else TO_JSON)], target


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """For each case its folder, the command's result, the target, and the data errors that were made."""
    made = []
    plain = DataError.__init__

    def remember(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        made.append(self)

    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DataError, "__init__", remember)
        for case in CASES:
            folder = tmp_path_factory.mktemp("broken")
            arguments, target = build(case, folder)
            made.clear()
            found.append((folder, CliRunner().invoke(app, arguments), target, list(made)))
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_a_broken_file_gives_its_own_message(outcomes, number):
    case, (folder, result, target, errors) = CASES[number], outcomes[number]
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    message = result.stderr
    assert case[4] in message
    assert message.startswith("Error: ") and "Traceback" not in message and message.count("\n") == 1
    if case not in OPTIONS:
        line = "" if case[3] is None else f"{case[3]}: "
        assert re.match(rf"Error: {re.escape(str(folder))}[^:]*:{line}", message), message
        assert next(error.remedy for error in errors if str(error) == message.removeprefix("Error: ").rstrip())
    assert not target.parent.exists()


def test_the_messages_are_many_and_differ(outcomes):
    messages = {re.sub(r":\d+:", ":", each[1].stderr.replace(str(each[0]), "")) for each in outcomes}
    assert len(messages) == len(CASES) >= 40


@pytest.mark.parametrize("number", [0, len(COLUMNS) + 2, len(CASES) - 8])
def test_in_a_process_of_its_own(tmp_path, number):
    arguments, _ = build(CASES[number], tmp_path)
    command = [sys.executable, "-m", "hanlp_tutor.cli", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 2
    assert CASES[number][4] in done.stderr.decode("utf-8") and b"Traceback" not in done.stderr
    assert CASES[number][4] in json.loads(done.stdout.decode("utf-8").splitlines()[-1])["error"]


CR_FILES = {
    "a.bio": "张\tB-PER\r三\tI-PER\r\r李\tB-PER\r",
    "a.txt": "很好\t正\r很差\t负\r",
    "a.csv": "text,label\r很好,正\r很差,负\r",
    "a.tags": "O O\rO O",
}


@pytest.mark.parametrize("name", CR_FILES)
@pytest.mark.parametrize("named", [True, False])
def test_lines_that_end_in_a_carriage_return_alone_are_refused_and_the_remedy_works(tmp_path, name, named):
    """As one line ``很好<TAB>正<CR>很差<TAB>负`` would be one text with the class 负."""
    path, mended = tmp_path / name, tmp_path / f"mended{Path(name).suffix}"
    path.write_bytes(CR_FILES[name].encode())
    (tmp_path / "mended.txt").write_text("很好\n很差\n", encoding="utf-8")  # beside the tags
    form = {"a.bio": "bio", "a.txt": "labels", "a.csv": "csv", "a.tags": "tag-lines"}[name]
    arguments = ["--from", form] if named else []
    to = "bio" if form in ("bio", "tag-lines") else "doccano"
    texts = ["-r", "texts", str(tmp_path / "mended.txt")] if form == "tag-lines" and named else []
    result = CliRunner().invoke(app, ["convert", str(path), str(tmp_path / "out"), "--to", to, *arguments, *texts])
    assert result.exit_code == 2 and "carriage return alone" in result.stderr, result.output
    command = re.search(r"tr .* > NEW", result.stderr)[0].replace("NEW", f"'{mended}'")
    subprocess.run(command, shell=True, check=True)
    result = CliRunner().invoke(app, ["convert", str(mended), str(tmp_path / "out"), "--to", to, *arguments, *texts])
    assert result.exit_code == 0 and result.output.startswith("2 texts"), result.output


def test_one_line_with_a_carriage_return_at_its_end_is_read(write):
    assert [each.label for each in read_labels(write("很好\t正\r", "a.txt"))] == ["正"]
