"""One hidden character in each of many sentences, and how often an encoder names it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import BertForMaskedLM


@dataclass(frozen=True)
class Hidden:
    """A sentence with one hole: its ids with [MASK] at ``place``, and the id that stood there."""

    ids: list[int]
    place: int
    gold: int


def hide_one(texts: Sequence[str], tokenizer: Any, count: int, seed: int = 1) -> list[Hidden]:
    """A random Chinese character of each of the first ``count`` texts of 10 to 60 characters is hidden."""
    rng = random.Random(seed)
    made: list[Hidden] = []
    for text in texts:
        if len(made) == count:
            break
        if not 10 <= len(text) <= 60:
            continue
        ids = list(tokenizer(text)["input_ids"])
        chinese = [i for i, token in enumerate(tokenizer.convert_ids_to_tokens(ids)) if "一" <= token <= "鿿"]
        if not chinese:
            continue
        place = rng.choice(chinese)
        gold, ids[place] = ids[place], tokenizer.mask_token_id
        made.append(Hidden(ids, place, gold))
    return made


@torch.no_grad()
def hits(model: BertForMaskedLM, hidden: Sequence[Hidden], best: int = 5) -> tuple[float, float]:
    """How often the hidden character is the model's first guess, and how often among its ``best`` first."""
    first = among = 0
    for each in hidden:
        guesses = model(torch.tensor([each.ids])).logits[0, each.place].topk(best).indices.tolist()
        first += guesses[0] == each.gold
        among += each.gold in guesses
    return first / len(hidden), among / len(hidden)


def frequent(hidden: Sequence[Hidden], texts: Sequence[str], tokenizer: Any, best: int = 5) -> tuple[float, float]:
    """The same for whoever always names the characters that are most frequent in other texts."""
    counts = Counter(character for text in texts for character in text if "一" <= character <= "鿿")
    guesses = tokenizer.convert_tokens_to_ids([character for character, _ in counts.most_common(best)])
    first = sum(each.gold == guesses[0] for each in hidden)
    return first / len(hidden), sum(each.gold in guesses for each in hidden) / len(hidden)
