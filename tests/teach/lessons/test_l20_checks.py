"""The exercises of notebook 20; test_exercises.py holds the checks to these answers."""

import math

from hanlp_tutor.data.near_duplicates import normalised


def floor(counts):
    total = sum(counts.values())
    return -sum(n / total * math.log(n / total) for n in counts.values() if n)


def in_bits(counts):
    return floor(counts) / math.log(2)


def leaked(train, dev):
    known = {normalised(text) for text in train}
    return [text for text in dev if normalised(text) in known]


SLOW = {"B": "rate-too-low", "C": "long-warm-up", "D": "random-weights"}
RIGHT = {
    "q20_1": [floor],
    "q20_2": ["over-fitting", "过拟合", "Over-fitting", "over fitting"],
    "q20_3": [SLOW, {**SLOW, "B": "收敛慢", "C": "预热过长"}],
    "q20_4": [("unseen-label", "misaligned"), ["标签拼写不一致", "错位"]],
    "q20_5": [leaked],
}
WRONG = {
    "q20_1": [
        (in_bits, "in bits"),
        (lambda counts: -floor(counts), "not negative"),
        (lambda counts: math.log(len(counts)), "nine O to one B"),
        (lambda counts: -sum(n * math.log(n / sum(counts.values())) for n in counts.values() if n), "two labels"),
        (lambda counts: sum(-n / 7 * math.log(n / 7) for n in counts.values()), "equally frequent"),
        (0.69, "wants a function"),
    ],
    "q20_2": [
        ("leak", "as good as train"),
        ("one-answer", "stay at nothing"),
        ("rate-too-low", "learns too little"),
        ("misaligned", "off the ground"),
        ("over-fiting", "Did you mean 'over-fitting'"),
        ("xyz", "Choose from"),
        ("diverged", "it is not"),
        (3, "as a text"),
    ],
    "q20_3": [
        ({"B": ..., "C": ..., "D": ...}, "Still without a fault: B, C, D"),
        ({"B": "rate-too-low"}, "C, D"),
        ({**SLOW, "B": "long-warm-up"}, "Patient B is no case of long-warm-up"),
        ({**SLOW, "C": "rate-too-low"}, "When did the run get there"),
        ({**SLOW, "D": "noisy-labels"}, "What else goes into a run"),
        ("rate-too-low", "is a dict"),
    ],
    "q20_4": [
        (("misaligned", "unseen-label"), "exchanged"),
        (("over-fitting", "misaligned"), "not all of them"),
        (("unseen-label", "over-fitting"), "does not cut the names"),
        (("leak", "misaligned"), "E is no case of leak"),
        (("unseen-label", "leak"), "F is no case of leak"),
        ("misaligned", "a pair"),
    ],
    "q20_5": [
        (lambda train, dev: [text for text in dev if text in train], "a blank more"),
        (lambda train, dev: set(leaked(train, dev)), "list of texts"),
        (lambda train, dev: [t for t in dev if any(t.split()[0][:4] in x for x in train)], "a blank more"),
        (lambda train, dev: ["".join(text.split()) for text in leaked(train, dev)], "a blank more"),
        (
            lambda train, dev: leaked([t.lower() for t in train], dev) if train and "i" not in train[0] else [],
            "capitals",
        ),
        (lambda train, dev: print(end=""), "returns None"),
    ],
}
