"""One way to give a reader's option, ``-r NAME VALUE``, on every command that reads labelled files."""

import json
import shlex

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.cli.options import reading_options
from hanlp_tutor.config import parse_value
from hanlp_tutor.data import read_examples
from hanlp_tutor.data.reader_options import FLAGS, on_command_line, pass_option
from hanlp_tutor.errors import ConfigError


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def two_annotators(path, *, texts=12):
    """A Label Studio export in which two people disagree about the first text."""

    def marked(start, end):
        value = {"start": start, "end": end, "labels": ["NT" if start else "NS"]}
        return {"from_name": "label", "to_name": "text", "type": "labels", "value": value}

    tasks = [
        {
            "id": number,
            "data": {"text": f"北京第{number}公司成立"},
            "annotations": [{"completed_by": 1, "result": [marked(0, 2), marked(2, 5 + len(str(number)))]}],
        }
        for number in range(texts)
    ]
    tasks[0]["annotations"].append({"completed_by": 2, "result": [marked(0, 2)]})
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return path


READING = ("train", "tune", "evaluate", "calibrate", "audit", "convert")


@pytest.mark.parametrize("command", READING)
def test_every_command_that_reads_files_takes_r(command):
    options = {flag for option in app.commands[command].params for flag in option.opts}
    assert {"-r", "--reading", "--scheme", "--encoding", "--format", "--overlaps"} <= options


@pytest.mark.parametrize("flag", ["-r", "--reading", "-p"])
def test_convert_takes_r_and_still_takes_p(flag, tmp_path):
    source = two_annotators(tmp_path / "export.json")
    refused = run("convert", source, tmp_path / "a.tsv", "--to", "bio")
    assert refused.exit_code == 2 and not (tmp_path / "a.tsv").exists()
    done = run("convert", source, tmp_path / "a.tsv", "--to", "bio", flag, "annotator", "1")
    assert done.exit_code == 0, done.output


def test_audit_takes_r(tmp_path):
    source = two_annotators(tmp_path / "export.json")
    assert run("audit", source).exit_code == 2
    assert run("audit", source, "-r", "annotator", "1").exit_code == 0


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (("train", "--task", "ner", "--out", "run", "--train"), ("-r", "anotator", "1")),
        (("audit",), ("-r", "anotator", "1")),
        (("convert", "--to", "bio"), ("-r", "anotator", "1")),
        (("tune", "--task", "ner", "--space", "lr=1e-5,1e-4", "--out", "study", "--train"), ("-r", "anotator", "1")),
    ],
)
def test_an_option_that_the_reader_does_not_know_is_named_with_its_flag(command, options, tmp_path):
    source = two_annotators(tmp_path / "export.json")
    target = [tmp_path / "target"] if command[0] == "convert" else []
    with CliRunner().isolated_filesystem(tmp_path):
        result = run(*command, source, *target, *options)
    assert result.exit_code == 2
    assert "'anotator' is no option for reading label-studio files" in result.stderr
    assert "Pass -r annotator 1 (in Python: annotator=1)" in result.stderr


def test_an_option_without_a_near_name_lists_all_as_they_are_typed(tmp_path):
    result = run("audit", two_annotators(tmp_path / "export.json"), "-r", "zzz", "1")
    options = ["to_name", "annotator", "from_name", "offsets", "unlabelled", "joint", "relations", "group_column"]
    typed = ", ".join(f"-r {name} VALUE" for name in ["text_key", *options])
    assert f"--encoding VALUE, {typed} (in Python" in result.stderr


def test_a_writers_option_is_named_with_w(tmp_path):
    source = two_annotators(tmp_path / "export.json")
    result = run(
        "convert", source, tmp_path / "a.tsv", "--to", "bio", "-r", "annotator", "1", "-w", "seperator", "space"
    )
    assert result.exit_code == 2 and "Pass -w separator space (in Python: separator='space')" in result.stderr


def test_audit_refuses_an_option_that_does_not_fit_the_file(tmp_path):
    (tmp_path / "a.tsv").write_text("京\tB-NS\n人\tO\n\n" * 3, encoding="utf-8")
    result = run("audit", tmp_path / "a.tsv", "-r", "annotator", "1")
    assert result.exit_code == 2 and "'annotator' is no option for reading column files" in result.stderr


def test_convert_takes_a_scheme(tmp_path):
    (tmp_path / "a.tsv").write_text("京\tB-NS\n城\tE-NS\n\n" * 3, encoding="utf-8")
    done = run("convert", tmp_path / "a.tsv", tmp_path / "b.tsv", "--to", "bio", "--scheme", "BMES")
    assert done.exit_code == 0 and "3 entities" in done.output


def test_flags_and_r_are_one_thing():
    assert reading_options((("encoding", "gb18030"),), encoding=None) == {"encoding": "gb18030"}
    assert reading_options((("encoding", "big5"),), encoding="big5") == {"encoding": "big5"}
    assert reading_options((("strip-segmentation-digits", "true"),)) == {"strip_segmentation_digits": True}
    with pytest.raises(ConfigError, match=r"--encoding big5 and --encoding gb18030"):
        reading_options((("encoding", "gb18030"),), encoding="big5")
    with pytest.raises(ConfigError, match="'annotator' is given twice"):
        reading_options((("annotator", "1"), ("annotator", "2")))


@pytest.mark.parametrize(
    "value", ["1", "1.0", "true", "none", "it's", "'1'", '"', "{a}", "人", "a b", "1e5", 1, 2.5, True, None, "first"]
)
def test_what_a_message_types_is_read_back_as_the_value(value):
    flag, name, typed = shlex.split(on_command_line("annotator", value))
    assert (flag, name) == ("-r", "annotator") and parse_value(typed) == value


def test_only_placeholders_stand_bare_in_python():
    assert pass_option("scheme", "BMES") == "Pass --scheme BMES (in Python: scheme='BMES')"
    assert pass_option("text_key", "NAME") == "Pass -r text_key NAME (in Python: text_key=NAME)"
    assert pass_option("texts", "1") == """Pass -r texts '"1"' (in Python: texts='1')"""
    assert set(FLAGS) == {"format", "overlaps", "scheme", "encoding", "strip_segmentation_digits"}


def reviews(path):
    rows = "".join(f"{n},房间干净，服务很好{n},{'好评' if n % 2 else '差评'},u{n % 7}\n" for n in range(40))
    path.write_text("编号,正文,类别,用户\n" + rows, encoding="utf-8")
    return path


CHOSEN = ("-r", "text_column", "正文", "-r", "label_column", "类别")


def test_a_table_by_name_is_one_when_its_columns_are_chosen(tmp_path):
    """Its heads are none of the usual ones, so nothing but the name of the file and the options says it."""
    path = reviews(tmp_path / "a.csv")
    assert "read as csv): 40 examples" in run("audit", path, *CHOSEN).stdout
    done = run("convert", path, tmp_path / "a.jsonl", "--to", "doccano", *CHOSEN)
    assert done.exit_code == 0, done.output
    assert len(read_examples("classify", path, text_column="正文", label_column="类别")) == 40


def test_train_says_what_a_file_was_read_as_and_what_is_learnt(tmp_path):
    """Before anything is learnt, so a run that stops at once shows it too."""
    path = reviews(tmp_path / "a.csv")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text("{}", encoding="utf-8")
    result = run("train", "--task", "classify", "--train", path, "--out", tmp_path / "run", *CHOSEN)
    assert result.exit_code == 2
    assert "\nread as      csv; to learn: " in result.stderr and "好评 16" in result.stderr


@pytest.mark.parametrize(("name", "meant"), [("user_column", None), ("txt_column", "text_column")])
def test_a_shared_ending_makes_no_option_of_another(tmp_path, name, meant):
    """To pass the column of users as the text would train on users."""
    result = run("audit", reviews(tmp_path / "a.csv"), *CHOSEN, "-r", name, "用户")
    assert result.exit_code == 2 and f"'{name}' is no option for reading csv files" in result.stderr
    assert (f"did you mean '{meant}'?" in result.stderr) if meant else ("did you mean" not in result.stderr)
    assert meant or "it takes --encoding VALUE, -r header VALUE" in result.stderr


def test_files_in_two_encodings_have_a_way_out(tmp_path, monkeypatch):
    """``train`` named gb18030 for the first file, and then utf-8 for the second, and so on for ever."""
    monkeypatch.setattr("hanlp_tutor.workbench.job.train_job",
                        lambda *given, **options: {"best_dev": None, "test": None, "seconds": 0.0})  # fmt: skip
    lines = "".join(f"第{n}条\t{'正负'[n % 2]}\n" for n in range(24))
    (tmp_path / "a.txt").write_bytes(lines.encode("gb18030"))
    (tmp_path / "b.txt").write_text(lines, encoding="utf-8")
    words = ("train", "--task", "classify", "--train", tmp_path / "a.txt", "--dev", tmp_path / "b.txt", "--out",
             tmp_path / "run", "--no-baseline")  # fmt: skip
    assert "Pass --encoding gb18030" in run(*words).stderr
    assert "Pass -r encoding none" in run(*words, "--encoding", "gb18030").stderr
    done = run(*words, "-r", "encoding", "none")
    assert done.exit_code == 0, done.output
