"""The command line: help at once, errors in words, JSON that a program can read."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from toy import tagged, write_split

from hanlp_tutor.cli import app, main
from hanlp_tutor.cli.options import ONE_TASK, TASK
from hanlp_tutor.core.task import ROOMS, TASKS, task_named
from hanlp_tutor.data import read_columns, write_columns
from hanlp_tutor.serving import create_app
from hanlp_tutor.workbench.closing import kit

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
HEAVY = {"torch", "transformers", "hanlp", "numpy", "pandas", "sklearn", "papermill", "pydantic", "matplotlib"}
COMMANDS = sorted(app.commands)


def run(*arguments, stdin=None):
    """In this process: quick, and the same code but for the streams' encoding."""
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin)


def process(*arguments, stdin=b"", code=None, cwd=None):
    """In a process of its own, as a user starts it."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "hanlp_tutor.cli"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def refused(result, *words):
    """Exit code 2, a message with these words on standard error, no traceback, nothing on standard output."""
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output and result.stdout == ""
    for word in words:
        assert word in result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_split(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def trained(files, tiny_encoder, tmp_path_factory) -> Path:
    """A run folder."""
    out = tmp_path_factory.mktemp("runs") / "run"
    options = ["-p", "epochs", "8", "-p", "lr", "3e-3", "-p", "head_lr", "3e-3", "-p", "batch_size", "4"]
    result = run("train", "--task", "ner", *_files(files), "--encoder", tiny_encoder, "--out", out, *options, "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout.splitlines()[-1])
    assert metrics == json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["best_dev"] > 0.3 and metrics["baseline"]["name"] == "feature CRF"
    return out


def _files(files):
    return [part for name, path in files.items() for part in (f"--{name}", path)]


def _train(files, out, *options):
    known = ("--encoder", "random:mini-bert", "--no-baseline")
    return run("train", "--task", "ner", *_files(files), *known, "--out", out, *options)


# --- help ----------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_design():
    assert {"doctor", "run", "train", "evaluate", "predict", "export", "relocate"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command):
    for flag in ("--help", "-h"):
        result = run(command, flag)
        assert result.exit_code == 0 and command in result.output and "--json" in result.output


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nsys.argv = ['hanlp-tutor', *sys.argv[1:]]\nfrom hanlp_tutor.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('HEAVY', sorted({HEAVY} & set(sys.modules)))"
    )
    for arguments in (["--help"], ["train", "--help"], ["--version"]):
        done = process(*arguments, code=code)
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().splitlines()[-1] == "HEAVY []", arguments


def test_the_tasks_of_the_command_line_are_those_of_the_learner():
    assert list(TASK.choices) == list(dict.fromkeys([*TASKS, *ROOMS]))
    assert list(ONE_TASK.choices) == [name for name in TASK.choices if not task_named(name).several]


def test_a_command_that_does_not_exist():
    result = run("trian")
    assert result.exit_code == 2 and "trian" in result.stderr and "Traceback" not in result.output


# --- train ---------------------------------------------------------------------------------------------------------


def test_epochz_is_refused_with_epochs_named(files, tmp_path):
    message = refused(_train(files, tmp_path / "run", "-p", "epochz", "3"), "'epochz'", "'epochs'")
    assert message.startswith("Error: ")
    (tmp_path / "options.yaml").write_text("epochz: 3\n", encoding="utf-8")
    refused(_train(files, tmp_path / "run", "-c", tmp_path / "options.yaml"), "'epochz'", "'epochs'")
    assert not (tmp_path / "run").exists()


def test_an_option_of_the_run_that_is_typed_as_one_of_the_command_is_named_with_p():
    assert "-p epochs VALUE" in run("train", "--epochs", "3").stderr
    assert "-p lr VALUE" in run("train", "--learning-rate", "3e-4").stderr, "as the Trainer calls it"
    assert "-p batch_size VALUE" in run("tune", "--per_device_train_batch_size", "8").stderr
    assert "-p batch_size VALUE" in run("train", "--batch-size", "3").stderr
    for words in (("train", "--epochz", "3"), ("evaluate", "--epochs", "3")):  # no option; a command without -p
        refused = run(*words)
        assert refused.exit_code == 2 and "-p" not in refused.stderr


def test_epochz_in_a_process_of_its_own(files, tmp_path):
    done = process("train", "--task", "ner", *_files(files), "--out", tmp_path / "run", "-p", "epochz", "3", "--json")
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert "'epochs'" in json.loads(done.stdout.decode().splitlines()[-1])["error"]


def test_yaml_text_for_a_number(files, tmp_path):
    (tmp_path / "options.yaml").write_text("lr: 2e-5\n", encoding="utf-8")
    refused(_train(files, tmp_path / "run", "-c", tmp_path / "options.yaml"), "lr='2e-5'", "2.0e-5")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["-p", "epochs", "three"], "epochs='three'"),
        (["-p", "lr", "-1"], "lr=-1"),
        (["-p", "warmup_steps", "1000"], "warmup_steps=1000 never ends"),
        (["-p", "freeze", "all-but-last-9"], "3 layers"),
        (["-p", "device", "cuda:77"], "cuda:77"),
        (["-c", "nowhere.yaml"], "nowhere.yaml"),
        (["--train", "nowhere.tsv"], "nowhere.tsv"),
        (["--encoding", "utf-7000"], "utf-7000"),
        (["--encoder", "mini-brt"], "mini-brt"),
        (["--split", "split.json"], "leave out --dev and --test"),
    ],
)
def test_errors_of_a_training(files, tmp_path, options, word):
    refused(_train(files, tmp_path / "run", *options), word)


def test_the_files_of_several_tasks_are_not_divided(tmp_path):
    words = tmp_path / "words.tsv"
    options = ["--train", f"tok={words},pos={words}", "--split", tmp_path / "split.json", "--out", tmp_path / "run"]
    refused(run("train", "--task", "multitask", *options), "--split divides one file", "give --dev FILE")


def test_a_wrong_line_is_named(files, tmp_path):
    (tmp_path / "bad.tsv").write_text("今\tO\n天\n", encoding="utf-8")
    refused(_train(files, tmp_path / "run", "--train", tmp_path / "bad.tsv"), "bad.tsv:2:")


def test_a_wrong_scheme_is_named(files, tmp_path):
    write_columns(tmp_path / "bmes.tsv", tagged(40), scheme="BMES")
    refused(_train(files, tmp_path / "run", "--train", tmp_path / "bmes.tsv", "--scheme", "BIO"), "bmes.tsv:", "BIO")


def test_an_out_that_is_a_file(files, tmp_path):
    (tmp_path / "run").write_text("", encoding="utf-8")
    refused(_train(files, tmp_path / "run", "-p", "epochs", "1"), "no run folder can be made")


def test_json_error_is_one_object(files, tmp_path):
    result = _train(files, tmp_path / "run", "-p", "epochz", "3", "--json")
    assert result.exit_code == 2 and len(result.stdout.splitlines()) == 1
    assert "epochs" in json.loads(result.stdout)["error"]


def test_none_on_the_command_line(files, tiny_encoder, tmp_path):
    """`none` is what the option means by it: no patience, nothing frozen."""
    options = ["-p", "freeze", "none", "-p", "patience", "none", "-p", "epochs", "1", "--encoder", tiny_encoder]
    assert _train(files, tmp_path / "run", *options).exit_code == 0
    config = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["config"]
    assert config["freeze"] == "none" and config["patience"] is None


def test_a_finished_run_is_not_overwritten(files, trained):
    before = (trained / "metrics.json").read_bytes()
    refused(_train(files, trained), "never overwritten")
    refused(_train(files, trained, "--resume"), "never overwritten")
    assert (trained / "metrics.json").read_bytes() == before


def test_without_json_the_folder_and_the_score_are_reported(files, tiny_encoder, tmp_path):
    result = _train(files, tmp_path / "run", "--encoder", tiny_encoder, "-p", "epochs", "1")
    assert result.exit_code == 0
    block, commands = result.stdout.split("\nTo try next:\n")
    assert "test: P " in block and f"folder: {tmp_path / 'run'}" in block.splitlines()
    assert re.search(r"^best dev: 0\.\d{4}$", block, re.MULTILINE) and "minutes: " in block
    assert "60 examples to train on, 20 dev, 20 test" in result.stderr
    assert re.search(r"^read as      columns; to learn: [A-Z]+ \d+", result.stderr, re.MULTILINE)
    assert [line.split("  ")[0] for line in result.stderr.splitlines() if not line.startswith(" ")] == [
        "examples",
        "read as",
        "environment",
        "folder",
        "training",
        "options",
        "test",
    ]
    lines = result.stderr.replace("\n             ", " ")
    assert "options      not given, so chosen: lr 0.0003, head_lr 0.03, batch_size 16, crf true" in lines
    assert f"training     {tiny_encoder}, 4 updates" in lines
    tried = []
    for command in commands.splitlines():
        words = shlex.split(command)
        command = next(place for place, word in enumerate(words) if word in COMMANDS)  # after the script, or python -m
        tried.append(words[command])
        if words[command] == "predict":
            assert words[-1] in {example.text for example in read_columns(files["test"])}, "a text of its own"
        if words[command] == "serve":  # until somebody stops it
            assert create_app(Path(words[-1])).state.served
            continue
        answer = run(*words[command:])
        assert answer.exit_code == 0 or (words[command] == "diagnose" and answer.exit_code == 1), answer.output
    assert tried == ["predict", "serve", "export", "diagnose"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_says_where_and_how_to_go_on(files, tiny_encoder, tmp_path):
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + (
        "sys.argv[0] = 'hanlp-tutor'\nfrom hanlp_tutor.cli import main\nmain()"
    )
    out = tmp_path / "run"
    arguments = [
        "train",
        "--task",
        "ner",
        *_files(files),
        "--encoder",
        tiny_encoder,
        "--out",
        out,
        "-p",
        "epochs",
        "9999",
    ]
    command = [sys.executable, "-c", code, *map(str, arguments)]
    training = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE)
    until = time.monotonic() + 120
    while not (out / "checkpoint.pt").exists() and time.monotonic() < until:
        time.sleep(0.1)
    training.send_signal(signal.SIGINT)
    printed = training.communicate(timeout=60)[1].decode()
    assert training.returncode == 130 and "Traceback" not in printed
    goes_on = shlex.join([*kit(), *map(str, arguments), "--resume"])
    assert printed.splitlines()[-1] == f"Stopped. What there is lies in {out}. Go on with: {goes_on}"


# --- evaluate, predict, export -------------------------------------------------------------------------------------


def test_evaluate_a_run_folder_and_its_model(files, trained):
    expected = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))["test"]
    for folder in (trained, trained / "model"):
        result = run("evaluate", folder, files["test"], "--json")
        assert result.exit_code == 0 and json.loads(result.stdout.splitlines()[-1]) == expected
    text = run("evaluate", trained, files["test"]).stdout
    assert f"F1 {expected['f1']:.4f}" in text and all(kind in text for kind in expected["per_type"])


def test_evaluate_gold_that_the_model_does_not_know(trained, tmp_path):
    from hanlp_tutor.data import TaggedText

    write_columns(tmp_path / "other.tsv", [*tagged(4), TaggedText("某药", ("B-DRUG", "I-DRUG"))])
    result = run("evaluate", trained, tmp_path / "other.tsv", "--json")
    assert result.exit_code == 0 and json.loads(result.stdout)["per_type"]["DRUG"]["support"] == 1


@pytest.mark.parametrize("command", ["evaluate", "predict", "export"])
def test_no_model(tmp_path, command):
    rest = {"evaluate": ["file.tsv"], "predict": ["今天"], "export": [tmp_path / "out", "--to", "hanlp"]}[command]
    refused(run(command, tmp_path / "nowhere", *rest), "nowhere")


def test_predict_a_text(trained):
    text = "今天张三在北京"
    answer = json.loads(run("predict", trained, text, "--json").stdout)
    assert answer["text"] == text
    for entity in answer["entities"]:
        assert set(entity) == {"start", "end", "label", "text", "score"}
        assert text[entity["start"] : entity["end"]] == entity["text"] and 0 < entity["score"] <= 1
    plain = run("predict", trained, text).stdout
    assert plain.splitlines()[0] == text and len(plain.splitlines()) == 1 + len(answer["entities"])


def test_predict_lines_of_standard_input(trained):
    """One object a line, in order, whatever the lines hold; from a pipe, as bytes."""
    lines = ["今天张三在北京", "", "  ", "iPhone 15👍 𠮷野家", "上海" * 300, "最后"]
    done = process("predict", trained, "--json", stdin="\n".join(lines).encode("utf-8"))
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [answer["text"] for answer in answers] == lines
    crlf = run("predict", trained, "--json", stdin="今天\r\n北京\r\n")
    assert [json.loads(line)["text"] for line in crlf.stdout.splitlines()] == ["今天", "北京"]
    assert run("predict", trained, "--json", stdin="").stdout == ""


def test_predict_answers_each_line_of_a_file_as_of_standard_input(trained, tmp_path):
    """A blank line too: answer n is that to line n."""
    (tmp_path / "a.txt").write_text("今天\n\n北京\n", encoding="utf-8")
    done = run("predict", trained, "--file", tmp_path / "a.txt", "--out", tmp_path / "o.jsonl")
    assert done.exit_code == 0, done.output
    answers = (tmp_path / "o.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["text"] for line in answers.splitlines()] == ["今天", "", "北京"]
    assert answers == run("predict", trained, "--json", stdin="今天\n\n北京\n").stdout
    (tmp_path / "a.txt").write_text("\n \n", encoding="utf-8")
    refused(run("predict", trained, "--file", tmp_path / "a.txt"), "holds no text")


def test_a_byte_order_mark_on_standard_input_is_no_text(trained):
    """Windows PowerShell begins a pipe with one: the first text would be longer, and every offset in it off by one."""
    found = run("predict", trained, "--json", stdin="\ufeff今天\n\ufeff北京\n").stdout.splitlines()
    assert [json.loads(line)["text"] for line in found] == ["今天", "\ufeff北京"]


def test_predict_never_overwrites_the_file_that_it_reads(trained, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("今天\n", encoding="utf-8")
    done = run("predict", trained, "--file", path, "--out", tmp_path / "." / "texts.txt")
    assert done.exit_code == 2 and "would overwrite its own source" in done.stderr
    assert path.read_text(encoding="utf-8") == "今天\n"


def test_predict_refuses_gb18030_and_names_the_line(trained):
    stdin = "今天\n".encode() + "张三在北京大学读书\n".encode("gb18030")
    done = process("predict", trained, "--json", stdin=stdin)
    assert done.returncode == 2
    message = done.stderr.decode("utf-8")
    assert "Traceback" not in message and "not UTF-8" in message and "GB18030" in message
    assert "error" in json.loads(done.stdout.decode("utf-8").splitlines()[-1])


def test_main_is_the_entry_point(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["hanlp-tutor", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0 and "hanlp-tutor" in capsys.readouterr().out


# --- doctor --------------------------------------------------------------------------------------------------------


def test_doctor(tmp_path):
    result = run("doctor", "--json")
    report = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code == 0) == report["healthy"] == (not report["problems"])
    assert report["packages"]["torch"] and set(report["device"]) == {"type", "name", "fp16", "bf16"}
    text = run("doctor").stdout
    assert text.startswith("Python 3.") and f"cores: {report['threads']['cores']}; " in text
    assert report["threads"]["waiting"] in text and set(report["threads"]) == {"cores", "all_cores", "waiting", "set"}


def test_a_doctor_who_finds_something_says_what_to_do(monkeypatch):
    from hanlp_tutor.workbench import doctor

    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "torchcrf" else real(name))
    monkeypatch.setattr(doctor, "LEAST_DISK_GB", 1e9)
    result = run("doctor", "--json")
    report = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == 1 and not report["healthy"]
    assert any("pip install pytorch-crf" in problem for problem in report["problems"])
    assert any("disk" in problem for problem in report["problems"])
    text = run("doctor")
    assert text.exit_code == 1 and "pip install pytorch-crf" in text.stdout


# --- a real corpus -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "weibo").is_dir(), reason="the Weibo corpus is not beside this checkout")
def test_weibo_without_its_segmentation_digits(small_encoder, tmp_path):
    weibo = {"train": SHARED / "weibo" / "dev.conll", "test": SHARED / "weibo" / "test.conll"}  # small is enough
    command = ["train", "--task", "ner", *_files(weibo), "--encoder", small_encoder, "--out", tmp_path / "run"]
    refused(run(*command), "dev.conll:1:", "--strip-segmentation-digits")
    options = ["--strip-segmentation-digits", "-p", "epochs", "2", "-p", "batch_size", "16"]
    result = run(*command, *options, "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout.splitlines()[-1])
    assert metrics["test"]["per_type"]["PER.NAM"]["support"] > 50
    again = run("evaluate", tmp_path / "run", weibo["test"], "--strip-segmentation-digits", "--json")
    assert json.loads(again.stdout.splitlines()[-1]) == metrics["test"]
    exported = run("export", tmp_path / "run", tmp_path / "hanlp", "--to", "hanlp", "--json")
    assert exported.exit_code == 0 and json.loads(exported.stdout)["to"] == "hanlp"
    assert (tmp_path / "hanlp" / "model.pt").exists()


def test_an_option_that_is_given_twice_is_refused(files, tmp_path):
    result = _train(files, tmp_path / "run", "-p", "epochs", "1", "-p", "epochs", "2")
    assert result.exit_code == 2 and "-p epochs is given 2 times, first as 1: keep one." in result.output
    assert not (tmp_path / "run").exists()
