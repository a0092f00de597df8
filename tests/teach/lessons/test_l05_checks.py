"""The exercises of notebook 05; test_exercises.py holds the checks to these answers."""

import pytest

from hanlp_tutor.config import ConfigError, TrainConfig
from hanlp_tutor.data import Span

TAGS = "B-PER I-PER O B-LOC I-LOC O B-ORG I-ORG I-ORG I-ORG"


def longest_match(text, dictionary):
    found, start = [], 0
    while start < len(text):
        for end in range(len(text), start, -1):
            if text[start:end] in dictionary:
                found.append((start, end, dictionary[text[start:end]]))
                start = end
                break
        else:
            start += 1
    return found


def shortest_match(text, dictionary):
    found, start = [], 0
    while start < len(text):
        for end in range(start + 1, len(text) + 1):
            if text[start:end] in dictionary:
                found.append((start, end, dictionary[text[start:end]]))
                start = end
                break
        else:
            start += 1
    return found


def every_match(text, dictionary):
    found = []
    for start in range(len(text)):
        ends = [end for end in range(len(text), start, -1) if text[start:end] in dictionary]
        found += [(start, ends[0], dictionary[text[start : ends[0]]])] if ends else []
    return found


NEW_NAMES = {"dictionary": 0.0, "feature CRF": 0.48, "fine-tuned": 0.67}
RIGHT = {
    "q05_1": [TAGS, TAGS.split(), tuple(TAGS.split())],
    "q05_2": [(0.4, 0.5, 4 / 9), [0.4, 0.5, 0.444], (0.40, 0.50, 0.44)],
    "q05_3": [longest_match, lambda text, words: [Span(*item) for item in longest_match(text, words)]],
    "q05_4": [31969, 32000, 32_000.0],
    "q05_5": [(["fine-tuned", "feature CRF", "dictionary"], NEW_NAMES)],
}
WRONG = {
    "q05_1": [
        ("B-PER I-PER", "each character gets one"),
        (TAGS.replace("I-LOC", "E-LOC"), "BMES"),
        (TAGS.lower(), "no tag of this corpus"),
        (TAGS.replace("B-ORG I-ORG", "B-LOC I-LOC").replace("I-ORG I-ORG", "O O"), "part of the name 北京大学"),
        (TAGS.replace("B-LOC", "I-LOC"), "begins with B-"),
        (TAGS.replace("I-PER", "B-PER"), "inside one it is I-"),
        (TAGS.replace("PER", "LOC"), "not the type"),
        (TAGS.replace("B-LOC I-LOC", "O O"), "part of a name or not"),
        ([1] * 10, "a tag is text"),
    ],
    "q05_2": [
        ((0.5, 0.4, 4 / 9), "exchanged"),
        ((0.4, 0.5, 0.45), "harmonic"),
        ((0.8, 1.0, 0.89), "exact agreement"),
        ((0.6, 0.75, 0.667), "label of 上海"),
        ((40, 50, 44.4), "per cent"),
        ((0.4, 0.5), "three numbers"),
        ((0.1, 0.5, 0.2), "Precision is not"),
        ((0.4, 0.9, 0.5), "Recall is not"),
        ((0.4, 0.5, 0.5), "F1 is not"),
        ("two", "cannot read"),
    ],
    "q05_3": [
        (shortest_match, "a longer entry"),
        (every_match, "overlap"),
        (lambda t, d: [(s, e - 1, label) for s, e, label in longest_match(t, d)], "half-open"),
        (lambda t, d: longest_match(t, d)[:1], "北京 twice"),
        (lambda t, d: longest_match(t[:-1], d), "very end"),
        (lambda t, d: 1 / 0, "raised ZeroDivisionError"),
        (lambda t, d: [].clear(), "returns None"),
        (longest_match("北京", {"北京": "LOC"}), "wants a function"),
    ],
    "q05_4": [
        (1000, "still be rising"),
        (3200, "still be rising"),
        (16000, "more than a tenth"),
        (320_000, "What is the least"),
        (-1, "whole number"),
        ("many", "cannot read"),
    ],
    "q05_5": [
        ((["feature CRF", "fine-tuned", "dictionary"], NEW_NAMES), "finds more of what it never saw. Which column"),
        ((["fine-tuned", "feature CRF", "dictionary"], {**NEW_NAMES, "feature CRF": 0.7}), "trained too briefly"),
        ((["fine-tuned", "CRF", "dictionary"], NEW_NAMES), "has to be a list of dictionary, feature CRF, fine-tuned"),
    ],
}


def test_the_answers_are_true_of_the_kit():
    """What the checks teach is what the package does."""
    from hanlp_tutor.core.scores import span_scores
    from hanlp_tutor.data.schemes import spans_from_bio

    assert spans_from_bio(TAGS.split()) == [Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(6, 10, "ORG")]
    gold = [Span(0, 3, "PER"), Span(5, 7, "LOC"), Span(8, 12, "ORG"), Span(14, 16, "LOC")]
    found = [Span(0, 3, "PER"), Span(5, 7, "LOC"), Span(8, 10, "LOC"), Span(14, 16, "ORG"), Span(17, 18, "PER")]
    scores = span_scores([gold], [found])
    assert (scores["precision"], scores["recall"], scores["f1"]) == (0.4, 0.5, pytest.approx(4 / 9))
    with pytest.raises(ConfigError):
        TrainConfig(epochz=3)
