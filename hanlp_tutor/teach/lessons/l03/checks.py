"""The checks of notebook 03: the parameters of a layer, whole words, memory, a guess about freezing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted

if TYPE_CHECKING:
    from torch import Tensor


@cases(
    [(768, 3072), (8, 16)],
    "Attention has four square matrices: query, key, value and output, each with a bias.",
    "Feed-forward goes from hidden to inner size and back, with a bias each.",
    "Count with h = 1 and f = 1 first, part by part: eight for attention, four for feed-forward, four for the norms.",
    otherwise="{given}: there are {right} parameters; your function gives {found}.",
    then="Feed-forward holds two thirds of a layer when f = 4h.",
)
def q03_1(h: int, f: int) -> Answers:
    """layer(h, f): the parameters of one layer of hidden size h and inner size f."""
    right = 4 * (h * h + h) + 2 * h * f + f + h + 4 * h
    return right, {
        "nearly: the two LayerNorms have a weight and a bias each.": right - 4 * h,
        "nearly: there are two LayerNorms, one behind each part.": right - 2 * h,
        "the biases are missing: one for each column of each of the six matrices.": right - 5 * h - f,
        "attention has four matrices; the fourth mixes what the heads have collected.": right - h * h - h,
    }


@exercise(
    "Which words were touched? `word[chosen]` gives the numbers of the words of the drawn characters.",
    "Then ask of every character whether its word is among those.",
    "torch.isin tells of each element of a tensor whether another tensor holds it.",
)
def q03_2(function: Any) -> str:
    """whole_words(chosen, word): (T,) of bool from (T,) of bool and (T,): every character of a touched word."""
    import torch

    for lengths, drawn in (([3, 1, 2], [1]), ([2, 2, 4, 1], [0, 5, 8]), ([1, 4], []), ([2, 1, 2], [1, 2])):
        word = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
        chosen = torch.zeros(len(word), dtype=torch.bool)
        chosen[drawn] = True
        right = torch.tensor([bool(chosen[word == w].any()) for w in word.tolist()])
        found = call(function, chosen, word)
        given = f"With words of {lengths} characters, of which the characters {drawn} were drawn: "
        require(torch.is_tensor(found), given + f"a tensor of ({len(word)},) is expected, not {show(found)}.")
        require(
            found.shape == right.shape,
            given + f"({len(word)},) is expected, a truth value for each character; yours is {tuple(found.shape)}.",
        )
        require(found.dtype == torch.bool, given + f"truth values are expected (bool), yours are {found.dtype}.")
        if not torch.equal(found, right):
            wanted, given_back = (each.nonzero().flatten().tolist() for each in (right, found))
            expected = f" Expected {wanted}, yours are {given_back}."
            for reason, wrong in _wrong_words(chosen, word).items():
                require(not torch.equal(found, wrong), given + reason + expected)
            require(False, given + "these are not the characters of the touched words." + expected)
    return "BERT hides single characters, and the rest of the word gives them away; here nothing of the word is left."


def _wrong_words(chosen: Tensor, word: Tensor) -> dict[str, Tensor]:
    """By what a student reads, the result of the slip that it names."""
    import torch

    after = chosen | torch.cat([chosen[:1] & False, chosen[:-1] & (word[1:] == word[:-1])])
    whole = torch.tensor([bool(chosen[word == w].all()) for w in word.tolist()])
    touched = torch.tensor([bool(chosen[word == w].any()) for w in word.tolist()])
    return {
        "these are the drawn characters alone. The rest of their words belongs to them.": chosen,
        "a word counts as soon as *one* of its characters was drawn, not only when all were.": whole,
        "these are the characters of the words that were not touched.": ~touched,
        "only the next character was added. A word may go on further, and before the drawn character, too.": after,
    }


@cases(
    [(100, 0), (10, 90)],
    "fp32 spends four bytes on a parameter, fp16 two.",
    "AdamW keeps two moments per parameter in fp32, and there is a gradient too.",
    "How many numbers are kept for a parameter that is trained, and how many for one that is not? Four bytes each.",
    otherwise="{given}: they need {right} bytes; you give {found}.",
    then="A frozen parameter costs its weight only: that is what head-only training saves.",
)
def q03_3(trainable: int, frozen: int) -> Answers:
    """training_bytes(trainable, frozen): fp32 AdamW, without activations."""
    return 16 * trainable + 4 * frozen, {
        "a frozen parameter keeps its weight alone: no gradient, no moments.": 16 * (trainable + frozen),
        "a frozen parameter does not train, but it is in memory.": 16 * trainable,
        "AdamW keeps two moments, not one.": 12 * trainable + 4 * frozen,
        "those are numbers; each takes four bytes.": 4 * trainable + frozen,
    }


def _as_expected(seen: dict[str, float]) -> bool:
    return max(seen, key=seen.get) == "everything" and min(seen, key=seen.get) == "random weights"


q03_4 = predicted(
    "The order of dev F1: head only, last layer, everything, random weights.",
    "What does the head get to read in each case, and what may change of it?",
    "Random weights have to learn from these sentences what a character is; a frozen encoder knows it.",
    "Compare two at a time: what can the one learn that the other cannot?",
    because=lambda seen: (
        "What may change adapts to names, and what was pre-trained need not be learned from a few sentences."
        if _as_expected(seen)
        else "But in a run as short as this one the order is chance."
    ),
    surprise=lambda seen: (
        "Ask of each what the head gets to read. A frozen encoder was trained to guess characters; random weights were "
        "trained for nothing."
        if _as_expected(seen)
        else "In a run as short as this one the order is chance: compare it with the run that is stored in the lesson."
    ),
    tie=0.02,
)
