"""The exercises of notebook 08; test_exercises.py holds the checks to these answers."""

import math

import pytest
import torch

from hanlp_tutor.teach.lessons.l08.checks import _FORMATS, ORDER, PARAMETERS


def limits(e, m):
    bias = 2 ** (e - 1) - 1
    return (2 - 2.0**-m) * 2.0**bias, 2.0 ** (1 - bias)


def best_scale(gradients):
    return 2.0 ** math.floor(math.log2(65504 / max(map(abs, gradients))))


RIGHT = {
    "q08_1": [limits, lambda e, m: list(limits(e, m))],
    "q08_2": [best_scale],
    "q08_3": [list(ORDER), "scale backward unscale clip step update", "scale, backward, unscale, clip, step, update"],
    "q08_4": [1.52, 16 * PARAMETERS / 2**30, "1.52"],
}
WRONG = {
    "q08_1": [
        (lambda e, m: limits(e, m)[::-1], "exchanged"),
        (lambda e, m: (2.0 ** (2 ** (e - 1)), limits(e, m)[1]), "2 - 2**-m, not 2"),
        (lambda e, m: (limits(e, m)[0], 2.0 ** (1 - 2 ** (e - 1))), "0 - bias"),
        (lambda e, m: (2.0**e, 2.0**-m), "its largest is 65504"),
        (lambda e, m: (limits(e, m)[0], 2.0**-m), "smallest normal number is"),
        (lambda e, m: limits(e, m)[:1], "two numbers"),
        (lambda e, m: print(end=""), "returns None"),
    ],
    "q08_2": [
        (lambda g: 65504 / max(map(abs, g)), "no power of two"),
        (lambda g: 2 * best_scale(g), "it overflows"),
        (lambda g: best_scale(g) / 2, "a larger power of two"),
        (lambda g: 2.0 ** math.floor(math.log2(65504 / max(g))), "overflows"),
        (lambda g: 0, "above 0"),
        (lambda g: best_scale(g[-1:]), "overflows"),
    ],
    "q08_3": [
        (["backward", "scale", "unscale", "clip", "step", "update"], "too late"),
        (["scale", "unscale", "backward", "clip", "step", "update"], "unscale divides gradients"),
        (["scale", "backward", "clip", "unscale", "step", "update"], "Clipping before unscaling"),
        (["scale", "backward", "unscale", "step", "clip", "update"], "no effect"),
        (["scale", "backward", "update", "unscale", "clip", "step"], "comes last"),
        (["scale", "backward"], "holds each of"),
    ],
    "q08_4": [
        (16 * PARAMETERS, "GiB"),
        (4 * PARAMETERS / 2**30, "weights alone"),
        (8 * PARAMETERS / 2**30, "Weights and gradients"),
        (12 * PARAMETERS / 2**30, "two numbers"),
        (10 * PARAMETERS / 2**30, "in float32"),
        (3.0, "is not it"),
    ],
}


@pytest.mark.parametrize(("name", "kind"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_the_formats_are_those_of_pytorch(name, kind):
    assert _FORMATS[name][2:] == (torch.finfo(kind).max, torch.finfo(kind).smallest_normal)
