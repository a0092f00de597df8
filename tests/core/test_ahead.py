"""Working ahead: the same updates as without, whatever happens in between; errors come from where they belong."""

import threading

import pytest
from small_runs import PLAIN, flat, make, weights
from toy import tagged

from hanlp_tutor.core import run as run_module
from hanlp_tutor.core.ahead import Ahead
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.out_of_memory import MemoryWarning
from hanlp_tutor.core.train import fine_tune


@pytest.fixture
def ahead(monkeypatch):
    """As on a GPU, but for its memory; returns the threads that made micro-batches."""
    threads = []

    def noted(make):
        def made(place):
            threads.append(threading.current_thread().name)
            return make(place)

        return made

    monkeypatch.setattr(run_module, "Ahead", lambda make, on: Ahead(noted(make), on=True))
    return threads


def trained(encoder, out, config, **options):
    examples = tagged(30)
    model = make("ner", examples, encoder, config)
    result = fine_tune(model, examples, tagged(6, seed=2), config, out, **options)
    rows = [{name: row[name] for name in ("step", "loss", "grad_norm", "micro_batch")} for row in result.history]
    return flat(weights(model).values()), rows


CONFIG = PLAIN.replace(batch_size=4, epochs=3, gradient_accumulation_steps=2, log_steps=1, dropout=0.1)


def test_the_updates_are_the_same(tiny_encoder, tmp_path, ahead, monkeypatch):
    theirs, rows = trained(tiny_encoder, tmp_path / "ahead", CONFIG)
    assert sum(name.startswith("batches") for name in ahead) == len(ahead) - 3, "all but the first of each epoch"
    monkeypatch.undo()
    assert rows == trained(tiny_encoder, tmp_path / "plain", CONFIG)[1]
    assert theirs.equal(trained(tiny_encoder, tmp_path / "again", CONFIG)[0])


def test_so_are_those_after_memory_ran_out_and_those_of_a_resumed_run(tiny_encoder, tmp_path, ahead, monkeypatch):
    real, failed = Model.loss_sum, []

    def short_of_memory_once(model, logits, batch, *rest):
        loss = real(model, logits, batch, *rest)
        if model.training and not failed:
            failed.append(True)
            loss.register_hook(lambda gradient: (_ for _ in ()).throw(RuntimeError("CUDA out of memory")))
        return loss

    def run(folder):
        failed.clear()
        with pytest.warns(MemoryWarning):
            trained(tiny_encoder, folder, CONFIG, on_evaluation=lambda row: True)
        failed.append(True)
        (folder / "manifest.json").unlink()
        return trained(tiny_encoder, folder, CONFIG, resume=True)

    monkeypatch.setattr(Model, "loss_sum", short_of_memory_once)
    _, rows = run(tmp_path / "ahead")
    monkeypatch.setattr(run_module, "Ahead", Ahead)
    assert rows == run(tmp_path / "plain")[1]
    assert {row["micro_batch"] for row in rows} == {2}


def test_an_error_is_raised_where_its_window_is_wanted():
    def make(place):
        if place == "bad":
            raise ValueError("line 3")
        return [place]

    windows = Ahead(make, on=True)
    assert windows.take("first", "bad") == ["first"]
    with pytest.raises(ValueError, match="line 3"):
        windows.take("bad", "next")
    windows = Ahead(make, on=True)
    windows.take("first", "bad")
    assert windows.take("elsewhere", None) == ["elsewhere"], "what is not wanted any more may have failed"
