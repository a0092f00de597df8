"""The checks of notebook 08: what a format holds, a loss scale, the order of an update, bytes before training."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show

# exponent bits, mantissa bits -> largest, smallest normal
_FORMATS = {
    "fp16": (5, 10, 65504.0, 2.0**-14),
    "bf16": (8, 7, 3.3895313892515355e38, 2.0**-126),
    "fp32": (8, 23, 3.4028234663852886e38, 2.0**-126),
    "fp8 (E5M2)": (5, 2, 57344.0, 2.0**-14),
}


@exercise(
    "With e exponent bits the bias is 2**(e-1) - 1. The exponents of normal numbers run from 1 - bias to bias.",
    "The largest number has the largest exponent and a mantissa of ones: 2 - 2**-m in front of 2**bias.",
    "smallest normal: 2.0 ** (1 - bias); largest: (2 - 2.0 ** -m) * 2.0 ** bias.",
)
def q08_1(answer: Any) -> str:
    """limits(e, m) -> (largest, smallest normal) of a format with e exponent and m mantissa bits, as in IEEE 754."""
    for name, (e, m, largest, smallest) in _FORMATS.items():
        found = tuple(float(value) for value in call(answer, e, m))
        require(len(found) == 2, f"limits returns two numbers, largest and smallest normal; yours {len(found)}.")
        here = f"{name} has {e} exponent and {m} mantissa bits"
        require(found != (smallest, largest), f"{here}: the two are exchanged. The largest comes first.")
        require(
            not math.isclose(found[0], 2.0 ** (2 ** (e - 1)), rel_tol=1e-9),
            f"{here}: {found[0]:.6g} is the first number that is too large. The largest mantissa is 2 - 2**-m, not 2.",
        )
        require(
            not math.isclose(found[1], 2.0 ** (1 - 2 ** (e - 1)), rel_tol=1e-9),
            f"{here}: {found[1]:.3g} has the exponent 0 - bias, which is kept for zero and subnormal numbers.",
        )
        require(
            math.isclose(found[0], largest, rel_tol=1e-6),
            f"{here}: its largest is {largest:.6g}, not {found[0]:.6g}.",
        )
        require(
            math.isclose(found[1], smallest, rel_tol=1e-6),
            f"{here}: its smallest normal number is {smallest:.3g}, not {found[1]:.3g}.",
        )
    return "Range comes from the exponent, digits from the mantissa: fp16 spent its bits on digits, bf16 on range."


_SCALES = (
    ([1e-3, 2e-6], 2.0**25),
    ([0.5], 2.0**16),
    ([40.0, 1e-9], 2.0**10),
    ([-3.0, 0.0, 2e-7], 2.0**14),
    ([70000.0], 0.5),
    ([65504.0], 1.0),
)


@exercise(
    "Only the largest magnitude decides: times the scale it may not exceed 65,504.",
    "A loss scale is a power of two, so that scaling rounds nothing: take the floor of a logarithm to the base 2.",
    "2.0 ** math.floor(math.log2(65504 / max(abs(g) for g in gradients)))",
)
def q08_2(answer: Any) -> str:
    """best_scale(gradients) -> the largest power of two that lets no gradient overflow in fp16."""
    for values, right in _SCALES:
        found = float(call(answer, values))
        given = f"best_scale({show(values)})"
        largest = max(map(abs, values))
        require(found > 0, f"{given}: a scale is above 0, yours is {found:g}.")
        require(
            math.log2(found) == int(math.log2(found)),
            f"{given}: {found:g} is no power of two. Any other scale rounds every number once more.",
        )
        require(
            found * largest <= 65504,
            f"{given}: {largest:g} times {found:g} is {found * largest:g}, more than 65,504: it overflows.",
        )
        require(found == right, f"{given}: {found:g} overflows nothing, but a larger power of two does neither.")
    return "The real GradScaler cannot look ahead: it halves after an overflow and doubles after 2,000 good updates."


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
    place = {step: number for number, step in enumerate(steps)}
    require(place["scale"] < place["backward"], "A loss scaled after backward has flowed back unscaled: too late.")
    require(place["backward"] < place["unscale"], "unscale divides gradients: they come from backward.")
    require(
        place["unscale"] < place["clip"],
        "Clipping before unscaling compares scaled gradients with max_grad_norm, and shrinks them to nearly nothing.",
    )
    require(place["clip"] < place["step"], "step uses the gradients: what is clipped later has no effect.")
    require(place["step"] < place["update"], "update adapts the scale to what step found; it comes last.")
    return "So stand the lines in train.py as well; read them there once more."


PARAMETERS = 102_267_648  # of the article's three encoders, as notebook 03 counts them


@exercise(
    "Count the bytes of one parameter: itself, its gradient, and what AdamW remembers of it.",
    "float32 is 4 bytes. AdamW keeps two numbers a parameter, the first and the second moment.",
    "(4 + 4 + 8) bytes times the parameters, divided by 2**30.",
)
def q08_4(answer: Any) -> str:
    """GiB of weights, gradients and AdamW's state for an encoder of 102,267,648 parameters in float32: 1.52."""
    value = float(answer)

    def near(bytes_each: int, unit: float = 2.0**30) -> bool:
        return abs(value - bytes_each * PARAMETERS / unit) < 0.015 * bytes_each * PARAMETERS / unit

    require(not near(16, 1.0) and not near(16, 2.0**20), "That is in bytes or MiB; the question asks for GiB.")
    require(not near(4), "That is the weights alone.")
    require(not near(8), "Weights and gradients; AdamW remembers something of each parameter as well.")
    require(not near(12), "AdamW remembers two numbers a parameter: a mean of its gradients and one of their squares.")
    require(not near(8 + 2), "Mixed precision keeps the weights, the gradients and the moments in float32.")
    require(near(16) or near(16, 1e9), f"{value:g} GiB is not it: how many bytes does one parameter need in all?")
    return "All of that before the first sentence: no batch size and no checkpointing makes it smaller."
