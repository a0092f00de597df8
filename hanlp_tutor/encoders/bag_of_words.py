"""Bag of words: [CLS] has to name the characters of its text, which masked characters alone never ask of it.

Masked characters train the hidden states of characters; no loss ever reads that of [CLS], the one from which a text is
classified. Ma et al. 2024 ("Drop your Decoder: Pre-training with Bag-of-Word Prediction for Dense Passage Retrieval",
SIGIR) let it predict the set V(x) of what stands in the text x, with nothing but one layer between:

.. math:: - \\frac{1}{|V(x)|} \\sum_{v \\in V(x)} \\log \\mathrm{softmax}(E g(h_{CLS}) + b)_v

E are the character embeddings of the encoder. Each row is one text, as in service: rows that go on over the ends of
texts have no bag of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from hanlp_tutor.encoders.masked_batch import MaskedBatch, hide
from hanlp_tutor.encoders.masking import Masker
from hanlp_tutor.encoders.mini import SPECIAL
from hanlp_tutor.encoders.pretraining_text import PretrainingText

LONGEST_TEXT = 256  # tokens of a row; of a longer text any part
_LEAST_ROWS, _NEIGHBOURS = 4, 7  # rows of a batch; how many times as many texts of like length they are drawn from
_PAD, _CLS, _SEP = (SPECIAL.index(token) for token in ("[PAD]", "[CLS]", "[SEP]"))


class BagHead(nn.Module):
    """The layer g and the bias b; it is thrown away when pre-training ends."""

    def __init__(self, hidden_size: int, vocabulary: int, seed: int):
        super().__init__()
        self.dense, self.norm = nn.Linear(hidden_size, hidden_size), nn.LayerNorm(hidden_size)
        nn.init.normal_(self.dense.weight, std=0.02, generator=torch.Generator().manual_seed(seed))
        nn.init.zeros_(self.dense.bias)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, cls: Tensor, texts: Tensor, embeddings: Tensor) -> Tensor:
        """Mean over rows of the loss above, in nats, a scalar.

        Args:
            cls: (R, H) hidden states of [CLS].
            texts: (R, T) the true ids of each row; special tokens belong to no bag.
            embeddings: (V, H).
        """
        inner = self.norm(nn.functional.gelu(self.dense(cls)))
        bags = torch.zeros(len(texts), len(self.bias), device=texts.device).scatter_(1, texts, 1.0)
        bags[:, : len(SPECIAL)] = 0
        logits = (inner @ embeddings.T + self.bias).float()
        return nn.functional.cross_entropy(logits, bags / bags.sum(1, keepdim=True).clamp(min=1))


class SingleTexts:
    """Draws rows of one text each: ``[CLS]``, the text or a part of it, ``[SEP]``, padding.

    Args:
        text: its lines are the texts.
    """

    def __init__(self, text: PretrainingText):
        self.text = text
        self.characters = np.append(text.lines[1:], len(text.ids)) - text.lines - 1  # without the [SEP]

    def draw_batch(self, masker: Masker, tokens: int, longest: int, rng: np.random.Generator) -> MaskedBatch:
        """At most ``tokens`` tokens, if four rows do not have more, in rows of like length: little of it is padding.

        Args:
            longest: tokens of a row at most.
        """
        lengths = np.minimum(self.characters, longest - 2)
        by_length = np.argsort(lengths, kind="stable")
        centre = lengths[rng.choice(len(lengths), p=lengths / lengths.sum())]  # long texts have more to be read
        rows = max(_LEAST_ROWS, tokens // (int(centre) + 2))
        place = int(np.searchsorted(lengths[by_length], centre)) - _NEIGHBOURS * rows // 2
        place = max(0, min(place, len(lengths) - _NEIGHBOURS * rows))
        chosen = rng.permutation(by_length[place : place + _NEIGHBOURS * rows])
        widths = np.maximum.accumulate(lengths[chosen]) + 2
        fitting = int((widths * np.arange(1, len(chosen) + 1) <= tokens).sum())
        chosen = chosen[: max(_LEAST_ROWS, fitting)]
        drawn = list(self._rows(chosen, lengths, rng))
        return replace(hide(iter(drawn), masker, rng), texts=torch.from_numpy(np.stack([ids for ids, _ in drawn])))

    def _rows(
        self, chosen: np.ndarray, lengths: np.ndarray, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Ids and words of each text, padded to the longest."""
        width = int(lengths[chosen].max())
        for number in chosen:
            length = int(lengths[number])
            begin = int(self.text.lines[number] + rng.integers(self.characters[number] - length + 1))
            places, padding = slice(begin, begin + length), width - length
            ids = np.concatenate([[_CLS], self.text.ids[places], [_SEP], np.full(padding, _PAD)])
            yield ids.astype(np.int64), np.concatenate([[-1], self.text.words[places], np.full(1 + padding, -1)])
