"""The exercises of notebook 11; test_exercises.py holds the checks to these answers."""


def words(text, tags):
    found = []
    for character, tag in zip(text, tags, strict=True):
        if tag in "BS" or not found:
            found.append(character)
        else:
            found[-1] += character
    return found


def complete(gold, found):
    return sorted(gold + [f for f in found if not any(f[0] < g[1] and g[0] < f[1] for g in gold)])


RIGHT = {"q11_1": [words], "q11_2": [(25, 85, 212)], "q11_3": [(1 / 2, 1 / 3)], "q11_4": [complete]}
WRONG = {
    "q11_1": [
        (lambda text, tags: text.split(), "expected"),
        (lambda text, tags: "/".join(words(text, tags)), "A list of words"),
        (lambda text, tags: words(text, tags)[1:], "neither loses"),
        (lambda text, tags: [text] if "E" not in tags[-1:] else words(text, tags), "expected"),
    ],
    "q11_2": [
        ((25, 85), "Three numbers"),
        ((25 / 425, 0.2, 0.5), "batches"),
        ((212, 85, 25), "order"),
        ((25, 25, 25), "25**0.5"),
        ("?", "cannot read"),
    ],
    "q11_3": [
        ((1 / 3, 1 / 2), "exchanged"),
        ((1.0, 1 / 3), "Precision"),
        ((50, 33), "Between 0 and 1"),
        ((0.5, 0.5), "Recall"),
    ],
    "q11_4": [
        (lambda gold, found: gold + found, "inside a gold entity"),
        (lambda gold, found: found or gold, "marked by hand and is gone"),
        (lambda gold, found: gold, "stands free"),
        (lambda gold, found: print(end=""), "returns None"),
        (..., "unsolved"),
    ],
}
