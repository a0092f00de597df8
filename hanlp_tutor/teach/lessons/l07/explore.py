"""What one token of each micro-batch weighs in the gradient of a window, by the divisor that is used."""

from __future__ import annotations

from hanlp_tutor.teach.plots import BLACK, SKY, VERMILION, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

# Characters of sixteen made-up sentences, shuffled
LENGTHS = (12, 48, 35, 9, 41, 17, 60, 23, 8, 30, 55, 14, 27, 50, 20, 11)
DIVISORS = ("valid tokens of the window", "mean of means", "micro-batch alone")


def token_weights(lengths: list[list[int]], divisor: str) -> list[float]:
    """What a token of each micro-batch weighs, relative to one of the large batch; 1.0 is right.

    Args:
        lengths: tokens of the sentences, by micro-batch.
        divisor: one of :data:`DIVISORS`, by which a micro-batch's sum of losses is divided.
    """
    sums = [sum(micro) for micro in lengths]
    divided_by = {
        "valid tokens of the window": [sum(sums)] * len(sums),
        "mean of means": [tokens * len(sums) for tokens in sums],
        "micro-batch alone": sums,
    }[divisor]
    return [sum(sums) / by for by in divided_by]


def draw_weights(
    sentences: int = 16, micro_batch: int = 4, order: str = "by length", divisor: str = "mean of means"
) -> Picture:
    """A bar for each micro-batch: the weight of one of its tokens.

    Args:
        sentences: of the window.
        micro_batch: sentences of a micro-batch; the last one has the rest.
        order: ``shuffled`` or ``by length``.
    """
    lengths = list(LENGTHS[:sentences])
    if order == "by length":
        lengths.sort()
    micros = [lengths[start : start + micro_batch] for start in range(0, len(lengths), micro_batch)]
    weights = token_weights(micros, divisor)
    figure, (axes,) = new_figure(1)
    right = [abs(weight - 1) < 1e-9 for weight in weights]
    bars = axes.bar(range(1, len(weights) + 1), weights, color=[SKY if ok else VERMILION for ok in right])
    axes.bar_label(bars, [f"{sum(micro)} tokens" for micro in micros], fontsize=8, padding=2)
    axes.axhline(1.0, color=BLACK, ls="--")
    axes.set(xlabel="micro-batch", ylabel="weight of a token", title="Relative to the large batch (dashed)")
    axes.set(xticks=range(1, len(weights) + 1), ylim=(0, 1.25 * max(*weights, 1.0)))
    says = "every token weighs what it does in the large batch"
    if not all(right):
        says = f"a token weighs from {min(weights):.2f} to {max(weights):.2f} times what it does in the large batch"
    return Picture(figure, f"{len(micros)} micro-batches, divided by {divisor}: {says}.")


def explorer() -> Explorer:
    """The picture with its controls."""
    return Explorer(
        draw_weights,
        sentences=(8, 13, 16),
        micro_batch=(1, 2, 4, 8, 16),
        order=("shuffled", "by length"),
        divisor=DIVISORS,
    )
