"""The classical learners of the scenarios: what dev chooses, and how suspicious a text is to each of them."""

import numpy as np
import pytest

from hanlp_tutor.core.scores import class_scores
from hanlp_tutor.data import LabelledText
from hanlp_tutor.teach.classical import STRENGTHS, learner, suspicion, tuned

WORDS = {"legitimate": "工资房租学费", "gambling": "上分下分水钱", "fraud": "解冻金刷单群"}
TEXTS = [LabelledText(f"{word}{n}号转入{word[n % 3 :]}", label) for label, word in WORDS.items() for n in range(12)]
TRAIN, DEV = TEXTS[::2], TEXTS[1::2]


@pytest.mark.parametrize("name", STRENGTHS)
def test_dev_chooses_the_best_of_the_grid(name):
    found = tuned(name, TRAIN, DEV, ngrams=[(1, 2)])
    gold, texts = [e.label for e in DEV], [e.text for e in DEV]
    scores = {}
    for strength in STRENGTHS[name]:
        pipeline = learner(name, strength, (1, 2)).fit([e.text for e in TRAIN], [e.label for e in TRAIN])
        scores[strength] = class_scores(gold, list(pipeline.predict(texts)))["macro_f1"]
    assert found.dev == max(scores.values()) == scores[found.strength]
    assert found.name == name and found.ngrams == (1, 2)


@pytest.mark.parametrize("name", STRENGTHS)
def test_suspicion_is_high_where_the_class_is_another(name):
    pipeline = tuned(name, TRAIN, DEV, ngrams=[(1, 2)], strengths=STRENGTHS[name][:1]).pipeline
    scores = suspicion(pipeline, [e.text for e in DEV], "legitimate")
    innocent = np.array([e.label == "legitimate" for e in DEV])
    assert scores[innocent].max() < scores[~innocent].min()
    if name != "linear SVM":
        p = pipeline.predict_proba([DEV[0].text])[0]
        assert scores[0] == pytest.approx(1 - p[list(pipeline.classes_).index("legitimate")])


def test_class_weights_are_handed_on():
    assert learner("linear SVM", 1.0, (1, 2), "balanced")[-1].class_weight == "balanced"
    assert learner("logistic regression", 1.0, (1, 2), "balanced")[-1].class_weight == "balanced"
