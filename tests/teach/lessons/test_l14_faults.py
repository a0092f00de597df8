"""Lesson 14's room: F1 along the tail, halves of a label, pairs that exist, unknown types, percentiles."""

import time

import numpy as np
import pytest
from sklearn.metrics import f1_score

from hanlp_tutor.teach.lessons.l14 import pictures
from hanlp_tutor.teach.lessons.l14.hierarchy import joint
from hanlp_tutor.teach.lessons.l14.latency import latency, times
from hanlp_tutor.teach.lessons.l14.tail import f1_by_examples, group_names, halves, macro_f1
from hanlp_tutor.teach.lessons.l14.unknown import held_out, kept_and_rejected, threshold_keeping

GOLD = ["泵/过热", "泵/过热", "泵/异响", "阀/内漏", "阀/卡涩"]
FOUND = ["泵/过热", "泵/异响", "泵/异响", "泵/内漏", "泵/过热"]
TRAIN = ["泵/过热"] * 12 + ["泵/异响"] * 4 + ["阀/内漏"]


def test_macro_f1_is_scikit_learns_over_the_types_of_the_test_set():
    expected = f1_score(GOLD, FOUND, labels=sorted(set(GOLD)), average="macro", zero_division=0)
    assert macro_f1(GOLD, FOUND) == pytest.approx(expected)


def test_groups_cover_each_type_once():
    found = f1_by_examples(TRAIN, GOLD, FOUND)
    assert list(found) == ["0", "1 to 4", "10 to 19"]
    assert sum(group["types"] for group in found.values()) == len(set(GOLD))
    assert sum(group["logs"] for group in found.values()) == len(GOLD)
    assert found["10 to 19"]["f1"] == pytest.approx(0.5) and found["0"]["f1"] == 0
    assert sum(g["f1"] * g["types"] for g in found.values()) / 4 == pytest.approx(macro_f1(GOLD, FOUND))
    assert group_names((0, 1, 2, 5)) == ["0", "1", "2 to 4", "5 or more"]


def test_halves_add_up():
    found = halves(GOLD, FOUND)
    assert found == {"right": 0.4, "mode wrong": 0.2, "component wrong": 0.2, "both wrong": 0.2}
    assert sum(found.values()) == pytest.approx(1)


def test_joint_scores_the_pairs_that_exist():
    of_component, of_mode = np.log([[0.6, 0.4], [0.1, 0.9]]), np.log([[0.7, 0.3], [0.5, 0.5]])
    types = ["泵/过热", "阀/内漏"]  # modes stand in another order than types
    scores = joint(of_component, ["泵", "阀"], of_mode, ["内漏", "过热"], types)
    assert np.exp(scores) == pytest.approx(np.array([[0.6 * 0.3, 0.4 * 0.7], [0.1 * 0.5, 0.9 * 0.5]]))


def test_unknown_types_are_drawn_and_differ_by_seed():
    assert len(set(held_out(40))) == 40 and held_out(40) == held_out(40) != held_out(40, seed=2)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_the_threshold_keeps_at_least_that_share_and_is_the_highest(share):
    scores = np.random.default_rng(0).uniform(size=37)
    threshold = threshold_keeping(scores, share)
    assert (scores >= threshold).mean() >= share
    assert (scores > threshold).mean() < share


def test_kept_and_rejected():
    found = kept_and_rejected([0.9, 0.8, 0.7, 0.2], [True, False, False, True], [True, True, False, True], 0.5)
    third = pytest.approx(1 / 3)
    assert found == {"known kept": pytest.approx(2 / 3), "unknown rejected": 0, "right of the kept": third}
    assert kept_and_rejected([0.1, 0.1], [True, False], [True, False], 0.5)["right of the kept"] == 0


def test_waiting_counts_on_the_wall_and_computing_does_not():
    found = latency(lambda text: time.sleep(0.01), ["log"] * 12, warm_up=1)
    assert found["p50"] >= 10 and found["p99"] >= found["p50"] and found["cpu p50"] < found["p50"]
    assert len(times(len, ["a", "b"], warm_up=1)) == 2


def test_pictures_say_what_they_show():
    tail = pictures.long_tail([20, 5, 3, 1, 1])
    assert "5 types" in tail.alt and "the 1 most frequent have half" in tail.alt
    both = {name: f1_by_examples(TRAIN, GOLD, found) for name, found in (("a", FOUND), ("b", GOLD))}
    assert "b: 1.00 at 0, 1.00 at 1 to 4" in pictures.by_examples(both).alt
    assert "median 2.0 ms" in pictures.waiting([1.0, 2.0, 3.0]).alt
    for picture in (tail, pictures.by_examples(both), pictures.waiting([1.0, 2.0])):
        assert picture.png().startswith(b"\x89PNG")
