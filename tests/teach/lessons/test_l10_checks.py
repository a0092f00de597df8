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


def gaps(scores, right, bins):
    for number in range(bins):
        here = [(s, r) for s, r in zip(scores, right, strict=True) if min(int(s * bins), bins - 1) == number]
        if here:
            yield len(here), sum(r for _, r in here) / len(here) - sum(s for s, _ in here) / len(here)


def ece(scores, right, bins):
    return sum(n * abs(gap) for n, gap in gaps(scores, right, bins)) / len(scores)


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
    "q10_2": [ece],
    "q10_3": [lowest],
    "q10_4": [6400, "6400", 6400.0],
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
        (lambda scores, right, bins: sum(n * gap for n, gap in gaps(scores, right, bins)) / len(scores), "no sign"),
        (lambda scores, right, bins: abs(sum(n * gap for n, gap in gaps(scores, right, bins))) / len(scores), "cancel"),
        (lambda scores, right, bins: sum(abs(gap) for n, gap in gaps(scores, right, bins)), "Weigh"),
        (lambda scores, right, bins: ece(scores, right, 10), "seven bins"),
    ],
    "q10_3": [
        (from_above, "the surest prediction is wrong"),
        (highest, "the two best are right"),
        (lambda scores, right, accuracy: lowest(scores, right, accuracy) or 1.0, "None"),
        (lambda scores, right, accuracy: None if right[0] else 0.8, "yours is None"),
        (0.5, "wants a function"),
    ],
    "q10_4": [(1600, "square root"), (800, "square, not root"), (100, "more"), (5000, "factor")],
}  # fmt: skip
