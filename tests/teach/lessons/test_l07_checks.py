"""The exercises of notebook 07; test_exercises.py holds the checks to these answers."""

import math

import pytest
from toy import tagged


def weights(counts):
    return [count / sum(counts) for count in counts]


def updates(sentences, batch_size, k, epochs):
    return epochs * math.ceil(math.ceil(sentences / batch_size) / k)


def plan(effective, fits):
    batch_size = max(d for d in range(1, min(fits, effective) + 1) if effective % d == 0)
    return batch_size, effective // batch_size


RIGHT = {
    "q07_1": [weights, lambda counts: tuple(weights(counts))],
    "q07_2": [(1.5, 1.1), [1.5, 110 / 100]],
    "q07_3": [plan, lambda e, f: list(plan(e, f))],
    "q07_4": [updates, lambda *a: float(updates(*a))],
}
WRONG = {
    "q07_1": [
        (lambda counts: [1 / len(counts)] * len(counts), "mean of means"),
        (lambda counts: [1 / sum(counts)] * len(counts), "divide a *sum*"),
        (lambda counts: counts, "turn means into sums"),
        (lambda counts: weights(counts)[:-1], "micro-batches"),
        (lambda counts: [0.3] * len(counts), "should be"),
    ],
    "q07_2": [
        ((1.1, 1.5), "exchanged"),
        ((1.5, 1.5), "window's mean is not"),
        ((2.0, 1.1), "mean of 2.0 and 1.0"),
        ((1.5,), "Two numbers"),
    ],
    "q07_3": [
        (lambda e, f: (f, -(-e // f)), "and not 64"),
        (lambda e, f: (e, 1), "do not fit"),
        (lambda e, f: (1, e), "fewer passes"),
        (lambda e, f: (0, 1), "from 1 up"),
    ],
    "q07_4": [
        (lambda s, b, k, e: e * math.ceil(s / b), "counts micro-batches"),
        (lambda s, b, k, e: e * math.ceil(s / b) // k, "into the next"),
        (lambda s, b, k, e: e * (s // b // k), "never be learned from"),
        (lambda s, b, k, e: e * s / b / k, "half updates"),
        (lambda s, b, k, e: 1, "is 6; yours is 1"),
    ],
}


@pytest.mark.parametrize(("sentences", "batch_size", "k", "epochs"), [(38, 8, 3, 2), (32, 8, 4, 1), (7, 8, 4, 3)])
def test_the_answer_to_the_fourth_is_true_of_the_loop(tiny_encoder, tmp_path, sentences, batch_size, k, epochs):
    from hanlp_tutor.config import TrainConfig
    from hanlp_tutor.core.model_folder import build_model
    from hanlp_tutor.core.task import label_set
    from hanlp_tutor.core.train import fine_tune

    examples = tagged(sentences)
    config = TrainConfig(batch_size=batch_size, gradient_accumulation_steps=k, epochs=epochs, warmup_steps=0)
    model = build_model("ner", tiny_encoder, label_set("ner", examples), config)
    result = fine_tune(model, examples, [], config, tmp_path, progress="none")
    assert result.steps == updates(sentences, batch_size, k, epochs)
