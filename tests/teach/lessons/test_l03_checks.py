"""The exercises of notebook 03; test_exercises.py holds the checks to these answers."""

import torch


def layer(h, f):
    return 4 * (h * h + h) + 2 * h * f + f + h + 4 * h


def whole_words(chosen, word):
    return torch.isin(word, word[chosen])


def by_matrix(chosen, word):
    return ((word[:, None] == word[None, :]) & chosen[None, :]).any(1)


SEEN = {"head only": 0.417, "last layer": 0.429, "everything": 0.513, "random weights": 0.18}

RIGHT = {
    "q03_1": [layer],
    "q03_2": [whole_words, by_matrix],
    "q03_4": [
        (["everything", "last layer", "head only", "random weights"], SEEN),
        (["everything", "head only", "last layer", "random weights"], SEEN),
        (["head only", "everything", "last layer", "random weights"], {**SEEN, "head only": 0.6}),
    ],
    "q03_3": [lambda t, f: 16 * t + 4 * f],
}
WRONG = {
    "q03_1": [
        (lambda h, f: layer(h, f) - 4 * h, "LayerNorms"),
        (lambda h, f: layer(h, f) - 2 * h, "two LayerNorms, one"),
        (lambda h, f: layer(h, f) - 5 * h - f, "biases"),
        (lambda h, f: layer(h, f) - h * h - h, "four matrices"),
        (lambda h, f: 12 * h * h, "parameters"),
    ],
    "q03_2": [
        (lambda chosen, word: chosen, "the drawn characters alone"),
        (lambda chosen, word: ~whole_words(chosen, word), "were not touched"),
        (lambda chosen, word: torch.stack([chosen[word == w].all() for w in word]), "as soon as *one*"),
        (lambda chosen, word: word[chosen], "a truth value for each character"),
        (lambda chosen, word: whole_words(chosen, word).int(), "truth values"),
        (lambda chosen, word: whole_words(chosen, word).tolist(), "a tensor of (6,)"),
        (lambda chosen, word: torch.ones_like(chosen), "not the characters of the touched words"),
        (lambda chosen: chosen, "TypeError"),
    ],
    "q03_4": [
        ((["head only", "everything", "last layer", "random weights"], SEEN), "what the head gets to read"),
        ((["everything"], SEEN), "each once"),
        (
            (
                ["everything", "last layer", "head only", "random weights"],
                dict.fromkeys(SEEN, 0.0) | {"head only": 0.1},
            ),
            "chance",
        ),
    ],
    "q03_3": [
        (lambda t, f: 16 * (t + f), "a frozen parameter keeps its weight alone"),
        (lambda t, f: 16 * t, "it is in memory"),
        (lambda t, f: 12 * t + 4 * f, "two moments"),
        (lambda t, f: 4 * t + f, "four bytes"),
        (lambda t, f: 1, "need 1,600 bytes"),
    ],
}
