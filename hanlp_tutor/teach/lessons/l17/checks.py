"""The checks of notebook 17: LoRA merged into its weight, LoRA's size at BERT-base, which method few labels suit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import predicted, value

if TYPE_CHECKING:
    from torch import Tensor


@exercise(
    "The layer computes W x + alpha / rank * B (A x). Which one matrix does the same to every x?",
    "B has the shape (out, rank), A has (rank, in): B @ A is as large as W.",
    "rank is A.shape[0]. Return W + (alpha / rank) * B @ A.",
)
def q17_1(function: Any) -> str:
    """merged(W, A, B, alpha): (out, in) from (out, in), (rank, in) and (out, rank)."""
    import torch

    generator = torch.Generator().manual_seed(17)
    for rank, out, into, alpha in ((2, 5, 3, 8.0), (4, 6, 6, 4.0)):
        w, a, b = (torch.randn(*shape, generator=generator) for shape in ((out, into), (rank, into), (out, rank)))
        found = call(function, w, a, b, alpha)
        where = f"rank {rank}, {into} numbers in, {out} out: "
        require(torch.is_tensor(found), f"{where}the check wants a tensor of ({out}, {into}), this is {show(found)}.")
        require(tuple(found.shape) == (out, into), f"{where}({out}, {into}) is expected, not {tuple(found.shape)}.")
        for reason, wrong in _wrong_weights(w, a, b, alpha).items():
            require(not _close(found, wrong) or _close(wrong, _merged(w, a, b, alpha)), where + reason)
        require(
            _close(found, _merged(w, a, b, alpha)), where + "x goes through A, then B, then is scaled and added to W x."
        )
    return "A merged model has no part of LoRA left: it costs in service what the encoder cost before."


def _merged(w: Tensor, a: Tensor, b: Tensor, alpha: float) -> Tensor:
    return w + alpha / a.shape[0] * b @ a


def _wrong_weights(w: Tensor, a: Tensor, b: Tensor, alpha: float) -> dict[str, Tensor]:
    """By what a student reads, the result of the slip that it names."""
    return {
        "B @ A is not scaled: it needs alpha / rank.": w + b @ a,
        "B @ A is scaled by alpha alone, and not by alpha / rank.": w + alpha * b @ a,
        "that is the change alone: W is missing.": _merged(w, a, b, alpha) - w,
        "that is W as it was.": w,
    }


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() < 1e-4)


q17_2 = value(
    "How many numbers LoRA of rank 8 adds to BERT-base.",
    294_912,
    "A is (8, 768) and B is (768, 8): how many numbers are these two together?",
    "Two projections of each layer get such a pair: those of query and value.",
    "12 layers, 2 projections, 2 matrices of 8 * 768 numbers each.",
    wrong={
        "That is one projection a layer; query and value get a pair each.": 147_456,
        "These are the pairs of one layer. There are 12.": 24_576,
        "That is one whole 768 x 768 matrix, or four projections a layer: LoRA learns two narrow ones beside query and "
        "value.": 589_824,
        "These are all weights of the projections that LoRA stands beside; LoRA keeps them as they are.": 14_155_776,
        "That is LoRA of mini-bert's width, 256, in 12 layers.": 98_304,
    },
    otherwise="{found} is not it: layers * projections * (numbers of A + numbers of B).",
    then="Less than a hundredth of what BERT-base has; on a narrow encoder the share is larger.",
)


def _few(seen: Mapping[str, float]) -> str:
    best, last = max(seen, key=seen.get), min(seen, key=seen.get)
    return (
        f"{best!r} is highest here, {last!r} lowest. What starts from a random head has to learn from these what "
        "good and bad are; a cloze starts from words that pre-training knows, and a frozen encoder cannot move towards "
        "the task. One draw and a few hundred reviews are worth some points of chance: the draws below say more."
    )


q17_3 = predicted(
    "In which order the methods stand with few labels.",
    "Which of them begins with a head that knows words, and which with random numbers?",
    "Which of them cannot change what the encoder says of a text?",
    "With 64 labels a class, what does a method need more: freedom to change the encoder, or words it already knows?",
    because=_few,
    surprise=_few,
    tie=0.02,
)
