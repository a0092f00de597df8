"""``predict --in FILE --out FILE`` on the command line, and the remedies of its errors, typed."""

import json
import shlex

import pytest
from click.testing import CliRunner

from hanlp_tutor import load_corpus, save_model
from hanlp_tutor.cli import app

TEXTS = [each.text for each in load_corpus("reviews").test[:5]]


@pytest.fixture(scope="module")
def model(small_encoder, tmp_path_factory):
    from hanlp_tutor import TrainConfig, build_model

    made = build_model("classify", small_encoder, ["neg", "pos"], TrainConfig())
    return save_model(made, tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="module")
def tagger(small_encoder, tmp_path_factory):
    from hanlp_tutor import TrainConfig, build_model

    made = build_model("ner", small_encoder, ["O", "B-PER", "I-PER"], TrainConfig())
    return save_model(made, tmp_path_factory.mktemp("model") / "tagger")


def run(*words):
    return CliRunner().invoke(app, ["predict", *map(str, words)])


def option_in(message, flag):
    words = shlex.split(message[message.index(flag) :])
    return words[:2]


def test_a_file_as_a_stream(model, tmp_path):
    (tmp_path / "in.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    done = run(model, "--in", tmp_path / "in.txt", "--out", tmp_path / "out.jsonl", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout.splitlines()[-1])["records"] == 5
    by_one = run(model, "--file", tmp_path / "in.txt", "--out", tmp_path / "other.jsonl")
    assert by_one.exit_code == 0
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "other.jsonl").read_bytes()


def test_the_columns_of_a_table_are_told_and_typed(model, tmp_path):
    (tmp_path / "in.csv").write_text("评论,id\n很好,1\n", encoding="utf-8")
    words = (model, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv")
    refused = run(*words)
    assert refused.exit_code == 2 and "in.csv:1" in refused.stderr
    assert run(*words, *option_in(refused.stderr, "--column")).exit_code == 0
    (tmp_path / "in.jsonl").write_text('{"body": "很好"}\n', encoding="utf-8")
    words = (model, "--in", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
    refused = run(*words)
    assert refused.exit_code == 2 and "in.jsonl:1" in refused.stderr
    assert run(*words, *option_in(refused.stderr, "--column")).exit_code == 0


def test_a_partial_file_of_another_model_is_begun_anew_as_told(model, tagger, tmp_path):
    (tmp_path / "in.txt").write_text("很好\n不好\n", encoding="utf-8")
    words = ("--in", tmp_path / "in.txt", "--out", tmp_path / "out.jsonl")
    assert run(model, *words).exit_code == 0
    (tmp_path / "out.jsonl").rename(tmp_path / "out.jsonl.partial")
    state = {"model": "another", "column": "text", "format": "lines", "read": 0, "sha256": "", "written": 0}
    (tmp_path / "out.jsonl.partial.json").write_text(json.dumps(state), encoding="utf-8")
    refused = run(tagger, *words)
    assert refused.exit_code == 2 and "--fresh" in refused.stderr
    assert run(tagger, *words, "--fresh").exit_code == 0


def test_other_files_and_other_models_are_told_what_to_do(model, tagger, tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([{"text": "很好", "label": []}]), encoding="utf-8")
    refused = run(tagger, "--in", tmp_path / "in.json", "--out", tmp_path / "out")
    assert refused.exit_code == 2 and "--file" in refused.stderr
    assert run(tagger, "--file", tmp_path / "in.json", "--out", tmp_path / "out.jsonl").exit_code == 0
    (tmp_path / "in.bio").write_text("很\tO\n好\tO\n", encoding="utf-8")
    refused = run(model, "--in", tmp_path / "in.bio", "--out", tmp_path / "out")
    assert refused.exit_code == 2 and "--format lines" in refused.stderr
    assert run(model, "--in", tmp_path / "in.bio", "--out", tmp_path / "out2", "--format", "lines").exit_code == 0
    refused = run(model, "--in", tmp_path / "in.bio", "--out", tmp_path / "out3", "--format", "brat")
    assert refused.exit_code == 2 and "--file" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [("很好", "--in", "a", "--out", "b"), ("--in", "a"), ("--in", "a", "--out", "b", "--file", "c"), ("--column", "x"),
     ("--fresh",), ("--in", "absent.txt", "--out", "b")],
)  # fmt: skip
def test_wrong_use_is_one_line(model, words):
    done = run(model, *words)
    assert done.exit_code == 2 and done.stderr.count("\n") == 1, done.stderr


def test_a_table_is_not_read_as_lines(model, tmp_path):
    (tmp_path / "in.csv").write_text("编号,内容\n1,很好\n2,不好\n", encoding="gb18030")
    refused = run(model, "--file", tmp_path / "in.csv", "--out", tmp_path / "out.jsonl")
    assert refused.exit_code == 2 and "--in" in refused.stderr and not (tmp_path / "out.jsonl").exists()
    words = [*option_in(refused.stderr, "--in"), "--out", tmp_path / "out.csv"]
    for option in ("--encoding", "--column"):  # each message tells the next
        refused = run(model, *words)
        assert refused.exit_code == 2
        words += [word.rstrip(":") for word in option_in(refused.stderr, option)]
    assert run(model, *words).exit_code == 0
    refused = run(model, "--in", tmp_path / "in.csv", "--out", tmp_path / "out2.csv", "--column", "")
    assert refused.exit_code == 2


@pytest.mark.parametrize("words", [("-",), ("--file", "-"), ("--in", "-", "--out", "a"), ("--in", "a", "--out", "-")])
def test_standard_input_has_no_name(model, words):
    refused = run(model, *words)
    assert refused.exit_code == 2 and f"predict {model} --json < FILE" in refused.stderr
    done = CliRunner().invoke(app, ["predict", str(model), "--json"], input="很好\n")
    assert done.exit_code == 0 and json.loads(done.stdout)["text"] == "很好"
