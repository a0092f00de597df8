"""The exercises of notebook 07; test_exercises.py holds the checks to these answers."""

import math

import pytest
from torch.nn.functional import cross_entropy
from toy import tagged


def summed(logits, labels):
    return [cross_entropy(x.flatten(0, 1), y.flatten(), reduction="sum") for x, y in zip(logits, labels, strict=True)]


def count(labels):
    return sum(int((y != -100).sum()) for y in labels)


def losses(logits, labels):
    return [each / count(labels) for each in summed(logits, labels)]


def means(logits, labels):
    return [each / count([y]) for each, y in zip(summed(logits, labels), labels, strict=True)]


ERRORS = {"newspaper": 0.05, "sorted": 0.14, "reviews, 4 x 8": 0.0, "reviews, 3 x 8 and 1": 4.4}
ORDER = ["reviews, 3 x 8 and 1", "sorted", "newspaper", "reviews, 4 x 8"]


def updates(sentences, batch_size, k, epochs):
    return epochs * math.ceil(math.ceil(sentences / batch_size) / k)


def plan(effective, fits):
    batch_size = max(d for d in range(1, min(fits, effective) + 1) if effective % d == 0)
    return batch_size, effective // batch_size


RIGHT = {
    "q07_1": [losses, lambda x, y: tuple(map(float, losses(x, y)))],
    "q07_2": [(ORDER, ERRORS)],
    "q07_3": [plan, lambda e, f: list(plan(e, f))],
    "q07_4": [updates, lambda *a: float(updates(*a))],
}
WRONG = {
    "q07_1": [
        (lambda x, y: [m / len(x) for m in means(x, y)], "mean of means"),
        (means, "too large by their number"),
        (lambda x, y: [s / sum(each.numel() for each in y) for s in summed(x, y)], "The padding is no character"),
        (summed, "these are sums"),
        (lambda x, y: [s / len(x) for s in summed(x, y)], "a mean over characters"),
        (lambda x, y: [s / 7 for s in summed(x, y)], "should be"),
        (lambda x, y: sum(losses(x, y)), "a loss for each"),
        (lambda x, y: losses(x, y)[:1], "a loss for each"),
    ],
    "q07_2": [
        ((["sorted", "newspaper", "reviews, 3 x 8 and 1", "reviews, 4 x 8"], ERRORS), "nothing differs more"),
        ((ORDER[:2], ERRORS), "each once, the highest first"),
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
