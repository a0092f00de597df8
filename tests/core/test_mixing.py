"""Batches of several tasks: how many of which, each of one task, drawn from seed and epoch alone."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.core.mixing import shares, task_buckets

COUNTS = st.dictionaries(st.sampled_from(["tok", "pos", "ner"]), st.integers(1, 400), min_size=1)
HOW = {"batch_size": 8, "max_tokens": 10_000}
TASKS = ["tok"] * 320 + ["ner"] * 40
LENGTHS = np.array([5 + number % 60 for number in range(len(TASKS))])


@given(COUNTS, st.floats(0, 1))
def test_an_epoch_has_as_many_batches_as_there_are_and_each_task_one(counts, temperature):
    found = shares(counts, temperature)
    assert min(found.values()) >= 1 and found.keys() == counts.keys()
    assert sum(found.values()) == sum(counts.values())


@given(COUNTS)
def test_temperature_1_takes_every_batch_once_and_0_all_tasks_alike(counts):
    assert shares(counts, 1.0) == counts
    alike = shares(counts, 0.0).values()
    assert max(alike) - min(alike) <= 1


def test_shares_follow_hanlps_formula():
    """HanLP's MultiTaskDataLoader is the oracle: the chances that it draws by."""
    from hanlp.components.mtl.multi_task_learning import MultiTaskDataLoader

    counts = {"tok": 300, "pos": 120, "ner": 30}
    for tau in (0.0, 0.5, 0.8, 1.0):
        loader = MultiTaskDataLoader(tau=tau, **{task: [None] * n for task, n in counts.items()})
        chances, total = loader.sampling_weights
        found = shares(counts, tau)
        for task, chance in zip(counts, chances, strict=True):
            assert abs(found[task] - total * chance) <= 1, (tau, task)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.0])
def test_batches_are_of_one_task_and_within_the_size(temperature):
    batches = task_buckets(LENGTHS, TASKS, temperature, shuffle=(1, 0), **HOW)
    assert len(batches) == 45 and all(len({TASKS[i] for i in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) <= 8
    by_task = Counter(TASKS[batch[0]] for batch in batches)
    assert by_task == shares({"tok": 40, "ner": 5}, temperature)
    seen = Counter(i for batch in batches for i in batch)
    if temperature == 1:
        assert set(seen.values()) == {1} and len(seen) == len(TASKS)
    else:
        small = [seen[i] for i in range(320, 360)]
        assert min(small) >= 1 and max(small) - min(small) <= 1, "the small task is read in whole rounds"
    order = [TASKS[batch[0]] for batch in batches]
    assert order not in (sorted(order), sorted(order, reverse=True)), "the tasks alternate"


def test_batches_are_drawn_from_seed_and_epoch_alone():
    first = task_buckets(LENGTHS, TASKS, 0.5, shuffle=(1, 0), **HOW)
    assert first == task_buckets(LENGTHS, TASKS, 0.5, shuffle=(1, 0), **HOW)
    others = [task_buckets(LENGTHS, TASKS, 0.5, shuffle=pair, **HOW) for pair in ((1, 1), (2, 0))]
    assert first not in others


def test_over_the_epochs_a_large_task_is_read_in_full():
    seen = Counter()
    for epoch in range(12):
        seen.update(i for batch in task_buckets(LENGTHS, TASKS, 0.0, shuffle=(1, epoch), **HOW) for i in batch)
    assert all(seen[i] for i in range(320)), "not the same batches in every epoch"
