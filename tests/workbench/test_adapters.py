"""Adapters: only what they name learns, they are kept apart from the encoder, and merged they are a plain model."""

import copy
import json

import pytest
import torch
import toy
from plain_hanlp import ask

from hanlp_tutor import Predictor, TrainConfig, build_model, export_hanlp, fine_tune, load_model, save_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.errors import ConfigError, EncoderError, ModelError
from hanlp_tutor.workbench.adapters import (
    CARD,
    METHODS,
    WEIGHTS,
    adapter_of,
    attach,
    load_adapter,
    merge,
    save_adapter,
    trainable,
)

EXAMPLES = {"ner": toy.tagged(24, seed=3), "classify": toy.labelled(24, seed=3)}
TEXTS = ["张三在北京开会", "好", "李小明说上海的会议很好" * 20]
CONFIG = TrainConfig(epochs=2, batch_size=8, lr=1e-2, head_lr=1e-2, patience=None, eval_steps=1000, seed=1)


def made(task: str, method: str | None, *, encoder: str = "mini-bert", **options):
    model = build_model(task, encoder, label_set(task, EXAMPLES[task]), CONFIG.replace(crf=task == "ner"))
    return attach(model, method, **options) if method else model


def learned(task: str, method: str, tmp_path, **options):
    model = made(task, method, **options)
    fine_tune(model, EXAMPLES[task], [], CONFIG.replace(crf=task == "ner"), tmp_path / "run", progress="none")
    return model.eval()


def answers(model) -> list:
    return Predictor(model).predict_many(TEXTS)


def same(one: list, other: list) -> bool:
    """The same answers, scores to rounding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return one == pytest.approx(other, abs=1e-4) if isinstance(one, float) else one == other


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", EXAMPLES)
def test_only_the_adapter_and_the_head_learn(task, method, tmp_path):
    before = {name: tensor.clone() for name, tensor in made(task, method).state_dict().items()}
    model = learned(task, method, tmp_path)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    named = {"bitfit": "bias", "lora": "lora_", "prompt": "prompt_embeddings"}[method]
    assert any(name.startswith("encoder.") for name in changed) and any(name.startswith("head.") for name in changed)
    assert all(named in name for name in changed if name.startswith("encoder."))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", EXAMPLES)
def test_an_adapter_comes_back_with_its_head(task, method, tmp_path):
    model = learned(task, method, tmp_path)
    model.temperature = 1.5
    folder = save_adapter(model, tmp_path / "adapter")
    again = load_adapter(folder)
    assert same(answers(again), answers(model)) and again.temperature == 1.5
    assert adapter_of(again)["method"] == method and trainable(again) == trainable(model)
    whole = sum(p.numel() for p in model.parameters()) * 4
    assert (folder / WEIGHTS).stat().st_size < whole / 20
    save_adapter(again, folder)  # an earlier one is replaced


@pytest.mark.parametrize("method", ["bitfit", "lora"])
@pytest.mark.parametrize("task", EXAMPLES)
def test_merged_it_is_a_plain_model(task, method, tmp_path):
    model = learned(task, method, tmp_path)
    before = answers(model)
    plain = merge(model)
    assert plain is model and adapter_of(model) is None and same(answers(model), before)
    assert model.state_dict().keys() == made(task, None).state_dict().keys()
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {name for name, p in made(task, None).named_parameters() if p.requires_grad}
    again = load_model(save_model(model, tmp_path / "model"))
    assert same(answers(again), before)
    attach(model, method)  # and can be given a new one


@pytest.mark.slow
def test_hanlp_opens_a_merged_model(tmp_path):
    model = merge(learned("classify", "lora", tmp_path))
    labels = [answer["label"] for answer in answers(model)]
    folder = str(export_hanlp(model, tmp_path / "hanlp"))
    (asked,) = ask([{"folder": folder, "inputs": TEXTS}])
    assert asked["predictions"] == labels, asked


def test_lora_begins_at_the_model_that_it_is_attached_to():
    plain = made("classify", None).eval()
    assert same(answers(attach(copy.deepcopy(plain), "lora")), answers(plain))


def test_the_parameters_are_those_of_the_papers():
    size, layers = 256, 3
    head = trainable(made("classify", "lora"))["head"]
    assert head == (size + 1) * 2
    assert trainable(made("classify", "lora", rank=4))["adapter"] == layers * 2 * 2 * 4 * size
    assert trainable(made("classify", "prompt", tokens=7))["adapter"] == 7 * size
    biases = [p for name, p in load_encoder("mini-bert").module.named_parameters() if name.endswith("bias")]
    pooler = size
    assert trainable(made("classify", "bitfit"))["adapter"] == sum(p.numel() for p in biases) - pooler
    assert trainable(made("classify", "bitfit"))["parameters"] == trainable(made("classify", "prompt", tokens=1))[
        "parameters"
    ] - size


def test_a_prompt_is_what_peft_makes_of_it():
    from peft import PromptTuningConfig, get_peft_model

    model = made("classify", "prompt", tokens=5).eval()
    config = PromptTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=5, token_dim=256, num_layers=3,
                                num_attention_heads=4)  # fmt: skip
    theirs = get_peft_model(load_encoder("mini-bert").module, config).eval()
    theirs.prompt_encoder["default"].embedding.weight.data.copy_(model.encoder.prompt_embeddings.data)
    batch = model.collate([model.encode(text) for text in ("今天好", "会议在下午开始")])
    with torch.no_grad():
        ours = model.hidden_states(batch)
        other = theirs(input_ids=batch.input_ids, attention_mask=(batch.input_ids != 0).long()).last_hidden_state
    real = (batch.input_ids != 0).unsqueeze(-1)
    assert torch.allclose(ours * real, other[:, 5:] * real, atol=1e-5)


def test_a_copy_works_on_its_own_prompt():
    model = made("classify", "prompt").eval()
    twin = copy.deepcopy(model)
    before = answers(model)
    with torch.no_grad():
        twin.encoder.prompt_embeddings.zero_()
    assert same(answers(model), before) and not same(answers(twin), before)


def test_a_prompt_shortens_the_window():
    assert made("ner", "prompt", tokens=12).window == made("ner", None).window - 12


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("lorra", {}, "Did you mean 'lora'"),
        ("lora", {"rnk": 4}, "has no option 'rnk'; it has rank, alpha, targets"),
        ("bitfit", {"rank": 4}, "it has none"),
        ("lora", {"targets": ["nothing"]}, "no linear layer nothing; it has dense, key, query, value"),
        ("prompt", {"tokens": 0}, "from 1 to"),
        ("prompt", {"tokens": 5000}, "from 1 to"),
    ],
)
def test_what_cannot_be_attached_is_said(method, options, message):
    model = made("classify", None)
    with pytest.raises(ConfigError, match=message):
        attach(model, method, **options)
    assert adapter_of(model) is None


def test_one_adapter_at_a_time_and_none_in_a_model_folder(tmp_path):
    model = made("classify", "prompt")
    with pytest.raises(ConfigError, match="has an adapter already"):
        attach(model, "lora")
    with pytest.raises(ConfigError, match="cannot be merged"):
        merge(model)
    for write in (save_model, export_hanlp):
        with pytest.raises(ModelError, match="merge"):
            write(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_another_encoder_is_refused(tmp_path):
    folder = save_adapter(made("classify", "bitfit"), tmp_path / "adapter")
    with pytest.raises(ModelError, match="another mini-bert than mini-macbert"):
        load_adapter(folder, encoder="mini-macbert")
    with pytest.raises(EncoderError):
        load_adapter(folder, encoder=str(tmp_path / "nowhere"))


def test_a_damaged_folder_is_said_and_somebody_elses_is_left_alone(tmp_path):
    folder = save_adapter(made("classify", "lora"), tmp_path / "adapter")
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**card, "options": {**card["options"], "rank": 4}}), encoding="utf-8")
    with pytest.raises(ModelError, match="do not fit"):
        load_adapter(folder)
    (folder / WEIGHTS).write_bytes(b"half")
    with pytest.raises(ModelError, match="no whole adapter"):
        load_adapter(folder)
    with pytest.raises(ModelError, match="no whole adapter"):
        load_adapter(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(ModelError, match="no earlier adapter"):
        save_adapter(made("classify", "lora"), tmp_path / "other")
    with pytest.raises(ModelError, match="has no adapter"):
        save_adapter(made("classify", None), tmp_path / "new")
