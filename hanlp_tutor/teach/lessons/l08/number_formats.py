"""Floating-point formats (浮点格式) and what of a model's numbers they can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.core.batching import Batch
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.precision import Precision
from hanlp_tutor.teach.plots import BLACK, GREY, ORANGE, SKY, VERMILION, Picture, new_figure

FORMATS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
SMALLEST_FP16, SMALLEST_NORMAL_FP16, LARGEST_FP16 = -24, -14, 16  # as powers of two; the last is the first too large


def format_table() -> list[dict[str, Any]]:
    """A row a format, from :func:`torch.finfo`: bits, largest, smallest, and the gap behind 1."""
    rows = []
    for name, kind in FORMATS.items():
        info = torch.finfo(kind)
        rows.append(
            {
                "format": name,
                "bits": info.bits,
                "largest": f"{info.max:.4g}",
                "smallest normal": f"{info.smallest_normal:.2g}",
                "gap behind 1": f"{info.eps:.2g}",
            }
        )
    return rows


def backward(model: Model, batch: Batch, precision: Precision, *, scale: float = 1.0) -> None:
    """The mean loss over a batch times a loss scale, forward and backward; leaves the gradients in the model."""
    torch.manual_seed(0)  # the same dropout each time
    model.zero_grad(set_to_none=True)
    with precision.autocast():
        logits = model(batch)
    (model.loss_sum(logits, batch) / batch.valid * scale).backward()


def gradients(model: Model, batch: Batch, precision: Precision, *, scale: float = 1.0) -> dict[str, Tensor]:
    """The gradient of the mean loss over a batch, by parameter: computed at a loss scale, and divided by it again."""
    backward(model, batch, precision, scale=scale)
    found = {name: p.grad.float() / scale for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def flowing_gradients(model: Model, batch: Batch) -> Tensor:
    """What flows backward through the layers: the loss's gradient by every number that a layer hands on, as a row."""
    flow: list[Tensor] = []
    layers = [
        m for name, m in model.encoder.named_modules() if name.endswith((".attention", ".output", ".intermediate"))
    ]
    hooks = [layer.register_full_backward_hook(lambda m, into, out: flow.append(out[0].detach())) for layer in layers]
    gradients(model, batch, Precision(model.device, None))
    for hook in hooks:
        hook.remove()
    return torch.cat([gradient.flatten() for gradient in flow])


def together(by_name: dict[str, Tensor]) -> Tensor:
    """All numbers of named tensors in one row."""
    return torch.cat([tensor.flatten() for tensor in by_name.values()])


def lost_updates(weights: Tensor, update: float, kind: torch.dtype) -> float:
    """The share of weights that an update of this size leaves as they were, where weights are kept in a format."""
    stored = weights.to(kind)
    return float(((stored - update).to(kind) == stored).float().mean())


def histogram(panels: dict[str, Tensor]) -> Picture:
    """How large numbers are, by powers of two, between the limits of fp16; what is beyond them in another colour.

    Args:
        panels: per title, numbers of any sign. Zeros are left out.
    """
    figure, axes = new_figure(len(panels), height=3.6, width=9.0)
    texts = []
    for panel, (title, numbers) in zip(axes, panels.items(), strict=True):
        powers = numbers[numbers != 0].abs().float().log2().clamp(-60, 30)
        counts = torch.histc(powers.cpu(), bins=90, min=-60, max=30) / len(powers)
        for low, high, colour, name in (
            (-60, SMALLEST_FP16, VERMILION, "rounded to 0"),
            (SMALLEST_FP16, SMALLEST_NORMAL_FP16, ORANGE, "fewer digits"),
            (SMALLEST_NORMAL_FP16, LARGEST_FP16, SKY, "held by fp16"),
            (LARGEST_FP16, 30, BLACK, "infinite"),
        ):
            share = counts[low + 60 : high + 60]
            panel.bar(range(low, high), share, width=1.0, align="edge", color=colour, label=name)
            texts.append(f"{title}, {name}: {float(share.sum()):.1%}")
        for limit in (SMALLEST_FP16, SMALLEST_NORMAL_FP16, LARGEST_FP16):
            panel.axvline(limit, color=GREY, ls="--", lw=1)
        panel.set(xlabel="power of two", ylabel="share", title=title, xlim=(-50, 24))
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=9, loc="upper left")
    return Picture(figure, "Histograms of magnitudes between the limits of fp16. " + "; ".join(texts) + ".")


def scale_curve(points: Sequence[tuple[int, float, float, float]]) -> Picture:
    """What a loss scale does: the share of the gradient's numbers that are lost, or infinite, and its error.

    Args:
        points: ``(power of two, share lost, share infinite or NaN, relative error)``; an error that is no number is
            not drawn.
    """
    figure, (left, right) = new_figure(2, height=3.4, width=9.0)
    powers, lost, infinite, errors = zip(*points, strict=True)
    left.plot(powers, lost, color=VERMILION, marker="o", label="rounded to 0")
    left.plot(powers, infinite, color=BLACK, marker="s", ls="--", label="infinite or NaN")
    left.set(ylabel="share of its numbers", ylim=(-0.03, 1.03), title="The gradient in fp16: what is lost")
    left.legend(frameon=False)
    finite = [(power, error) for power, error in zip(powers, errors, strict=True) if math.isfinite(error)]
    right.plot(*zip(*finite, strict=True), color=SKY, marker="o")
    right.set(ylabel="relative error", yscale="log", xlim=left.get_xlim(), title="How far off it is")
    for axes in (left, right):
        axes.axvline(0, color=GREY, ls=":", lw=1)
        axes.set_xlabel("loss scale, as a power of two")
        axes.grid(alpha=0.3)
    text = "; ".join(
        f"2^{power}: {gone:.1%} lost, {beyond:.1%} infinite" + (f", {error:.2%} off" if math.isfinite(error) else "")
        for power, gone, beyond, error in points
    )
    return Picture(figure, f"The gradient in fp16 over the loss scale; a dotted line at scale 1. {text}.")
