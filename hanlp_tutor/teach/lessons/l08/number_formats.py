"""Floating-point formats (浮点格式) and what of a model's numbers they can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def scale_curve(points: Sequence[tuple[int, float, float]]) -> Picture:
    """What a loss scale does: the share of the gradient's numbers that are lost, and that are infinite, over its power.

    Args:
        points: ``(power of two, share lost, share infinite or NaN)``.
    """
    figure, (axes,) = new_figure(1, height=3.4, width=7.0)
    powers, lost, infinite = zip(*points, strict=True)
    axes.plot(powers, lost, color=VERMILION, marker="o", label="rounded to 0")
    axes.plot(powers, infinite, color=BLACK, marker="s", ls="--", label="infinite or NaN")
    axes.set(xlabel="loss scale, as a power of two", ylabel="share of the gradient", ylim=(-0.03, 1.03))
    axes.set_title("Gradients in fp16")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    text = "; ".join(f"2^{p}: {a:.1%} lost, {b:.1%} infinite" for p, a, b in points)
    return Picture(figure, f"Shares of the gradient in fp16 over the loss scale. {text}.")


def recomputed(layers: Sequence[Callable[[Tensor], Tensor]], start: Tensor, gradient: Tensor) -> Tensor:
    """Gradient checkpointing by hand: keep each layer's input alone, and run it once more on the way back.

    Args:
        layers: from the lowest up.
        start: the input of the lowest.
        gradient: of the loss by the output of the highest.

    Returns:
        The gradient of the loss by ``start``; that of the parameters is added to theirs.
    """
    inputs = [start.detach()]
    with torch.no_grad():
        for layer in layers:
            inputs.append(layer(inputs[-1]))
    for layer, kept in zip(reversed(layers), reversed(inputs[:-1]), strict=True):
        again = kept.requires_grad_()
        torch.autograd.backward(layer(again), gradient)
        gradient = again.grad
    return gradient
