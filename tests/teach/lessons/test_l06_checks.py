"""The exercises of notebook 06; test_exercises.py holds the checks to these answers."""

import math

RIGHT = {
    "q06_1": [
        lambda g, lr: -lr * g / (abs(g) + 1e-8),
        lambda g, lr: -lr * math.copysign(1, g) if g else 0.0,
    ],
    "q06_2": [
        lambda lr, factor, layers: [lr * factor ** (layers - k) for k in range(layers + 1)],
        lambda lr, factor, layers: tuple(lr * factor**k for k in range(layers, -1, -1)),
    ],
    "q06_3": [
        lambda lr, updates, warmup: lr * updates / 2,
        lambda lr, updates, warmup: sum(
            lr * (t / warmup if t < warmup else (updates - t) / (updates - warmup)) for t in range(updates)
        ),
    ],
    "q06_4": [lambda lr, updates, new: lr * updates / new],
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
        (lambda lr, factor, layers: [lr * factor ** (layers - k) for k in range(1, layers + 1)], "embeddings have one"),
        (lambda lr, factor, layers: [lr * factor**k for k in range(layers + 1)], "upside down"),
        (
            lambda lr, factor, layers: [lr * factor**k for k in range(layers + 1, 0, -1)],
            "one factor too slow",
        ),
        (lambda lr, factor, layers: [lr] * (layers + 1), "expected"),
        (lambda lr, factor, layers: [lr], "expected 4 learning rates, yours are 1"),
        (lambda lr, factor, layers: lr, "cannot read this answer"),
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
}
