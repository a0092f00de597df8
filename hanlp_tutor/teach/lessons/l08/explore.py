"""The numbers that fp16 can hold, and what a loss scale does to a gradient on its way through them."""

from __future__ import annotations

import math

import numpy as np

from hanlp_tutor.teach.plots import BLUE, GREY, ORANGE, VERMILION, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

LEAST, LEAST_NORMAL, MOST = -24, -14, math.log2(65504)  # of fp16, as powers of two
MANTISSA = math.pi / 2  # the gradient is no power of two, so that it has digits to lose


def through_fp16(gradient: float, scale: float) -> float:
    """A gradient after scaling, rounding to fp16, and taking the scale away again; 0 or inf where fp16 ends."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float16(gradient * scale)) / scale


def draw_number_line(gradient: int = -27, loss_scale: int = 10) -> Picture:
    """The line of powers of two, with the gradient before and after scaling, and what comes back.

    Args:
        gradient: the size of the gradient is about 2 to this power.
        loss_scale: the loss is multiplied by 2 to this power.
    """
    exact = MANTISSA * 2.0**gradient
    back = through_fp16(exact, 2.0**loss_scale)
    before, after = math.log2(exact), math.log2(exact) + loss_scale
    figure, (axes,) = new_figure(1, height=2.4)
    axes.axvspan(LEAST_NORMAL, MOST, color=BLUE, alpha=0.25, lw=0)
    axes.axvspan(LEAST, LEAST_NORMAL, color=ORANGE, alpha=0.25, lw=0)
    for left, right, text in (
        (-42, LEAST, "becomes 0"),
        (LEAST, LEAST_NORMAL, "loses digits"),
        (LEAST_NORMAL, MOST, "all 11 bits"),
        (MOST, 26, "infinite"),
    ):
        axes.text((left + right) / 2, 0.82, text, ha="center", va="center")
    axes.annotate("", (after, 0.35), (before, 0.35), arrowprops={"arrowstyle": "->", "color": GREY, "lw": 2})
    axes.plot([before], [0.35], "o", color=GREY, ms=9, label="gradient")
    axes.plot([after], [0.35], "D", color=VERMILION, ms=9, label="times the scale")
    axes.set(xlim=(-42, 26), ylim=(0, 1), yticks=[], xlabel="power of two", title="What fp16 can hold")
    axes.legend(frameon=False, loc="lower left", ncols=2)
    if back == 0:
        fate = "it becomes 0, and is lost"
    elif math.isinf(back):
        fate = "it becomes infinite, and the update is skipped"
    else:
        fate = f"it comes back {abs(back - exact) / exact:.2g} off (relative)"
    return Picture(figure, f"A gradient of {exact:.2g}, times 2 to the power {loss_scale}, in fp16: {fate}.")


def explorer() -> Explorer:
    """The picture with its controls."""
    return Explorer(draw_number_line, gradient=range(-40, 13), loss_scale=range(0, 25))
