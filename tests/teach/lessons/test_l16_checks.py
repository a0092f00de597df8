"""The exercises of notebook 16; test_exercises.py holds the checks to these answers."""


def marked(text, head, tail):
    places = sorted([(*head, "「」"), (*tail, "『』")], reverse=True)
    for start, end, (opening, closing) in places:
        text = text[:start] + opening + text[start:end] + closing + text[end:]
    return text


def head_first(text, head, tail):
    for (start, end), (opening, closing) in ((head, "「」"), (tail, "『』")):
        text = text[:start] + opening + text[start:end] + closing + text[end:]
    return text


def counts(gold, found, negative):
    right = sum(a == b != negative for a, b in zip(gold, found, strict=True))
    return right, sum(b != negative for b in found), sum(a != negative for a in gold)


def micro_f1(gold, found, negative):
    right, said, wanted = counts(gold, found, negative)
    return 2 * right / (said + wanted) if said + wanted else 0.0


def accuracy(gold, found, negative):
    return sum(a == b for a, b in zip(gold, found, strict=True)) / len(gold)


SEEN = {"entities": 0.86, "triples, gold entities": 0.9, "triples, end to end": 0.7}

RIGHT = {
    "q16_1": [marked],
    "q16_2": [micro_f1],
    "q16_3": [(["triples, gold entities", "entities", "triples, end to end"], SEEN)],
}
WRONG = {
    "q16_1": [
        (head_first, "moved the second place"),
        (lambda text, head, tail: marked(text, tail, head), "exchanged"),
        (lambda text, head, tail: marked(text, head, tail).replace("『", "「").replace("』", "」"), "one kind"),
        (lambda text, head, tail: text, "expected"),
        ("「甲公司」收购『乙公司』", "wants a function"),
    ],
    "q16_2": [
        (accuracy, "accuracy"),
        (lambda g, f, n: counts(g, f, n)[0] / max(counts(g, f, n)[2], 1), "recall"),
        (lambda g, f, n: 0.123, "expected"),
        (lambda g, f, n: 2 * counts(g, f, n)[0] / (counts(g, f, n)[1] + counts(g, f, n)[2]), "ZeroDivisionError"),
        (0.5, "wants a function"),
    ],
    "q16_3": [
        ((["triples, end to end", "entities", "triples, gold entities"], SEEN), "is lowest"),
        ((["entities"], SEEN), "each once"),
    ],
}
