"""The exercises of notebook 08; test_exercises.py holds the checks to these answers."""

import pytest
import torch

from hanlp_tutor.teach.lessons.l08.checks import _FORMATS, PARAMETERS


def limits(e, m):
    bias = 2 ** (e - 1) - 1
    return (2 - 2.0**-m) * 2.0**bias, 2.0 ** (1 - bias)


def update(weight, scaled, scale, lr, limit):
    if not scaled.isfinite().all():
        return weight, scale / 2
    gradient = scaled.float() / scale
    return weight - lr * gradient * min(1.0, limit / (float(gradient.norm()) + 1e-6)), scale


def without_a_skip(weight, scaled, scale, lr, limit):
    gradient = scaled.float() / scale
    return weight - lr * gradient * min(1.0, limit / (float(gradient.norm()) + 1e-6)), scale


def clipped_first(weight, scaled, scale, lr, limit):
    gradient = scaled.float()
    return weight - lr * gradient * min(1.0, limit / (float(gradient.norm()) + 1e-6)) / scale, scale


def doubled(weight, scaled, scale, lr, limit):
    weight, new = update(weight, scaled, scale, lr, limit)
    return weight, 2 * scale if new < scale else scale


def unscaled_in_half(weight, scaled, scale, lr, limit):
    return update(weight, scaled / scale, 1.0, lr, limit)[0], scale


PEAKS = {"as it is": 139.0, "half the batch": 94.8, "checkpointing": 92.0, "frozen encoder": 32.9}
PEAK_ORDER = list(PEAKS)

RIGHT = {
    "q08_1": [limits, lambda e, m: list(limits(e, m))],
    "q08_2": [(-3, -2.97), ("-3", -3.3), (-1, -1.0)],
    "q08_3": [update],
    "q08_5": [1.52, 16 * PARAMETERS / 2**30, "1.52"],
    "q08_4": [(PEAK_ORDER, PEAKS), (["as it is", "checkpointing", "half the batch", "frozen encoder"], PEAKS)],
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
        ((-1, -2.97), "share of lost numbers for the error"),
        ((-2, -2.97), "made by its large ones"),
        ((-3, -1.0), "was invented"),
    ],
    "q08_3": [
        (clipped_first, "next to nothing is left"),
        (unscaled_in_half, "Divide in float32"),
        (without_a_skip, "no number any more"),
        (lambda w, g, s, lr, limit: (update(w, g, 1.0, lr, limit)[0], s), "has not been unscaled"),
        (lambda w, g, s, lr, limit: update(w, g, s, lr, 1e9), "has not been clipped"),
        (lambda w, g, s, lr, limit: update(w, g, s, -lr, limit), "against the gradient"),
        (lambda w, g, s, lr, limit: (update(w, g, s, lr, limit)[0], s), "has to become smaller"),
        (lambda w, g, s, lr, limit: (update(w, g, s, lr, limit)[0], s / 2), "the scale stays"),
        (doubled, "not doubled"),
        (lambda w, g, s, lr, limit: w, "two things"),
        (lambda w, g, s, lr, limit: (w[:1], s), "3 numbers, not 2"),
    ],
    "q08_5": [
        (16 * PARAMETERS, "GiB"),
        (4 * PARAMETERS / 2**30, "weights alone"),
        (8 * PARAMETERS / 2**30, "Weights and gradients"),
        (12 * PARAMETERS / 2**30, "two numbers"),
        (10 * PARAMETERS / 2**30, "in float32"),
        (3.0, "is not it"),
    ],
    "q08_4": [
        ((PEAK_ORDER[::-1], PEAKS), "Freezing drops"),
        ((["as it is"], PEAKS), "each once, the highest first"),
    ],
}


@pytest.mark.parametrize(("name", "kind"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_the_formats_are_those_of_pytorch(name, kind):
    assert _FORMATS[name][2:] == (torch.finfo(kind).max, torch.finfo(kind).smallest_normal)
