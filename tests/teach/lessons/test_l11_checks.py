"""The exercises of notebook 11; test_exercises.py holds the checks to these answers."""

import torch


def words(text, tags):
    found = []
    for character, tag in zip(text, tags, strict=True):
        if tag in "BS" or not found:
            found.append(character)
        else:
            found[-1] += character
    return found


def word_means(states, lengths):
    return torch.stack([piece.mean(0) for piece in states.split(lengths)])


THREE = {"new sentences alone": 0.0, "θ frozen": 0.01, "pseudo-labels": 0.7}
FORGOTTEN = {"new sentences alone": 0.0, "θ frozen": 0.3, "pseudo-labels": 0.7}
UNLEARNT = dict.fromkeys(THREE, 0.0)

RIGHT = {
    "q11_1": [words],
    "q11_2": [word_means, lambda states, lengths: word_means(states.double(), lengths)],
    "q11_3": [(25, 85, 212)],
    "q11_4": [(1 / 2, 1 / 3)],
    "q11_5": [
        (["pseudo-labels", "θ frozen", "new sentences alone"], THREE),
        (["pseudo-labels", "new sentences alone", "θ frozen"], THREE),
        (["θ frozen", "pseudo-labels", "new sentences alone"], UNLEARNT),
    ],
}
WRONG = {
    "q11_1": [
        (lambda text, tags: text.split(), "expected"),
        (lambda text, tags: "/".join(words(text, tags)), "A list of words"),
        (lambda text, tags: words(text, tags)[1:], "neither loses"),
        (lambda text, tags: [text] if "E" not in tags[-1:] else words(text, tags), "expected"),
    ],
    "q11_3": [
        ((25, 85), "Three numbers"),
        ((25 / 425, 0.2, 0.5), "batches"),
        ((212, 85, 25), "order"),
        ((25, 25, 25), "25**0.5"),
        ("?", "cannot read"),
    ],
    "q11_4": [
        ((1 / 3, 1 / 2), "exchanged"),
        ((1.0, 1 / 3), "Precision"),
        ((50, 33), "Between 0 and 1"),
        ((0.5, 0.5), "Recall"),
    ],
    "q11_2": [
        (lambda states, lengths: torch.stack([piece.sum(0) for piece in states.split(lengths)]), "sums"),
        (lambda states, lengths: torch.stack([piece[0] for piece in states.split(lengths)]), "first characters"),
        (lambda states, lengths: torch.stack([piece[-1] for piece in states.split(lengths)]), "last characters"),
        (lambda states, lengths: states.mean(0).expand(len(lengths), -1), "whole sentence"),
        (lambda states, lengths: states.mean(0), "shape should be (3, 4)"),
        (lambda states, lengths: word_means(states, lengths[::-1]), "differ"),
        (lambda states, lengths: word_means(states, lengths).tolist(), "a tensor, please"),
        (lambda states, lengths: print(end=""), "returns None"),
    ],
    "q11_5": [
        ((["θ frozen", "pseudo-labels", "new sentences alone"], THREE), "kept nothing"),
        ((["new sentences alone", "θ frozen", "pseudo-labels"], FORGOTTEN), "kept less"),
        ((["θ frozen"], THREE), "each once"),
        ((["pseudo-labels", "new sentences alone", "θ frozen"], {**UNLEARNT, "θ frozen": 0.5}), "are alike"),
    ],
}
