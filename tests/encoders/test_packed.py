"""A batch in one row without padding: on a CPU, with attention text by text in the place of the GPU's kernel."""

import sys
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from small_runs import PLAIN, make
from tiny_encoders import SHAPES, tiny
from toy import labelled, tagged

from hanlp_tutor import fine_tune
from hanlp_tutor.core import precision
from hanlp_tutor.core.precision import Precision
from hanlp_tutor.encoders import packed
from hanlp_tutor.errors import ConfigError

CUDA = torch.device("cuda")
LONG = 600  # tokens of a batch, more than an encoder has positions


def text_by_text(q, k, v, bounds, bounds_k, longest, longest_k, *, scale):
    """What ``varlen_attn`` is documented to compute."""
    assert bounds is bounds_k and bounds.dtype == torch.int32 and longest == longest_k
    texts = zip(*(each.split(bounds.diff().tolist()) for each in (q, k, v)), strict=True)
    attend = F.scaled_dot_product_attention
    return torch.cat([attend(*(x.transpose(0, 1) for x in text), scale=scale).transpose(0, 1) for text in texts])


@pytest.fixture
def kernel(monkeypatch):
    """The reference in the place of PyTorch's kernel."""
    monkeypatch.setattr(packed, "_kernel", lambda: text_by_text)
    return monkeypatch


def gradients(model, batch):
    model.zero_grad()
    logits = model(batch)
    (model.loss_sum(logits, batch) / batch.valid).backward()
    return logits.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("task", "options"), [("ner", {}), ("ner", {"crf": True}), ("classify", {})], ids=str)
def test_logits_and_gradients_are_those_under_a_mask(kernel, tiny_encoder, task, options):
    data = (tagged if task == "ner" else labelled)(40, longest=40)
    model = make(task, data, tiny_encoder, PLAIN.replace(**options)).train()
    batch = model.collate([model.encode(each) for each in data], max_length=24)
    assert batch.padded and batch.windowed and sum(batch.widths) == int(batch.attention_mask.sum()) > LONG
    logits, expected = gradients(model, batch)
    packed.pack(model.encoder, nullcontext, "tiny")
    ours, found = gradients(model, batch)
    assert torch.allclose(ours, logits, atol=1e-5) and found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-5) for name in expected)
    packed.unpack(model.encoder)
    assert torch.equal(gradients(model, batch)[0], logits) and not packed.is_packed(model.encoder)


@pytest.mark.parametrize("options", [{}, {"gradient_checkpointing": True}], ids=str)
def test_a_run_learns_the_same_and_leaves_the_plain_encoder(kernel, tiny_encoder, tmp_path, options):
    on_cpu = precision.pack_encoder
    how = Precision(CUDA, torch.bfloat16)
    kernel.setattr(Precision, "autocast", lambda self: nullcontext())
    kernel.setattr(precision, "pack_encoder", lambda model, on, _: on_cpu(model, on, how))
    data, losses = tagged(40), {}
    for on in (False, True):
        config = PLAIN.replace(batch_size=8, log_steps=1, varlen=on, **options)
        model = make("ner", data, tiny_encoder, config)
        result = fine_tune(model, data, data[:9], config, tmp_path / str(on))
        losses[on] = [row["loss"] for row in result.history]
        assert not packed.is_packed(model.encoder) and model.encoder.config._attn_implementation == "sdpa"
    assert losses[True] == pytest.approx(losses[False], rel=1e-4) and len(losses[True]) >= 5


@pytest.mark.parametrize("kind", SHAPES)
def test_other_encoders_compute_the_same_or_are_refused(kernel, kind):
    encoder = tiny(kind)
    own = encoder.config._attn_implementation
    if kind in ("bert", "electra", "ernie", "albert", "distilbert"):
        packed.pack(encoder, nullcontext, kind)
        assert packed.is_packed(encoder) and encoder.config._attn_implementation == packed.NAME
        return
    with pytest.raises(ConfigError, match=f"varlen=True: the encoder {kind} cannot be computed so here: "):
        packed.pack(encoder, nullcontext, kind)
    assert not packed.is_packed(encoder) and encoder.config._attn_implementation == own


def test_where_it_is_refused_the_words_say_why(tiny_encoder, tmp_path, monkeypatch):
    data = tagged(8)
    model = make("ner", data, tiny_encoder)
    with pytest.raises(ConfigError, match=r"varlen=True: .* is no GPU.* Leave it out"):
        fine_tune(model, data, [], PLAIN.replace(varlen=True, device="cpu"), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"in 16 bits\. Add bf16=True or fp16=True"):
        precision.pack_encoder(model, True, Precision(CUDA, None))
    half = Precision(CUDA, torch.bfloat16)
    monkeypatch.setattr(type(model), "hidden_states", lambda *_: None)
    with pytest.raises(ConfigError, match="a TaggingModel calls its encoder in its own way"):
        precision.pack_encoder(model, True, half)
    monkeypatch.undo()
    monkeypatch.setattr(Precision, "autocast", lambda self: nullcontext())
    with pytest.raises(ConfigError, match=r"cannot be computed so here: .*CPU.* Leave it out"):
        precision.pack_encoder(model, True, half)  # PyTorch's own kernel, which a CPU has not
    monkeypatch.setitem(sys.modules, "torch.nn.attention.varlen", None)
    with pytest.raises(ConfigError, match=r"PyTorch .* has no torch.nn.attention.varlen. Leave it out"):
        precision.pack_encoder(model, True, half)
    for other in ("compile", "deterministic"):
        with pytest.raises(ConfigError, match=f"varlen and {other} exclude each other"):
            PLAIN.replace(varlen=True, **{other: True})
