"""The baselines predict as they should, and are scored like every model."""

import itertools
import random

import pytest

from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.workbench.baselines import (
    DictionaryMatcher,
    FeatureCRF,
    character_features,
    ngram_classifier,
    telling_ngrams,
)


def sentence(*parts: str | tuple[str, str]) -> TaggedText:
    """A tagged text from plain pieces and (entity, label) pairs."""
    text, spans = "", []
    for part in parts:
        piece, label = part if isinstance(part, tuple) else (part, None)
        if label:
            spans.append(Span(len(text), len(text) + len(piece), label))
        text += piece
    return TaggedText.from_spans(text, spans)


TRAIN = [
    sentence(("张三", "PER"), "在", ("北京大学", "ORG"), "读书"),
    sentence("他去", ("北京", "LOC")),
    sentence(("华盛顿", "PER"), "将军"),
    sentence("去", ("华盛顿", "LOC"), "和", ("华盛顿", "LOC")),
]


class TestDictionary:
    def test_longest_match_wins_and_matches_do_not_overlap(self):
        assert DictionaryMatcher(TRAIN).predict(["北京大学在北京", "北京大", ""]) == [
            [Span(0, 4, "ORG"), Span(5, 7, "LOC")],
            [Span(0, 2, "LOC")],
            [],
        ]

    def test_most_frequent_label(self):
        assert DictionaryMatcher(TRAIN).entries["华盛顿"] == "LOC"
        tied = [sentence(("长安", "PER")), sentence(("长安", "LOC"))]
        assert DictionaryMatcher(tied).entries["长安"] == DictionaryMatcher(tied[::-1]).entries["长安"] == "LOC"

    def test_equals_a_search_without_a_trie(self):
        rng = random.Random(1)
        words = {"".join(rng.choices("甲乙丙", k=rng.randint(1, 5))) for _ in range(25)}
        matcher = DictionaryMatcher([sentence((word, "X"), "。") for word in words])
        texts = ["".join(rng.choices("甲乙丙丁", k=30)) for _ in range(300)]
        assert matcher.predict(texts) == [slow_match(text, words) for text in texts]

    def test_nothing_to_look_up(self):
        assert DictionaryMatcher([]).predict(["北京"]) == [[]]
        assert len(DictionaryMatcher(TRAIN)) == 4


def slow_match(text: str, words: set[str]) -> list[Span]:
    found, start = [], 0
    while start < len(text):
        end = next((end for end in range(len(text), start, -1) if text[start:end] in words), None)
        if end:
            found.append(Span(start, end, "X"))
        start = end or start + 1
    return found


class TestFeatureCRF:
    def test_features_are_the_n_grams_of_a_window_of_five(self):
        middle = character_features("甲乙丙丁戊己")[2]
        grams = {gram.split(":")[1] for gram in middle}
        assert grams == {"甲", "乙", "丙", "丁", "戊", "甲乙", "乙丙", "丙丁", "丁戊", "甲乙丙", "乙丙丁", "丙丁戊"}
        assert len(set(middle)) == 12
        assert not any("\0" in gram for features in character_features("甲") for gram in features)

    def test_learns_from_context_what_no_dictionary_holds(self):
        names, places = ["王明", "李红", "赵伟", "孙丽"], ["天津", "上海", "广州", "成都"]
        train = [sentence((n, "PER"), "住在", (p, "LOC"), "。") for n, p in itertools.product(names, places)]
        crf = FeatureCRF(train)
        assert crf.predict(["周芳住在昆明。", ""]) == [[Span(0, 2, "PER"), Span(4, 6, "LOC")], []]
        texts = [example.text for example in train]
        assert span_scores([example.spans for example in train], crf.predict(texts))["f1"] == 1.0
        assert DictionaryMatcher(train).predict(["周芳住在昆明。"]) == [[]]

    def test_same_data_same_predictions(self):
        texts = ["北京大学和张三", "去华盛顿"]
        assert FeatureCRF(TRAIN).predict(texts) == FeatureCRF(TRAIN).predict(texts)

    def test_no_example(self):
        with pytest.raises(ValueError, match="at least one example"):
            FeatureCRF([])


def test_ngram_classifier_learns_characters():
    texts = ["房间很好", "服务很好", "很好看", "房间太差", "服务太差", "太差了"]
    labels = ["positive"] * 3 + ["negative"] * 3
    classifier = ngram_classifier().fit(texts, labels)
    assert list(classifier.predict(["早餐很好", "早餐太差"])) == ["positive", "negative"]
    telling = telling_ngrams(classifier, 4)
    assert "好" in telling["positive"]
    assert "差" in telling["negative"]


def test_telling_ngrams_of_three_classes():
    classifier = ngram_classifier().fit(["书好", "书好", "房大", "房大", "菜香", "菜香"], list("aabbcc"))
    telling = {label: names[0] for label, names in telling_ngrams(classifier, 1).items()}
    assert telling["a"] in "书好"
    assert telling["b"] in "房大"
    assert telling["c"] in "菜香"
