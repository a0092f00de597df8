"""What a model answers to many examples, with their loss: in batches of like lengths, smaller where memory runs out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from hanlp_tutor.core.batching import Encoded, length_buckets
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.out_of_memory import cut, is_out_of_memory

EVALUATION_TOKENS = 4096  # in a batch, padding included; halved where memory runs out


@torch.no_grad()
def answer_all(model: Model, encoded: Sequence[Encoded]) -> tuple[list[Any], float, int]:
    """Decoded answers in the order of the examples, the mean loss, and over how many tokens, words or examples."""
    was_training = model.training
    model.eval()
    answers: list[Any] = [None] * len(encoded)
    total, valid = 0.0, 0
    waiting = [*length_buckets([len(e.ids) for e in encoded], batch_size=256, max_tokens=EVALUATION_TOKENS)][::-1]
    while waiting:
        numbers = waiting.pop()
        try:
            loss, count, decoded = _answer_batch(model, [encoded[i] for i in numbers])
        except (RuntimeError, MemoryError) as error:
            if len(numbers) == 1 or not is_out_of_memory(error):
                raise
            waiting += cut(numbers, 2)[::-1]
            continue
        total, valid = total + loss, valid + count
        for i, answer in zip(numbers, decoded, strict=True):
            answers[i] = answer
    model.train(was_training)
    return answers, total / max(valid, 1), valid


def _answer_batch(model: Model, encoded: Sequence[Encoded]) -> tuple[float, int, list[Any]]:
    """The summed loss, how many tokens or examples it sums, and the decoded answers."""
    batch = model.collate(encoded).to(model.device)
    logits = model(batch)
    loss = float(model.loss_sum(logits, batch)) if batch.labels is not None else 0.0
    return loss, batch.valid, model.decode(logits, batch)
