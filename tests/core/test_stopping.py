"""When a run ends and what it leaves: a loss that is no number, early stopping, the run folder, what is refused."""

import copy
import json
import math
import sys

import pytest
import torch
from small_runs import PLAIN, make, updates_of
from toy import tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core import train as loop
from hanlp_tutor.core.evaluate import evaluate_model
from hanlp_tutor.core.history import read_history
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.run import Run
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import TaggedText
from hanlp_tutor.errors import DataError, TrainingError
from hanlp_tutor.progress import listening


def poison(monkeypatch, at_call, value):
    """Multiply the loss of one micro-batch; returns where the sources of its batch will be found."""
    real, calls, sources = loop.Model.loss_sum, [], []

    def loss_sum(self, logits, batch, weights=None):
        loss = real(self, logits, batch, weights)
        if self.training:
            calls.append(1)
            if len(calls) == at_call:
                sources.extend(batch.sources)
                return loss * value
        return loss

    monkeypatch.setattr(loop.Model, "loss_sum", loss_sum)
    return sources


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_names_its_batch_and_spares_the_checkpoint(tiny_encoder, tmp_path, monkeypatch, value):
    examples = tagged(40)
    config = PLAIN.replace(batch_size=4, gradient_accumulation_steps=2, checkpoint_steps=2, log_steps=100)
    clean = updates_of(make("ner", examples, tiny_encoder), examples, config, tmp_path / "clean")
    sources = poison(monkeypatch, at_call=6, value=value)  # the second micro-batch of update 3
    with pytest.raises(TrainingError) as caught:
        fine_tune(make("ner", examples, tiny_encoder), examples, [], config, tmp_path / "run")
    message = str(caught.value)
    assert f"loss became {value}" in message and "update 3" in message
    assert all(source in message for source in sources[:3]) and "1 more" in message
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert saved["progress"]["step"] == 2
    kept = saved["parts"]["model"]
    assert all(torch.equal(kept[name], value) for name, value in clean[2][0].items())


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_saved(tiny_encoder, tmp_path):
    """A finite loss with an infinite gradient would leave NaN weights in the next checkpoint."""
    examples = tagged(16)
    config = PLAIN.replace(batch_size=4, checkpoint_steps=1, max_grad_norm=1.0)
    model = make("ner", examples, tiny_encoder)
    calls = []

    def spoil(gradient):
        calls.append(1)
        return gradient * math.inf if len(calls) == 3 else gradient

    model.head.classifier.weight.register_hook(spoil)
    with pytest.raises(TrainingError, match=r"gradient of update 3 has the norm (nan|inf), in the batch of toy-0"):
        fine_tune(model, examples, [], config, tmp_path)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["progress"]["step"] == 2
    assert all(tensor.isfinite().all() for tensor in saved["parts"]["model"].values())


def scripted(monkeypatch, scores):
    """Dev scores from a list; the weights at each evaluation are returned as they come."""
    states, real = [], evaluate_model

    def evaluate(model, examples, encoded=None):
        found = real(model, examples, encoded=encoded)
        if examples is scripted.dev:
            states.append(copy.deepcopy(model.state_dict()))
            found["f1"] = scores[len(states) - 1]
        return found

    monkeypatch.setattr("hanlp_tutor.core.train.evaluate_model", evaluate)
    return states


def test_early_stopping_gives_the_best_weights_back(tiny_encoder, tmp_path, monkeypatch):
    scripted.dev = tagged(6, seed=1)
    states = scripted(monkeypatch, [0.1, 0.5, 0.4, 0.5, 0.3, 0.9])
    examples = tagged(16)
    model = make("ner", examples, tiny_encoder)
    said = []
    with listening(said.append):
        result = fine_tune(model, examples, scripted.dev, PLAIN.replace(epochs=6, batch_size=8, patience=3), tmp_path)
    (line,) = (event["line"] for event in said if event["event"] == "note" and "early" in event["line"])
    assert "no better dev score in 3 evaluations (patience 3). The weights of update 4 are kept" in line
    assert len(states) == 5, "an equal score is no better one: patience ran out before the sixth"
    assert (result.best_dev, result.best_step, result.steps) == (0.5, 4, 10)
    assert all(torch.equal(value, states[1][name]) for name, value in model.state_dict().items())
    assert not torch.equal(states[1]["head.classifier.weight"], states[4]["head.classifier.weight"])
    assert [row["dev_score"] for row in read_history(tmp_path / "history.csv")] == [0.1, 0.5, 0.4, 0.5, 0.3]
    assert not model.training


def test_what_is_reported_is_the_score_of_the_weights_that_are_left(tiny_encoder, tmp_path):
    examples, dev = tagged(60), tagged(20, seed=1)
    config = TrainConfig(epochs=12, batch_size=4, lr=3e-3, head_lr=3e-3, dropout=0.0)
    model = make("ner", examples, tiny_encoder, config)
    result = fine_tune(model, examples, dev, config, tmp_path)
    assert result.best_dev > 0.5, "it learns"
    assert evaluate_model(model, dev)["f1"] == result.best_dev == max(r.get("dev_score", 0) for r in result.history)
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_evaluations_every_few_updates(tiny_encoder, tmp_path):
    examples = tagged(28)
    config = PLAIN.replace(epochs=2, batch_size=4, eval_steps=3, log_steps=2)
    result = fine_tune(make("ner", examples, tiny_encoder), examples, tagged(4, seed=1), config, tmp_path)
    rows = read_history(tmp_path / "history.csv")
    assert [row["step"] for row in rows] == [2, 3, 4, 6, 7, 8, 9, 10, 12, 14]  # 7 ends an epoch: a checkpoint
    assert [row["step"] for row in rows if row["dev_score"] is not None] == [3, 6, 9, 12, 14]
    assert rows[-1]["tokens"] == 2 * sum(len(example.text) for example in examples)
    assert [row["epoch"] for row in rows if row["step"] in (6, 7, 8)] == [1, 1, 2]
    assert result.steps == 14


def test_the_logged_loss_is_the_mean_over_the_updates_of_a_row(tiny_encoder, tmp_path):
    examples = tagged(24)
    for log_steps in (1, 3):
        config = PLAIN.replace(batch_size=4, log_steps=log_steps)
        fine_tune(make("ner", examples, tiny_encoder), examples, [], config, tmp_path / str(log_steps))
    single, triple = ([row["loss"] for row in read_history(tmp_path / name / "history.csv")] for name in "13")
    assert triple == pytest.approx([sum(single[:3]) / 3, sum(single[3:]) / 3], rel=1e-6)


def test_without_dev_data_the_last_weights_stay(tiny_encoder, tmp_path):
    examples = tagged(8)
    result = fine_tune(make("ner", examples, tiny_encoder), examples, [], PLAIN.replace(patience=1), tmp_path)
    assert result.best_dev is None and result.history[-1]["train_score"] is not None


def test_the_folder_of_a_run(tiny_encoder, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    examples = tagged(8)
    fine_tune(make("ner", examples, tiny_encoder), examples, examples[:3], PLAIN.replace(batch_size=4), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"history.csv", "manifest.json", "checkpoint.pt", "tensorboard"}
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 1 and manifest["config"]["lr"] == 0.1 and manifest["updates"] == 2
    assert manifest["versions"]["torch"] == torch.__version__ and len(manifest["data"]["train"]) == 64
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    rows = read_history(tmp_path / "history.csv")
    assert [e.value for e in board.Scalars("loss")] == pytest.approx([row["loss"] for row in rows])


# --- what is refused -----------------------------------------------------------------------------------------------


def test_no_data_unknown_labels_and_empty_texts(tiny_encoder, tmp_path):
    examples = tagged(8)
    model = make("ner", examples, tiny_encoder)
    with pytest.raises(TrainingError, match="no training example"):
        fine_tune(model, [], [], PLAIN, tmp_path)
    stranger = TaggedText("某药", ("B-DRUG", "I-DRUG"), source="dev.tsv:7")
    with pytest.raises(DataError, match=r"dev\.tsv:7.*B-DRUG"):
        fine_tune(model, examples, [stranger], PLAIN, tmp_path)
    with pytest.raises(DataError, match=r"train\.tsv:3.*no text"):
        fine_tune(model, [*examples, TaggedText("", (), source="train.tsv:3")], [], PLAIN, tmp_path)


def test_a_folder_that_holds_a_run_is_not_overwritten(tiny_encoder, tmp_path):
    examples = tagged(8)
    fine_tune(make("ner", examples, tiny_encoder), examples, [], PLAIN, tmp_path)
    with pytest.raises(TrainingError, match=r"holds a run already.*--resume"):
        fine_tune(make("ner", examples, tiny_encoder), examples, [], PLAIN, tmp_path)


def test_a_folder_that_cannot_be_made(tiny_encoder, tmp_path):
    examples = tagged(8)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TrainingError, match="no run folder"):
        fine_tune(make("ner", examples, tiny_encoder), examples, [], PLAIN, tmp_path / "file" / "run")


def test_between_two_rows_the_loop_reads_no_tensor(tiny_encoder, tmp_path, monkeypatch):
    """Reading a tensor lets a GPU's queue run dry. (Transformers reads the attention mask by itself, to skip it.)"""
    reads, before_row = [], []

    def watch(name):
        real = getattr(torch.Tensor, name)

        def read(self, *arguments, **options):
            caller = sys._getframe(1).f_globals["__name__"]
            if not caller.startswith("transformers."):
                reads.append(f"{caller}: {name}")
            return real(self, *arguments, **options)

        monkeypatch.setattr(torch.Tensor, name, read)

    for name in ("item", "tolist", "numpy", "cpu", "__float__", "__int__", "__bool__"):
        watch(name)
    real_row = Run._row

    def row(self, *arguments):
        before_row.append(list(reads))
        made = real_row(self, *arguments)
        reads.clear()
        return made

    monkeypatch.setattr(Run, "_row", row)
    monkeypatch.setattr(loop, "evaluate_model", lambda *_, **__: {"f1": 0.0})
    examples = tagged(40)
    config = PLAIN.replace(batch_size=4, log_steps=5, max_grad_norm=1.0, l2=0.1, optimizer="adamw")
    model = make("ner", examples, tiny_encoder)
    reads.clear()
    fine_tune(model, examples, [], config, tmp_path)
    assert before_row == [[], []]


def test_a_temperature_that_was_fitted_before_does_not_outlive_the_weights(tmp_path):
    examples = tagged(8)
    model = build_model("ner", "random:mini-bert", label_set("ner", examples), PLAIN)
    model.temperature = 3.0
    fine_tune(model, examples, [], PLAIN, tmp_path)
    assert model.temperature == 1.0
