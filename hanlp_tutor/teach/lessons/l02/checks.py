"""The checks of notebook 02: cross-entropy, its gradient, a λ in another unit, a step of SGD with L2-SP."""

from __future__ import annotations

import math

from hanlp_tutor.teach.declared import Answers, cases, value

_SCORES = [([0.0, 0.0], 0), ([2.0, -1.0, 0.5], 1), ([0.3, 0.1, 0.2, 4.0], 3), ([1.0], 0)]
_OTHERWISE = "{given} should be {right}; yours is {found}."


@cases(
    [*_SCORES, ([1000.0, 999.0], 0), ([-1000.0, -1001.0], 1)],
    "−log p of the right tag, and p is exp(score) divided by the sum of exp over all scores.",
    "The log of that fraction is a difference: log Σ exp(s) − s of the right tag.",
    "m = max(scores); return m + math.log(sum(math.exp(s - m) for s in scores)) - scores[gold]",
    otherwise=_OTHERWISE,
    then="Subtracting the largest score changes nothing but the overflow: PyTorch does the same inside.",
)
def q02_1(scores: list[float], gold: int) -> Answers:
    """cross_entropy(scores, gold): a float, natural logarithm, safe for large scores."""
    most = max(scores)
    right = most + math.log(sum(math.exp(s - most) for s in scores)) - scores[gold]
    wrong = {
        "the sign. A surprise is positive.": -right,
        "that is p itself; −log p is asked.": math.exp(-right),
        "a logarithm to the base 2; take math.log.": right / math.log(2),
        "subtract the largest score first.": lambda found: abs(most) > 100 and not math.isfinite(found),
    }
    return right, wrong


@cases(
    _SCORES,
    "First the probabilities: exp of each score, divided by their sum.",
    "Then subtract 1 at the place of the right tag, and nothing elsewhere.",
    "[p - (i == gold) for i, p in enumerate(probabilities)]",
    otherwise=_OTHERWISE,
    count="{found} numbers, and there are {right} scores.",
    then="The numbers sum to 0: what the right tag gains, the others lose.",
)
def q02_2(scores: list[float], gold: int) -> Answers:
    """score_gradient(scores, gold): a list, p − y."""
    weights = [math.exp(s) for s in scores]
    p = [w / sum(weights) for w in weights]
    right = [x - (i == gold) for i, x in enumerate(p)]
    wrong = {
        "that is p; where is the 1 that the right tag lacks?": p,
        "the sign is turned. The loss falls when the score of the right tag *rises*.": [-x for x in right],
    }
    return right, wrong


CHARACTERS, LAM = 40_000, 0.1
q02_3 = value(
    "The weight_decay of SGD that equals λ = 0.1 on a sum of 40,000: 2λ/N = 5e-6.",
    2 * LAM / CHARACTERS,
    "The mean loss is the sum divided by N, so its penalty is (λ/N) ‖θ‖².",
    "The gradient of ‖θ‖² is 2θ; what `weight_decay` of SGD adds to the gradient is weight_decay · θ.",
    "2 · 0.1 / 40,000.",
    wrong={
        "A weight decay is a number above 0.": lambda found: found <= 0,
        "0.1 is λ on the *sum*. You train on the mean of 40,000 losses.": LAM,
        "The 2 is right. But the mean divides the sum by N, and the penalty with it.": 2 * LAM,
        "Nearly: the gradient of ‖θ‖² is 2θ, and weight_decay has no 2.": LAM / CHARACTERS,
        "The 2 is on the wrong side: the gradient of ‖θ‖² is 2θ.": LAM / CHARACTERS / 2,
    },
    otherwise="Not {found}. What does the penalty add to the gradient of the mean loss?",
    then="Two thousand times below AdamW's usual 0.01: the same letter λ, another unit.",
)


@cases(
    {
        "": ([1.0, -2.0, 0.5], [0.8, -2.0, 1.5], [0.1, 0.4, -0.3], 0.5, 3.0, 12),
        "no gradient of the task, and the weight is where it started": ([1.0], [1.0], [0.0], 0.5, 3.0, 12),
    },
    "The gradient of (λ/N) ‖θ − θ₀‖² is 2 (λ/N) (θ − θ₀), for each weight by itself.",
    "Add it to the task's gradient, multiply by the learning rate, subtract that from θ.",
    "[t - lr * (g + 2 * lam / characters * (t - t0)) for t, t0, g in zip(theta, theta_0, gradient)]",
    otherwise=_OTHERWISE,
    count="{right} weights go in, {found} come out.",
    then="A weight that the task does not touch stays where pre-training left it.",
)
def q02_4(theta: list, theta_0: list, gradient: list, lr: float, lam: float, characters: int) -> Answers:
    """step(theta, theta_0, gradient, lr, lam, characters) -> list: one SGD update with L2-SP."""
    pull, zeros = 2 * lam / characters, [0.0] * len(theta)

    def after(pull: float, towards: list[float] = theta_0, sign: float = -1.0) -> list[float]:
        return [t + sign * lr * (g + pull * (t - o)) for t, g, o in zip(theta, gradient, towards, strict=True)]

    wrong = {
        "this pulls θ towards 0. The distance is from θ₀.": after(pull, zeros),
        "nearly: the gradient of a square is 2 times its root.": after(pull / 2),
        "λ belongs to the sum over N; the gradient is of the mean.": after(2 * lam),
        "this climbs. Descent *subtracts* the gradient.": after(pull, sign=1.0),
        "the sign of θ − θ₀ is turned: this flees from θ₀.": after(-pull),
    }
    return after(pull), wrong
