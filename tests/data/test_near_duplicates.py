"""Near duplicates against scikit-learn's n-grams, all pairs compared, and scipy's connected components."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer

from hanlp_tutor import load_corpus
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


def test_all_near_pairs_are_found_and_no_others(texts):
    oracle = all_pairs(texts)
    near = NearTexts(texts)
    first, second = range(200), range(200, 300)
    expected = {j: int(oracle[j, :200].argmax()) for j in second if oracle[j, :200].max() >= 0.8}
    found = near.counterparts(second, first)
    assert 20 < len(expected) < 90  # edits on both sides of the threshold
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


@pytest.mark.parametrize("threshold", [0.5, 1.5])
def test_other_thresholds_are_refused(threshold):
    with pytest.raises(ConfigError, match=r"0\.7"):
        NearTexts([], threshold=threshold)
