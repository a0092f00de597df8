"""The exercises of notebook 10; test_exercises.py holds the checks to these answers."""


def f1(right, found, wanted):
    return 2 * right / (found + wanted) if found + wanted else 0.0


def micro_macro(counts):
    each = [f1(*row) for row in counts.values()]
    return f1(*map(sum, zip(*counts.values(), strict=True))), sum(each) / len(each)


def of_means(counts):
    p = sum(r / f if f else 0 for r, f, w in counts.values()) / len(counts)
    q = sum(r / w if w else 0 for r, f, w in counts.values()) / len(counts)
    return micro_macro(counts)[0], 2 * p * q / (p + q)


def weighted(counts):
    total = sum(row[2] for row in counts.values())
    return micro_macro(counts)[0], sum(f1(*row) * row[2] for row in counts.values()) / total


def nll(logits, gold, T):
    return -(logits / T).log_softmax(-1).gather(1, gold.unsqueeze(1)).mean()


WORTH = {"wrong type": 0.80, "wrong borders": 0.86, "missed": 0.84, "invented": 0.85}


def lowest(scores, right, accuracy):
    def share(threshold):
        kept = [r for s, r in zip(scores, right, strict=True) if s >= threshold]
        return sum(kept) / len(kept)

    return min((s for s in scores if share(s) >= accuracy), default=None)


def from_above(scores, right, accuracy):
    best, kept = None, []
    for score, is_right in sorted(zip(scores, right, strict=True), reverse=True):
        kept.append(is_right)
        if sum(kept) / len(kept) < accuracy:
            break
        best = score
    return best


def highest(scores, right, accuracy):
    return max((s for s in scores if lowest(scores, right, accuracy) is not None), default=None)


RIGHT = {
    "q10_1": [micro_macro, lambda counts: list(micro_macro(counts))],
    "q10_2": [(["wrong borders", "invented", "missed", "wrong type"], WORTH)],
    "q10_3": [nll, lambda logits, gold, T: float(nll(logits, gold, T))],
    "q10_4": [lowest],
    "q10_5": [6400, "6400", 6400.0],
}
WRONG = {
    "q10_1": [
        (lambda counts: micro_macro(counts)[::-1], "exchanged"),
        (of_means, "mean precision"),
        (weighted, "weighted"),
        (lambda counts: (micro_macro(counts)[1],) * 2, "Add counts first"),
        (lambda counts: micro_macro(counts)[0], "cannot read"),
        (lambda counts: (micro_macro(counts)[0], sum(2 * r / (f + w) for r, f, w in counts.values()) / len(counts)),
         "ZeroDivisionError"),
        ((0.5, 0.5), "wants a function"),
    ],
    "q10_2": [
        ((["missed", "invented", "wrong borders", "wrong type"], WORTH), "'wrong borders' is worth most"),
        ((["missed", "invented"], WORTH), "each once"),
    ],
    "q10_3": [
        (lambda logits, gold, T: nll(logits, gold, 1.0) * 1.001, "expected"),
        (lambda logits, gold, T: nll(logits, gold, 1.0), "left out T"),
        (lambda logits, gold, T: nll(logits, gold, 1 / T), "multiplied"),
        (lambda logits, gold, T: -nll(logits, gold, T), "sign"),
        (lambda logits, gold, T: nll(logits, gold, T) * len(gold), "sum"),
        (lambda logits, gold, T: (logits / T).softmax(-1).gather(1, gold.unsqueeze(1)).mean(), "mean probability"),
        (lambda logits, gold, T: (logits / T).log_softmax(-1), "one number"),
        (0.5, "wants a function"),
    ],
    "q10_4": [
        (from_above, "the surest prediction is wrong"),
        (highest, "the two best are right"),
        (lambda scores, right, accuracy: lowest(scores, right, accuracy) or 1.0, "None"),
        (lambda scores, right, accuracy: None if right[0] else 0.8, "yours is None"),
        (0.5, "wants a function"),
    ],
    "q10_5": [(1600, "square root"), (800, "square, not root"), (100, "more"), (5000, "factor")],
}  # fmt: skip
