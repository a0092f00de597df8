"""Sentence order: a question to [CLS] during pre-training, to which masked characters alone put none.

A passage of a line is cut in two at a clause border, and [CLS] is asked how its second half stands to its first: it
*follows*, it *precedes* (both were exchanged: the sentence order of Lan et al. 2020, ALBERT, which MacBERT takes
over), or it comes from *elsewhere* (the next sentence of Devlin et al. 2019). All three together are the sentence
structure of Wang et al. 2020 (StructBERT). Halves begin and end at clause borders in every case, so that no cut word
gives the answer away.

None of the embedded encoders was asked. mini-macbert was tried (its last stage, 7 million tokens): it learned to
answer, and fine-tuned on 500 reviews it was no better for it on dev with any of three seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hanlp_tutor.errors import DataError
from hanlp_tutor.pretraining.masked_batch import MaskedBatch, hide
from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.text import PretrainingText

ORDERS = ("follows", "precedes", "elsewhere")
BORDERS = "。！？；，!?;,"
_LEAST, _TRIES = 0.6, 1000  # of a row, that a passage fills; draws before a text counts as one without passages


class OrderHead(nn.Module):
    """Order from the hidden state of [CLS], (R, H) to (R, 3); it is thrown away when pre-training ends."""

    def __init__(self, hidden_size: int, seed: int):
        super().__init__()
        self.classifier = nn.Linear(hidden_size, len(ORDERS))
        nn.init.normal_(self.classifier.weight, std=0.02, generator=torch.Generator().manual_seed(seed))
        nn.init.zeros_(self.classifier.bias)

    def forward(self, cls: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        """Mean cross-entropy over rows, a scalar, and how many were answered right."""
        logits = self.classifier(cls).float()
        return cross_entropy(logits, order), (logits.argmax(-1) == order).sum()


class Passages:
    """Draws rows of two halves from a text.

    Args:
        text: its lines are the passages' borders; a passage never goes beyond its line.
        border_ids: token ids behind which a clause ends.
    """

    def __init__(self, text: PretrainingText, border_ids: Sequence[int]):
        self.text = text
        self.ends = np.append(text.lines[1:], len(text.ids)) - 1  # where the [SEP] of each line stands
        self.borders = np.flatnonzero(np.isin(text.ids, list(border_ids))) + 1

    def draw_batch(
        self, masker: Masker, length: int, rows: int, cls_id: int, sep_id: int, rng: np.random.Generator
    ) -> MaskedBatch:
        """``rows`` rows of ``length`` tokens: ``[CLS]``, both halves, ``[SEP]``, and what fits of any further line."""
        passages, orders = self._passages(length, rng), []

        def row() -> tuple[np.ndarray, np.ndarray]:
            begin, seam, end = next(passages)
            first, second = np.arange(begin, seam), np.arange(seam, end)
            orders.append(int(rng.integers(len(ORDERS))))
            if ORDERS[orders[-1]] == "precedes":
                first, second = second, first
            elif ORDERS[orders[-1]] == "elsewhere":
                second = self._elsewhere(passages, length - 2 - len(first))
            places = np.concatenate([first, second])
            filling = self._filling(length - 2 - len(places), rng)
            ids = np.concatenate([[cls_id], self.text.ids[places], [sep_id], self.text.ids[filling]])
            return ids, np.concatenate([[-1], self.text.words[places], [-1], self.text.words[filling]])

        batch = hide((row() for _ in range(rows)), masker, rng)
        return replace(batch, order=torch.tensor(orders))

    def _passages(self, length: int, rng: np.random.Generator) -> Iterator[tuple[int, int, int]]:
        """Begin, seam and end of passages of at most ``length - 2`` tokens, without end.

        Raises:
            DataError: the text has none.
        """
        room, least = length - 2, int(_LEAST * length)
        long_enough = np.flatnonzero(self.ends - self.text.lines >= least)
        failures = 0
        while len(long_enough) and failures < _TRIES:
            line = long_enough[rng.integers(len(long_enough))]
            inside = slice(*np.searchsorted(self.borders, (self.text.lines[line] + 1, self.ends[line])))
            places = np.concatenate(
                [self.text.lines[line : line + 1], self.borders[inside], self.ends[line : line + 1]]
            )
            begins = places[places <= self.ends[line] - least]
            begin = begins[0 if rng.random() < 0.5 else rng.integers(len(begins))]
            end = places[places <= begin + room][-1]
            seams = places[(places > begin + 0.3 * (end - begin)) & (places < begin + 0.7 * (end - begin))]
            failures += 1
            if end - begin >= least and len(seams):
                failures = 0
                yield int(begin), int(seams[rng.integers(len(seams))]), int(end)
        raise DataError(
            f"the text has no lines of {least} or more characters with commas or full stops in their middle.",
            remedy="Give text whose lines hold several sentences, or leave sentence_order out.",
        )

    def _elsewhere(self, passages: Iterator[tuple[int, int, int]], room: int) -> np.ndarray:
        """The second half of another passage, cut at the last clause border that there is room for."""
        while True:
            _, seam, end = next(passages)
            if end - seam > room:
                fitting = self.borders[slice(*np.searchsorted(self.borders, (seam + 1, seam + room + 1)))]
                if not len(fitting):
                    continue
                end = int(fitting[-1])
            return np.arange(seam, end)

    def _filling(self, length: int, rng: np.random.Generator) -> np.ndarray:
        last = np.searchsorted(self.text.lines, len(self.text.ids) - length, side="right")
        begin = int(self.text.lines[rng.integers(last)])
        return np.arange(begin, begin + length)
