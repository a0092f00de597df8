"""A run that is killed goes on as if nothing had been: bit for bit, or with a clear word about why not."""

import csv
import json
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy import tagged

from hanlp_tutor.config import TrainConfig, parse_value
from hanlp_tutor.core.history import COLUMNS, MEASURED, read_history
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.errors import TrainingError
from hanlp_tutor.files import new_folder, write_file
from hanlp_tutor.run_folder import digest, other_run

TESTS = Path(__file__).parents[1]
TRAIN, DEV = tagged(24), tagged(6, seed=1)
CONFIG = TrainConfig(epochs=2, batch_size=4, checkpoint_steps=4, log_steps=1, lr=1e-3, dropout=0.2)


class Interrupted(Exception):
    """What stands in for kill -9 where a test needs a certain moment."""


def run(encoder, out, *, resume=False, config=CONFIG, train=TRAIN, dev=DEV, stop_at=None):
    model = build_model("ner", encoder, label_set("ner", TRAIN), config)
    calls, real = [], type(model).loss_sum

    def loss_sum(*arguments):
        if model.training:
            calls.append(1)
            if len(calls) == stop_at:
                raise Interrupted
        return real(model, *arguments)

    model.loss_sum = loss_sum
    result = fine_tune(model, train, dev, config, out, resume=resume)
    return model.state_dict(), result


def interrupted(encoder, out, stop_at=7):
    with pytest.raises(Interrupted):
        run(encoder, out, stop_at=stop_at)


def same_weights(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def repeatable(path):
    """The cells of history.csv that are no measurement, as text."""
    with open(path, encoding="utf-8", newline="") as file:
        return [[row[name] for name in COLUMNS if name not in MEASURED] for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_twenty_times_and_bit_identical(small_encoder, tmp_path):
    done = subprocess.run(
        [sys.executable, str(TESTS / "core" / "killed_runs.py"), small_encoder, str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["kills"] >= 20 and counts["inside"] >= 5, counts
    killed, peaceful = (torch.load(tmp_path / name / "final.pt") for name in ("killed", "peaceful"))
    assert same_weights(killed, peaceful)
    assert repeatable(tmp_path / "killed" / "history.csv") == repeatable(tmp_path / "peaceful" / "history.csv")
    assert len(read_history(tmp_path / "killed" / "history.csv")) > 40
    assert json.loads((tmp_path / "killed" / "manifest.json").read_text(encoding="utf-8"))["resumed_at"] > 0


def test_history_and_curves_go_on_without_repeats(tiny_encoder, tmp_path):
    state, result = run(tiny_encoder, tmp_path / "peaceful")
    interrupted(tiny_encoder, tmp_path / "run")
    assert [row["step"] for row in read_history(tmp_path / "run" / "history.csv")] == [1, 2, 3, 4, 5, 6]
    resumed, again = run(tiny_encoder, tmp_path / "run", resume=True)
    assert same_weights(state, resumed)
    assert repeatable(tmp_path / "run" / "history.csv") == repeatable(tmp_path / "peaceful" / "history.csv")
    assert (again.best_dev, again.best_step, again.steps) == (result.best_dev, result.best_step, result.steps)
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    rows = read_history(tmp_path / "run" / "history.csv")
    assert [event.step for event in board.Scalars("loss")] == [row["step"] for row in rows]


def test_seconds_go_on_too(tiny_encoder, tmp_path):
    interrupted(tiny_encoder, tmp_path)
    before = [row["seconds"] for row in read_history(tmp_path / "history.csv")]
    run(tiny_encoder, tmp_path, resume=True)
    seconds = [row["seconds"] for row in read_history(tmp_path / "history.csv")]
    assert seconds == sorted(seconds) and seconds[4] >= before[3]


def test_resuming_a_finished_run_gives_its_weights_back(tiny_encoder, tmp_path):
    state, result = run(tiny_encoder, tmp_path)
    again, second = run(tiny_encoder, tmp_path, resume=True, stop_at=1)
    assert same_weights(state, again) and second.best_dev == result.best_dev


def test_resume_without_a_checkpoint_starts(tiny_encoder, tmp_path):
    interrupted(tiny_encoder, tmp_path, stop_at=2)
    assert not (tmp_path / "checkpoint.pt").exists()
    state, _ = run(tiny_encoder, tmp_path, resume=True)
    assert same_weights(state, run(tiny_encoder, tmp_path / "peaceful")[0])


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_resumes_too(tiny_encoder, tmp_path, precision):
    config = CONFIG.replace(**{precision: True, "allow_slow_precision": True})
    state, _ = run(tiny_encoder, tmp_path / "peaceful", config=config)
    with pytest.raises(Interrupted):
        run(tiny_encoder, tmp_path / "run", config=config, stop_at=7)
    assert same_weights(state, run(tiny_encoder, tmp_path / "run", config=config, resume=True)[0])


def test_of_another_run(tiny_encoder, tmp_path):
    interrupted(tiny_encoder, tmp_path)
    kept = (tmp_path / "checkpoint.pt").read_bytes()

    def refusal(encoder=tiny_encoder, **other):
        with pytest.raises(TrainingError) as caught:
            run(encoder, tmp_path, resume=True, **other)
        return str(caught.value)

    assert "another run: lr is 0.002 here and was 0.001 there. Resume with -p lr 0.001, or" in refusal(
        config=CONFIG.replace(lr=2e-3)
    )
    assert "another run: the training data differ (24 examples here, 24 there)" in refusal(train=[*TRAIN[1:], TRAIN[0]])
    assert "the dev data differ (5 examples here, 6 there). Resume with what the run was" in refusal(dev=DEV[1:])
    fresh = f"random:{tiny_encoder}"
    assert (
        f"the encoder is {fresh} here and was {tiny_encoder} there. Resume with --encoder {tiny_encoder},"
        in refusal(fresh)
    )
    both = refusal(config=CONFIG.replace(epochs=3), dev=DEV[1:])
    assert "-p epochs 2 and the files that it was started with" in both
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept


@pytest.mark.parametrize(
    ("then", "now", "remedy"),
    [
        ({"lr": None}, {"lr": 2e-5}, "lr is 2e-05 here and was not given there. Resume with -p lr none,"),
        ({"lr": 2e-5}, {"lr": None}, "lr is not given here and was 2e-05 there. Resume with -p lr 2e-05,"),
        ({"lr": 1e-3}, {"lr": None, "crf": True}, "Resume with -p lr 0.001 -p crf false,"),
        ({"freeze": "none"}, {"freeze": "encoder"}, """Resume with -p freeze '"none"',"""),
        ({"eval_steps": 3, "seed": 5}, {"eval_steps": None, "seed": 6}, "Resume with -p eval_steps 3 -p seed 5,"),
        ({"class_weights": {"B-X": 2.0}}, {}, "Resume with -p class_weights '{B-X: 2.0}',"),
    ],
)
def test_the_options_that_differ_are_named_as_they_were_given(tmp_path, then, now, remedy):
    """What became of an option stands in the manifest; whether it was given, only the hash tells."""
    before, here = CONFIG.replace(**then), CONFIG.replace(**now)

    def became(config):  # what is not given is chosen, and comes to the same here
        return {**config.model_dump(), "lr": config.lr or 2e-5}

    (tmp_path / "manifest.json").write_text(json.dumps({"config": became(before)}), encoding="utf-8")
    hashes = ({"configuration": digest(config.canonical())} for config in (before, here))
    message = other_run(tmp_path, *hashes, {"config": became(here), "given": here})
    assert remedy in message
    typed = shlex.split(re.search("Resume with (.*), or start", message)[1])
    again = {name: parse_value(value) for name, value in zip(typed[1::3], typed[2::3], strict=True)}
    assert here.replace(**again) == before


def test_without_a_manifest_the_parts_that_differ_are_named(tmp_path):
    message = other_run(tmp_path, {"configuration": "a"}, {"configuration": "b"}, {"config": {}, "given": CONFIG})
    assert message.startswith("the configuration differs. Resume with what the run was started with")


def test_damaged_checkpoints_are_refused_in_words(tiny_encoder, tmp_path):
    interrupted(tiny_encoder, tmp_path)
    path = tmp_path / "checkpoint.pt"
    whole = path.read_bytes()
    rng = random.Random(1)
    cuts = [0, 1, 100, len(whole) // 2, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(4))]
    damaged = [whole[:cut] for cut in cuts] + [b"nonsense", b"\x00" * 1000, b"{}", whole[1000:]]
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1  # one bit of a weight
    for content in [*damaged, flipped]:
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=r"not a whole checkpoint.*Delete it"):
            run(tiny_encoder, tmp_path, resume=True)
    for strange in ({}, [], 3, {"format": 1}, {"format": 99}, {"format": 1, "identity": {}, "parts": {}}):
        torch.save(strange, path)
        with pytest.raises(TrainingError):
            run(tiny_encoder, tmp_path, resume=True)


def test_a_checkpoint_runs_no_code(tiny_encoder, tmp_path):
    class Malice:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    interrupted(tiny_encoder, tmp_path)
    torch.save({"format": 1, "identity": Malice()}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match=r"holds more than tensors.*nothing in it was run"):
        run(tiny_encoder, tmp_path, resume=True)
    assert not (tmp_path / "harm").exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_file(path, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"half of the n")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_file(path, fail)
    assert path.read_bytes() == b"old"
    write_file(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new" and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "model"
    with new_folder(target) as scratch:
        (scratch / "a").write_text("old", encoding="utf-8")

    def replace():
        with new_folder(target) as scratch:
            (scratch / "a").write_text("new", encoding="utf-8")
            if block_fails:
                raise Interrupted

    block_fails = True
    with pytest.raises(Interrupted):
        replace()
    block_fails, real = False, os.rename

    def rename(source, destination):
        if Path(destination) == target and (Path(source) / "a").read_text(encoding="utf-8") == "new":
            raise OSError(13, "Permission denied")
        real(source, destination)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(OSError, match="Permission denied"):
        replace()
    monkeypatch.undo()
    assert (target / "a").read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    replace()
    assert (target / "a").read_text(encoding="utf-8") == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
