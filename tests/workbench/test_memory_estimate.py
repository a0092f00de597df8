"""The estimate against what PyTorch's profiler sees the allocator do during a real run."""

import copy
import gc

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from toy import labelled, tagged

from hanlp_tutor import build_model, device, estimate_memory, fine_tune
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core import inference
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data.words import TaggedWords
from hanlp_tutor.errors import ConfigError, TrainingError
from hanlp_tutor.workbench.memory import KINDS

MIB = 2**20
BASE = TrainConfig(epochs=2, batch_size=8, lr=1e-3, warmup_steps=0, patience=None, log_steps=1)


def measured_peak(task, encoder, config, train, dev, out) -> int:
    """The highest number of bytes of tensors, of the whole run with its evaluations, by the profiler."""
    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        model = build_model(task, encoder, label_set(task, train), config)
        fine_tune(model, train, dev, config, out, progress="none")
    events = [e for e in watched.profiler.kineto_results.events() if e.name() == "[memory]"]
    now = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak


IN_EVALUATION = ("plain", "one example")  # where evaluating needs most
CASES = {
    "plain": ("ner", {}, 60, True),
    "one example": ("ner", {"batch_size": 1, "epochs": 1}, 60, True),
    "large batch": ("ner", {"batch_size": 24}, 60, True),
    "long texts": ("ner", {"batch_size": 4}, 200, True),
    "windows": ("ner", {"batch_size": 4, "max_length": 64}, 200, True),
    "no dev": ("ner", {"batch_size": 8}, 60, False),
    "checkpointing": ("ner", {"batch_size": 16, "gradient_checkpointing": True}, 60, True),
    "accumulation": ("ner", {"batch_size": 4, "gradient_accumulation_steps": 4}, 60, True),
    "frozen": ("ner", {"freeze": "encoder"}, 60, True),
    "last layer": ("ner", {"freeze": "all-but-last-1"}, 60, True),
    "sgd": ("ner", {"optimizer": "sgd"}, 60, True),
    "l2 on the distance": ("ner", {"l2": 1.0, "l2_on": "distance"}, 60, True),
    "crf": ("ner", {"crf": True, "batch_size": 24}, 40, True),
    "bf16": ("ner", {"bf16": True, "allow_slow_precision": True}, 60, True),
    "fp16": ("ner", {"fp16": True, "allow_slow_precision": True}, 60, True),
    "classify": ("classify", {"batch_size": 16}, 100, True),
    "multitask": ("multitask", {"batch_size": 16}, 60, True),
}


def in_words(examples):
    """Segmentation and entities, a word a character."""
    tok = [TaggedWords("tok", tuple(example.text)) for example in examples]
    return tok + [TaggedWords("ner", tuple(example.text), example.tags) for example in examples]


@pytest.mark.parametrize("name", CASES)
def test_within_fifteen_per_cent_of_the_profiler(small_encoder, tmp_path, monkeypatch, name):
    """In fact within one or two; the moment and the shape are part of the estimate."""
    task, options, longest, with_dev = CASES[name]
    if name not in IN_EVALUATION:  # or the evaluation of so small a model would need more than its training
        monkeypatch.setattr(inference, "BATCH_TOKENS", 64)
    config = BASE.replace(**options)
    if task in ("ner", "multitask"):
        train, dev = tagged(24, shortest=longest // 2, longest=longest), tagged(8, seed=1, longest=longest)
    else:
        train, dev = labelled(32, longest=longest), labelled(8, seed=1, longest=longest)
    if task == "multitask":
        train, dev = in_words(train), in_words(dev)
    dev = dev if with_dev else []
    model = build_model(task, small_encoder, label_set(task, train), config)
    estimate = estimate_memory(model, config, train, dev)
    measured = measured_peak(task, small_encoder, config, train, dev, tmp_path)
    print(name, estimate, f"measured {measured / MIB:.1f}", sep="\n")
    assert estimate.peak == pytest.approx(measured, rel=0.15)
    assert (estimate.moment == "evaluation") == (name in IN_EVALUATION)


def test_the_parts(small_encoder):
    """Weights, gradients and moments can be counted by hand; the model stays as it is."""
    train = tagged(8)
    model = build_model("ner", small_encoder, label_set("ner", train), BASE)
    before = copy.deepcopy(model.state_dict())
    parts = estimate_memory(model, BASE, train).parts
    everything = sum(4 * p.numel() for p in model.parameters()) + sum(b.nbytes for b in model.buffers())
    trained = sum(4 * p.numel() for p in model.parameters() if p.requires_grad)
    assert tuple(parts) == KINDS and parts["weights"] == everything and parts["copies"] == 0
    assert parts["optimiser"] == pytest.approx(2 * trained, rel=1e-3) and parts["gradients"] <= trained
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.encoder.is_gradient_checkpointing and all(p.grad is None for p in model.parameters())
    assert estimate_memory(model, BASE.replace(optimizer="sgd"), train).parts["optimiser"] == 0
    distance = estimate_memory(model, BASE.replace(l2=1.0, l2_on="distance"), train).parts["copies"]
    assert distance == sum(4 * p.numel() for p in model.encoder.parameters() if p.requires_grad)


def test_what_it_says_and_what_it_refuses(small_encoder, monkeypatch):
    train = tagged(8, shortest=40, longest=40)
    model = build_model("ner", small_encoder, label_set("ner", train), BASE)
    estimate = estimate_memory(model, BASE, train)
    lines = str(estimate).splitlines()
    assert [line.split()[0] for line in lines] == [*KINDS, "peak"] and "of 8 x 42 tokens" in lines[-1]
    with pytest.raises(TrainingError, match="no training example"):
        estimate_memory(model, BASE, [])
    monkeypatch.setattr(device, "_processor_flags", lambda: set())
    with pytest.raises(ConfigError, match="bf16=True"):
        estimate_memory(model, BASE.replace(bf16=True), train)


def test_no_memory_is_needed_to_find_out(small_encoder):
    """Sixty-four texts of two thousand tokens: gigabytes, estimated in a moment and without them."""
    train = tagged(64, shortest=2000, longest=2000)
    config = BASE.replace(batch_size=64, max_batch_tokens=1_000_000)
    model = build_model("ner", small_encoder, label_set("ner", train), config)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        estimate = estimate_memory(model, config, train)
    allocated = [e.nbytes() for e in watched.profiler.kineto_results.events() if e.name() == "[memory]"]
    assert estimate.peak > 2**30 > 100 * max(allocated, default=0)
