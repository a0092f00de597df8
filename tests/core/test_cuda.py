"""The loop on a GPU beside the CPU, for ``make gpu``. Written without a GPU: what tolerances hold is not measured."""

import pytest
import torch

from hanlp_tutor import Predictor, TrainConfig, build_model, fine_tune, load_corpus
from hanlp_tutor.core.task import label_set
from hanlp_tutor.encoders import packed

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")]


@pytest.fixture(scope="module")
def news():
    return [e for e in load_corpus("peoples_daily").train if len(e.text) <= 60][:64]


def trained(news, out, device, **options):
    config = TrainConfig(**{"epochs": 2, "batch_size": 16, "lr": 1e-3, "head_lr": 1e-3, "dropout": 0.0, "crf": False,
                            "log_steps": 1, "device": device, **options})  # fmt: skip
    model = build_model("ner", "mini-bert", label_set("ner", news), config)
    return model, fine_tune(model, news, [], config, out, progress="none")


def losses(result):
    return [row["loss"] for row in result.history]


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"tf32": False}, 1e-3),
        ({}, 2e-2),
        ({"bf16": True}, 5e-2),
        ({"fp16": True}, 5e-2),
        ({"tf32": False, "gradient_checkpointing": True}, 1e-3),
        ({"tf32": False, "crf": True}, 1e-3),
        ({"tf32": False, "compile": True}, 1e-3),
        ({"bf16": True, "varlen": True}, 5e-2),
        ({"fp16": True, "varlen": True, "gradient_checkpointing": True}, 5e-2),
    ],
    ids=str,
)
def test_the_losses_are_those_of_the_cpu(news, tmp_path, options, tolerance):
    plain = {name: value for name, value in options.items() if name == "crf"}
    _, on_cpu = trained(news, tmp_path / "cpu", "cpu", **plain)
    model, on_gpu = trained(news, tmp_path / "gpu", "cuda", **options)
    assert losses(on_gpu) == pytest.approx(losses(on_cpu), rel=tolerance, abs=tolerance)
    assert model.device.type == "cuda" and len(Predictor(model).predict_many([e.text for e in news])) == len(news)


def test_deterministic_runs_are_equal(news, tmp_path):
    runs = [trained(news, tmp_path / str(i), "cuda", deterministic=True)[1] for i in range(2)]
    assert losses(runs[0]) == losses(runs[1])


def test_attention_without_padding_is_that_under_a_mask(news):
    """PyTorch's own kernel, ``varlen_attn``: the same hidden states to what 16 bits leave of them."""
    model = build_model("ner", "mini-bert", label_set("ner", news), TrainConfig(crf=False)).to("cuda").eval()
    batch = model.collate([model.encode(each) for each in news]).to(model.device)
    with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
        expected = model.hidden_states(batch).float()
        packed.pack(model.encoder, lambda: torch.autocast("cuda", torch.bfloat16), "mini-bert")
        found = model.hidden_states(batch).float()
    filled = batch.attention_mask.bool()
    assert (found - expected)[filled].norm() / expected[filled].norm() < 0.02 and not found[~filled].any()
