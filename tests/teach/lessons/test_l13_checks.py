"""The exercises of notebook 13; test_exercises.py holds the checks to these answers."""


def hours(scores, suspicious, threshold, missed):
    pairs = list(zip(scores, suspicious, strict=True))
    return sum(1 if score >= threshold else missed * bad for score, bad in pairs)


def strictly(scores, suspicious, threshold, missed):
    return hours([score - 1e-9 for score in scores], suspicious, threshold, missed)


def false_alarms(scores, suspicious, threshold, missed):
    pairs = zip(scores, suspicious, strict=True)
    return sum((not bad) if score >= threshold else missed * bad for score, bad in pairs)


def all_missed(scores, suspicious, threshold, missed):
    return sum(1 if score >= threshold else missed for score in scores)


def misses_alone(scores, suspicious, threshold, missed):
    return hours(scores, suspicious, threshold, missed) - sum(score >= threshold for score in scores)


RIGHT = {
    "q13_1": [hours],
    "q13_2": [0.0125, "0.0125", 1 / 80],
    "q13_3": [(0.3, 0.3), (0.25, 0.3)],
}
WRONG = {
    "q13_1": [
        (strictly, ">=, not >"),
        (false_alarms, "only false alarms"),
        (all_missed, "Only a suspicious one"),
        (lambda scores, suspicious, threshold, missed: hours(scores, suspicious, threshold, 1), "you count one"),
        (misses_alone, "left out the hours"),
        (lambda scores, suspicious, threshold, missed: 3.5, "your function gives 3.5"),
        (0.5, "wants a function"),
    ],
    "q13_2": [
        (0.5, "both errors cost the same"),
        (80, "between 0 and 1"),
        (0.9875, "the other end"),
        (0.025, "half an hour here"),
        (0.1, "At which p"),
    ],
    "q13_3": [((0.9, 0.3), "closed without a look"), ((0.0, 0.3), "70%")],
}
