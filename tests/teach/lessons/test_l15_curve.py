"""Lesson 15's fitted curve: it finds what made the points, inverts itself, and its interval holds later points."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.lessons.l15.curve import Curve, Range, check_sizes, error_at, fit, labels, labels_needed
from hanlp_tutor.teach.lessons.l15.pictures import forecast, splits
from hanlp_tutor.teach.lessons.l15.selection import accuracies, least_sure

SIZES = (50, 100, 200, 400, 800)


def made(a=1.5, b=0.4, c=0.08, noise=0.0, draws=3, seed=1):
    rng = np.random.default_rng(seed)
    return {n: [1 - float(error_at(n, a, b, c)) + noise * rng.normal() for _ in range(draws)] for n in SIZES}


def test_it_finds_what_made_the_points():
    points = [(n, 1 - s) for n, some in made().items() for s in some]
    assert fit(*zip(*points, strict=True)) == pytest.approx((1.5, 0.4, 0.08), rel=0.02)


def test_two_sizes_are_too_few():
    with pytest.raises(ValueError, match="three sizes"):
        fit([50, 100, 100], [0.3, 0.2, 0.21])


@given(st.floats(0.5, 5), st.floats(0.1, 1.2), st.floats(0, 0.3), st.floats(10, 1e5))
def test_labels_needed_is_the_inverse(a, b, c, n):
    assert labels_needed(1 - float(error_at(n, a, b, c)), a, b, c) == pytest.approx(n, rel=1e-3)


def test_a_score_above_the_ceiling_is_never_reached():
    assert labels_needed(0.95, 1.0, 0.5, 0.1) == math.inf
    assert labels(math.inf) == "never" and labels(1e9) == "over ten million" and labels(12_345) == "12,000"


def test_the_interval_with_the_misses_is_wider_and_holds_what_comes():
    scores = made(noise=0.01)
    wide, narrow = Curve(scores), Curve(scores, misses=False)
    came = 1 - float(error_at(3200, 1.5, 0.4, 0.08))
    assert came in wide.at(3200)
    assert wide.at(3200).high - wide.at(3200).low > narrow.at(3200).high - narrow.at(3200).low
    assert wide.parameters == narrow.parameters
    needed = wide.needed(came)
    assert needed.low < needed.value < needed.high and needed.value == pytest.approx(3200, rel=0.5)
    assert wide.ceiling.low <= wide.ceiling.high <= 1


def test_a_curve_is_the_same_each_time():
    assert Curve(made(noise=0.01)).at(5000) == Curve(made(noise=0.01)).at(5000)


def test_a_range_holds_its_ends():
    assert 0.5 in Range(0.6, 0.5, 0.7) and 0.71 not in Range(0.6, 0.5, 0.7)


def test_pictures_say_what_they_draw():
    curve = Curve(made())
    picture = forecast(curve, {1600: [0.85, 0.86]}, narrow=Curve(made(), misses=False))
    assert "at 1,600 foretold" in picture.alt and "came 0.855" in picture.alt
    assert picture.png()[:4] == b"\x89PNG"
    dots = splits({"SVM, by article": [0.8, 0.82], "SVM, by statute": [0.5, 0.6]}, promise=0.9)
    assert "SVM, by statute: 0.500 to 0.600" in dots.alt and "0.90 promised" in dots.alt


def test_least_sure_takes_the_closest_two_classes():
    rows = np.array([[0.5, 0.48, 0.02], [0.4, 0.3, 0.3], [0.8, 0.1, 0.1]])
    assert least_sure(rows, 2) == [0, 1] and least_sure(np.ones((2, 1)), 5) == [0, 1]


@pytest.mark.parametrize("how", ["uncertain", "random"])
def test_rounds_of_selection(how):
    from hanlp_tutor.data import LabelledText

    words = {"good": "好棒赞佳妙", "bad": "差糟烂坏劣"}
    texts = [LabelledText(f"{w}{v}书{i % 7}", label) for label, some in words.items() for i, w in enumerate(some * 6)
             for v in some]  # fmt: skip
    found = accuracies(texts, texts[::5], how, 1, start=40, step=20, end=90)
    assert list(found) == ["40", "60", "80"] and all(0 <= score <= 1 for score in found.values())
    assert found == accuracies(texts, texts[::5], how, 1, start=40, step=20, end=90)


def test_sizes_that_the_texts_do_not_fill_are_refused_with_some_that_fit():
    check_sizes(3200, [50, 100], [3200])
    told = r"up to 3,200 labels, and there are 200 .*-p sizes \"\[12, 25, 50\]\" -p later \"\[100, 200\]\""
    with pytest.raises(ConfigError, match=told):
        check_sizes(200, [50, 100], [1600, 3200])
    with pytest.raises(ConfigError, match=r"there are 12 training texts\. A curve wants 100 or more"):
        check_sizes(12, [50, 100], [1600, 3200])
