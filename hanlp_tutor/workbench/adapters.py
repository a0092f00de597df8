"""Parameter-efficient fine-tuning (参数高效微调): few parameters learn, the encoder stands still.

==========  ==================================================================  ======================
method      what learns, beside the head                                        source
==========  ==================================================================  ======================
``bitfit``  the biases of the encoder                                           Ben Zaken et al. 2022
``lora``    two low-rank matrices beside each query and value projection        Hu et al. 2021
``prompt``  a few invented tokens before the text                               Lester et al. 2021
==========  ==================================================================  ======================

:func:`attach` changes a model in place; :func:`hanlp_tutor.fine_tune` then trains it like any other, with ``lr`` for
what was attached. :func:`save_adapter` keeps only what has learned, with the head; :func:`load_adapter` puts it onto
the same encoder again. :func:`merge` makes a plain model of it, which can be saved, served and exported.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.encoders.layers import POOLER, count
from hanlp_tutor.encoders.masks import wide
from hanlp_tutor.errors import ConfigError, ModelError, first_line, nearest
from hanlp_tutor.extras import needs
from hanlp_tutor.files import may_replace, new_folder, write_file, write_json

METHODS = ("bitfit", "lora", "prompt")
CARD, WEIGHTS = "adapter.json", "adapter.safetensors"
DEFAULTS: dict[str, dict[str, Any]] = {
    "bitfit": {},
    "lora": {"rank": 8, "alpha": 16, "targets": None},
    "prompt": {"tokens": 10},
}
# How BERT, DistilBERT, ModernBERT and T5-like encoders call the two projections; where no ``targets`` are named, the
# first that exist are taken.
_TARGETS = (("query", "value"), ("q_lin", "v_lin"), ("query_proj", "value_proj"), ("q_proj", "v_proj"), ("Wqkv",))


def attach(model: Model, method: str, **options: Any) -> Model:
    """Freeze the encoder of a model and attach what is to learn in its place; the head learns as before.

    Args:
        model: fresh or trained, without an adapter; changed in place.
        method: one of :data:`METHODS`.
        options: ``rank``, ``alpha``, ``targets`` (names of linear layers) of LoRA: the change of a weight is
            ``alpha / rank · B A``; ``tokens`` of a prompt, which makes the window that much shorter.

    Returns:
        The model.

    Raises:
        ConfigError: an unknown method or option, a model that has an adapter, PEFT not installed, no such layers.
    """
    if method not in METHODS:
        guess = nearest(str(method), METHODS)
        meant = f" Did you mean {guess!r}?" if guess else ""
        raise ConfigError(f"{method!r} is no method: {', '.join(METHODS)}.{meant}")
    if present := adapter_of(model):
        raise ConfigError(f"The model has an adapter already ({present['method']}). Merge it first: merge(model).")
    unknown = sorted(options.keys() - DEFAULTS[method].keys())
    if unknown:
        known = ", ".join(DEFAULTS[method]) or "none"
        raise ConfigError(f"{method} has no option {unknown[0]!r}; it has {known}.")
    chosen = {**DEFAULTS[method], **options}
    trained = {name: p.requires_grad for name, p in model.encoder.named_parameters()}
    {"bitfit": _only_biases, "lora": _add_lora, "prompt": _add_prompt}[method](model, chosen)
    model.encoder.adapter = {"method": method, "options": chosen, "trained": trained}
    return model


def adapter_of(model: Model) -> dict[str, Any] | None:
    """``method`` and ``options`` of the adapter that a model has; None where it has none."""
    return getattr(model.encoder, "adapter", None)


def trainable(model: Model) -> dict[str, int]:
    """How many parameters learn, ``adapter`` and ``head``, of how many ``parameters`` in all; no pooler is counted."""
    encoder, head = count(model.encoder), count(model.head)
    return {"adapter": encoder["trainable"], "head": head["trainable"],
            "parameters": encoder["parameters"] + head["parameters"]}  # fmt: skip


def merge(model: Model) -> Model:
    """A plain model again, with the same answers: LoRA's products are added to the weights that they stand beside.

    Raises:
        ConfigError: an invented token cannot be merged into any weight.
    """
    adapter = adapter_of(model)
    if adapter is None:
        return model
    if adapter["method"] == "prompt":
        raise ConfigError("A prompt cannot be merged: no weight holds invented tokens. Keep it with save_adapter().")
    if adapter["method"] == "lora":
        layers = needs("peft.tuners.lora.layer", "merging LoRA")
        for name, module in [*model.encoder.named_modules()]:
            if isinstance(module, layers.LoraLayer):
                module.merge(safe_merge=True)
                parent, _, own = name.rpartition(".")
                setattr(model.encoder.get_submodule(parent), own, module.get_base_layer())
        del model.encoder.peft_config
    for name, parameter in model.encoder.named_parameters():
        parameter.requires_grad_(adapter["trained"][name])
    del model.encoder.adapter
    return model


def save_adapter(model: Model, folder: str | Path) -> Path:
    """Write what has learned and the head, whole or not at all: ``adapter.json``, ``adapter.safetensors``.

    Raises:
        ModelError: the model has no adapter, or the folder holds something else.
    """
    folder, adapter = Path(folder), adapter_of(model)
    if adapter is None:
        raise ModelError("The model has no adapter. Save it with save_model(), or attach one before training.")
    if not may_replace(folder, CARD):
        raise ModelError(f"{folder} exists and is no earlier adapter. Choose a new folder.")
    card = {
        "format": 1, "task": model.task, "labels": list(model.labels), "crf": model.crf, "dropout": model.dropout.p,
        "encoder": model.encoder_name, "encoder_sha256": _hash_of_encoder(model), "temperature": model.temperature,
        "method": adapter["method"], "options": adapter["options"],
    }  # fmt: skip
    with new_folder(folder) as scratch:
        write_json(scratch / CARD, card)
        learned = {name: p.detach().cpu().contiguous() for name, p in _learned(model).items()}
        write_file(scratch / WEIGHTS, lambda file: file.write(save(learned, metadata={"format": "pt"})))
    return folder


def load_adapter(folder: str | Path, *, encoder: str | None = None) -> Model:
    """Build the model again, on the encoder that the adapter was trained on; ready to predict.

    Args:
        folder: what :func:`save_adapter` wrote.
        encoder: where to find that encoder, if its name means something else on this machine.

    Raises:
        ModelError: no such folder, a file missing or damaged, or another encoder than it was trained on.
        EncoderError: the encoder is not to be had.
    """
    folder = Path(folder)
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        learned = load((folder / WEIGHTS).read_bytes())
        config = TrainConfig(crf=card["crf"], dropout=card["dropout"])
        name, labels, method = encoder or card["encoder"], card["labels"], card["method"]
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        damage = f"{folder}: no whole adapter ({first_line(error)}). Save it again with save_adapter()."
        raise ModelError(damage) from error
    model = attach(build_model(card["task"], name, labels, config), method, **card["options"])
    if _hash_of_encoder(model) != card["encoder_sha256"]:
        raise ModelError(
            f"{folder}: trained on another {card['encoder']} than {name} is here. An adapter fits only the very "
            "weights that it was trained on: load_adapter(folder, encoder='PATH OF THAT ENCODER')."
        )
    mine = _learned(model)
    if {name: p.shape for name, p in mine.items()} != {name: tensor.shape for name, tensor in learned.items()}:
        raise ModelError(f"{folder}: its weights do not fit what {CARD} says. Save it again with save_adapter().")
    with torch.no_grad():
        for each, parameter in mine.items():
            parameter.copy_(learned[each])
    model.temperature = float(card["temperature"])
    return model.eval()


# --- the methods ---------------------------------------------------------------------------------------------------


def _only_biases(model: Model, options: dict[str, Any]) -> None:
    for name, parameter in model.encoder.named_parameters():
        parameter.requires_grad_(name.endswith("bias") and not name.startswith(POOLER))


def _add_lora(model: Model, options: dict[str, Any]) -> None:
    peft = needs("peft", "LoRA", "take method='bitfit' or 'prompt'")
    linear = [name for name, module in model.encoder.named_modules() if isinstance(module, nn.Linear)]
    present = {name.rpartition(".")[2] for name in linear if not name.startswith(POOLER)}
    usual = next((names for names in _TARGETS if present.issuperset(names)), _TARGETS[0])
    targets = tuple(options["targets"] or usual)
    if not present.issuperset(targets):
        missing, known = ", ".join(sorted(set(targets) - present)), ", ".join(sorted(present))
        raise ConfigError(f"targets: {model.encoder_name} has no linear layer {missing}; it has {known}.")
    options["targets"] = list(targets)
    config = peft.LoraConfig(
        r=options["rank"], lora_alpha=options["alpha"], target_modules=list(targets), lora_dropout=0.0
    )
    peft.inject_adapter_in_model(config, model.encoder)  # which freezes the rest of the encoder


def _add_prompt(model: Model, options: dict[str, Any]) -> None:
    """Tokens that exist only as vectors, drawn from those of real tokens (Lester et al. 2021, section 3.2)."""
    tokens, words = options["tokens"], model.encoder.get_input_embeddings()
    if not 0 < tokens < model.window // 2:
        most = model.window // 2 - 1
        raise ConfigError(f"tokens={tokens}: from 1 to {most}, half of what {model.encoder_name} reads at once.")
    model.encoder.requires_grad_(False)
    drawn = torch.randint(len(words.weight), (tokens,), device=words.weight.device)
    model.encoder.prompt_embeddings = nn.Parameter(words.weight.detach()[drawn].clone())
    model.encoder.register_forward_pre_hook(_with_prompt, with_kwargs=True)
    model.encoder.register_forward_hook(_without_prompt)
    model.window -= tokens


# Plain functions that reach everything through the module: a copy of the model then works on its own weights.
def _with_prompt(encoder: nn.Module, args: tuple, given: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    given = dict(given)
    words = encoder.get_input_embeddings()(given.pop("input_ids"))
    prompt = encoder.prompt_embeddings.to(words.dtype).expand(len(words), -1, -1)
    mask = given.get("attention_mask")
    if mask is not None:  # (W, T); or (W, 1, T, T), of which each row says the same: where padding is
        narrow = F.pad(mask if mask.ndim == 2 else mask[:, 0, 0], (prompt.size(1), 0), value=1)
        given["attention_mask"] = narrow if mask.ndim == 2 else wide(narrow)
    return args, {**given, "inputs_embeds": torch.cat([prompt, words], dim=1)}


def _without_prompt(encoder: nn.Module, args: tuple, output: Any) -> Any:
    output.last_hidden_state = output.last_hidden_state[:, len(encoder.prompt_embeddings) :]
    return output


def _learned(model: Model) -> dict[str, nn.Parameter]:
    """What an adapter's file holds: the encoder's parameters that learn, and all of the head."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad or not name.startswith("encoder.")}


def _hash_of_encoder(model: Model) -> str:
    """SHA-256 (hex) of the weights that stand still."""
    found = hashlib.sha256()
    for name, parameter in sorted(model.encoder.named_parameters()):
        if not parameter.requires_grad and not name.startswith(POOLER):
            found.update(name.replace(".base_layer", "").encode())
            found.update(_bytes(parameter))
    return found.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
