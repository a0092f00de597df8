"""The exercises of notebook 15; test_exercises.py holds the checks to these answers."""


def labels_for(score, a, b, c):
    error = 1 - score
    return ((error - c) / a) ** (-1 / b) if error > c + 1e-12 else None


def next_to_label(probabilities, count):
    margins = [sorted(row)[-1] - sorted(row)[-2] for row in probabilities]
    return sorted(range(len(margins)), key=margins.__getitem__)[:count]


RIGHT = {
    "q15_1": [labels_for],
    "q15_2": [(0.84, 0.842), ("0.835", 0.842)],
    "q15_3": [next_to_label, lambda p, k: tuple(next_to_label(p, k))],
}
WRONG = {
    "q15_1": [
        (lambda score, a, b, c: ((score - c) / a) ** (-1 / b), "1 - score"),
        (lambda score, a, b, c: ((1 - score - c) / a) ** (1 / b), "sign"),
        (lambda score, a, b, c: ((1 - score) / a) ** (-1 / b), "left out the floor"),
        (lambda score, a, b, c: labels_for(score, a, b, c) or 1e9, "return None"),
        (lambda score, a, b, c: 7.0, "labels, yours says"),
        (100.0, "wants a function"),
    ],
    "q15_2": [((0.95, 0.842), "straight line"), ((0.7, 0.842), "straight line")],
    "q15_3": [
        (lambda p, k: sorted(range(len(p)), key=lambda i: sorted(p[i])[-2] - sorted(p[i])[-1])[:k], "surest"),
        (lambda p, k: sorted(range(len(p)), key=lambda i: max(p[i]))[:k], "best two classes"),
        (lambda p, k: next_to_label(p, k)[::-1], "least sure first"),
        (lambda p, k: [0] * k, "label the rows"),
        (lambda p, k: p[0], "label the rows"),
        ([1, 2], "wants a function"),
    ],
}
