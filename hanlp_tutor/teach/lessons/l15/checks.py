"""The checks of notebook 15: labels for a score, a forecast, the texts to label next."""

from __future__ import annotations

from hanlp_tutor.teach.declared import Answers, cases, predicted


@cases(
    {
        "a plain curve": (0.9, 1.0, 0.5, 0.0),
        "with a floor": (0.8, 1.0, 0.5, 0.1),
        "a flat curve": (0.7, 2.0, 0.25, 0.05),
        "a score above the ceiling": (0.95, 1.0, 0.5, 0.1),
        "a score at the ceiling": (0.75, 1.0, 0.5, 0.25),
    },
    "The curve speaks of errors: first turn the score into one.",
    "Solve error = c + a * n ** -b for n: take c away, divide by a, then undo the power.",
    "To undo the power -b, take the power -1/b. Before that ask whether the error lies above c at all.",
    otherwise="{given}: {right} labels, yours says {found}.",
    then="Near the ceiling 1 - c the number runs away: the last points are what labels buy at the highest price.",
)
def q15_1(score: float, a: float, b: float, c: float) -> Answers:
    """labels_for(score, a, b, c) -> n, or None where no number of labels is enough."""
    error = 1 - score
    if error - c <= 1e-9:
        never = "no number of labels reaches an error at or under the floor c: return None."
        return None, {never: lambda found: found is not None}
    wrong = {"the sign: more labels for a smaller error. The power is -1/b.": ((error - c) / a) ** (1 / b)}
    if score > c:
        wrong["the curve speaks of the error, 1 - score."] = ((score - c) / a) ** (-1 / b)
    if c:
        wrong["you left out the floor c."] = (error / a) ** (-1 / b)
    return ((error - c) / a) ** (-1 / b), wrong


q15_2 = predicted(
    "The accuracy with four times the labels.",
    "Look at the curve: how much did the last doubling bring?",
    "Each doubling takes the same *share* of the error above the floor away: fewer points than the one before.",
    "Take the floor away, multiply by the share that the last doubling left, once for each doubling; add the floor.",
    within=0.015,
    because=lambda seen: (
        "You continued the error as a power of the number of labels, whether you knew it or not: each doubling leaves "
        "the same share of what lies above the floor."
    ),
    surprise=lambda seen: (
        "Too high, and you continued the points as a straight line: doublings bring less and less. Too low, and you "
        "let the curve end where your points end."
    ),
)


@cases(
    {
        "two classes": ([[0.9, 0.1], [0.55, 0.45], [0.3, 0.7]], 2),
        "three classes": ([[0.5, 0.48, 0.02], [0.4, 0.3, 0.3], [0.8, 0.1, 0.1]], 1),
        "as many as there are": ([[0.6, 0.4], [0.5, 0.5]], 2),
    },
    "The model is unsure where its best two classes have nearly the same probability.",
    "Sort each row: the margin (间隔) is the last less the one before it.",
    "Sort the numbers of the rows by their margins, and take the first `count`.",
    otherwise="{given}: label the rows {right} first, yours says {found}.",
    then="With two classes margin, highest probability and entropy choose alike; with more they differ.",
    read=lambda found: list(map(int, found)),
)
def q15_3(probabilities: list[list[float]], count: int) -> Answers:
    """next_to_label(probabilities, count) -> the numbers of the rows to label next, the least sure first."""

    def margin(row: list[float]) -> float:
        return sorted(row)[-1] - sorted(row)[-2]

    numbers = range(len(probabilities))
    right = sorted(numbers, key=lambda i: margin(probabilities[i]))[:count]
    surest = sorted(numbers, key=lambda i: -margin(probabilities[i]))[:count]
    lowest = sorted(numbers, key=lambda i: max(probabilities[i]))[:count]
    wrong = {
        "these are the surest. They teach the model least.": surest,
        "this is the row with the lowest highest probability. Margin: the best two classes against each other.": lowest,
        "the least sure first, please.": right[::-1] if count > 1 else ...,
    }
    wrong = {said: value for said, value in wrong.items() if value not in (right, ...)}
    return right, wrong
