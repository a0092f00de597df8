"""What is known of an encoder's parts, for many architectures; the oracle is what the module does in a forward pass."""

import pytest
import torch
from tiny_encoders import SHAPES, tiny, write_encoder
from torch import nn

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model, load_model, save_model
from hanlp_tutor.core.optim import parameter_groups
from hanlp_tutor.core.precision import apply_options
from hanlp_tutor.encoders.acceptance import longest_window
from hanlp_tutor.encoders.layers import layer_of, places, recompute, size, stack
from hanlp_tutor.encoders.mini import mini_tokenizer
from hanlp_tutor.errors import ConfigError

LABELS = ("O", "B-PER", "I-PER")
ONE_STACK = [kind for kind in SHAPES if kind != "albert"]
WITH_FINAL_NORM = {"modernbert": "final_norm.", "megatron-bert": "encoder.ln.", "roberta-prelayernorm": "LayerNorm."}


def begun_stack(encoder):
    """Of each parameter how many layers had begun when a module that holds it was first called."""
    begun, seen, handles = 0, {}, []

    def note(module, name=None, number=None):
        def hook(*_):
            nonlocal begun
            if number:
                begun = number
            if name:
                seen.setdefault(name, begun)

        handles.append(module.register_forward_pre_hook(hook))

    for number, layer in enumerate(stack(encoder), 1):
        note(layer, number=number)
    for name, module in encoder.named_modules():
        if module._parameters:
            note(module, name=name)
    with torch.no_grad():
        encoder.eval()(input_ids=torch.arange(6, 14).unsqueeze(0), attention_mask=torch.ones(1, 8, dtype=torch.long))
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("kind", ONE_STACK)
def test_a_parameter_belongs_to_the_layer_in_which_it_works(kind):
    encoder = tiny(kind)
    place, seen = places(encoder), begun_stack(encoder)
    assert len(stack(encoder)) == 2 and set(place) == {name for name, _ in encoder.named_parameters()}
    for name in place:
        module = name.rpartition(".")[0]
        # DeBERTa's convolution is a part of no layer, though it works behind the first
        if module in seen and not name.startswith(("pooler.", "encoder.conv.")):
            assert place[name] == seen[module], name
    final = WITH_FINAL_NORM.get(kind)
    assert {n for n in place if place[n] and not layer_of(f".{n}")} == {
        n for n in place if final and n.startswith(final)
    }


@pytest.mark.parametrize("kind", sorted(WITH_FINAL_NORM))
def test_a_final_norm_learns_and_is_frozen_with_the_top_layer(kind, tmp_path):
    config = TrainConfig(lr=1e-3, layerwise_decay=0.5)
    model = build_model("ner", write_encoder(tmp_path / kind, tiny(kind)), LABELS, config)
    names = {id(p): name for name, p in model.encoder.named_parameters()}
    rates = {names[id(p)]: group.lr for group in parameter_groups(model, config) for p in group.parameters
             if id(p) in names}  # fmt: skip
    for name, lr in rates.items():
        top = name.startswith(WITH_FINAL_NORM[kind]) or layer_of(f".{name}") == 2
        assert lr == (1e-3 if top else 5e-4 if layer_of(f".{name}") == 1 else 2.5e-4), name
    apply_options(model, TrainConfig(freeze="all-but-last-1"))
    trained = {n for n, p in model.encoder.named_parameters() if p.requires_grad}
    assert trained == {n for n, lr in rates.items() if lr == 1e-3}


def test_layers_that_share_their_weights_cannot_learn_by_layers(tmp_path):
    model = build_model("ner", write_encoder(tmp_path / "albert", tiny("albert")), LABELS, TrainConfig())
    with pytest.raises(ConfigError, match=r"layerwise_decay=0\.9.*no stack of layers.*ALBERT.*Leave it out"):
        parameter_groups(model, TrainConfig(layerwise_decay=0.9))
    with pytest.raises(ConfigError, match=r"all-but-last-1.*no stack of layers"):
        apply_options(model, TrainConfig(freeze="all-but-last-1"))
    parameter_groups(model, TrainConfig())
    apply_options(model, TrainConfig(freeze="encoder"))
    assert not any(p.requires_grad for p in model.encoder.parameters())


@pytest.mark.parametrize("kind", ["canine", "funnel"])
def test_several_stacks_of_layers_are_not_taken_for_one(kind):
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            if kind == "canine":
                self.first, self.second = nn.Module(), nn.Module()
                self.first.layer, self.second.layer = (nn.ModuleList([nn.Linear(2, 2)]) for _ in range(2))
            else:
                self.blocks = nn.ModuleList([nn.ModuleList([nn.Linear(2, 2)])])

    assert len(stack(Several())) == 0


def test_shared_layers_count_as_often_as_they_are_used():
    two, twelve = (size(tiny("albert", num_hidden_layers=n)) for n in (2, 12))
    own = sum(p.numel() for p in tiny("albert").encoder.albert_layer_groups.parameters())
    assert twelve - two == 10 * own
    bert = tiny("bert")
    assert size(bert) == sum(p.numel() for n, p in bert.named_parameters() if not n.startswith("pooler."))


# --- dropout -------------------------------------------------------------------------------------------------------


def dropped(encoder, monkeypatch):
    """The rates with which a forward pass in training mode drops, of attention scores (…, T, T) and of all else."""
    found = {"attention": set(), "hidden": set()}

    def note(tensor, p=0.5, training=True, inplace=False):
        if training and p:
            square = tensor.dim() > 2 and tensor.shape[-1] == tensor.shape[-2]
            found["attention" if square else "hidden"].add(p)
        return tensor

    monkeypatch.setattr(nn.functional, "dropout", note)
    encoder.config._attn_implementation = "eager"  # where it is a step of its own
    encoder.train()(input_ids=torch.arange(6, 17).unsqueeze(0), attention_mask=torch.ones(1, 11, dtype=torch.long))
    return found


@pytest.mark.parametrize("kind", SHAPES)
def test_the_option_dropout_is_that_of_hidden_states_and_attention_stays_as_its_authors_chose(
    kind, tmp_path, monkeypatch
):
    model = build_model("ner", write_encoder(tmp_path / kind, tiny(kind)), LABELS, TrainConfig(dropout=0.3))
    theirs = model.encoder.config.to_dict()
    attention = theirs.get("attention_probs_dropout_prob", theirs.get("attention_dropout"))
    found = dropped(model.encoder, monkeypatch)
    assert found["attention"] <= {attention} and found["hidden"] <= {0.3, attention}, found
    assert 0.3 in found["hidden"] and (attention in found["attention"] or kind in ("nystromformer", "convbert"))
    if kind not in ("modernbert", "roberta-prelayernorm", "convbert"):  # there it drops what attention puts out, too
        assert found["hidden"] == {0.3}
    apply_options(model, TrainConfig(dropout=0.0))
    assert dropped(model.encoder, monkeypatch)["hidden"] <= {attention}
    again = load_model(save_model(model, tmp_path / "model"))
    assert "hidden_dropout_prob" in theirs or not hasattr(again.encoder.config, "hidden_dropout_prob")


@pytest.mark.parametrize(
    ("kind", "option"),
    [("albert", "hidden_dropout_prob"), ("distilbert", "dropout"), ("modernbert", "mlp_dropout")],
)
def test_the_saved_configuration_has_it_under_its_own_name(kind, option, tmp_path):
    model = build_model("ner", write_encoder(tmp_path / kind, tiny(kind)), LABELS, TrainConfig(dropout=0.3))
    config = load_model(save_model(model, tmp_path / "model")).encoder.config
    assert getattr(config, option) == 0.3
    assert getattr(config, "attention_probs_dropout_prob", getattr(config, "attention_dropout", None)) == 0.17


def test_looking_for_dropouts_draws_no_random_number(tiny_encoder):
    from hanlp_tutor.encoders.layers import HiddenDropout

    encoder = tiny("bert")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    HiddenDropout(encoder)
    longest_window("it", encoder, mini_tokenizer())
    assert torch.equal(torch.get_rng_state(), before)


# --- recomputing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SHAPES)
def test_recomputing_works_or_is_refused(kind):
    encoder = tiny(kind).train()
    try:
        recompute(encoder, True, kind)
    except ConfigError as error:
        assert kind in ("albert", "mpnet") and "cannot recompute" in str(error)
        return
    assert encoder.is_gradient_checkpointing
    inputs = {"input_ids": torch.arange(6, 14).unsqueeze(0), "attention_mask": torch.ones(1, 8, dtype=torch.long)}
    encoder(**inputs).last_hidden_state.sum().backward()
    recompute(encoder, False, kind)
    assert not encoder.is_gradient_checkpointing
