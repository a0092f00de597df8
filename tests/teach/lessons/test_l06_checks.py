"""The exercises of notebook 06; test_exercises.py holds the checks to these answers."""

import math


def layer_groups(layers, head, lr, head_lr, factor):
    rates = [lr * factor ** (len(layers) - 1 - number) for number in range(len(layers))]
    groups = [{"params": layer.parameters(), "lr": rate} for layer, rate in zip(layers, rates, strict=True)]
    return [*groups, {"params": head.parameters(), "lr": head_lr}]


def weights_alone(layers, head, lr, head_lr, factor):
    head_group = layer_groups([], head, lr, head_lr, factor)
    return [*head_group, *({"params": [layer.weight], "lr": lr} for layer in layers)]


def no_rate(layers, head, lr, head_lr, factor):
    return [{"params": [p for layer in (*layers, head) for p in layer.parameters()]}]


RIGHT = {
    "q06_1": [
        lambda g, lr: -lr * g / (abs(g) + 1e-8),
        lambda g, lr: -lr * math.copysign(1, g) if g else 0.0,
    ],
    "q06_2": [
        layer_groups,
        lambda layers, head, lr, head_lr, factor: layer_groups(layers, head, lr, head_lr, factor)[::-1],
    ],
    "q06_3": [
        lambda lr, updates, warmup: lr * updates / 2,
        lambda lr, updates, warmup: sum(
            lr * (t / warmup if t < warmup else (updates - t) / (updates - warmup)) for t in range(updates)
        ),
    ],
    "q06_4": [lambda lr, updates, new: lr * updates / new],
    "q06_5": [(0.9, 0.92), ("0.8", 0.9)],
}
WRONG = {
    "q06_1": [
        (lambda g, lr: -lr * g, "that is SGD"),
        (lambda g, lr: lr * g / (abs(g) + 1e-8), "it climbs"),
        (lambda g, lr: -lr, "it climbs"),
        (lambda g, lr: -lr * g / abs(g), "ZeroDivisionError"),
        (lambda g, lr: -1e-3 * g / (abs(g) + 1e-8), "With the learning rate 2e-5"),
        (lambda g, lr: print(end=""), "returns None"),
        (lambda g, lr: -lr * g / (abs(g) + 1e-4), "expected"),
        (0.001, "wants a function"),
    ],
    "q06_2": [
        (lambda layers, head, lr, head_lr, factor: layer_groups(layers, head, lr, head_lr, factor)[1:], "in no group"),
        (lambda layers, head, lr, head_lr, factor: layer_groups(layers, head, lr, head_lr, factor)[:-1], "The head is"),
        (lambda layers, head, *rest: layer_groups(layers[::-1], head, *rest), "Upside down"),
        (lambda layers, head, lr, *rest: layer_groups(layers, head, lr * rest[-1], *rest), "one factor too slow"),
        (lambda layers, head, lr, head_lr, factor: layer_groups(layers, head, lr, lr, factor), "but head_lr is"),
        (lambda layers, head, lr, head_lr, factor: layer_groups(layers, head, lr, head_lr, 1.0), "expected"),
        (weights_alone, "weight or bias"),
        (no_rate, "no lr of its own"),
        (lambda layers, *rest: layer_groups([*layers, layers[0]], *rest), "parameter"),
        (lambda *arguments: print(end=""), "returns None"),
        (0.5, "wants a function"),
    ],
    "q06_3": [
        (lambda lr, updates, warmup: lr * updates, "never falls"),
        (lambda lr, updates, warmup: lr * (updates - warmup) / 2, "leaves the warm-up out"),
        (lambda lr, updates, warmup: lr * warmup + lr * (updates - warmup) / 2, "half the peak on average"),
        (lambda lr, updates, warmup: lr * updates / 3, "added up it is"),
        (lambda lr, updates, warmup: updates / 2, "added up it is"),
    ],
    "q06_4": [
        (lambda lr, updates, new: lr * new / updates, "smaller steps"),
        (lambda lr, updates, new: lr * math.sqrt(updates / new), "A root is for steps in random directions"),
        (lambda lr, updates, new: lr, "expected"),
    ],
    "q06_5": [
        ((0.1, 0.92), "Most of the rise comes from φ"),
        ((0.9, 0.1), "smaller part"),
        (("half", 0.9), "cannot read"),
    ],
}
