"""The checks of notebook 01b: attention with padding, what order changes, what a mask hides, the size of a head."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import value

if TYPE_CHECKING:
    from torch import Tensor


@exercise(
    "Begin with the scores of the lesson: q @ k.T / q.shape[-1] ** 0.5.",
    "Before the softmax, give -inf to the columns of padding: no one may look at them. e to the power -inf is 0.",
    "masked_fill(where, value) puts a value where a bool tensor is True; a row of T stands for the columns of (T, T).",
)
def q01b_1(function: Any) -> str:
    """masked_attention(q, k, v, real): (T, d) from (T, d) each and (T,) of bool, False at padding."""
    import torch

    generator = torch.Generator().manual_seed(7)
    for length, padding in ((5, 0), (6, 2), (4, 3)):
        q, k, v = (torch.randn(length, 16, generator=generator) for _ in range(3))
        real = torch.arange(length) < length - padding
        found = call(function, q, k, v, real)
        require(not isinstance(found, tuple), "Return the mixed values alone: one tensor, without the weights.")
        require(torch.is_tensor(found), f"The check wants a tensor of ({length}, 16), this is {show(found)}.")
        where = f"With {length} tokens" + (f", of which the last {padding} are padding" if padding else "") + ": "
        require(
            tuple(found.shape) != (length, length),
            where + f"your result is ({length}, {length}), which are weights. They have still to mix the values v.",
        )
        require(
            tuple(found.shape) == (length, 16),
            where + f"({length}, 16) is expected, a row for each token; yours is {tuple(found.shape)}.",
        )
        found = found.float()
        # what a token of padding asks is nobody's concern: those rows are not looked at
        require(not found[real].isnan().any(), where + "your result has nan. Did you hide rows instead of columns?")
        right = _right(q, k, v, real)[real]
        if not _close(found[real], right):
            for reason, wrong in _wrong_attentions(q, k, v, real).items():
                require(not _close(found[real], wrong[real]), where + reason)
            require(False, where + "your values are none that the check knows. Scores, softmax, mix: print each shape.")
    return "PyTorch's scaled_dot_product_attention, with the same mask, gives the same numbers."


def _right(q: Tensor, k: Tensor, v: Tensor, real: Tensor) -> Tensor:
    scores = q @ k.T / q.shape[-1] ** 0.5
    return scores.masked_fill(~real, float("-inf")).softmax(-1) @ v


def _wrong_attentions(q: Tensor, k: Tensor, v: Tensor, real: Tensor) -> dict[str, Tensor]:
    """By what a student reads, the result of the slip that it names."""
    d = q.shape[-1]
    plain = q @ k.T
    scores = plain / d**0.5
    low = float("-inf")
    hidden = scores.masked_fill(~real, low)
    columns = scores.masked_fill(~real[:, None], low).softmax(0)
    return {
        "the scores are not scaled. Divide q @ k.T by the root of d, before the softmax.": (
            plain.masked_fill(~real, low).softmax(-1) @ v
        ),
        "neither scaled nor padding hidden.": plain.softmax(-1) @ v,
        "divided by d. Its root is asked: the spread of a sum of d products grows with √d.": (
            (plain / d).masked_fill(~real, low).softmax(-1) @ v
        ),
        "the softmax runs over the wrong axis. Each *row*, a token that looks, has to sum to 1: softmax(-1).": (
            hidden.softmax(0) @ v
        ),
        "the softmax runs over the wrong axis, and the mask with it. Each *row* has to sum to 1: softmax(-1).": (
            columns @ v
        ),
        "padding is still looked at. Use real to hide *columns*: a row is who looks, a column who is looked at.": (
            scores.softmax(-1) @ v
        ),
        "a score of 0 is not *no weight*: e to the power 0 is 1. The softmax gives nothing only to -inf.": (
            scores.masked_fill(~real, 0.0).softmax(-1) @ v
        ),
        "padding is hidden after the softmax, so the weights of a row no longer sum to 1. Hide it before.": (
            (scores.softmax(-1) * real) @ v
        ),
        "it is the padding that you look at, and the sentence that you hide. real is True at characters.": (
            scores.masked_fill(real, low).softmax(-1) @ v
        ),
        "there is no softmax: scores can be negative, shares cannot.": scores.masked_fill(~real, 0.0) @ v,
        "the weights mix the keys. What is handed on are the values v.": hidden.softmax(-1) @ k,
    }


def _close(a: Tensor, b: Tensor) -> bool:
    return bool(((a - b).abs() < 1e-4).all())


MOVES = (False, True, False)  # embedding, last layer, last layer without positions
_WHY = (
    "In both sentences 咬 is the second character, and the look-up asks only for the character and its place.",
    "Attention hands 咬 what its neighbours are, and 狗 has changed places with 人: to the left-looking head of the "
    "first layer that is another sentence.",
    "Without positions nothing says who stands where. 咬 sees the same two characters, and a sum has no order.",
)


@exercise(
    "Which of the three vectors that are added up is another one for 咬 in the second sentence?",
    "Attention is a sum over all characters. What in it tells the left neighbour from the right one?",
    "Take each vector by itself: what went into it, and is any of that different in the second sentence?",
)
def q01b_2(prediction: Any) -> str:
    """Whether 咬 moves: three times True or False, answered by what mini-bert does."""
    prediction = list(prediction)
    require(len(prediction) == 3, f"Three predictions are asked for, these are {len(prediction)}.")
    require(all(type(each) is bool for each in prediction), "Each prediction is True (it moves) or False (it stays).")
    measured = _moved()
    names = ("as an embedding", "after the last layer", "after the last layer, without positions")
    wrong = [k for k in range(3) if prediction[k] != (measured[k] > 1e-4)]
    if wrong:
        k = wrong[0]
        said = "moves" if prediction[k] else "stays"
        others = f" ({len(wrong) - 1} more of your predictions did not come true.)" if len(wrong) > 1 else ""
        require(False, f"You said: {names[k]}, 咬 {said}. It was changed by {measured[k]:.0%}. {_WHY[k]}{others}")
    return f"As the run showed: {', '.join(f'{share:.0%}' for share in measured)}. " + _WHY[2]


@lru_cache(maxsize=1)
def _moved() -> tuple[float, ...]:
    """How far 咬 is in 人咬狗 from where it is in 狗咬人, in mini-bert: relative to its length."""
    import torch

    from hanlp_tutor.encoders import load_encoder

    encoder = load_encoder("mini-bert")
    bert = encoder.module.eval()

    def states(text: str) -> tuple[Tensor, Tensor]:
        ids = encoder.tokenizer(text, return_tensors="pt")
        hidden = bert(**ids, output_hidden_states=True).hidden_states
        return hidden[0][0, 2], hidden[-1][0, 2]

    def change(pair: Any) -> float:
        before, after = pair
        return float((after - before).norm() / before.norm())

    with torch.no_grad():
        embedding, last = map(change, zip(states("狗咬人"), states("人咬狗"), strict=True))
        bert.embeddings.position_embeddings.weight.zero_()
        _, without = map(change, zip(states("狗咬人"), states("人咬狗"), strict=True))
    return embedding, last, without


q01b_3 = value(
    "Of 1,000 characters: how many count in the loss, how many are [MASK], how many look as before.",
    (150, 120, 865),
    "15 % are chosen, and the loss asks for all of the chosen.",
    "Of the chosen, 80 % become [MASK]; a tenth stays as it is.",
    "A place looks as before if it was not chosen, or if it was chosen and left as it was. Count both.",
    wrong={
        "The loss does not ask for all characters: only for the chosen ones.": (1000, ..., ...),
        "The loss asks for *all* chosen characters, also for those that were exchanged or left as they were.": (
            {120, 135}, ..., ...,
        ),
        "Not every chosen character becomes [MASK]: 80 % of them do.": (150, 150, ...),
        "80 % of the *chosen* become [MASK], not of all characters.": (150, 800, ...),
        "850 were not chosen. And the chosen tenth that stays as it is?": (150, 120, 850),
        "A character that was exchanged for another does not look as before.": (150, 120, 880),
    },
    otherwise=(
        "Of 1,000 characters {right} are chosen, and so many count in the loss; not {found}.",
        "[MASK] stands in {right} places, not in {found}.",
        "{found} do not look as before.",
    ),
    count="Three numbers are asked for; these are {found}.",
    then="15 of the 150 look like all the others: so the encoder has to keep a good vector for *every* character.",
)  # fmt: skip

HIDDEN, TAGS, LENGTH = 256, 7, 100
q01b_4 = value(
    "The parameters of a tagging head: a linear layer from 256 to 7, one for all characters.",
    HIDDEN * TAGS + TAGS,
    "A linear layer has a matrix and a bias.",
    "Is there a head for each character, or one head that reads each character?",
    "Count for one of the tags first: a weight for each number of the hidden state, and its bias.",
    wrong={
        "Nearly: each tag has a bias too.": HIDDEN * TAGS,
        "One head reads all the characters, one after the other; its weights do not depend on the length.": {
            (HIDDEN * TAGS + TAGS) * LENGTH, HIDDEN * TAGS * LENGTH, HIDDEN * TAGS * LENGTH + TAGS,
            HIDDEN * LENGTH * TAGS * LENGTH, (HIDDEN * LENGTH + 1) * TAGS * LENGTH,
        },
        "Those are the logits that come out, one for each character and tag. What has to be learned?": LENGTH * TAGS,
        "A bias for each tag, not for each number of the hidden state.": HIDDEN * TAGS + HIDDEN,
        "Seven tags: a column of the matrix for each.": {HIDDEN, HIDDEN + 1},
    },
    otherwise="Not {found}. The layer has 256 numbers in and 7 out, and a bias.",
    then="That is all of φ, for a sentence of any length. The rest of the model, θ, has been trained before.",
)  # fmt: skip
