"""A batch of pre-training: rows of one length from anywhere in a text, with what is hidden of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.text import PretrainingText


@dataclass(frozen=True)
class MaskedBatch:
    """Rows of one length: ids (R, T), flat positions that count (M,), their true ids (M,)."""

    ids: Tensor
    positions: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> MaskedBatch:
        """The same on a device."""
        return MaskedBatch(self.ids.to(device), self.positions.to(device), self.targets.to(device))


def draw_batch(
    text: PretrainingText, masker: Masker, length: int, rows: int, cls_id: int, rng: np.random.Generator
) -> MaskedBatch:
    """``rows`` rows of ``length`` tokens: ``[CLS]`` and what follows a random place.

    Half of the rows begin where a line begins, as texts do in service; the other half at any word.
    """
    last = len(text.ids) - length
    inputs, positions, targets = [], [], []
    for number in range(rows):
        begins = text.lines if rng.random() < 0.5 else text.word_begins
        # the last places of the text leave no room for a row
        begin = int(begins[rng.integers(np.searchsorted(begins, last, side="right"))])
        places = slice(begin, begin + length - 1)
        ids = np.concatenate([[cls_id], text.ids[places]])
        masked, chosen, _ = masker(ids, np.concatenate([[-1], text.words[places]]), rng)
        inputs.append(masked)
        positions.append(chosen + number * length)
        targets.append(ids[chosen])
    return MaskedBatch(
        torch.from_numpy(np.stack(inputs).astype(np.int64)),
        torch.from_numpy(np.concatenate(positions)),
        torch.from_numpy(np.concatenate(targets).astype(np.int64)),
    )
