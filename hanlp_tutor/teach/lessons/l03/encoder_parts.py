"""What notebook 03 shows of an encoder: what a recipe hides of one sentence, and where the parameters are."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
from torch import nn

from hanlp_tutor.pretraining.masking import RECIPES, Masker, Words

MASK, MASK_ID, FIRST_ID = "[MASK]", 4, 5
_COLOURS = {"same": "#FFFFFF", "kept": "#F0E442", "mask": "#56B4E9", "other": "#E69F00"}  # Okabe-Ito


def masked_once(words: list[str], recipe: str, similar: dict[str, list[str]], seed: int) -> list[tuple[str, str, str]]:
    """One drawing of a recipe: per character what stood there, what stands there now, and its fate.

    Args:
        similar: words of as many characters that MacBERT may put in place of a word.

    Returns:
        Triples (before, after, fate); the fate is ``same`` (not chosen), ``kept``, ``mask`` or ``other``.
    """
    spellings = list(dict.fromkeys([*words, *(s for choices in similar.values() for s in choices)]))
    characters = sorted({c for word in spellings for c in word})
    number = {c: FIRST_ID + i for i, c in enumerate(characters)}
    width = max([len(choices) for choices in similar.values()], default=1) or 1
    table = np.full((len(spellings), width), -1)
    for word, choices in similar.items():
        fitting = [spellings.index(s) for s in choices if len(s) == len(word)]
        if word in spellings:
            table[spellings.index(word), : len(fitting)] = fitting
    ids = np.array([number[c] for word in words for c in word])
    begins = np.array([spellings.index(w) if i == 0 else -1 for w in words for i in range(len(w))])
    lexicon = Words([tuple(number[c] for c in word) for word in spellings], table)
    masker = Masker(recipe, mask_id=MASK_ID, first_id=FIRST_ID, vocabulary=FIRST_ID + len(characters), words=lexicon)
    row, chosen, _ = masker(ids, begins, np.random.default_rng(seed))
    before = [c for word in words for c in word]
    after = [MASK if i == MASK_ID else characters[i - FIRST_ID] for i in row.tolist()]
    hit = set(chosen.tolist())
    fate = [
        "same" if p not in hit else "mask" if a == MASK else "kept" if a == b else "other"
        for p, (b, a) in enumerate(zip(before, after, strict=True))
    ]
    return list(zip(before, after, fate, strict=True))


def partly_hidden(words: list[str], recipe: str, similar: dict[str, list[str]], drawings: int) -> float:
    """Of the words of two and more characters that a recipe touches, the share of which it leaves something to see."""
    touched = partly = 0
    for seed in range(drawings):
        chosen = [fate != "same" for _, _, fate in masked_once(words, recipe, similar, seed)]
        begin = 0
        for word in words:
            hit = sum(chosen[begin : begin + len(word)])
            begin += len(word)
            if len(word) > 1 and hit:
                touched += 1
                partly += hit < len(word)
    return partly / touched


class MaskTable:
    """The three recipes on one sentence, side by side; in a notebook with a colour per fate."""

    def __init__(self, words: list[str], similar: dict[str, list[str]], seed: int):
        self.words = words
        self.drawn = {recipe: masked_once(words, recipe, similar, seed) for recipe in RECIPES}

    def _repr_html_(self) -> str:
        heads = "".join(
            f"<td colspan='{len(word)}' style='text-align:center;border:1px solid'>{escape(word)}</td>"
            for word in self.words
        )
        rows = [f"<tr><th>words</th>{heads}</tr>"]
        for recipe, drawn in self.drawn.items():
            cells = "".join(
                f"<td title='{fate}' style='text-align:center;background:{_COLOURS[fate]};color:#000'>"
                f"{'M' if after == MASK else escape(after)}</td>"
                for _, after, fate in drawn
            )
            rows.append(f"<tr><th>{recipe}</th>{cells}</tr>")
        return f"<table>{''.join(rows)}</table>"

    def __repr__(self) -> str:
        lines = ["words: " + " / ".join(self.words)]
        return "\n".join([*lines, *(f"{r}: {' '.join(a for _, a, _ in d)}" for r, d in self.drawn.items())])


def parameter_table(model: nn.Module) -> pd.DataFrame:
    """Parameters per part of a BERT: number and share. A tensor that is shared counts once."""
    counts = dict.fromkeys(("embeddings", "attention", "feed-forward", "other"), 0)
    for name, tensor in model.named_parameters():
        if "embeddings" in name:
            part = "embeddings"
        elif ".attention." in name:
            part = "attention"
        else:
            part = "feed-forward" if ".intermediate." in name or ".output." in name else "other"
        counts[part] += tensor.numel()
    table = pd.DataFrame({"parameters": counts})
    table["share"] = table["parameters"] / table["parameters"].sum()
    return table
