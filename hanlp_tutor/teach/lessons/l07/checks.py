"""The checks of notebook 07: weights of micro-batches, a mean of means, a plan for small memory, updates of a run."""

from __future__ import annotations

from hanlp_tutor.teach.declared import Answers, cases, value


@cases(
    [([8, 8, 8, 8],), ([31, 84, 181, 593],), ([5],), ([2, 2, 2, 1],)],
    "A mean loss is a sum divided by a count. What do you have to do to it to get the sum back?",
    "The window's loss is Σ (mean × count) / Σ count.",
    "[count / sum(counts) for count in counts]",
    otherwise="{given} should be {right}; yours is {found}.",
    count="{found} numbers for {right} micro-batches.",
    then="They add up to 1, and a micro-batch counts as much as it has characters.",
)
def q07_1(counts: list[int]) -> Answers:
    """weights(counts): what each micro-batch's *mean* is multiplied by, so that they add up to the window's mean."""
    n, total = len(counts), sum(counts)
    wrong = {
        "all alike. That is the mean of means, which counts a character in a short micro-batch more.": [1 / n] * n,
        "these divide a *sum*. Here each micro-batch comes with its mean.": [1 / total] * n,
        "these turn means into sums. The window wants a mean again.": [float(count) for count in counts],
    }
    return [count / total for count in counts], wrong


q07_2 = value(
    "(mean of means, mean of the window) for 10 characters at 2.0 and 90 at 1.0.",
    (1.5, 1.1),
    "Ten characters with a mean of 2 are a sum of 20.",
    "The window has 100 characters. What is the sum of all their losses?",
    "(2 + 1) / 2 against (20 + 90) / 100.",
    wrong={"The two are exchanged: the mean of *means* knows nothing of the counts.": (1.1, 1.5)},
    otherwise=(
        "The mean of 2.0 and 1.0 is not {found}.",
        "The window's mean is not {found}: sum the losses of its 100 characters, then divide by 100.",
    ),
    count="Two numbers are asked: mean of means, and mean of the window; yours are {found}.",
    then="A tenth of the characters got half of the weight.",
)


@cases(
    [(32, 8), (64, 12), (30, 7), (32, 100), (17, 16)],
    "batch_size × k has to be the effective batch, exactly, so batch_size divides it.",
    "Of the divisors that fit take the largest: it needs the fewest micro-batches.",
    "batch_size = max(d for d in range(1, fits + 1) if effective % d == 0)",
    otherwise="{given} gives {found}: right, but {right} needs fewer passes.",
    then="With a prime number there is only 1 x 17: choose effective batches that divide well.",
)
def q07_3(effective: int, fits: int) -> Answers:
    """plan(effective, fits) -> (batch_size, k): the largest micro-batch that fits and divides the effective batch."""
    best = max(d for d in range(1, min(fits, effective) + 1) if effective % d == 0)
    wrong = {
        "both are whole numbers from 1 up.": lambda plan: min(plan) < 1,
        f"so many sentences do not fit, only {fits} do.": lambda plan: plan[0] > fits,
        f"multiply them, and not {effective} comes out.": lambda plan: plan[0] * plan[1] != effective,
    }
    return (best, effective // best), wrong


@cases(
    [(32, 8, 4, 1), (64, 8, 4, 3), (38, 8, 3, 2), (1000, 32, 4, 10), (7, 8, 4, 5), (38, 8, 1, 1)],
    "Count the micro-batches of one epoch first; the last may be smaller, but it is one.",
    "Then the windows of one epoch; the last may hold fewer micro-batches, and it is updated on as well.",
    "-(-n // k) rounds up: epochs * ceil(ceil(sentences / batch_size) / k).",
    otherwise="{given} is {right}; yours is {found}.",
    then="A thousand sentences, the article's settings and k = 4: eighty updates. Hold warm-up against that number.",
)
def q07_4(sentences: int, batch_size: int, k: int, epochs: int) -> Answers:
    """updates(sentences, batch_size, k, epochs) of the kit's loop."""
    micro = -(-sentences // batch_size)
    carried, floor = epochs * micro // k, epochs * (sentences // batch_size // k)
    wrong = {
        "there are no half updates.": lambda found: found != int(found),
        "that counts micro-batches, not updates.": epochs * micro,
        "the rest of an epoch is carried into the next (HanLP does). Here each epoch ends with an update.": carried,
        "the last sentences would never be learned from. Round up, twice.": floor,
    }
    return epochs * -(-micro // k), wrong
