"""Near duplicates against scikit-learn's n-grams, all pairs compared, and scipy's connected components."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer

from hanlp_tutor import load_corpus
from hanlp_tutor.data import near_duplicates
from hanlp_tutor.data.near_duplicates import NearTexts, normalised, similarity
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.planted import paraphrase


def all_pairs(texts: list[str]) -> np.ndarray:
    """Jaccard similarities of all pairs (N, N), by another's n-grams."""
    counts = CountVectorizer(
        analyzer="char", ngram_range=(5, 5), binary=True, preprocessor=normalised
    ).fit_transform(texts)
    shared = (counts @ counts.T).toarray()
    sizes = shared.diagonal()
    return shared / (sizes[:, None] + sizes[None, :] - shared)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """200 sentences, of 100 of them a copy with 1 to 8 edits, some near and some not."""
    lines = [e.text for e in load_corpus("peoples_daily").train if 60 <= len(e.text) <= 300][:200]
    return lines + [paraphrase(text, 1 + i % 8, i, "的一是在不了有和人这") for i, text in enumerate(lines[:100])]


def test_similarity_is_that_of_the_oracle(texts):
    oracle = all_pairs(texts)
    for i, j in [(0, 200), (7, 207), (3, 203), (1, 2)]:
        assert similarity(texts[i], texts[j]) == pytest.approx(oracle[i, j])


@pytest.mark.parametrize("threshold", [0.6, 0.7, 0.8, 0.9])
def test_all_near_pairs_are_found_and_no_others(texts, threshold):
    oracle = all_pairs(texts)
    near = NearTexts(texts, threshold=threshold)
    first, second = range(200), range(200, 300)
    expected = {j: int(oracle[j, :200].argmax()) for j in second if oracle[j, :200].max() >= threshold}
    found = near.counterparts(second, first)
    assert 10 < len(expected) < 95  # edits on both sides of the threshold
    assert {j: i for j, (i, _) in found.items()} == expected
    assert all(score == pytest.approx(oracle[j, i]) for j, (i, score) in found.items())


def test_clusters_are_connected_components(texts):
    texts = [*texts, texts[0], texts[250], paraphrase(texts[200], 1, 0, "丁")]
    number, component = connected_components(all_pairs(texts) >= 0.8)
    groups = [np.flatnonzero(component == c).tolist() for c in range(number)]
    clusters = NearTexts(texts).clusters()
    assert sorted(clusters) == sorted(group for group in groups if len(group) > 1)
    assert max(map(len, clusters)) > 2


def test_some_of_the_texts():
    texts = ["张三来到北京大学", "别的一句话，完全不同", "张三来到北京大学", "张三来到北京大学"]
    near = NearTexts(texts)
    assert near.clusters([0, 1, 3]) == [[0, 3]]
    assert near.clusters([0, 1]) == []
    assert near.counterparts([3], [1, 2, 0]) == {3: (2, 1.0)}


def test_case_width_and_white_space_are_no_difference():
    assert NearTexts(["ＡＢＣ  公司,很好", "abc\u3000公司， 很好"]).clusters() == [[0, 1]]


def test_texts_without_characters_are_near_to_nothing():
    near = NearTexts(["", " ", "\u3000", "好"])
    assert near.clusters() == []
    assert near.counterparts([0, 1], [2, 3]) == {}


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_similarity_of_any_texts(one, other):
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one) == 1


@settings(derandomize=True, deadline=None)
@given(st.lists(st.text("甲乙丙", min_size=1, max_size=12), max_size=12), st.sampled_from([0.3, 0.7, 0.8, 1.0]))
def test_no_pair_of_any_texts_is_missed(texts, threshold):
    """Texts of a few characters, where all grams are frequent and sizes are at the borders of rounding."""
    near = NearTexts(texts, threshold=threshold)
    for i, text in enumerate(texts):
        others = [j for j in range(len(texts)) if j != i]
        best = max((similarity(text, texts[j]) for j in others), default=0.0)
        found = near.counterparts([i], others)
        assert bool(found) == (best >= threshold)
        assert not found or found[i][1] == best


def test_a_part_that_all_texts_have_costs_few_comparisons(monkeypatch):
    """A letterhead: its grams are in every text, so they are not the rare ones."""
    head = "尊敬的客户您好，感谢您购买我们的产品，以下是您的反馈内容，请查收："
    lines = dict.fromkeys(e.text for e in load_corpus("peoples_daily").train if len(e.text) > 100)
    near, compared = NearTexts([head + text for text in lines][:300]), []
    real = near_duplicates._jaccard
    monkeypatch.setattr(near_duplicates, "_jaccard", lambda *pair: compared.append(pair) or real(*pair))
    assert near.clusters() == [] and len(compared) < 100, "of 44,850 pairs"


@pytest.mark.parametrize("threshold", [0.0, -1, 1.5])
def test_other_thresholds_are_refused(threshold):
    with pytest.raises(ConfigError, match="above 0 and at most 1"):
        NearTexts([], threshold=threshold)
