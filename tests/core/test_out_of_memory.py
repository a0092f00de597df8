"""Memory runs out: the same update in smaller pieces, a warning, kept over a resume. What cannot be cut says so."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from small_runs import PLAIN, distance, flat, make, updates_of, weights, windows_of
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core import evaluate
from hanlp_tutor.core.history import COLUMNS, MEASURED, read_history
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.out_of_memory import MemoryWarning, cut
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.device import is_out_of_memory
from hanlp_tutor.errors import TrainingError

TESTS = Path(__file__).parents[1]
CPU_MESSAGE = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


def shortage():
    return RuntimeError(CPU_MESSAGE + " allocate 4294967296 bytes. Error code 12 (Cannot allocate memory)")


@pytest.fixture
def room_for(monkeypatch):
    """A machine whose memory ends behind so many examples in a micro-batch; in the backward pass, as is usual."""

    def limit(examples, *, error=shortage, where="loss_sum"):
        real = getattr(Model, where)

        def limited(self, *arguments):
            batch = next(a for a in arguments if hasattr(a, "lengths"))
            output = real(self, *arguments)
            if self.training and len(batch.lengths) > examples:
                output.register_hook(lambda gradient: (_ for _ in ()).throw(error()))
            return output

        monkeypatch.setattr(Model, where, limited)

    return limit


def run(encoder, out, config, examples, dev=(), **options):
    model = make("ner", examples, encoder, config)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = fine_tune(model, examples, list(dev), config, out, **options)
    return flat(weights(model).values()), result, [str(w.message) for w in warned if w.category is MemoryWarning]


@pytest.mark.parametrize(
    ("error", "yes"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."), True),
        (shortage(), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 16 bytes."), True),  # Windows
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"), True),
        (RuntimeError("could not create a primitive"), True),  # oneDNN, met under a limit of the address space
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_it_looks_like(error, yes):
    assert is_out_of_memory(error) is yes


def test_what_a_gpu_keeps_for_later_is_given_back_before_the_next_try(tiny_encoder, tmp_path, monkeypatch, room_for):
    given_back = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(1))
    examples = tagged(8)
    room_for(2)
    run(tiny_encoder, tmp_path, PLAIN.replace(batch_size=8), examples)
    assert len(given_back) == 2, "8, 4, then 2 at once"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 32, 33])
def test_halving_ends_at_single_examples(size):
    micro = list(range(size))
    longest = size
    for power in range(1, 8):
        pieces = cut(micro, 2**power)
        assert [i for piece in pieces for i in piece] == micro
        now = max(map(len, pieces))
        assert now < longest or longest == 1
        assert max(map(len, pieces)) - min(map(len, pieces)) <= now - 1 or now == 1
        longest = now
    assert longest == 1


@pytest.mark.parametrize("k", [1, 3])
def test_the_gradient_of_every_window_is_that_of_the_whole(tiny_encoder, tmp_path, room_for, k):
    examples = tagged(38, longest=60)
    config = PLAIN.replace(batch_size=8, gradient_accumulation_steps=k)
    whole = updates_of(make("ner", examples, tiny_encoder), examples, config, tmp_path / "whole")
    room_for(4)
    with pytest.warns(MemoryWarning, match="at most 4 examples"):
        halved = updates_of(make("ner", examples, tiny_encoder), examples, config, tmp_path / "halved")
    assert len(whole) == len(halved) == len(windows_of(make("ner", examples, tiny_encoder), examples, config))
    for (_, ours), (_, reference) in zip(halved, whole, strict=True):
        assert ours.keys() == reference.keys()
        assert distance(flat(ours.values()), flat(reference.values())) <= 2e-5


def test_what_is_reported(tiny_encoder, tmp_path, room_for, capsys, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")
    examples = tagged(40)
    room_for(3)
    config = PLAIN.replace(batch_size=8, gradient_accumulation_steps=2, log_steps=1)
    _, result, warned = run(tiny_encoder, tmp_path, config, examples, progress="lines")
    assert [message.split(". It")[0] for message in warned] == ["Memory ran out at update 1"] * 2
    assert "at most 2 examples in a micro-batch; batch_size=8" in warned[1]
    assert warned[1] in capsys.readouterr().err
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["micro_batch"] == 2 and manifest["out_of_memory_at"] == [1, 1]
    assert {row["micro_batch"] for row in read_history(tmp_path / "history.csv")} == {2}
    assert result.history[-1]["tokens"] == sum(len(e.text) for e in examples), "no token is counted twice"


def test_with_dropout_it_is_the_run_that_had_small_pieces_from_the_start(tiny_encoder, tmp_path, room_for, monkeypatch):
    """Random numbers begin again with the window, so the failed attempts leave no trace in weights or history."""
    examples, dev = tagged(40), tagged(6, seed=1)
    config = TrainConfig(epochs=2, batch_size=8, lr=1e-3, dropout=0.3, log_steps=1, patience=None)
    from hanlp_tutor.core import run as run_module

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "cut", lambda micro, divisor: cut(micro, 4))
        reference, plain, _ = run(tiny_encoder, tmp_path / "small", config, examples, dev)
    room_for(2)
    halved, result, warned = run(tiny_encoder, tmp_path / "halved", config, examples, dev)
    assert len(warned) == 2 and torch.equal(halved, reference)
    kept = [name for name in COLUMNS if name not in (*MEASURED, "micro_batch")]
    assert [[r.get(n) for n in kept] for r in result.history] == [[r.get(n) for n in kept] for r in plain.history]


def test_without_a_shortage_nothing_is_reported_and_nothing_is_cut(tiny_encoder, tmp_path):
    examples = tagged(12)
    _, result, warned = run(tiny_encoder, tmp_path, PLAIN.replace(batch_size=8), examples)
    assert not warned and result.history[-1]["micro_batch"] == 8
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["out_of_memory_at"] == []


def test_a_resumed_run_keeps_the_small_micro_batch(tiny_encoder, tmp_path, room_for):
    examples = tagged(40)
    config = PLAIN.replace(epochs=3, batch_size=8, checkpoint_steps=2, log_steps=1)
    room_for(3)
    whole, _, warned = run(tiny_encoder, tmp_path / "whole", config, examples)
    assert len(warned) == 2

    class Stop(Exception):
        pass

    def stop(row):
        raise Stop

    with pytest.raises(Stop), pytest.warns(MemoryWarning):
        fine_tune(make("ner", examples, tiny_encoder), examples, [], config, tmp_path / "cut", on_evaluation=stop)
    resumed, result, warned = run(tiny_encoder, tmp_path / "cut", config, examples, resume=True)
    assert not warned, "it does not run out of memory again to find out"
    assert torch.equal(resumed, whole) and result.history[-1]["micro_batch"] == 2
    manifest = json.loads((tmp_path / "cut" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["out_of_memory_at"] == [1, 1] and manifest["micro_batch"] == 2


def test_a_checkpoint_from_before_this_was_known_resumes(tiny_encoder, tmp_path):
    examples = tagged(12)
    whole, _, _ = run(tiny_encoder, tmp_path, PLAIN, examples)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["progress"]["halved_at"]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert torch.equal(run(tiny_encoder, tmp_path, PLAIN, examples, resume=True)[0], whole)


def test_half_precision_too(tiny_encoder, tmp_path, room_for):
    examples = tagged(24)
    config = PLAIN.replace(batch_size=8, fp16=True, allow_slow_precision=True, max_grad_norm=1.0)
    whole, _, _ = run(tiny_encoder, tmp_path / "whole", config, examples)
    room_for(4)
    halved, _, warned = run(tiny_encoder, tmp_path / "halved", config, examples)
    assert len(warned) == 1 and distance(halved, whole) < 1e-3


def test_a_single_example_that_does_not_fit(tiny_encoder, tmp_path, room_for):
    examples = tagged(6)
    room_for(0)
    with pytest.raises(
        TrainingError, match=r"single example of \d+ tokens.*toy-0\.tsv:\d.*gradient_checkpointing=True"
    ):
        run(tiny_encoder, tmp_path, PLAIN.replace(batch_size=4), examples)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_another_error_stays_what_it_is(tiny_encoder, tmp_path, room_for):
    room_for(3, error=lambda: RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        run(tiny_encoder, tmp_path, PLAIN.replace(batch_size=8), tagged(8))


def test_where_no_smaller_micro_batch_helps(tiny_encoder, tmp_path, monkeypatch):
    def step(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB.\nGPU 0 has ...")

    monkeypatch.setattr(torch.optim.SGD, "step", step)
    with pytest.raises(
        TrainingError, match=r"no smaller micro-batch helps \(CUDA out of memory. Tried to allocate 1 G"
    ):
        run(tiny_encoder, tmp_path, PLAIN, tagged(8))


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_evaluation_halves_its_batches_as_well(tiny_encoder, monkeypatch, task):
    examples = tagged(30) if task == "ner" else labelled(30)
    model = make(task, examples, tiny_encoder)
    expected = evaluate.evaluate_model(model, examples)
    real, largest = Model.hidden_states, []

    def hidden_states(self, batch):
        if len(batch.lengths) > 4:
            raise shortage()
        largest.append(len(batch.lengths))
        return real(self, batch)

    monkeypatch.setattr(Model, "hidden_states", hidden_states)
    scores = evaluate.evaluate_model(model, examples)
    assert max(largest) <= 4 and sum(largest) == 30
    assert scores.pop("loss") == pytest.approx(expected.pop("loss"), rel=1e-5)
    assert scores == expected
    monkeypatch.setattr(Model, "hidden_states", lambda self, batch: (_ for _ in ()).throw(shortage()))
    with pytest.raises(RuntimeError, match="can't allocate"):
        evaluate.evaluate_model(model, examples[:1])


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS")
def test_under_a_real_limit_of_the_process(tiny_encoder, tmp_path):
    """Long texts, 32 at once: too much for the address space that the process is granted; and it goes on."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "core" / "limited_run.py"), tiny_encoder, str(tmp_path)],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",
            "MALLOC_MMAP_THRESHOLD_": "131072",  # fixed, so that the heap of the first run does not serve the second
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Memory ran out at update 1" in done.stderr
    manifest = json.loads((tmp_path / "limited" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["out_of_memory_at"] and manifest["micro_batch"] < 32
    limited, free = (torch.load(tmp_path / name / "final.pt") for name in ("limited", "free"))
    assert distance(flat(limited.values()), flat(free.values())) < 1e-5
    rows = [read_history(tmp_path / name / "history.csv") for name in ("limited", "free")]
    assert [r["tokens"] for r in rows[0]] == [r["tokens"] for r in rows[1]]
    assert {r["micro_batch"] for r in rows[1]} == {32}
