"""The checks of notebook 02: cross-entropy, its gradient, a λ in two units, a guess about λ, a step with L2-SP."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted, value

if TYPE_CHECKING:
    from torch import Tensor

_SCORES = [([0.0, 0.0], 0), ([2.0, -1.0, 0.5], 1), ([0.3, 0.1, 0.2, 4.0], 3), ([1.0], 0)]
_OTHERWISE = "{given} should be {right}; yours is {found}."


@cases(
    [*_SCORES, ([1000.0, 999.0], 0), ([-1000.0, -1001.0], 1)],
    "−log p of the right tag, and p is exp(score) divided by the sum of exp over all scores.",
    "The log of that fraction is a difference: log Σ exp(s) − s of the right tag.",
    "With m the largest score: log Σ exp(s) = m + log Σ exp(s − m). No exponent is above 0 then.",
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


@exercise(
    "The probabilities are the softmax over the tags of each character: logits.softmax(-1).",
    "y has a 1 at the right tag. With -100 nothing can be looked up: put a valid label there first, for the moment.",
    "Rows of padding have no loss, whatever their logits are. So what do you multiply them by?",
)
def q02_2(function: Any) -> str:
    """score_gradient(logits, labels): (T, C), the gradient of the summed loss, from (T, C) and (T,) with -100."""
    import torch
    import torch.nn.functional as F

    generator = torch.Generator().manual_seed(3)
    for labels in ([2, 0, 1], [1, 1, -100, -100], [-100, 3, 0, -100, 2]):
        labels = torch.tensor(labels)
        logits = torch.randn(len(labels), 4, generator=generator).requires_grad_()
        (right,) = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), logits)
        logits = logits.detach()
        found = call(function, logits, labels)
        where = f"With the labels {labels.tolist()}: "
        require(torch.is_tensor(found), where + f"a tensor of {tuple(right.shape)} is expected, not {show(found)}.")
        require(
            found.shape == right.shape,
            where + f"{tuple(right.shape)} is expected, a number for each logit; yours is {tuple(found.shape)}.",
        )
        found, valid = found.float(), labels >= 0
        if not torch.allclose(found, right, atol=1e-5):
            for reason, wrong in _wrong_gradients(logits, labels, right).items():
                require(not torch.allclose(found, wrong, atol=1e-5), where + reason)
            require(
                not torch.allclose(found[valid], right[valid], atol=1e-5),
                where + "the rows of characters are right, those of padding are not. They have no loss.",
            )
            require(False, where + "your numbers are none that the check knows. Print p, y and p − y of one row.")
    return "Autograd gives the same, on any logits. The numbers of a row sum to 0: what one tag gains, the others lose."


def _wrong_gradients(logits: Tensor, labels: Tensor, right: Tensor) -> dict[str, Tensor]:
    """By what a student reads, the result of the slip that it names."""
    valid = (labels >= 0).unsqueeze(-1)
    p = logits.softmax(-1)
    return {
        "that is p; where is the 1 that the right tag lacks?": p * valid,
        "that is p, for padding too; where is the 1 that the right tag lacks?": p,
        "the sign is turned. The loss falls when the score of the right tag *rises*.": -right,
        "this is the gradient of the mean. The *sum* is asked: nothing is divided by the number of characters.": (
            right / valid.sum()
        ),
        "the softmax runs over the characters. It has to run over the tags of each: softmax(-1).": (
            (logits.softmax(0) - (p - right)) * valid
        ),
    }


CHARACTERS, LAM = 40_000, 0.1
q02_3 = value(
    "The weight_decay of SGD that equals λ = 0.1 on a sum of 40,000: 2λ/N = 5e-6.",
    2 * LAM / CHARACTERS,
    "The mean loss is the sum divided by N, so its penalty is (λ/N) ‖θ‖².",
    "The gradient of ‖θ‖² is 2θ; what `weight_decay` of SGD adds to the gradient is weight_decay · θ.",
    "Write down the gradient of (λ/N) ‖θ‖², and compare it with weight_decay · θ.",
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


q02_4 = predicted(
    "How many times less a tenth of λ takes from untouched embeddings, under Adam.",
    "Under SGD a tenth of λ takes a tenth. Is that so under Adam, too?",
    "On an untouched weight the penalty is the whole gradient. Adam divides the gradient by its own size.",
    "g / √g² does not depend on how large g is.",
    because="Adam divides the penalty's gradient by its own size, so its λ cancels: only η and the updates count.",
    surprise="On an untouched weight the penalty is the whole gradient. Look at the last line of `adam`: what becomes "
    "of m / √v when all gradients are ten times smaller?",
)


@cases(
    {
        "": ([1.0, -2.0, 0.5], [0.8, -2.0, 1.5], [0.1, 0.4, -0.3], 0.5, 3.0, 12),
        "no gradient of the task, and the weight is where it started": ([1.0], [1.0], [0.0], 0.5, 3.0, 12),
    },
    "The gradient of (λ/N) ‖θ − θ₀‖² is 2 (λ/N) (θ − θ₀), for each weight by itself.",
    "Add it to the task's gradient, multiply by the learning rate, subtract that from θ.",
    "Go through the three lists together with zip: each weight has its own start and its own gradient.",
    otherwise=_OTHERWISE,
    count="{right} weights go in, {found} come out.",
    then="A weight that the task does not touch stays where pre-training left it.",
)
def q02_5(theta: list, theta_0: list, gradient: list, lr: float, lam: float, characters: int) -> Answers:
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
