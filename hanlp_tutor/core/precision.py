"""How a run computes, settled in one call before its first update: device, autocast (自动混合精度), what is frozen."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.optim import freeze
from hanlp_tutor.device import (
    allow_tf32,
    autocast,
    choose_device,
    describe_device,
    is_fast,
    limit_threads,
    make_deterministic,
    reset_peak_memory,
)
from hanlp_tutor.encoders import packed
from hanlp_tutor.encoders.layers import recompute
from hanlp_tutor.errors import ConfigError

COMPILER = "inductor"  # PyTorch's own back end of torch.compile


@dataclass(frozen=True)
class Precision:
    """The number format of a run on its device; ``dtype`` is None for plain float32."""

    device: torch.device
    dtype: torch.dtype | None

    def autocast(self) -> AbstractContextManager:
        """Matrix products in ``dtype``, sums and losses in float32."""
        return autocast(self.device, self.dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """Loss scaling for fp16, whose smallest number swallows small gradients (Micikevicius et al. 2018).

        bf16 has float32's range and needs none; the disabled scaler passes everything through.
        """
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)


def set_up(model: Model, config: TrainConfig, rank: int = 0) -> Precision:
    """Make a model ready to be trained as the options say; it is moved to the device and put into training mode.

    What this switches for the whole process, :func:`hanlp_tutor.device.settings_restored` puts back.

    Raises:
        ConfigError: options that do not fit the model or the device.
    """
    limit_threads()
    precision = choose_precision(config)
    allow_tf32(config.tf32, precision.device)
    make_deterministic(config.deterministic or (config.deterministic is None and precision.device.type == "cpu"),
                       precision.device)  # fmt: skip
    torch.manual_seed(config.seed + rank)  # several processes drop other units out
    apply_options(model, config)
    compile_encoder(model, config.compile, precision.device)
    reset_peak_memory(precision.device)
    model.to(precision.device).train()
    pack_encoder(model, config.varlen, precision)
    model.computes_in = precision.dtype  # evaluation and prediction compute as training does
    model.temperature = 1.0  # one that was fitted before belongs to other weights
    return precision


def apply_options(model: Model, config: TrainConfig) -> None:
    """Let nothing on the model be left over from an earlier run: its dropout, what is frozen, what is recomputed.

    Raises:
        ConfigError: options that the model cannot follow.
    """
    config.check_model(model.task, model.crf)
    if config.dropout != model.dropout.p or "dropout" in config.model_fields_set:  # else somebody's own stays
        model.dropout.set(model, config.dropout)
    freeze(model, config)
    checkpoint_activations(model, config)


def choose_precision(config: TrainConfig) -> Precision:
    """Device and number format of a run.

    Raises:
        ConfigError: a format that this device only emulates, or computes slower than float32, unless
            ``allow_slow_precision``.
    """
    device = choose_device(config.device)
    if not (config.fp16 or config.bf16):
        return Precision(device, None)
    wanted = "bf16" if config.bf16 else "fp16"
    if not config.allow_slow_precision and not is_fast(device, wanted):
        other = "fp16" if wanted == "bf16" else "bf16"
        raise ConfigError(
            f"{wanted}=True: {describe_device(device)} has no fast {wanted}: training may be slower than in float32, "
            f"by ten times or more. Leave it out, {f'use {other}=True, ' if is_fast(device, other) else ''}"
            "or set allow_slow_precision=True to try it all the same."
        )
    return Precision(device, torch.bfloat16 if config.bf16 else torch.float16)


def checkpoint_activations(model: Model, config: TrainConfig) -> None:
    """Recompute activations in the backward pass (梯度检查点, Chen et al. 2016), or keep them, as the options say."""
    recompute(model.encoder, config.gradient_checkpointing, model.encoder_name)


def compile_encoder(model: Model, on: bool, device: torch.device) -> None:
    """Let the encoder run as compiled kernels (torch.compile, Ansel et al. 2024), or as its Python code says.

    Widths and numbers of rows are symbols to the compiler: it compiles once for batches with padding, once for those
    without, and once more for evaluation, whatever the lengths.

    Raises:
        ConfigError: on a CPU, where compiling takes longer than it saves and a C++ compiler has to be there.
    """
    model.encoder._compiled_call_impl = None  # of an earlier run; PyTorch has no public way back
    if not on:
        return
    if device.type != "cuda":
        raise ConfigError(f"compile=True: {describe_device(device)} is no GPU, where alone it pays. Leave it out.")
    model.encoder.compile(dynamic=True, backend=COMPILER)


def pack_encoder(model: Model, on: bool, precision: Precision) -> None:
    """Let the encoder compute the texts of a batch in one row without padding, or in padded rows.

    Raises:
        ConfigError: no GPU, float32, a model that calls its encoder in a way of its own, or what
            :func:`hanlp_tutor.encoders.packed.pack` refuses.
    """
    packed.unpack(model.encoder)  # since an earlier run
    if not on:
        return
    if precision.device.type != "cuda":
        device = describe_device(precision.device)
        raise ConfigError(f"varlen=True: {device} is no GPU, for which alone PyTorch has this attention. Leave it out.")
    if precision.dtype is None:
        raise ConfigError("varlen=True: it computes attention in 16 bits. Add bf16=True or fp16=True.")
    if type(model).hidden_states is not Model.hidden_states:
        raise ConfigError(f"varlen=True: a {type(model).__name__} calls its encoder in its own way. Leave it out.")
    packed.pack(model.encoder, precision.autocast, model.encoder_name)


def plain_encoder(model: Model, device: torch.device) -> None:
    """Neither compiled nor packed, as who saves, copies or exports a model wants its encoder."""
    compile_encoder(model, False, device)
    packed.unpack(model.encoder)
