"""The exercises of notebook 03; test_exercises.py holds the checks to these answers."""


def layer(h, f):
    return 4 * (h * h + h) + 2 * h * f + f + h + 4 * h


RIGHT = {
    "q03_1": [layer],
    "q03_2": [lambda n: max(1, round(0.15 * n))],
    "q03_3": [lambda words, k: range(len("".join(words[:k])), len("".join(words[: k + 1])))],
    "q03_4": [lambda t, f: 16 * t + 4 * f],
}
WRONG = {
    "q03_1": [(lambda h, f: layer(h, f) - 4 * h, "LayerNorms"), (lambda h, f: 12 * h * h, "parameters")],
    "q03_2": [(lambda n: round(0.15 * n), "1 are chosen"), (lambda n: int(0.15 * n), "1 are chosen")],
    "q03_3": [(lambda words, k: [k], "is at [4, 5]")],
    "q03_4": [(lambda t, f: 16 * (t + f), "need 520 bytes")],
}
