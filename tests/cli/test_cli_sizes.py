"""No command takes a size of zero or below: it is refused in words, and nothing is written."""

import os

import pytest
from click.testing import CliRunner
from toy import write_split

from hanlp_tutor.cli import app


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_split(tmp_path_factory.mktemp("files"))


TRAIN = ("epochs", "batch_size", "max_batch_tokens", "max_length", "gradient_accumulation_steps", "patience")
TRAIN += ("eval_steps", "checkpoint_steps", "log_steps", "lr", "head_lr", "max_grad_norm")
PRETRAIN = ("tokens", "batch_tokens", "eval_steps", "log_steps", "lr", "max_grad_norm")
OPTIONS = [
    *((("train",), ("-p", name, number), name) for name in TRAIN for number in ("0", "-1")),
    *((("tune", "--space", "dropout=0,0.1"), ("-p", name, "-1"), name) for name in TRAIN if name != "eval_steps"),
    *((("pretrain",), ("-p", name, number), name) for name in PRETRAIN for number in ("0", "-1")),
    *((("pretrain",), ("--tokens", number), "tokens") for number in ("0", "-5")),
    *((("tune", "--space", "lr=1e-4,1e-3"), ("--trials", number), "trials") for number in ("0", "-2")),
    *((("tune",), ("--space", f"{name}={values}"), name) for name, values in (
        ("epochs", "0..3"), ("batch_size", "-1..8"), ("batch_size", "0,8"), ("lr", "-1..1e-3"), ("lr", "0,1e-3"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("command", "options", "name"), OPTIONS, ids=lambda part: " ".join(part))
def test_zero_and_less_are_refused(command, options, name, files, tmp_path):
    sets = ("--train", files["train"], "--dev", files["dev"], "--task", "ner")
    rest = ("--recipe", "bert", "--tokens", "1000") if command[0] == "pretrain" else sets
    arguments = (*command, *rest, "--out", tmp_path / "out", *options)
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), result.output
    assert result.stderr.splitlines()[-1].startswith(f"Error: {name}") and os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["epochs", "batch_size"])
def test_zero_in_a_file_of_options_is_refused(name, files, tmp_path):
    (tmp_path / "options.yaml").write_text(f"{name}: 0\n", encoding="utf-8")
    for more in (("train",), ("tune", "--space", "lr=1e-4,1e-3")):
        arguments = (*more, "--task", "ner", "--train", files["train"], "--out", tmp_path / "out")
        result = CliRunner().invoke(app, [str(each) for each in (*arguments, "-c", tmp_path / "options.yaml")])
        assert result.exit_code == 2 and f"Error: {name}=0: " in result.stderr
