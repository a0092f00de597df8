"""An encoder's parts, whatever its architecture: its layers, its size, its dropout, and what of it a run freezes."""

from __future__ import annotations

import copy
import math
import re
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from hanlp_tutor.errors import ConfigError

POOLER = "pooler."  # no task reads it
NONE = "has no stack of layers with weights of their own (ALBERT uses one layer again and again)"
_FROZEN = "_frozen_by_run"  # on the encoder, so that a copy of it knows too
# No encoder has such values by chance: a place that shows one in a copy takes its value from that option.
_OF_HIDDEN, _OF_ATTENTION = 0.34375, 0.28125


def stack(encoder: nn.Module) -> nn.ModuleList:
    """The layers from the lowest up; empty where there is not one stack of layers that have weights of their own.

    ALBERT uses the weights of one layer for all; others have several stacks (Funnel, CANINE).
    """
    stacks = [
        module
        for name, module in encoder.named_modules()
        if isinstance(module, nn.ModuleList) and re.search(r"(^|\.)layers?$", name) and not layer_of(f".{name}.")
    ]
    return stacks[0] if len(stacks) == 1 and len(set(stacks[0])) == len(stacks[0]) else nn.ModuleList()


def layer_of(name: str) -> int:
    """The encoder layer that a parameter belongs to by its name: 1 for the lowest, 0 for what is in no layer.

    >>> layer_of("encoder.encoder.layer.0.output.dense.weight"), layer_of("encoder.embeddings.LayerNorm.bias")
    (1, 0)
    """
    layer = re.search(r"\.layers?\.(\d+)\.", name)
    return int(layer.group(1)) + 1 if layer else 0


def places(encoder: nn.Module) -> dict[str, int]:
    """Of each parameter the layer that it belongs to, from 1 up; 0 is the embeddings.

    A norm behind the last layer (ModernBERT's ``final_norm``, Megatron's ``encoder.ln``) belongs to that layer. The
    norm of DeBERTa's relative positions stands beside the layers too, but works before them.
    """
    whole = stack(encoder)
    found = {name: layer_of(f".{name}") for name, _ in encoder.named_parameters()}
    where = next((name for name, module in encoder.named_modules() if len(whole) and module is whole), "")
    for branch in _with_parents(where) if where else ():
        parent, _, own = branch.rpartition(".")
        siblings = encoder.get_submodule(parent)._modules
        behind = list(siblings)[list(siblings).index(own) + 1 :]
        for name in behind if "rel_embeddings" not in siblings else ():
            if type(siblings[name]).__name__.lower().endswith("norm"):
                prefix = f"{parent}.{name}." if parent else f"{name}."
                found |= {each: len(whole) for each in found if each.startswith(prefix)}
    return found


def _with_parents(name: str) -> list[str]:
    """``a.b.c``, ``a.b`` and ``a``."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def size(encoder: PreTrainedModel) -> int:
    """How many parameters a pass goes through: shared ones (ALBERT) as often as they are used, no pooler."""
    count = sum(p.numel() for name, p in encoder.named_parameters() if not name.startswith(POOLER))
    for name, module in encoder.named_modules():
        if name.endswith("albert_layer_groups"):
            own = sum(p.numel() for p in module.parameters())
            count += own * encoder.config.num_hidden_layers // len(module) - own
    return count


def factors(encoder: nn.Module, decay: float, name: str) -> dict[str, float]:
    """Of each parameter what its learning rate is multiplied by: ``decay`` once for each layer above its own.

    Raises:
        ConfigError: a decay, and no layers that could learn differently.
    """
    place, depth = places(encoder), len(stack(encoder))
    if decay != 1 and not depth:
        raise ConfigError(f"layerwise_decay={decay}: the encoder {name} {NONE}. Leave it out.")
    return {each: decay ** (depth - layer) for each, layer in place.items()}


def count(module: nn.Module) -> dict[str, int]:
    """How many ``parameters`` it has, and how many of them are ``trainable``; without the pooler."""
    found = [p for name, p in module.named_parameters() if not name.startswith(POOLER)]
    return {"parameters": sum(p.numel() for p in found),
            "trainable": sum(p.numel() for p in found if p.requires_grad)}  # fmt: skip


def evaluating(model: nn.Module, *shared: Any) -> nn.Module:
    """The model; where it is in training mode, a twin in evaluation mode that has the same weights, and ``shared`` too.

    So nothing depends on the mode of a model that another thread trains, or predicts with.
    """
    if not model.training:
        return model
    same = {id(each): each for each in (*model.parameters(), *model.buffers(), *shared)}
    return copy.deepcopy(model, same).eval()


def freeze(encoder: nn.Module, how: str, name: str) -> None:
    """Exclude parts of an encoder from training (冻结); what an earlier run froze so is trained again first.

    Args:
        how: ``none``; ``encoder``, all of it; ``all-but-last-K``, all but the K layers next to the head.
        name: of the encoder, for the message.

    Raises:
        ConfigError: more layers than there are.
    """
    for parameter in getattr(encoder, _FROZEN, ()):
        encoder.get_parameter(parameter).requires_grad_(True)
    setattr(encoder, _FROZEN, ())
    if how == "none":
        return
    place, highest = places(encoder), math.inf
    if how != "encoder":
        depth, kept = len(stack(encoder)), int(how.rsplit("-", 1)[1])
        if kept > depth:
            raise ConfigError(f"freeze={how!r}: the encoder {name} {f'has {depth} layers' if depth else NONE}.")
        highest = depth - kept
    frozen = [each for each, p in encoder.named_parameters() if p.requires_grad and place[each] <= highest]
    for parameter in frozen:
        encoder.get_parameter(parameter).requires_grad_(False)
    setattr(encoder, _FROZEN, tuple(frozen))


def recompute(encoder: PreTrainedModel, on: bool, name: str) -> None:
    """Recompute the activations of the layers in the backward pass instead of keeping them, or keep them.

    Raises:
        ConfigError: the encoder's architecture cannot.
    """
    kind = "activation" if hasattr(encoder, "activation_checkpointing_enable") else "gradient"  # until transformers 5.1
    if on and not encoder.supports_gradient_checkpointing:
        raise ConfigError(
            f"gradient_checkpointing=True: the encoder {name} ({type(encoder).__name__}) cannot recompute its "
            "activations. Leave it out; a smaller batch_size with more gradient_accumulation_steps saves memory too."
        )
    if on:
        encoder.config.use_cache = False  # an encoder has no cache; transformers would warn of it all the same
        getattr(encoder, f"{kind}_checkpointing_enable")({"use_reentrant": False})
    elif getattr(encoder, f"is_{kind}_checkpointing"):
        getattr(encoder, f"{kind}_checkpointing_disable")()


class HiddenDropout:
    """The dropout of an encoder's hidden states; that of attention stays as the encoder's authors chose it.

    Architectures name their modules alike and mean different things: ``attention.dropout`` drops attention in
    DistilBERT and hidden states in MPNet. So it is asked of a copy without weights which option each place obeys.

    Attributes:
        p: as it was set last.
    """

    p: float

    def __init__(self, encoder: PreTrainedModel):
        config = copy.deepcopy(encoder.config)
        self.options = [name for name in _dropouts(config) if not _is_attention(name)]
        for name in _dropouts(config):
            setattr(config, name, _OF_ATTENTION if _is_attention(name) else _OF_HIDDEN)
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            twin = type(encoder)(config)
        mine = dict(encoder.named_modules())
        self.places = [
            (name, attribute)
            for name, module in twin.named_modules()
            for attribute, value in vars(module).items()
            if isinstance(value, float) and value == _OF_HIDDEN and name in mine and hasattr(mine[name], attribute)
        ]

    def set(self, model: nn.Module, p: float) -> None:
        """Set it and that of the head, in the modules and in the configuration that is saved; ``model`` has both."""
        self.p = p
        for module in model.head.modules():
            if isinstance(module, nn.Dropout):
                module.p = p
        for name, attribute in self.places:
            setattr(model.encoder.get_submodule(name), attribute, p)
        for option in self.options:
            setattr(model.encoder.config, option, p)


def _dropouts(config: PretrainedConfig) -> list[str]:
    """The options of a configuration that are a dropout of the encoder; those of heads are None or not its own."""

    def ours(name: str, value: Any) -> bool:
        foreign = re.search(r"classif|pooler|summary|qa_|cls_|layer_?drop|path", name)
        return "drop" in name and not foreign and type(value) in (int, float)

    return [name for name, value in config.to_dict().items() if ours(name, value)]


def _is_attention(option: str) -> bool:
    return "attention" in option or "attn" in option
