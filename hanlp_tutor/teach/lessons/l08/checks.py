"""The checks of notebook 08: what a format holds, a loss scale, the order of an update, bytes before training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.teach.check import require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted, value

# exponent bits, mantissa bits -> largest, smallest normal
_FORMATS = {
    "fp16": (5, 10, 65504.0, 2.0**-14),
    "bf16": (8, 7, 3.3895313892515355e38, 2.0**-126),
    "fp32": (8, 23, 3.4028234663852886e38, 2.0**-126),
    "fp8 (E5M2)": (5, 2, 57344.0, 2.0**-14),
}


def _half(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float16)


def _shortening(gradient: Tensor, limit: float) -> float:
    """The factor by which clipping multiplies a gradient."""
    return min(1.0, limit / max(float(gradient.norm()), 1e-12))


def _has_nan(numbers: list[float]) -> bool:
    return not all(map(math.isfinite, numbers))


@cases(
    {name: row[:2] for name, row in _FORMATS.items()},
    "With e exponent bits the bias is 2**(e-1) - 1. The exponents of normal numbers run from 1 - bias to bias.",
    "The largest number has the largest exponent and a mantissa of ones: 2 - 2**-m in front of 2**bias.",
    "The smallest normal number has the lowest exponent, 1 - bias, and the mantissa 1. Try it with fp16: bias 15.",
    otherwise=(
        "{given}: its largest is {right}, not {found}.",
        "{given}: its smallest normal number is {right}, not {found}.",
    ),
    count="limits returns two numbers, largest and smallest normal; yours {found}.",
    tolerance=1e-6,  # 65536 is the first number that is too large
    then="Range comes from the exponent, digits from the mantissa: fp16 spent its bits on digits, bf16 on range.",
)
def q08_1(e: int, m: int) -> Answers:
    """limits(e, m) -> (largest, smallest normal) of a format with e exponent and m mantissa bits, as in IEEE 754."""
    largest, smallest = next(row[2:] for row in _FORMATS.values() if row[:2] == (e, m))
    too_large, too_small = 2.0**2 ** (e - 1), 2.0 ** (1 - 2 ** (e - 1))
    wrong = {
        "the two are exchanged. The largest comes first.": (smallest, largest),
        "that is the first number that is too large. The largest mantissa is 2 - 2**-m, not 2.": (too_large, ...),
        "the second has the exponent 0 - bias, which is kept for zero and subnormal numbers.": (..., too_small),
    }
    return (largest, smallest), wrong


_POWER = (
    "A gradient is a vector. Which of its numbers make its length, the large ones or the small ones?",
    "The numbers that vanish are below 2**-24. How does that compare with the largest ones, or with their mean?",
    "A number that survives is rounded to ten bits. What relative error does that leave it with?",
)


def _why_so_little(power: float) -> str:
    if power < -1.5:
        return (
            f"The error is {10**power:.2%}: what vanishes are the smallest numbers, and the length of a vector is made "
            "by its large ones. The error that is left is about the rounding to ten bits."
        )
    return (
        f"The error is {10**power:.0%}: this gradient is so small that even numbers that matter vanish. The loss scale "
        "was invented for this case."
    )


q08_2 = predicted(
    "How far off an fp16 gradient is without a loss scale, as a power of ten.",
    *_POWER,
    because=_why_so_little,
    surprise=lambda power: f"{_why_so_little(power)} Did you take the share of lost numbers for the error?",
    within=0.17,
)

_LONG = "a gradient longer than the limit"
_UPDATES = {
    "a short gradient": (_half(65536 * 2.0**-6, 0.0), 65536.0, 0.5, 1.0),
    _LONG: (_half(1536.0, -2048.0), 512.0, 0.5, 1.0),
    "a gradient that float32 alone can divide": (_half(2.0**-10, 2.0**-11), 65536.0, 1e6, 1.0),
    "an overflow": (_half(math.inf, 1.0), 65536.0, 0.5, 1.0),
    "a NaN": (_half(1.0, math.nan), 1024.0, 0.5, 1.0),
}


def _numbers(found: Any) -> list[float]:
    """The new weights and the new scale in one list."""
    require(isinstance(found, tuple) and len(found) == 2, f"update returns two things; yours gives {show(found)}.")
    weight, scale = found
    return [*torch.as_tensor(weight).float().flatten().tolist(), float(scale)]


@cases(
    {name: (torch.tensor([1.0, 2.0]), *arguments) for name, arguments in _UPDATES.items()},
    "First look whether all numbers of the gradient are finite. If not, the weights stay, and the scale is halved.",
    "Unscale in float32: scaled.float() / scale. fp16 cannot hold the quotient, which is why there is a scale.",
    "The length is .norm(). Where it exceeds the limit, multiply the gradient by limit over length; then step with lr.",
    count="update returns the weights, as many as it was given, and one scale: {right} numbers, not {found}.",
    read=_numbers,
    then="train.py has these steps in this order; its GradScaler also doubles the scale after many good updates.",
)
def q08_3(weight: Tensor, scaled: Tensor, scale: float, lr: float, limit: float) -> Answers:
    """update(weight, scaled, scale, lr, limit) -> (weight, scale) after one update of plain SGD in fp16."""
    finite = bool(scaled.isfinite().all())
    true = scaled.float() / scale
    clipped_first = scaled.float() * _shortening(scaled.float(), limit) / scale
    in_half = (scaled / scale).float()
    in_half = in_half * _shortening(in_half, limit)

    def after(gradient: Tensor, new: float) -> list[float]:
        return [*(weight - lr * gradient).tolist(), new]

    if not finite:
        wrong = {
            "the weights stay as they are, but the scale has to become smaller.": [*weight.tolist(), scale],
            "the scale is halved after an overflow, not doubled.": [*weight.tolist(), 2 * scale],
            "a weight is no number any more. Look at the gradient before you step.": _has_nan,
        }
        return [*weight.tolist(), scale / 2], wrong
    wrong = {
        "clipped before it was unscaled: next to nothing is left.": after(clipped_first, scale),
        "unscaled in fp16, where the quotient is 0. Divide in float32.": after(in_half, scale),
        "it has not been unscaled.": after(scaled.float() * _shortening(scaled.float(), limit), scale),
        "nothing was infinite: the scale stays.": [..., ..., scale / 2],
        "it is longer than the limit, and has not been clipped.": after(true, scale),
        "a step goes against the gradient.": after(-true * _shortening(true, limit), scale),
    }
    right = after(true * _shortening(true, limit), scale)
    return right, {reason: answer for reason, answer in wrong.items() if answer != right}


PARAMETERS = 102_267_648  # of the article's three encoders, as notebook 03 counts them
_GIB = PARAMETERS / 2**30
q08_5 = value(
    "GiB of weights, gradients and AdamW's state for an encoder of 102,267,648 parameters in float32: 1.52.",
    {16 * _GIB, 16 * PARAMETERS / 1e9},
    "Count the bytes of one parameter: itself, its gradient, and what AdamW remembers of it.",
    "float32 is 4 bytes. AdamW keeps two numbers a parameter, the first and the second moment.",
    "Add up the bytes of one parameter, multiply by the parameters, and divide by the bytes of a GiB, 2**30.",
    wrong={
        "That is in bytes or MiB; the question asks for GiB.": {16.0 * PARAMETERS, 16 * PARAMETERS / 2**20},
        "That is the weights alone.": 4 * _GIB,
        "Weights and gradients; AdamW remembers something of each parameter as well.": 8 * _GIB,
        "AdamW remembers two numbers a parameter: a mean of its gradients and one of their squares.": 12 * _GIB,
        "Mixed precision keeps the weights, the gradients and the moments in float32.": (8 + 2) * _GIB,
    },
    otherwise="{found} GiB is not it: how many bytes does one parameter need in all?",
    then="All of that before the first sentence: no batch size and no checkpointing makes it smaller.",
)


def _why_that_order(seen: Mapping[str, float]) -> str:
    least = min(seen, key=seen.get)
    return (
        "Half the batch, checkpointing and bf16 reach the activations only. SGD has no moments to keep. Freezing drops "
        f"the gradients, the moments and most of the activations at once. Least of all needs: {least}."
    )


q08_4 = predicted(
    "The order of the peak memory of six runs, the largest first.",
    "Write down the four parts (weights, gradients, moments, activations), and which of them each run changes.",
    "The table above says how large the parts are here. The moments alone are as large as weights and gradients.",
    "What needs no gradient keeps no activations either. What halves the activations leaves the other three alone.",
    because=_why_that_order,
    surprise=lambda seen: f"{_why_that_order(seen)} Which part did you think an option reaches, and it does not?",
    tie=5.0,
)
