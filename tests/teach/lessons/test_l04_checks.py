"""The exercises of notebook 04; test_exercises.py holds the checks to these answers."""

import torch


def pair_up(texts, labels):
    return [f"{text}\t{label.strip()}" for text, label in zip(texts, labels, strict=True)]


def macro_f1(matrix):
    n = range(len(matrix))
    sums = [sum(matrix[k]) + sum(row[k] for row in matrix) for k in n]
    return sum(2 * matrix[k][k] / sums[k] if sums[k] else 0.0 for k in n) / len(matrix)


def accuracy(matrix):
    return sum(matrix[k][k] for k in range(len(matrix))) / sum(map(sum, matrix))


def weighted_f1(matrix):
    n = range(len(matrix))
    f1 = [2 * matrix[k][k] / (sum(matrix[k]) + sum(row[k] for row in matrix)) for k in n]
    return sum(f * sum(row) for f, row in zip(f1, matrix, strict=False)) / sum(map(sum, matrix))


def without_zero(matrix):
    n = range(len(matrix))
    p = [matrix[k][k] / sum(row[k] for row in matrix) for k in n]
    r = [matrix[k][k] / sum(matrix[k]) for k in n]
    return sum(2 * a * b / (a + b) for a, b in zip(p, r, strict=False)) / len(matrix)


def above(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept) / len(scores), sum(kept) / len(kept) if kept else None


def above_strictly(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s > threshold]
    return len(kept) / len(scores), sum(kept) / len(kept) if kept else None


def above_of_all(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept) / len(scores), sum(kept) / len(scores)


def above_count(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept), sum(kept) / len(kept) if kept else None


def above_unguarded(scores, right, threshold):
    kept = [r for s, r in zip(scores, right, strict=False) if s >= threshold]
    return len(kept) / len(scores), sum(kept) / len(kept)


def pooled(states, counts):
    return torch.stack([part[:, 0].max(0).values for part in states.split(list(counts))])


def pooled_mean(states, counts):
    return torch.stack([part[:, 0].mean(0) for part in states.split(counts)])


def pooled_positions(states, counts):
    return torch.stack([part.amax((0, 1)) for part in states.split(counts)])


def pooled_first(states, counts):
    return torch.stack([part[0, 0] for part in states.split(counts)])


RIGHT = {
    "q04_1": [pair_up],
    "q04_2": [macro_f1],
    "q04_4": [above],
    "q04_3": [(0.7, 0.69), ("0.7", 0.72), (0.52, 0.5)],
    "q04_5": [pooled],
}
WRONG = {
    "q04_1": [
        (lambda t, y: [f"{b.strip()}\t{a}" for a, b in zip(t, y, strict=True)], "text comes first"),
        (lambda t, y: [f"{a} {b.strip()}" for a, b in zip(t, y, strict=True)], "a tab"),
        (lambda t, y: [f"{a}\t{b}" for a, b in zip(t, y, strict=True)], "line break: the label"),
        (lambda t, y: [f"{a}\t{b.strip()}\n" for a, b in zip(t, y, strict=True)], "No line break"),
        (lambda t, y: [f"{a}\t{b.strip()}" for a, b in zip(t, y, strict=False)], "without a word"),
        (lambda t, y: pair_up(t, y)[:1], "make two lines"),
    ],
    "q04_2": [
        (accuracy, "is the accuracy"),
        (weighted_f1, "weighed the classes"),
        (lambda m: macro_f1(m) * len(m), "sum over the classes"),
        (lambda m: 100 * macro_f1(m), "per cent"),
        (without_zero, "ZeroDivisionError"),
        (lambda m: 0.123, "macro F1 is"),
    ],
    "q04_4": [
        (above_strictly, ">=, not >"),
        (above_of_all, "among the answered"),
        (above_count, "divide by all"),
        (above_unguarded, "ZeroDivisionError"),
        (lambda s, r, t: (above(s, r, t)[0], above(s, r, t)[1] or 0.0), "return None"),
        (lambda s, r, t: (above(s, r, t)[0], 0.77), "the accuracy is"),
    ],
    "q04_3": [
        ((0.6, 0.79), "Nearly all of it is left"),
        ((0.9, 0.69), "the rest came from their order"),
        ((0.8, 0.52), "hardly better than guessing"),
    ],
    "q04_5": [
        (pooled_mean, "take the mean"),
        (pooled_positions, "over all positions"),
        (pooled_first, "first window alone"),
        (lambda states, counts: states[:, 0], "a row for each window"),
        (lambda states, counts: states[0], "expected the shape"),
        (lambda states, counts: states[:, 0].tolist(), "wants a tensor"),
    ],
}
