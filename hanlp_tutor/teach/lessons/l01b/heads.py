"""Where the heads of an encoder look, on the average over sentences."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

LEFT, ITSELF, RIGHT, FIRST, ELSEWHERE = "left neighbour", "itself", "right neighbour", "[CLS]", "elsewhere"


def where_it_looks(sentences: Iterable[Tensor]) -> list[dict[str, float]]:
    """Of each head the share of attention that goes to each place, over all characters that have both neighbours.

    The first character and the last token of a sentence are left out: their neighbours would be [CLS] and nothing.

    Args:
        sentences: of each the weights of all layers and heads, (layers, heads, T, T).

    Returns:
        A row for each layer and head in order: ``layer``, ``head`` (both from 1), and shares that sum to 1.
    """
    sums: Tensor | None = None
    characters = 0
    for weights in sentences:
        asks = torch.arange(2, weights.shape[-1] - 1)
        if not len(asks):
            continue
        places = [weights[:, :, asks, asks + step].sum(-1) for step in (-1, 0, 1)]
        places.append(weights[:, :, asks, 0].sum(-1))
        here = torch.stack(places, -1).double()  # (layers, heads, 4)
        sums = here if sums is None else sums + here
        characters += len(asks)
    if sums is None:
        raise ValueError("no sentence has a character with two neighbours")
    return [
        {"layer": layer, "head": head, **dict(zip((LEFT, ITSELF, RIGHT, FIRST), shares, strict=True)),
         ELSEWHERE: 1 - sum(shares)}
        for layer, heads in enumerate((sums / characters).tolist(), 1)
        for head, shares in enumerate(heads, 1)
    ]  # fmt: skip
