"""What a threshold costs, counted alert by alert; occlusion of a model whose reasons are known; the queue."""

import numpy as np
import pytest

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.lessons.l13 import pictures
from hanlp_tutor.teach.lessons.l13.cost import Desk, known_label
from hanlp_tutor.teach.lessons.l13.queue import UNCLEAR, Queue, occlusion

SCORES, SUSPICIOUS = [0.9, 0.8, 0.4, 0.2], [True, False, True, False]


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.85, 1.0])
def test_hours_are_those_of_a_queue_counted_alert_by_alert(threshold):
    """A queue of 10: one suspicious alert in ten, drawn from the labelled ones in equal parts."""
    desk, total = Desk(missed=20, share=0.1), 0.0
    for score, bad in zip(SCORES, SUSPICIOUS, strict=True):
        times = (100 if bad else 900) / 2  # of 1,000 alerts
        total += times * (1 if score >= threshold else 20 * bad)
    assert desk.hours(SCORES, SUSPICIOUS, threshold) == pytest.approx(total)


def test_the_ends_and_the_best():
    desk = Desk(missed=20, share=0.1)
    assert desk.hours(SCORES, SUSPICIOUS, 0.0) == desk.all == 1000
    assert desk.hours(SCORES, SUSPICIOUS, 2.0) == desk.none == 2000
    costs = {threshold: desk.hours(SCORES, SUSPICIOUS, threshold) for threshold in (*SCORES, np.inf)}
    assert desk.best(SCORES, SUSPICIOUS) == min(costs, key=costs.get) == 0.4
    assert Desk(missed=0.5, share=0.1).best(SCORES, SUSPICIOUS) == np.inf  # a missed case is cheaper than a look


def test_the_picture_names_what_it_shows():
    picture = pictures.costs(Desk(), {"dev": (SCORES, SUSPICIOUS), "test": (SCORES, SUSPICIOUS)}, chosen=0.4)
    assert "dev: least 550, at the chosen one 550; test" in picture.alt
    assert picture.png().startswith(b"\x89PNG")


def knows_one_word(texts):
    return np.array([0.9 if "跑分" in text else 0.1 for text in texts])


def test_occlusion_finds_what_the_model_goes_by():
    text = "客户称不知情，附言写跑分，当日转出。"
    importance = occlusion(knows_one_word, text)
    at = text.index("跑分")
    assert len(importance) == len(text)
    assert importance.max() == pytest.approx(0.8)
    assert {at, at + 1} <= set(np.flatnonzero(np.isclose(importance, 0.8)))
    assert importance[0] == importance[-1] == 0
    assert occlusion(knows_one_word, "跑分").tolist() == pytest.approx([0.8, 0.8])  # shorter than a run


def test_the_queue_is_sorted_marked_and_escaped():
    texts = ["客户<b>正常", "附言跑分。", "对手无异常"]
    queue = Queue(texts, [0.1, 0.9, 0.5], ["legitimate", "mules", None], knows_one_word, count=2)
    assert [row.score for row in queue.rows] == [0.9, 0.5]
    assert queue.rows[1].label == UNCLEAR
    assert "【" in repr(queue) and "跑分" in repr(queue).replace("【", "").replace("】", "")
    shown = Queue(texts, [0.9, 0.1, 0.5], [None] * 3, knows_one_word)._repr_html_()
    assert "&lt;b&gt;" in shown and shown.count("<tr>") == 4


def test_a_label_that_training_lacks_is_refused_with_those_that_it_has():
    assert known_label("正常", {"正常": 3, "洗钱": 1}) == "正常"
    with pytest.raises(ConfigError, match="no alert of the training file has this label; they have 正常, 洗钱"):
        known_label("legitimate", {"正常": 3, "洗钱": 1})
