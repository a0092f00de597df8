"""What a run shows: lines that fit a terminal, a bar only in one, and a closing block that can be believed."""

import json
import os
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hanlp_tutor.progress import EVENTS, Reporter, heard, listening, tell
from hanlp_tutor.workbench.closing import after_training, comparison, headline, shown, to_try
from hanlp_tutor.workbench.steps import LABEL, WIDTH, Follower, Steps

ROW = {
    "epoch": 1,
    "step": 1200,
    "loss": 0.0763,
    "dev_loss": 0.06,
    "dev_score": 0.7142,
    "train_score": 0.9,
    "tokens_per_second": 12_345.6,
}


@pytest.fixture(autouse=True)
def as_at_home(monkeypatch):
    """Without what the other tests are spared."""
    monkeypatch.delenv("HANLP_TUTOR_PROGRESS", raising=False)


def test_a_step_is_a_line_and_a_long_one_goes_on_below(capsys):
    steps = Steps("lines")
    steps.say("corpus", "ten sentences")
    steps.say("feature CRF", "word " * 20)
    out, lines = capsys.readouterr()
    first, second, third = lines.splitlines()
    assert out == "" and first == "corpus       ten sentences"
    assert second.startswith("feature CRF  word") and third.startswith(" " * LABEL + "word")
    assert all(len(line) <= WIDTH for line in lines.splitlines())


def test_a_training_in_lines(capsys):
    steps = Steps("lines")
    steps.trains("ner", "mini-bert")
    with listening(steps.hear):
        reporter = Reporter(1250, 1199, "none")
        reporter.update(ROW)
        reporter.update(None)
        reporter.say("Memory ran out.")
        reporter.close()
        tell("tested", scores={"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "per_type": {}})
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training     mini-bert, 1,250 updates, 1,199 of them done before",
        "             update 1,200/1,250  loss 0.076  dev F1 0.714  12,346 tokens/s",
        "note         Memory ran out.",
        "test         P 0.5000  R 0.2500  F1 0.3333",
    ]
    assert not heard()


@pytest.mark.parametrize(("mode", "detailed"), [("none", True), ("lines", False)])
def test_where_evaluations_would_be_too_much(capsys, mode, detailed):
    steps = Steps(mode)
    steps.detailed = detailed
    for event in ({"event": "update", "done": 1, "row": ROW}, {"event": "trained", "done": 1}):
        steps.hear(event)
    steps.say("folder", "runs/1")
    assert capsys.readouterr().err == "folder       runs/1\n"


def test_a_bar_counts_and_gives_way_to_lines(capsys):
    steps = Steps("bar")
    steps.begin("cells", 7, "cells", remaining=False)
    steps.count(3)
    steps.hear({"event": "training", "updates": 50, "done": 0})
    steps.hear({"event": "update", "done": 40, "row": ROW})
    steps.hear({"event": "trained", "done": 50})
    steps.hear({"event": "training", "updates": 60, "done": 0})  # one that an error ended, so that nobody closed it
    steps.count_outermost(4)
    steps.close()
    text = capsys.readouterr().err
    assert "0/7 cells" in text and "/50 updates" in text and text.index("/50 updates") < text.rindex("3/7 cells")
    assert text.index("/60 updates") < text.index("4/7 cells")
    assert "it/s" not in text and not text.split("\r")[-1].strip()  # nothing is left on the screen


def test_events_of_another_process_in_order_and_whole(tmp_path):
    path, events = tmp_path / "events", []
    code = "from hanlp_tutor.progress import tell\nfor n in range(50): tell('update', done=n, text='北京')"
    with Follower(path, events.append, lambda: None) as follower:
        follower.catch_up()  # there is no file yet
        subprocess.run([sys.executable, "-c", code], env={**os.environ, EVENTS: str(path)}, check=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write('{"event": "half')
            file.flush()
            follower.catch_up()
            file.write(' a line"}\n')
    assert [event.get("done") for event in events] == [*range(50), None]
    assert events[-1] == {"event": "half a line"} and events[0]["text"] == "北京"


def test_a_listener_that_is_gone_stops_no_run(tmp_path, monkeypatch):
    monkeypatch.setenv(EVENTS, str(tmp_path / "gone" / "events"))
    assert heard()
    tell("update", done=1)


OURS = {"precision": 0.9, "recall": 0.7, "f1": 0.8, "per_type": {}}


def test_who_is_ahead_is_reported_by_the_numbers():
    baselines = {"dictionary": {"f1": 0.6}, "feature CRF": {"f1": 0.823}}
    line, means = comparison(OURS, baselines)
    assert line == "baselines: feature CRF F1 0.823, dictionary F1 0.600"
    assert means.startswith("The feature CRF is ahead of the fine-tuned model by 2.3 points")
    _, means = comparison({**OURS, "f1": 0.85}, baselines)
    assert means.startswith("The fine-tuned model is ahead of the best baseline, the feature CRF, by 2.7 points")
    _, means = comparison({**OURS, "f1": 0.8231}, baselines)
    assert means == "The fine-tuned model is level with the best baseline, the feature CRF, on the same sentences."
    assert comparison(OURS, {}) == [] and comparison(OURS, {"other": {"accuracy": 1.0}}) == []


def test_headline_of_a_multitask_model():
    scores = {"tok": OURS, "pos": {"accuracy": 0.5, "per_class": {}}, "mean": 0.6}
    assert headline(scores) == "tok: P 0.9000  R 0.7000  F1 0.8000; pos: accuracy 0.5000"


def test_paths_and_commands_as_one_would_type_them_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "runs" / "1") == "runs/1" and shown(tmp_path.parent) == str(tmp_path.parent)
    for command in after_training(tmp_path / "my runs" / "it's $1", "ner"):
        words = shlex.split(command)
        assert any(word.startswith("my runs/it's $1") for word in words), json.dumps(command)


def test_a_model_is_tried_on_a_short_text_of_its_own():
    texts = ["太短", "很长" * 30, "说“好”的'客人'", "- 开头", " 屏幕有亮点，退货了。 ", "第二条也很短。"]
    examples = [SimpleNamespace(text=text) for text in texts]
    assert to_try(object(), [], examples) == "屏幕有亮点，退货了。"
    assert to_try(object(), [SimpleNamespace(text="测试集在先。")], examples) == "测试集在先。"
    assert to_try(object(), None, examples[:2]) == "很长" * 30, "not so short, if there is no other"
    assert to_try(object(), [], examples[2:4]) is None
    pairs = SimpleNamespace(marked=lambda pair: f"「{pair.text}」")
    assert to_try(pairs, examples[5:]) == "「第二条也很短。」"
