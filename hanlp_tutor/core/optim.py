"""Which parameter learns how fast: the encoder θ slowly, the head φ quickly, deeper layers slower still."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_scheduler

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.encoders import suggested_lr
from hanlp_tutor.errors import ConfigError, TrainingError


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a weight decay."""

    name: str
    parameters: list[nn.Parameter]
    lr: float  # per update, before the schedule
    weight_decay: float


def encoder_lr(model: Model, config: TrainConfig) -> float:
    """The learning rate of θ: the user's, or the one that suits the encoder."""
    return config.lr if config.lr is not None else suggested_lr(model.encoder_name)


def freeze(model: Model, config: TrainConfig) -> None:
    """Exclude parts of the encoder from training (冻结), as ``config.freeze`` says.

    ``encoder`` leaves the head; ``all-but-last-K`` leaves the head and the K layers next to it.
    """
    if config.freeze == "none":
        return
    model.encoder.requires_grad_(False)
    if config.freeze == "encoder":
        return
    kept = int(config.freeze.rsplit("-", 1)[1])
    layers = _layers(model)
    if kept > len(layers):
        raise ConfigError(f"freeze={config.freeze!r}: the encoder {model.encoder_name} has {len(layers)} layers.")
    for layer in layers[len(layers) - kept :]:
        layer.requires_grad_(True)


def parameter_groups(model: Model, config: TrainConfig) -> list[Group]:
    """Split a model's trainable parameters by learning rate and decay.

    Layer k of L learns at ``lr * layerwise_decay ** (L - k)``, the embeddings as layer 0 (Sun et al. 2019, "How to
    Fine-Tune BERT", section 5.3.4). Biases and LayerNorm weights, the parameters with one dimension, are never decayed.
    Every trainable parameter is in exactly one group.
    """
    depth = len(_layers(model))
    base = encoder_lr(model, config)
    members: dict[tuple[str, float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        if name.startswith("encoder."):
            below_top = depth - layer_of(name)
            part, lr = "encoder", base * config.layerwise_decay**below_top
        else:
            part, lr = "head", config.head_lr
        members.setdefault((part, lr, decay), []).append(parameter)
    if not members:
        raise TrainingError("No parameter is left to train.")
    return [Group(part, parameters, lr, decay) for (part, lr, decay), parameters in members.items()]


def layer_of(name: str) -> int:
    """The encoder layer that a parameter belongs to by its name: 1 for the lowest, 0 for the embeddings.

    >>> layer_of("encoder.encoder.layer.0.output.dense.weight"), layer_of("encoder.embeddings.LayerNorm.bias")
    (1, 0)
    """
    layer = re.search(r"\.layers?\.(\d+)\.", name)
    return int(layer.group(1)) + 1 if layer else 0


def model_facts(model: Model) -> dict[str, Any]:
    """For a manifest: whether θ is pre-trained, the learning rate that suits it, how many parameters of θ and φ learn.

    The pooler, which no task reads, is left out.
    """
    parts = {}
    for part, module in (("encoder", model.encoder), ("head", model.head)):
        parameters = [p for name, p in module.named_parameters() if not name.startswith("pooler.")]
        parts[part] = {
            "parameters": sum(p.numel() for p in parameters),
            "trainable": sum(p.numel() for p in parameters if p.requires_grad),
        }
    return {"pretrained": model.pretrained, "suggested_lr": suggested_lr(model.encoder_name), **parts}


def build_optimizer(groups: list[Group], config: TrainConfig) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019), Adam or SGD over the groups; fused, which is several times faster."""
    rows = [{"params": g.parameters, "lr": g.lr, "weight_decay": g.weight_decay, "name": g.name} for g in groups]
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    return kinds[config.optimizer](rows, fused=True)


def build_schedule(optimizer: Optimizer, config: TrainConfig, updates: int) -> LRScheduler:
    """Warm-up (预热) from zero, then decay to zero over ``updates`` updates.

    Raises:
        ConfigError: a warm-up that would not end before the training does, with the numbers.
    """
    warmup = config.warmup_steps
    if isinstance(warmup, float) and warmup < 1:
        warmup = int(warmup * updates)
    if warmup >= updates and warmup > 0:
        raise ConfigError(
            f"warmup_steps={config.warmup_steps} never ends: the whole run has {updates} updates. "
            f"Write at most {updates - 1}, or a fraction such as 0.1 (= {max(1, updates // 10)} updates)."
        )
    kind = "constant_with_warmup" if config.schedule == "constant" else config.schedule
    return get_scheduler(kind, optimizer, num_warmup_steps=int(warmup), num_training_steps=updates)


class L2Penalty:
    """The term ‖θ‖² of the article's loss; on ``distance`` it is ‖θ - θ₀‖² (L2-SP, Li et al. 2018).

    Over all weights of the encoder (``encoder``, ``distance``) or of encoder and head (``all``), biases included, as
    the formula is written. Unlike decoupled weight decay it passes through the optimiser as part of the gradient.
    """

    def __init__(self, model: Model, config: TrainConfig):
        module: nn.Module = model if config.l2_on == "all" else model.encoder
        self.parameters = [p for p in module.parameters() if p.requires_grad] if config.l2 else []
        self.origin = [p.detach().clone() for p in self.parameters] if config.l2_on == "distance" else None

    def __call__(self) -> Tensor:
        """A scalar with a gradient."""
        if self.origin is None:
            return sum(p.square().sum() for p in self.parameters)
        return sum((p - o).square().sum() for p, o in zip(self.parameters, self.origin, strict=True))


def _layers(model: Model) -> nn.ModuleList:
    for name, module in model.encoder.named_modules():
        if isinstance(module, nn.ModuleList) and name.rsplit(".", 1)[-1] in ("layer", "layers"):
            return module
    return nn.ModuleList()
