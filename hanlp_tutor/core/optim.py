"""Which parameter learns how fast: the encoder θ slowly, the head φ quickly, deeper layers slower still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_scheduler

from hanlp_tutor import defaults
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.encoders import layers
from hanlp_tutor.errors import ConfigError, TrainingError


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a weight decay."""

    name: str
    parameters: list[nn.Parameter]
    lr: float  # per update, before the schedule
    weight_decay: float


def chosen(model: Model, config: TrainConfig, examples: int) -> dict[str, defaults.Choice]:
    """What the options leave open, by the model's properties and the training set's (:mod:`hanlp_tutor.defaults`)."""
    encoder = {"parameters": layers.size(model.encoder), "pretrained": model.pretrained}
    return defaults.choose(config, **encoder, task=model.task, crf=model.crf, examples=examples)


def encoder_lr(model: Model, config: TrainConfig) -> float:
    """The learning rate of θ: the user's, or the one that suits the encoder."""
    return config.lr or defaults.encoder_lr(layers.size(model.encoder), pretrained=model.pretrained).value


def freeze(model: Model, config: TrainConfig) -> None:
    """Exclude parts of the encoder from training (冻结), as ``config.freeze`` says."""
    layers.freeze(model.encoder, config.freeze, model.encoder_name)


def parameter_groups(model: Model, config: TrainConfig) -> list[Group]:
    """Split a model's trainable parameters by learning rate and decay.

    Layer k of L learns at ``lr * layerwise_decay ** (L - k)``, the embeddings as layer 0 (Sun et al. 2019, "How to
    Fine-Tune BERT", section 5.3.4), a norm behind the last layer as layer L. Biases and LayerNorm weights, the
    parameters with one dimension, are never decayed. Every trainable parameter is in exactly one group.

    Raises:
        ConfigError: a decay by layers for an encoder that has none of its own.
    """
    base, factors = encoder_lr(model, config), layers.factors(model.encoder, config.layerwise_decay, model.encoder_name)
    members: dict[tuple[str, float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        if name.startswith("encoder."):
            part, lr = "encoder", base * factors[name.removeprefix("encoder.")]
        else:
            part, lr = "head", config.head_lr
        members.setdefault((part, lr, decay), []).append(parameter)
    if not members:
        raise TrainingError("No parameter is left to train.")
    return [Group(part, parameters, lr, decay) for (part, lr, decay), parameters in members.items()]


def model_facts(model: Model) -> dict[str, Any]:
    """For a manifest: whether θ is pre-trained, which learning rate suits it, how many parameters learn."""
    facts = {"pretrained": model.pretrained, "suggested_lr": encoder_lr(model, TrainConfig()), "window": model.window}
    return {**facts, "encoder": layers.count(model.encoder), "head": layers.count(model.head)}


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
    θ₀ is where the run began: a checkpoint holds it, or a resumed run would start from where it was stopped.

    Raises:
        ConfigError: nothing that is trained is penalised.
    """

    def __init__(self, model: Model, config: TrainConfig):
        module: nn.Module = model if config.l2_on == "all" else model.encoder
        self.parameters = [p for p in module.parameters() if p.requires_grad] if config.l2 else []
        self.origin = [p.detach().clone() for p in self.parameters] if config.l2_on == "distance" else None
        if config.l2 and not self.parameters:
            raise ConfigError(
                f"l2={config.l2}, l2_on={config.l2_on}: the encoder is frozen, so leave l2 out, or thaw it."
            )

    def __call__(self) -> Tensor:
        """A scalar with a gradient."""
        if self.origin is None:
            return sum(p.square().sum() for p in self.parameters)
        return sum((p - o).square().sum() for p, o in zip(self.parameters, self.origin, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"origin": self.origin}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take θ₀ from a checkpoint; those of earlier versions have none."""
        for mine, stored in zip(self.origin or (), state.get("origin") or (), strict=False):
            mine.copy_(stored)
