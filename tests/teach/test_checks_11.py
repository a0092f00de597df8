"""The exercises of notebook 11: right answers are accepted, likely wrong ones get their own reason, none raises."""

import pytest

from hanlp_tutor.teach import check


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


RIGHT = {"q11_1": words, "q11_2": (25, 85, 212), "q11_3": (1 / 2, 1 / 3), "q11_4": complete}


@pytest.mark.parametrize("name", list(RIGHT))
def test_right_answers_are_accepted(name):
    assert getattr(check, name).judge(RIGHT[name]).accepted


def test_every_exercise_is_here_with_three_hints():
    found = check.exercises("11")
    assert [each.name for each in found] == list(RIGHT) and all(len(each.hints) == 3 for each in found)


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("q11_1", lambda text, tags: text.split(), "expected"),
        ("q11_1", lambda text, tags: "/".join(words(text, tags)), "A list of words"),
        ("q11_1", lambda text, tags: words(text, tags)[1:], "neither loses"),
        ("q11_1", lambda text, tags: [text] if "E" not in tags[-1:] else words(text, tags), "expected"),
        ("q11_2", (25, 85), "Three numbers"),
        ("q11_2", (25 / 425, 0.2, 0.5), "batches"),
        ("q11_2", (212, 85, 25), "order"),
        ("q11_2", (25, 25, 25), "25**0.5"),
        ("q11_3", (1 / 3, 1 / 2), "exchanged"),
        ("q11_3", (1.0, 1 / 3), "Precision"),
        ("q11_3", (50, 33), "Between 0 and 1"),
        ("q11_3", (0.5, 0.5), "Recall"),
        ("q11_4", lambda gold, found: gold + found, "inside a gold entity"),
        ("q11_4", lambda gold, found: found or gold, "marked by hand and is gone"),
        ("q11_4", lambda gold, found: gold, "stands free"),
        ("q11_4", lambda gold, found: print(end=""), "returns None"),
        ("q11_4", ..., "unsolved"),
        ("q11_2", "?", "cannot read"),
    ],
)
def test_wrong_answers_are_told_why(name, answer, reason):
    verdict = getattr(check, name).judge(answer)
    assert not verdict.accepted and reason in verdict.reason, verdict
