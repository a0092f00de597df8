"""Which task is learnt when: the batches of several tasks in one order, each batch of one task.

A task of n batches is drawn in proportion to n**temperature: at 1 every batch comes once an epoch, at 0 all tasks come
equally often, so that a small one is seen several times while a large one is seen in part. HanLP calls this number tau
and draws each batch by chance; here the shares are kept exactly, and only the order is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Encodings, length_buckets


def shares(batches: dict[str, int], temperature: float) -> dict[str, int]:
    """How many batches of each task an epoch has; in all as many as there are, and of each at least one.

    >>> shares({"tok": 90, "ner": 10}, 1.0), shares({"tok": 90, "ner": 10}, 0.5), shares({"tok": 90, "ner": 10}, 0.0)
    ({'tok': 90, 'ner': 10}, {'tok': 75, 'ner': 25}, {'tok': 50, 'ner': 50})
    """
    total = sum(batches.values())
    weight = {task: count**temperature for task, count in batches.items()}
    exact = {task: total * value / sum(weight.values()) for task, value in weight.items()}
    counts = {task: max(1, int(value)) for task, value in exact.items()}
    by_remainder = sorted(exact, key=lambda task: int(exact[task]) - exact[task])
    for task in by_remainder[: max(0, total - sum(counts.values()))]:
        counts[task] += 1
    return counts


def epoch_batches(encoded: Encodings, config: TrainConfig, epoch: int) -> Sequence[list[int]]:
    """The micro-batches of an epoch by number of the examples, drawn from (seed, epoch); each of one task."""
    how = {
        "batch_size": config.batch_size,
        "max_tokens": config.batch_tokens,
        "max_length": config.max_length,
        "shuffle": (config.seed, epoch),
    }
    if any(encoded.tasks):
        return task_buckets(encoded.lengths, encoded.tasks, config.sampling_temperature, **how)
    return length_buckets(encoded.lengths, **how)


def task_buckets(
    lengths: np.ndarray,
    tasks: Sequence[str],
    temperature: float,
    *,
    shuffle: tuple[int, int],
    **how: int,
) -> list[list[int]]:
    """An epoch of micro-batches, each of examples of one task and of like length.

    Args:
        lengths: tokens of each example.
        tasks: the task of each example.
        temperature: of the sampling, from 0 to 1.
        shuffle: (seed, epoch), from which everything is drawn.
        how: ``batch_size``, ``max_tokens`` and ``max_length`` of :func:`hanlp_tutor.core.batching.length_buckets`.
    """
    seed, epoch = shuffle
    names = np.array(tasks)
    members = {task: np.flatnonzero(names == task) for task in dict.fromkeys(tasks)}

    def round_of(task: str, number: int) -> list[list[int]]:
        """All batches of a task, in the order of its number-th reading in this epoch."""
        numbers = members[task]
        order = (seed, epoch + 1_000_000 * number)  # of another reading, so that the same neighbours do not meet again
        return [numbers[batch].tolist() for batch in length_buckets(lengths[numbers], shuffle=order, **how)]

    first = {task: round_of(task, 0) for task in members}
    chosen: list[list[int]] = []
    for task, wanted in shares({task: len(batches) for task, batches in first.items()}, temperature).items():
        drawn, number = list(first[task]), 1
        while len(drawn) < wanted:
            drawn += round_of(task, number)
            number += 1
        chosen += drawn[:wanted]
    random.Random(f"tasks-{seed}-{epoch}").shuffle(chosen)
    return chosen
