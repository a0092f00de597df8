"""What a run sets before its first update: device and number format, threads, determinism, what is frozen."""

from __future__ import annotations

import os

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import freeze
from hanlp_tutor.core.precision import Precision, choose_precision, limit_threads


def set_up(model: Model, config: TrainConfig) -> Precision:
    """Make a model ready to be trained as the options say; it is moved to the device and put into training mode.

    Raises:
        ConfigError: options that do not fit the model or the device.
    """
    limit_threads()
    precision = choose_precision(config)
    _make_deterministic(config.seed, precision.device)
    model.to(precision.device).train()
    model.temperature = 1.0  # one that was fitted before belongs to other weights
    freeze(model, config)
    checkpoint_activations(model, config)
    return precision


def checkpoint_activations(model: Model, config: TrainConfig) -> None:
    """Recompute activations in the backward pass instead of keeping them (梯度检查点, Chen et al. 2016)."""
    if not config.gradient_checkpointing:
        return
    model.encoder.config.use_cache = False  # an encoder has no cache; transformers would warn of it all the same
    enable = getattr(model.encoder, "activation_checkpointing_enable", None)  # its name from transformers 5.2x on
    (enable or model.encoder.gradient_checkpointing_enable)({"use_reentrant": False})


def _make_deterministic(seed: int, device: torch.device) -> None:
    """Same seed, same numbers: deterministic algorithms where PyTorch has them, a warning where it has not."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS's own condition for determinism
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)
