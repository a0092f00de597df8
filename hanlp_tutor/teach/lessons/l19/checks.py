"""The checks of notebook 19: collecting a batch, Little's law, 8-bit numbers, a guess about sixteen clients."""

from __future__ import annotations

import math
from typing import Any

from hanlp_tutor.teach.check import call, exercise, require, show
from hanlp_tutor.teach.declared import Answers, cases, predicted


@exercise(
    "The first of the list always goes into the batch, however long it is: who is alone is not refused.",
    "Go on while there is another request and both limits would still hold with it.",
    "Two sums grow as you go: the texts so far, and their characters. The rest of the list is what you did not take.",
)
def q19_1(answer: Any) -> str:
    """next_batch(waiting, texts, characters) -> (batch, rest), both lists in their order."""
    waiting = ["甲" * 10, "乙" * 20, "丙" * 30, "丁" * 5]
    for texts, characters, taken in ((64, 8192, 4), (2, 8192, 2), (64, 60, 3), (64, 59, 2), (64, 5, 1), (1, 8192, 1)):
        given = list(waiting)
        found = call(answer, given, texts, characters)
        where = f"With at most {texts} texts and {characters} characters: "
        require(
            isinstance(found, tuple) and len(found) == 2,
            f"Return two lists, the batch and the rest; this is {show(found)}.",
        )
        batch, rest = map(list, found)
        whole = sorted(batch + rest) == sorted(waiting)
        require(whole, where + "a request is lost or doubled. Each is in one of the two.")
        require(
            batch, where + "the batch is empty. A text longer than the limit goes alone, or it would wait for ever."
        )
        require(batch + rest == waiting, where + "the order is not kept: who came first is answered first.")
        require(len(batch) <= texts, where + f"your batch has {len(batch)} texts.")
        length = sum(map(len, batch))
        require(length <= characters or len(batch) == 1, where + f"your batch has {length} characters.")
        require(
            len(batch) == taken,
            where + f"{taken} requests fit, you took {len(batch)}: each that is left behind waits for another turn.",
        )
    require(list(map(list, call(answer, [], 64, 8192))) == [[], []], "Of nothing, both lists are empty.")
    return "That is what the batcher does each time the model becomes free."


@cases(
    {
        "a hundred requests a second, each served within a fifth of a second": (100.0, 0.2),
        "thirty a second that may take a quarter of a second": (30.0, 0.25),
        "a faster model, and a second of patience": (120.0, 1.0),
        "a slow model: three a second, and half a second of patience": (3.0, 0.5),
    },
    "Little's law: the number in a system is the rate of arrivals times the time that each spends in it.",
    "The queue may hold as many as the model answers within the deadline. More of them would wait longer.",
    "Requests a second times seconds is requests; take the whole number that still keeps the deadline.",
    otherwise="{given}: the queue may hold {right}, your function gives {found}.",
    then="A longer queue serves nobody sooner. It only makes everybody wait, and then give up.",
)
def q19_2(per_second: float, deadline: float) -> Answers:
    """longest_queue(per_second, deadline): how many requests may wait at most."""
    exact = per_second * deadline
    right = math.floor(exact)
    return right, {
        "you divide; the rate times the time is the number.": per_second / deadline,
        "that is the time of one request, in seconds.": 1 / per_second,
        "requests are whole: round down.": exact if exact != right else -1,
        "round down: the last of them would be late.": math.ceil(exact) if exact != right else -1,
    }


q19_3 = predicted(
    "Requests a second at 16 clients, with and without computing them together: which is more, 'together' or "
    "'one by one'?",
    "One by one, each matrix product has the rows of one text.",
    "What of a computation is the same whether one text comes or sixteen: reading the weights from memory, Python, "
    "starting an operation.",
    "On a machine with several cores, which of the two products can be divided among them?",
    because=lambda seen: _together(seen),
    surprise=lambda seen: _together(seen),
    tie=0.02,
)


def _together(seen: dict[str, float]) -> str:
    ratio = seen["together"] / max(seen["one by one"], 1e-9)
    if ratio > 1.1:
        return (
            f"Together they are {ratio:.1f} times as many: what is done once a batch, reading the weights and starting "
            "each operation, is shared."
        )
    if ratio < 0.9:
        return (
            f"Together they are {ratio:.2f} times as many here: padding to the longest text of a batch, and a machine "
            "that is busy with the clients, cost more than is shared."
        )
    return (
        f"The two are close ({ratio:.2f}): on one core such a small model spends its time in the products, and those "
        "of sixteen texts are sixteen times as much. The gain comes with more cores, larger models and GPUs."
    )


@exercise(
    "The largest absolute value has to become 127: scale = max |w| / 127.",
    "Divide by the scale, round, and keep whole numbers: round(w / scale).",
    "What the computation uses is the whole number times the scale; the error is its largest distance from w.",
)
def q19_4(answer: Any) -> str:
    """to_int8(w) -> (whole numbers, scale): a float tensor in 8 bits."""
    import torch

    for w in (torch.tensor([0.5, -1.27, 0.013]), torch.randn(4, 5, generator=torch.Generator().manual_seed(1))):
        found = call(answer, w)
        require(isinstance(found, tuple) and len(found) == 2, "Return two things: the whole numbers and the scale.")
        whole, scale = torch.as_tensor(found[0]).double(), float(found[1])
        require(bool((whole == whole.round()).all()), "The first are no whole numbers: round them.")
        largest = float(whole.abs().max())
        require(
            largest <= 127,
            f"{largest:.0f} does not fit: the range is -127 to 127, the same on both sides (+128 is no 8-bit number).",
        )
        require(
            largest >= 126, f"The largest is {largest:.0f}: most of the range stays unused, and small values become 0."
        )
        error = float((whole * scale - w.double()).abs().max())
        require(error <= scale / 2 + 1e-6, f"The error is {error:.3g}; rounding alone makes at most half a scale.")
    return "One number for a whole tensor: an outlier makes the scale large, and everything else coarse."
