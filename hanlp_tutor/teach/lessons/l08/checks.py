"""The checks of notebook 08: what a format holds, a loss scale, the order of an update, bytes before training."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.teach.check import exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, value

# exponent bits, mantissa bits -> largest, smallest normal
_FORMATS = {
    "fp16": (5, 10, 65504.0, 2.0**-14),
    "bf16": (8, 7, 3.3895313892515355e38, 2.0**-126),
    "fp32": (8, 23, 3.4028234663852886e38, 2.0**-126),
    "fp8 (E5M2)": (5, 2, 57344.0, 2.0**-14),
}


@cases(
    {name: row[:2] for name, row in _FORMATS.items()},
    "With e exponent bits the bias is 2**(e-1) - 1. The exponents of normal numbers run from 1 - bias to bias.",
    "The largest number has the largest exponent and a mantissa of ones: 2 - 2**-m in front of 2**bias.",
    "smallest normal: 2.0 ** (1 - bias); largest: (2 - 2.0 ** -m) * 2.0 ** bias.",
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


@cases(
    [([1e-3, 2e-6],), ([0.5],), ([40.0, 1e-9],), ([-3.0, 0.0, 2e-7],), ([70000.0],), ([65504.0],)],
    "Only the largest magnitude decides: times the scale it may not exceed 65,504.",
    "A loss scale is a power of two, so that scaling rounds nothing: take the floor of a logarithm to the base 2.",
    "2.0 ** math.floor(math.log2(65504 / max(abs(g) for g in gradients)))",
    otherwise="{given}: {found} overflows nothing, but a larger power of two does neither.",
    then="The real GradScaler cannot look ahead: it halves after an overflow and doubles after 2,000 good updates.",
)
def q08_2(gradients: list[float]) -> Answers:
    """best_scale(gradients) -> the largest power of two that lets no gradient overflow in fp16."""
    largest = max(map(abs, gradients))
    wrong = {
        "a scale is above 0.": lambda scale: scale <= 0,
        "it is no power of two. Any other scale rounds every number once more.": lambda s: math.log2(s) % 1,
        f"{largest:g} times that is more than 65,504: it overflows.": lambda scale: scale * largest > 65504,
    }
    return 2.0 ** math.floor(math.log2(65504 / largest)), wrong


ORDER = ("scale", "backward", "unscale", "clip", "step", "update")


@exercise(
    "Which of the six needs gradients to exist, and which makes them?",
    "max_grad_norm is meant for true gradients, so they have to be true when they are clipped.",
    "The scale itself is adapted last, when it is known whether the step was skipped.",
)
def q08_3(answer: Any) -> str:
    """The six steps of an fp16 update in order, as a list or one string."""
    steps = answer.replace(",", " ").split() if isinstance(answer, str) else [str(step) for step in answer]
    require(
        sorted(steps) == sorted(ORDER), f"The list holds each of {', '.join(ORDER[::-1])} once; yours is {show(steps)}."
    )
    for first, second, reason in (
        ("scale", "backward", "A loss scaled after backward has flowed back unscaled: too late."),
        ("backward", "unscale", "unscale divides gradients: they come from backward."),
        ("unscale", "clip", "Clipping before unscaling compares scaled gradients with max_grad_norm: nothing is left."),
        ("clip", "step", "step uses the gradients: what is clipped later has no effect."),
        ("step", "update", "update adapts the scale to what step found; it comes last."),
    ):
        require(steps.index(first) < steps.index(second), reason)
    return "The lines of train.py stand in this order too; read them there once more."


PARAMETERS = 102_267_648  # of the article's three encoders, as notebook 03 counts them
_GIB = PARAMETERS / 2**30
q08_4 = value(
    "GiB of weights, gradients and AdamW's state for an encoder of 102,267,648 parameters in float32: 1.52.",
    {16 * _GIB, 16 * PARAMETERS / 1e9},
    "Count the bytes of one parameter: itself, its gradient, and what AdamW remembers of it.",
    "float32 is 4 bytes. AdamW keeps two numbers a parameter, the first and the second moment.",
    "(4 + 4 + 8) bytes times the parameters, divided by 2**30.",
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
