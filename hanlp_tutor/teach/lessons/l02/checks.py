"""The checks of notebook 02: cross-entropy, its gradient, a λ in another unit, a step of SGD with L2-SP."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show

_SCORES = (([0.0, 0.0], 0), ([2.0, -1.0, 0.5], 1), ([0.3, 0.1, 0.2, 4.0], 3), ([1.0], 0))


def _surprise(scores: list[float], gold: int) -> float:
    most = max(scores)
    return most + math.log(sum(math.exp(s - most) for s in scores)) - scores[gold]


@exercise(
    "−log p of the right tag, and p is exp(score) divided by the sum of exp over all scores.",
    "The log of that fraction is a difference: log Σ exp(s) − s of the right tag.",
    "m = max(scores); return m + math.log(sum(math.exp(s - m) for s in scores)) - scores[gold]",
)
def q02_1(answer: Any) -> str:
    """cross_entropy(scores, gold): a float, natural logarithm, safe for large scores."""
    for scores, gold in _SCORES:
        found, right = float(call(answer, scores, gold)), _surprise(scores, gold)
        given = f"cross_entropy({scores}, {gold})"
        require(not _near(found, -right) or right == 0, f"{given} is {found:.3f}: the sign. A surprise is positive.")
        require(
            not _near(found, math.exp(-right)) or _near(found, right), f"{given}: that is p itself; −log p is asked."
        )
        require(
            not _near(found * math.log(2), right) or right == 0, f"{given}: a logarithm to the base 2; take math.log."
        )
        require(_near(found, right), f"{given} should be {right:.4f}; yours is {found:.4f}.")
    for scores, gold in (([1000.0, 999.0], 0), ([-1000.0, -1001.0], 1)):
        found = float(call(answer, scores, gold))
        require(
            _near(found, _surprise(scores, gold)),
            f"cross_entropy({scores}, {gold}) should be {_surprise(scores, gold):.4f}; yours is {found:.4f}. "
            "Subtract the largest score first.",
        )
    return "Subtracting the largest score changes nothing but the overflow: PyTorch does the same inside."


@exercise(
    "First the probabilities: exp of each score, divided by their sum.",
    "Then subtract 1 at the place of the right tag, and nothing elsewhere.",
    "[p - (i == gold) for i, p in enumerate(probabilities)]",
)
def q02_2(answer: Any) -> str:
    """score_gradient(scores, gold): a list, p − y."""
    for scores, gold in _SCORES:
        most = max(scores)
        weights = [math.exp(s - most) for s in scores]
        p = [w / sum(weights) for w in weights]
        right = [x - (i == gold) for i, x in enumerate(p)]
        found = [float(x) for x in call(answer, scores, gold)]
        given = f"score_gradient({scores}, {gold})"
        require(len(found) == len(scores), f"{given} has {len(found)} numbers, and there are {len(scores)} scores.")
        require(
            not _all_near(found, p) or _all_near(p, right), f"{given} is p; where is the 1 that the right tag lacks?"
        )
        require(
            not _all_near(found, [-x for x in right]) or _all_near(found, right),
            f"{given}: the sign is turned. The loss falls when the score of the right tag *rises*.",
        )
        require(_all_near(found, right), f"{given} should be {[round(x, 3) for x in right]}, yours is {show(found)}.")
    return "The numbers sum to 0: what the right tag gains, the others lose."


CHARACTERS, LAM = 40_000, 0.1


@exercise(
    "The mean loss is the sum divided by N, so its penalty is (λ/N) ‖θ‖².",
    "The gradient of ‖θ‖² is 2θ; what `weight_decay` of SGD adds to the gradient is weight_decay · θ.",
    "2 · 0.1 / 40,000.",
)
def q02_3(answer: Any) -> str:
    """The weight_decay of SGD that equals λ = 0.1 on a sum of 40,000: 2λ/N = 5e-6."""
    found, right = float(answer), 2 * LAM / CHARACTERS
    require(found > 0, "A restraint is a number above 0.")
    require(not _near(found, LAM), "0.1 is λ on the *sum*. You train on the mean of 40,000 losses.")
    require(not _near(found, 2 * LAM), "The 2 is right. But the mean divides the sum by N, and the penalty with it.")
    require(not _near(found, LAM / CHARACTERS), "Nearly: the gradient of ‖θ‖² is 2θ, and weight_decay has no 2.")
    require(not _near(found, LAM / CHARACTERS / 2), "The 2 is on the wrong side: the gradient of ‖θ‖² is 2θ.")
    require(_near(found, right), f"Not {found:g}. What does the penalty add to the gradient of the mean loss?")
    return "Two thousand times below AdamW's usual 0.01: the same letter λ, another unit."


_STEP = ([1.0, -2.0, 0.5], [0.8, -2.0, 1.5], [0.1, 0.4, -0.3], 0.5, 3.0, 12)


@exercise(
    "The gradient of (λ/N) ‖θ − θ₀‖² is 2 (λ/N) (θ − θ₀), for each weight by itself.",
    "Add it to the task's gradient, multiply by the rate, subtract that from θ.",
    "[t - rate * (g + 2 * lam / characters * (t - t0)) for t, t0, g in zip(theta, theta_0, gradient)]",
)
def q02_4(answer: Any) -> str:
    """step(theta, theta_0, gradient, rate, lam, characters) -> list: one SGD update with L2-SP."""
    theta, origin, gradient, rate, lam, n = _STEP
    found = [float(x) for x in call(answer, *_STEP)]
    require(len(found) == len(theta), f"{len(theta)} weights go in, {len(found)} come out.")

    def after(pull: float, towards: list[float], sign: float = -1.0) -> list[float]:
        return [t + sign * rate * (g + pull * (t - o)) for t, g, o in zip(theta, gradient, towards, strict=True)]

    pull = 2 * lam / n
    require(not _all_near(found, after(pull, [0.0] * len(theta))), "This pulls θ towards 0. The distance is from θ₀.")
    require(not _all_near(found, after(pull / 2, origin)), "Nearly: the gradient of a square is 2 times its root.")
    require(not _all_near(found, after(2 * lam, origin)), "λ belongs to the sum over N; the gradient is of the mean.")
    require(not _all_near(found, after(pull, origin, 1.0)), "This climbs. Descent *subtracts* the gradient.")
    require(not _all_near(found, after(-pull, origin)), "The sign of θ − θ₀ is turned: this flees from θ₀.")
    right = after(pull, origin)
    require(_all_near(found, right), f"step{_STEP} should be {[round(x, 4) for x in right]}; yours is {show(found)}.")
    require(
        _all_near([float(x) for x in call(answer, [1.0], [1.0], [0.0], 0.5, 3.0, 12)], [1.0]),
        "Without a gradient of the task, a weight that is where it started has no reason to move.",
    )
    return "A weight that the task does not touch stays where pre-training left it."


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-9)


def _all_near(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=1e-3, abs_tol=1e-6) for x, y in zip(a, b, strict=True))
