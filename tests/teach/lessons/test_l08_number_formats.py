"""What notebook 08 shows of number formats, memory and time."""

import pytest
import torch
from small_runs import PLAIN, make, updates_of
from toy import tagged

from hanlp_tutor.core.precision import Precision
from hanlp_tutor.teach.lessons.l08 import memory_meter, number_formats

CPU = torch.device("cpu")


def test_the_gradient_is_the_loops_and_the_scale_leaves_no_trace(tiny_encoder, tmp_path):
    examples = tagged(8)
    model = make("ner", examples, tiny_encoder)
    batch = model.collate([model.encode(e) for e in examples])
    found = number_formats.gradients(model.train(), batch, Precision(CPU, None))
    ((_, reference),) = updates_of(model, examples, PLAIN.replace(batch_size=8), tmp_path)
    assert found.keys() == reference.keys()
    assert all(torch.allclose(found[name], reference[name], rtol=1e-4, atol=1e-7) for name in found)
    scaled = number_formats.gradients(
        make("ner", examples, tiny_encoder).train(), batch, Precision(CPU, None), scale=64
    )
    assert all(torch.equal(scaled[name], found[name]) for name in found), "a power of two rounds nothing"


def test_what_flows_backward(tiny_encoder):
    examples = tagged(4)
    model = make("ner", examples, tiny_encoder)
    batch = model.collate([model.encode(e) for e in examples])
    flow = number_formats.flowing_gradients(model.train(), batch)
    hidden = batch.input_ids.numel() * 32
    assert flow.numel() >= 2 * 3 * hidden and float(flow.abs().max()) > 0


def test_a_step_below_half_a_gap_is_lost():
    weights = torch.tensor([1.0, 0.001])
    assert number_formats.lost_updates(weights, 2e-5, torch.bfloat16) == 0.5
    assert number_formats.lost_updates(weights, 2e-5, torch.float32) == 0.0
    assert number_formats.lost_updates(weights, 0.5, torch.bfloat16) == 0.0


def test_pictures_tell_their_numbers():
    numbers = torch.tensor([2.0**-30, 2.0**-20, 1.0, 2.0**20, 0.0])
    alt = number_formats.histogram({"these": numbers}).alt
    for name in ("rounded to 0", "fewer digits", "held by fp16", "infinite"):
        assert f"these, {name}: 25.0%" in alt
    picture = number_formats.scale_curve([(0, 0.5, 0.0, 0.2), (16, 0.0, 0.0, 0.001), (32, 0.0, 1.0, float("nan"))])
    assert "2^0: 50.0% lost, 0.0% infinite, 20.00% off" in picture.alt and picture.png().startswith(b"\x89PNG")


def test_the_meter_sees_what_is_allocated_and_freed():
    def run():
        a = torch.ones(1000, 1000)  # 4 MB
        del a
        torch.ones(500, 500)

    assert memory_meter.peak_bytes(run, CPU) == pytest.approx(4_000_000, rel=0.01)
    assert memory_meter.peak_bytes(run, CPU, before=1000) == pytest.approx(4_001_000, rel=0.01)
    assert memory_meter.seconds(lambda: None) < 1


def test_what_is_kept_is_what_is_there_at_the_end():
    def run():
        torch.ones(1000, 1000)
        return torch.ones(500, 500)

    assert memory_meter.kept_bytes(run, CPU) == pytest.approx(1_000_000, rel=0.01)
