"""The exercises of notebook 02; test_exercises.py holds the checks to these answers."""

import math

import pytest
import torch
import torch.nn.functional as F


def cross_entropy(scores, gold):
    most = max(scores)
    return most + math.log(sum(math.exp(s - most) for s in scores)) - scores[gold]


def naive(scores, gold):
    return -math.log(math.exp(scores[gold]) / sum(map(math.exp, scores)))


def score_gradient(logits, labels):
    valid = (labels >= 0).unsqueeze(-1)
    return (logits.softmax(-1) - F.one_hot(labels.clamp(min=0), logits.size(-1))) * valid


def by_autograd(logits, labels):
    logits = logits.clone().requires_grad_()
    F.cross_entropy(logits, labels, reduction="sum").backward()
    return logits.grad


def step(theta, origin, gradient, lr, lam, n):
    return [t - lr * (g + 2 * lam / n * (t - o)) for t, o, g in zip(theta, origin, gradient, strict=True)]


def stepping(pull, sign=-1.0, towards_origin=True):
    def function(theta, origin, gradient, lr, lam, n):
        return [
            t + sign * lr * (g + pull(lam, n) * (t - o * towards_origin))
            for t, o, g in zip(theta, origin, gradient, strict=True)
        ]

    return function


RIGHT = {
    "q02_1": [cross_entropy, lambda s, g: F.cross_entropy(torch.tensor(s), torch.tensor(g)).item()],
    "q02_2": [score_gradient, by_autograd, lambda s, y: score_gradient(s.double(), y)],
    "q02_3": [5e-6, 2 * 0.1 / 40000, "5e-6"],
    "q02_4": [(1, 1.02), ("1.1", 1.02)],
    "q02_5": [step],
}
WRONG = {
    "q02_1": [
        (naive, "OverflowError"),
        (lambda s, g: -cross_entropy(s, g), "the sign"),
        (lambda s, g: math.exp(-cross_entropy(s, g)), "p itself"),
        (lambda s, g: cross_entropy(s, g) / math.log(2), "base 2"),
        (lambda s, g: 3.14, "should be"),
    ],
    "q02_2": [
        (lambda s, y: s.softmax(-1) * (y >= 0).unsqueeze(-1), "the 1 that the right tag lacks"),
        (lambda s, y: -score_gradient(s, y), "sign is turned"),
        (lambda s, y: score_gradient(s, y) / (y >= 0).sum(), "gradient of the mean"),
        (lambda s, y: s.softmax(-1) - F.one_hot(y.clamp(min=0), 4), "those of padding are not"),
        (lambda s, y: (s.softmax(0) - F.one_hot(y.clamp(min=0), 4)) * (y >= 0).unsqueeze(-1), "over the characters"),
        (lambda s, y: score_gradient(s, y)[:, 0], "a number for each logit"),
        (lambda s, y: score_gradient(s, y).tolist(), "a tensor of (3, 4)"),
        (lambda s, y: s.softmax(-1) - F.one_hot(y, 4), "RuntimeError"),
        (lambda s, y: s, "none that the check knows"),
    ],
    "q02_3": [
        (0.1, "the *sum*"),
        (0.2, "divides the sum by N"),
        (2.5e-6, "no 2"),
        (1.25e-6, "wrong side"),
        (-5e-6, "above 0"),
        (1.0, "Not 1"),
    ],
    "q02_4": [((10, 1.02), "You said 10; the run shows 1.02. On an untouched weight")],
    "q02_5": [
        (stepping(lambda lam, n: 2 * lam / n, towards_origin=False), "towards 0"),
        (stepping(lambda lam, n: lam / n), "2 times its root"),
        (stepping(lambda lam, n: 2 * lam), "sum over N"),
        (stepping(lambda lam, n: 2 * lam / n, sign=1.0), "climbs"),
        (stepping(lambda lam, n: -2 * lam / n), "flees"),
        (lambda *a: [1.0], "weights go in"),
        (lambda *a: [0.0, 0.0, 0.0], "should be"),
    ],
}


def test_the_answers_are_true_of_the_kit(tiny_encoder):
    """The step of q02_5 is that of the kit's penalty under PyTorch's SGD."""
    from hanlp_tutor.config import TrainConfig
    from hanlp_tutor.core.model_folder import build_model
    from hanlp_tutor.core.optim import L2Penalty

    model = build_model("ner", tiny_encoder, ("O", "B-PER"), TrainConfig()).double()
    penalty = L2Penalty(model, TrainConfig(l2=3.0, l2_on="distance"))
    bias = model.encoder.encoder.layer[0].output.dense.bias
    origin = bias.tolist()
    with torch.no_grad():
        bias += 0.5
    theta = bias.tolist()
    (3.0 / 12 * penalty()).backward()
    torch.optim.SGD([bias], lr=0.1).step()
    assert bias.tolist() == pytest.approx(step(theta, origin, [0.0] * len(theta), 0.1, 3.0, 12))
