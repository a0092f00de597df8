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


def softmax(scores):
    weights = [math.exp(s) for s in scores]
    return [w / sum(weights) for w in weights]


def score_gradient(scores, gold):
    return [p - (i == gold) for i, p in enumerate(softmax(scores))]


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
    "q02_2": [score_gradient, lambda s, g: tuple(score_gradient(s, g))],
    "q02_3": [5e-6, 2 * 0.1 / 40000, "5e-6"],
    "q02_4": [step],
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
        (lambda s, g: softmax(s), "the 1 that the right tag lacks"),
        (lambda s, g: [-x for x in score_gradient(s, g)], "sign is turned"),
        (lambda s, g: score_gradient(s, g)[:-1], "numbers"),
        (lambda s, g: [0.0] * len(s), "should be"),
    ],
    "q02_3": [
        (0.1, "the *sum*"),
        (0.2, "divides the sum by N"),
        (2.5e-6, "no 2"),
        (1.25e-6, "wrong side"),
        (-5e-6, "above 0"),
        (1.0, "Not 1"),
    ],
    "q02_4": [
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
    """The gradient of q02_2 is autograd's; the step of q02_4 is that of the kit's penalty under PyTorch's SGD."""
    from hanlp_tutor.config import TrainConfig
    from hanlp_tutor.core.model_folder import build_model
    from hanlp_tutor.core.optim import L2Penalty

    scores = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    F.cross_entropy(scores, torch.tensor(1)).backward()
    assert scores.grad.tolist() == pytest.approx(score_gradient(scores.tolist(), 1))
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
