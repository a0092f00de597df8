"""A batch of pre-training: rows of one length from anywhere in a text, with what is hidden of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.text import PretrainingText


@dataclass(frozen=True)
class MaskedBatch:
    """Rows of one length: ids (R, T), flat positions that count (M,), their true ids (M,).

    Where rows are made of two halves, ``order`` (R,) is how these stand to each other
    (:data:`hanlp_tutor.pretraining.sentence_order.ORDERS`).
    """

    ids: Tensor
    positions: Tensor
    targets: Tensor
    order: Tensor | None = None

    def to(self, device: torch.device) -> MaskedBatch:
        """The same on a device."""
        order = None if self.order is None else self.order.to(device)
        return MaskedBatch(self.ids.to(device), self.positions.to(device), self.targets.to(device), order)


def draw_batch(
    text: PretrainingText, masker: Masker, length: int, rows: int, cls_id: int, rng: np.random.Generator
) -> MaskedBatch:
    """``rows`` rows of ``length`` tokens: ``[CLS]`` and what follows a random place.

    Half of the rows begin where a line begins, as texts do in service; the other half at any word.
    """
    last = len(text.ids) - length

    def row() -> tuple[np.ndarray, np.ndarray]:
        begins = text.lines if rng.random() < 0.5 else text.word_begins
        # the last places of the text leave no room for a row
        begin = int(begins[rng.integers(np.searchsorted(begins, last, side="right"))])
        places = slice(begin, begin + length - 1)
        return np.concatenate([[cls_id], text.ids[places]]), np.concatenate([[-1], text.words[places]])

    return hide((row() for _ in range(rows)), masker, rng)


def hide(rows: Iterable[tuple[np.ndarray, np.ndarray]], masker: Masker, rng: np.random.Generator) -> MaskedBatch:
    """A batch from rows of one length, each its ids (T,) and words (T,); a row is asked for when the last is masked."""
    inputs, positions, targets = [], [], []
    for number, (ids, words) in enumerate(rows):
        masked, chosen, _ = masker(ids, words, rng)
        inputs.append(masked)
        positions.append(chosen + number * len(ids))
        targets.append(ids[chosen])
    return MaskedBatch(
        torch.from_numpy(np.stack(inputs).astype(np.int64)),
        torch.from_numpy(np.concatenate(positions)),
        torch.from_numpy(np.concatenate(targets).astype(np.int64)),
    )
