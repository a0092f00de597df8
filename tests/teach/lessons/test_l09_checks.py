"""The exercises of notebook 09; test_exercises.py holds the checks to these answers."""

import math


def where_next(scores):
    best = max(scores, key=scores.get)
    return "higher" if best == max(scores) else "lower" if best == min(scores) else "inside"


def where_in_order(scores):
    tried = list(scores)
    best = max(scores, key=scores.get)
    return "higher" if best == tried[-1] else "lower" if best == tried[0] else "inside"


def share_below(x, low, high, log):
    if log:
        x, low, high = math.log(x), math.log(low), math.log(high)
    return (x - low) / (high - low)


RIGHT = {
    "q09_1": [where_next],
    "q09_2": [(1.5, 1.67), (1, 1.05), (0.7, 0.75)],
    "q09_3": [
        lambda epochs, updates, steps: max(1, math.ceil(epochs * updates / steps)),
        lambda epochs, updates, steps: -(-epochs * updates // steps),
    ],
    "q09_4": [share_below],
}
WRONG = {
    "q09_1": [
        (lambda scores: max(scores, key=scores.get), "'lower', 'higher' or 'inside'"),
        (lambda scores: "higher", "smallest learning rate"),
        (lambda scores: "inside", "largest learning rate"),
        (where_in_order, "order of the keys"),
        ({1e-5: 0.3}, "function"),
    ],
    "q09_2": [
        ((1.0, 1.67), "had to read more"),
        ((4.0, 1.0), "about as much"),
        ((4.0, 0.5), "had to read less"),
        ("twice", "cannot read"),
    ],
    "q09_3": [
        (lambda epochs, updates, steps: epochs, "no epochs"),
        (lambda epochs, updates, steps: epochs * updates // steps, "rounded down"),
        (lambda epochs, updates, steps: epochs * updates / steps, "whole number"),
        (lambda epochs, updates, steps: round(epochs * updates / steps) + 1, "your function gives"),
    ],
    "q09_4": [
        (lambda x, low, high, log: share_below(x, low, high, False), "other scale"),
        (lambda x, low, high, log: 100 * share_below(x, low, high, log), "per cent"),
        (lambda x, low, high, log: 1 - share_below(x, low, high, log), "above x"),
        (lambda x, low, high, log: 0.5, "your function gives"),
    ],
}
