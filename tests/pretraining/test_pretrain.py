"""The loop of pre-training: its loss against Hugging Face's, resuming bit for bit, all positions trained."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.encoders.mini import SPECIAL, mini_tokenizer, vocabulary
from hanlp_tutor.errors import ConfigError, TrainingError
from hanlp_tutor.pretraining import loop as module
from hanlp_tutor.pretraining.config import PretrainConfig
from hanlp_tutor.pretraining.held_out import masked_loss
from hanlp_tutor.pretraining.loop import pretrain
from hanlp_tutor.pretraining.masked_batch import draw_batch
from hanlp_tutor.pretraining.masking import Masker, Words
from hanlp_tutor.pretraining.positions import repeat_positions, sinusoidal_positions
from hanlp_tutor.pretraining.text import read_text

SHORT_RUN = {"tokens": 12 * 2048, "warmup_tokens": 4096, "eval_steps": 4, "log_steps": 2, "lr": 1e-3, "short_rows": 0.5}


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(1)
    words = ["我们", "在", "北京", "大学", "学习", "语言", "模型", "很", "有", "意思", "，", "。"]
    lines = [("made up", [words[i] for i in rng.integers(len(words), size=60)]) for _ in range(200)]
    return read_text(TextEncoder(mini_tokenizer()), lines)


def small_model(dropout=0.0):
    torch.manual_seed(0)
    return BertForMaskedLM(
        BertConfig(
            vocab_size=len(vocabulary()), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip


def masker(recipe, words=None):
    return Masker(
        recipe, mask_id=SPECIAL.index("[MASK]"), first_id=len(SPECIAL), vocabulary=len(vocabulary()), words=words
    )


def test_the_loss_is_hugging_faces_own(text):
    model = small_model().eval()
    batch = draw_batch(text, masker("bert"), 64, 8, 2, np.random.default_rng(5))
    labels = torch.full(batch.ids.shape, -100)
    labels.view(-1)[batch.positions] = batch.targets
    theirs = model(input_ids=batch.ids, labels=labels)
    loss, right = masked_loss(model, batch)
    assert loss.item() == pytest.approx(theirs.loss.item(), rel=1e-6)
    assert int(right) == int((theirs.logits.argmax(-1) == labels).sum())
    gradients = []
    for value in (loss, theirs.loss):
        gradients.append(torch.autograd.grad(value, [p for p in model.parameters() if p.requires_grad]))
    for ours, reference in zip(*gradients, strict=True):
        assert torch.allclose(ours, reference, atol=1e-7)


def test_rows_begin_with_cls_and_where_words_begin(text):
    batch = draw_batch(text, masker("roberta-wwm"), 64, 200, 2, np.random.default_rng(5))
    assert (batch.ids[:, 0] == 2).all() and batch.ids.shape == (200, 64)
    assert (batch.positions % 64 != 0).all(), "[CLS] is never hidden"


@pytest.mark.parametrize("stop_at", [3, 7, 10])
def test_a_run_that_was_stopped_ends_bit_for_bit_the_same(text, tmp_path, monkeypatch, stop_at):
    config = PretrainConfig(recipe="bert", **SHORT_RUN)
    whole = pretrain(small_model(), text, text, config, tmp_path / "whole")

    calls = 0

    def interrupted(model, *rest):
        nonlocal calls
        calls += model.training
        if calls > stop_at:
            raise KeyboardInterrupt
        return masked_loss(model, *rest)

    monkeypatch.setattr(module, "masked_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(small_model(), text, text, config, tmp_path / "stopped")
    monkeypatch.undo()
    torch.manual_seed(99)  # what was drawn between must not matter
    again = pretrain(small_model(), text, text, config, tmp_path / "stopped", resume=stop_at >= 4)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name
    drop = {"seconds"}
    assert [{k: v for k, v in row.items() if k not in drop} for row in whole.rows] == [
        {k: v for k, v in row.items() if k not in drop} for row in again.rows
    ]


def test_the_gradient_is_clipped_of_all_that_learns(text, tmp_path, monkeypatch):
    optimised, clipped = [], []

    def building(learning, config):
        optimised.extend(learning.parameters())
        return build(learning, config)

    def clipping(parameters, *rest):
        clipped[:] = list(parameters)
        return clip(clipped, *rest)

    build, clip = module._optimizer, torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(module, "_optimizer", building)
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", clipping)
    config = PretrainConfig(recipe="bert", **{**SHORT_RUN, "tokens": 2048})
    pretrain(small_model(), text, text, config, tmp_path)
    assert optimised and {id(p) for p in clipped} == {id(p) for p in optimised}


def test_another_runs_checkpoint_is_refused(text, tmp_path):
    pretrain(small_model(), text, text, PretrainConfig(recipe="bert", **SHORT_RUN), tmp_path)
    with pytest.raises(
        TrainingError, match=r"recipe is 'roberta-wwm' here and was 'bert' there\. Resume with --recipe bert"
    ):
        pretrain(small_model(), text, text, PretrainConfig(recipe="roberta-wwm", **SHORT_RUN), tmp_path, resume=True)


def test_a_checkpoint_is_never_overwritten_and_its_absence_is_a_beginning(text, tmp_path):
    config = PretrainConfig(recipe="bert", **SHORT_RUN)
    first = pretrain(small_model(), text, text, config, tmp_path, resume=True)
    assert (tmp_path / "checkpoint.pt").exists() and first.rows
    with pytest.raises(TrainingError, match=r"holds a run already\. Continue it with --resume"):
        pretrain(small_model(), text, text, config, tmp_path)


# what an earlier version, which also knew sentence order, made of PretrainConfig(recipe="bert", **SHORT_RUN)
EARLIER = {
    "without": "e6b06d7cf9b52d8bd8a9cd356815c3628b4126f7538f972f30ab28893702eb97",
    "with": "91285ee6af73ae1e1becd5d6034cce76daea6c30700d84524852b82d39661771",
}


@pytest.mark.parametrize(("order", "goes_on"), [("without", True), ("with", False)])
def test_an_earlier_versions_checkpoint(text, tmp_path, order, goes_on):
    config = PretrainConfig(recipe="bert", **SHORT_RUN)
    pretrain(small_model(), text, text, config, tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    state["identity"]["configuration"] = EARLIER[order]
    torch.save(state, tmp_path / "checkpoint.pt")
    if goes_on:
        pretrain(small_model(), text, text, config, tmp_path, resume=True)
    else:
        with pytest.raises(TrainingError, match="belongs to another run: the configuration differs"):
            pretrain(small_model(), text, text, config, tmp_path, resume=True)


def test_sentence_order_is_no_option_any_more():
    with pytest.raises(ConfigError, match="sentence_order"):
        PretrainConfig(recipe="bert", sentence_order=True)


def test_every_one_of_the_512_positions_learns(text, tmp_path):
    model = small_model()
    before = model.bert.embeddings.position_embeddings.weight.detach().clone()
    repeated = before.clone()
    with torch.no_grad():
        for begin in range(64, 512, 63):
            repeated[begin : begin + 63] = before[1 : 1 + min(63, 512 - begin)]
    config = PretrainConfig(recipe="bert", **{**SHORT_RUN, "tokens": 40 * 2048, "weight_decay": 0.0})
    pretrain(model, text, text, config, tmp_path)
    after = model.bert.embeddings.position_embeddings.weight
    assert (after != before).any(dim=1).all() and (after[64:] != repeated[64:]).any(dim=1).all()


def test_positions_begin_as_copies_of_the_trained_ones():
    model = small_model()
    weight = model.bert.embeddings.position_embeddings.weight
    trained = weight.detach()[:64].clone()
    repeat_positions(model, 64)
    assert torch.equal(weight[:64], trained)
    assert torch.equal(weight[64:127], trained[1:]) and torch.equal(weight[505:], trained[1:8])


def test_sines_have_berts_scale_and_neighbours_are_alike():
    model = small_model()
    sinusoidal_positions(model)
    weight = model.bert.embeddings.position_embeddings.weight.detach()
    assert weight.square().mean().sqrt().item() == pytest.approx(0.02, rel=0.01)
    assert torch.allclose(weight[0, 0::2], torch.zeros(8))
    assert torch.allclose(weight[0, 1::2], torch.full((8,), 0.02 * 2**0.5))
    alike = torch.nn.functional.cosine_similarity
    assert alike(weight[10], weight[11], dim=0) > alike(weight[10], weight[14], dim=0)


def test_the_rate_rises_stays_and_falls(text, tmp_path):
    config = PretrainConfig(recipe="bert", **{**SHORT_RUN, "decay": 0.5, "log_steps": 1})
    rates = [row["lr"] for row in pretrain(small_model(), text, text, config, tmp_path).rows]
    # a row holds the learning rate of the next update
    assert rates == pytest.approx([2e-3 / 3] + [1e-3] * 5 + [k / 6 * 1e-3 for k in range(5, -1, -1)])


def test_what_cannot_be_trained_is_reported(text, tmp_path):
    short = read_text(TextEncoder(mini_tokenizer()), [("a", ["北京"] * 50)])
    with pytest.raises(TrainingError, match="too few"):
        pretrain(small_model(), short, text, PretrainConfig(recipe="bert", **SHORT_RUN), tmp_path / "a")
    with pytest.raises(TrainingError, match="the loss is"):
        model = small_model()
        torch.nn.init.constant_(model.bert.embeddings.word_embeddings.weight, float("nan"))
        pretrain(model, text, text, PretrainConfig(recipe="bert", **SHORT_RUN), tmp_path / "b")
    with pytest.raises(ConfigError, match="tokens"):
        PretrainConfig(recipe="bert", tokenz=5)


def test_macbert_trains_with_its_words(text, tmp_path):
    encoder = TextEncoder(mini_tokenizer())
    spelling = [tuple(encoder.by_character(word)) for word in text.vocabulary]
    words = Words(spelling, np.full((len(spelling), 1), -1))
    result = pretrain(small_model(), text, text, PretrainConfig(recipe="macbert", **SHORT_RUN), tmp_path, words=words)
    assert np.isfinite(result.held_out_loss) and 0 <= result.held_out_accuracy <= 1
    assert (tmp_path / "metrics.json").exists() and (tmp_path / "history.csv").exists()


def test_two_number_formats_at_once_are_refused():
    with pytest.raises(ConfigError, match="fp16 and bf16 exclude each other"):
        PretrainConfig(fp16=True, bf16=True)
    assert PretrainConfig(fp16=True).fp16 and PretrainConfig(bf16=True).bf16


def test_fp16_scales_the_loss_and_skips_what_overflows(text, tmp_path, monkeypatch):
    """A scale that is far too high at first: updates are skipped until it is low enough; weights stay finite."""
    real = torch.amp.GradScaler
    monkeypatch.setattr(
        torch.amp, "GradScaler", lambda device, enabled: real(device, init_scale=2.0**40, enabled=enabled)
    )
    config = PretrainConfig(recipe="bert", fp16=True, allow_slow_precision=True, **{**SHORT_RUN, "tokens": 80 * 512})
    result = pretrain(small_model(), text, text, config, tmp_path)
    scaler = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["parts"]["scaler"]
    assert 1 < scaler["scale"] < 2.0**40
    assert all(parameter.isfinite().all() for parameter in result.model.parameters())
    moved = [not torch.equal(a, b) for a, b in zip(result.model.parameters(), small_model().parameters(), strict=True)]
    assert any(moved) and np.isfinite(result.held_out_loss)


def test_fp16_stopped_ends_bit_for_bit_the_same(text, tmp_path, monkeypatch):
    config = PretrainConfig(recipe="bert", fp16=True, allow_slow_precision=True, **SHORT_RUN)
    whole = pretrain(small_model(), text, text, config, tmp_path / "whole")
    save = module.save_checkpoint

    def killed(path, **parts):
        save(path, **parts)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain(small_model(), text, text, config, tmp_path / "stopped")
    monkeypatch.undo()
    again = pretrain(small_model(), text, text, config, tmp_path / "stopped", resume=True)
    for mine, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(mine, other)
