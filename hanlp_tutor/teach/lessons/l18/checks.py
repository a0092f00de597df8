"""The checks of notebook 18: layout embeddings as tensors, and where on the page they help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hanlp_tutor.teach.declared import Answers, cases, predicted

_X = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
_Y = torch.tensor([[0.0, 0.0], [5.0, 5.0], [-1.0, 4.0]])


@cases(
    {
        "two characters": (torch.ones(1, 2, 2), torch.tensor([[1, 2]]), torch.tensor([[2, 1]]), _X, _Y),
        "two pages": (torch.zeros(2, 1, 2), torch.tensor([[1], [2]]), torch.tensor([[1], [1]]), _X, _Y),
        "padding": (torch.ones(1, 1, 2), torch.tensor([[0]]), torch.tensor([[0]]), _X, _Y),
    },
    "A table of embeddings is a tensor (buckets, H); its row number 3 is `table[3]`.",
    "A tensor of numbers picks a row for each of them: `x_table[x]` has the shape (B, T, H).",
    "What goes into the encoder is the sum of three tensors of this shape.",
    then="That is the whole of LayoutLM's idea: a place is one more embedding, like the position in the sentence.",
    read=lambda found: found.tolist() if isinstance(found, Tensor) else found,
)
def q18_1(characters: Tensor, x: Tensor, y: Tensor, x_table: Tensor, y_table: Tensor) -> Answers:
    """with_places(characters, x, y, x_table, y_table) -> the encoder's input, shaped as characters."""
    right = (characters + x_table[x] + y_table[y]).tolist()

    def sizes(found: Any) -> tuple[int, ...]:
        return tuple(torch.tensor(found).shape) if isinstance(found, list) else ()

    joined = (*characters.shape[:2], 3 * characters.shape[2])
    wrong = {
        "the vectors are joined, not added: the encoder takes vectors of its own size.": lambda f: sizes(f) == joined,
        "the numbers of the buckets are added. A bucket is a name: look its vector up in the table.":
            (characters + (x + y).unsqueeze(-1)).tolist(),
        "the places from the top are missing.": (characters + x_table[x]).tolist(),
        "the places from the left are missing.": (characters + y_table[y]).tolist(),
        "both places are looked up in one table: column 2 and row 2 would be the same thing.":
            (characters + x_table[x] + x_table[y]).tolist(),
        "the characters are missing: a place alone says nothing.": (x_table[x] + y_table[y]).tolist(),
    }  # fmt: skip
    return right, {said: value for said, value in wrong.items() if value != right}


def _gains(seen: Mapping[str, float]) -> str:
    most = max(seen, key=seen.get)
    if most == "table":
        names = {"text": "the running text"}
        lost = [names.get(part, f"the {part}") for part, gain in seen.items() if gain < 0]
        cost = f" The places do not come free: {' and '.join(lost)} lost in this run." if lost else ""
        return (
            "In the table the words around a cell say little, and its column says what it is. In running text the "
            f"neighbours say much of it already.{cost}"
        )
    return (
        f"The {most} gained most in this run. One seed and few pages: hold it against the seeds below before you look "
        "for a reason."
    )


q18_2 = predicted(
    "Which part of the page gains most from its layout.",
    "Ask of each part: if somebody read it out to you in one breath, what would you no longer know?",
    "The key stands before its value in the header, and a sentence speaks for itself.",
    "A cell of a table has no sentence around it, and its neighbour may be empty.",
    because=_gains,
    surprise=_gains,
    tie=0.02,
)
