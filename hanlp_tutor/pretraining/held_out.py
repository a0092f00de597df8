"""Held-out evaluation of masked-language models: the same masked characters of held-out text at every call."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import BertForMaskedLM

from hanlp_tutor.core.precision import Precision
from hanlp_tutor.pretraining.masked_batch import MaskedBatch, draw_batch
from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.text import PretrainingText

HELD_OUT_ROWS, HELD_OUT_LENGTH = 256, 128
ROWS_AT_ONCE = 16


def masked_loss(model: BertForMaskedLM, batch: MaskedBatch) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy at the masked positions, a scalar, and how many of them were guessed right.

    The output layer, a third of the arithmetic at the size of our encoders, is computed at those positions only.
    """
    hidden = model.bert(batch.ids).last_hidden_state
    logits = model.cls(hidden.flatten(0, 1)[batch.positions]).float()
    return cross_entropy(logits, batch.targets), (logits.argmax(-1) == batch.targets).sum()


def held_out_batches(
    text: PretrainingText, masker: Masker, cls_id: int, seed: int, rows: int = HELD_OUT_ROWS
) -> list[MaskedBatch]:
    """``rows`` rows of 128 tokens with their masks; all 256 of them give the figures of the cards."""
    return [
        draw_batch(
            text,
            masker,
            HELD_OUT_LENGTH,
            min(ROWS_AT_ONCE, rows - first),
            cls_id,
            np.random.default_rng([seed, 2**31, part]),  # 2**31: no update of a run has this number
        )
        for part, first in enumerate(range(0, rows, ROWS_AT_ONCE))
    ]


@torch.no_grad()
def evaluate_masked(
    model: BertForMaskedLM, batches: Sequence[MaskedBatch], precision: Precision
) -> tuple[float, float]:
    """Mean loss in nats and accuracy over all masked positions of ``batches``."""
    was_training = model.training
    model.eval()
    loss, right, count = 0.0, 0, 0
    for batch in batches:
        batch = batch.to(precision.device)
        with precision.autocast():
            mean, correct = masked_loss(model, batch)
        loss += float(mean) * len(batch.targets)
        right += int(correct)
        count += len(batch.targets)
    model.train(was_training)
    return loss / count, right / count
