"""One pass over many examples, without gradients: everything that a trained model computes goes through :func:`infer`.

Batches hold texts of like lengths. Where memory runs out, a batch is done again in halves. Of a text that exceeds the
budget by itself some windows are computed at a time, so that a text of any length needs the memory of a few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from hanlp_tutor.core.batching import Batch, Encoded, length_buckets
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.out_of_memory import cut
from hanlp_tutor.device import autocast, give_back_memory, is_out_of_memory

BATCH_TOKENS = 4096  # computed at once, padding included
BATCH_EXAMPLES = 256  # at most, however short

T = TypeVar("T")


@torch.no_grad()
def infer(
    model: Model, encoded: Sequence[Encoded], read: Callable[[list[int], Tensor, Batch], T]
) -> list[tuple[list[int], T]]:
    """Compute all examples batch by batch, and let ``read`` say what is wanted of each batch.

    Args:
        model: on any device; its training mode is left as it was.
        encoded: of any lengths; each batch is of one task.
        read: called with the numbers of a batch's examples, what the model's head reads of the encoder's output
            (``head.read``), and the batch. When memory runs out it may be called again for halves of the batch.

    Returns:
        For each batch the numbers of its examples and what ``read`` returned; short texts first.
    """
    was_training = model.training
    model.eval()
    done = []
    waiting = batches_of([len(each.ids) for each in encoded], [each.task for each in encoded], model.window)[::-1]
    try:
        while waiting:
            numbers = waiting.pop()
            try:
                batch = model.collate([encoded[i] for i in numbers]).to(model.device)
                with autocast(model.device, model.computes_in):
                    done.append((numbers, read(numbers, states_of(model, batch), batch)))
                continue
            except (RuntimeError, MemoryError) as error:
                if len(numbers) == 1 or not is_out_of_memory(error):
                    raise
            give_back_memory()  # here, where the error is gone, and with it the frames that held the activations
            waiting += cut(numbers, 2)[::-1]
    finally:
        model.train(was_training)
    return done


def in_order(found: Sequence[tuple[list[int], Sequence[T]]], count: int) -> list[T]:
    """What was found of each example, in the order of the examples."""
    ordered: list[Any] = [None] * count
    for numbers, values in found:
        for i, value in zip(numbers, values, strict=True):
            ordered[i] = value
    return ordered


def predict_labels(model: Model, encoded: Sequence[Encoded]) -> tuple[list[Any], float]:
    """The predictions in the order of the examples, and the mean loss over their tokens, words or examples.

    The loss is that of the examples which have gold labels; 0 where none has.
    """

    def read(numbers: list[int], states: Tensor, batch: Batch) -> tuple[list[Any], float, int]:
        logits = model.head.logits(states, batch)
        loss = float(model.loss_sum(logits, batch)) if batch.labels is not None else 0.0
        return model.decode(logits, batch), loss, batch.valid

    found = infer(model, encoded, read)
    predictions = in_order([(numbers, decoded) for numbers, (decoded, _, _) in found], len(encoded))
    valid = sum(count for _, (_, _, count) in found)
    return predictions, sum(loss for _, (_, loss, _) in found) / max(valid, 1)


def batches_of(lengths: Sequence[int], tasks: Sequence[str], window: int) -> list[list[int]]:
    """The numbers of the examples in batches of like lengths, each of one task; the shortest first.

    Args:
        lengths: tokens of each example.
        tasks: the task of each example of a multi-task model, else "".
        window: of the encoder, in tokens.
    """
    by_task: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        by_task.setdefault(task, []).append(number)
    batches = []
    for numbers in by_task.values():
        mine = [lengths[i] for i in numbers]
        for batch in length_buckets(mine, batch_size=BATCH_EXAMPLES, max_tokens=BATCH_TOKENS, max_length=window):
            batches.append([numbers[i] for i in batch])
    return batches


def states_of(model: Model, batch: Batch) -> Tensor:
    """What the head reads of the encoder's output, computed BATCH_TOKENS at a time."""
    rows = max(1, BATCH_TOKENS // batch.input_ids.size(1))
    if len(batch.input_ids) <= rows:
        return model.head.read(model.hidden_states(batch), batch)
    # only a text that exceeds the budget by itself comes here, so all windows are of one text
    parts = [_part(batch, first, first + rows) for first in range(0, len(batch.input_ids), rows)]
    # clone: a view would keep all states of the part
    states = [model.head.read(model.hidden_states(part), part).clone() for part in parts]
    return torch.cat(states, dim=model.head.parts_along)


def _part(batch: Batch, first: int, last: int) -> Batch:
    """Some windows of a batch of one text, with the tokens that are read there."""
    width = batch.input_ids.size(1)
    place = batch.token_index[0]
    here = place[(place >= first * width) & (place < last * width)] - first * width
    return replace(
        batch,
        **{name: getattr(batch, name)[first:last] for name in batch.BY_ROW},
        token_index=here.unsqueeze(0),
        owner=batch.owner[first:last],
        lengths=[len(here)],
    )
