from collections import Counter

import pytest

from hanlp_tutor.corpora import load_corpus, reviews
from hanlp_tutor.data import fingerprint
from hanlp_tutor.data.split import split_groups
from hanlp_tutor.errors import DataError


def test_the_split_is_the_published_one():
    corpus = load_corpus("reviews")
    subsets = (corpus.train, corpus.dev, corpus.test)
    assert corpus.task == "classify"
    assert [Counter(review.label for review in subset) for subset in subsets] == [
        {"positive": 5181, "negative": 4582},
        {"positive": 833, "negative": 903},
        {"positive": 833, "negative": 903},
    ]
    assert [fingerprint(each)[:16] for each in subsets] == ["c9656ca58275ff0a", "1cac0bc601c30842", "735a86bed6adb27a"]
    texts = [review.text for subset in subsets for review in subset]
    assert len(texts) == len(set(texts)) == 8379 + 9078 - 2 * 47 - 16 - 4112
    assert "47 texts" in corpus.provenance


def test_no_review_stands_in_the_training_set_and_in_another():
    corpus = load_corpus("reviews")
    held_out = {review.group for review in (*corpus.dev, *corpus.test)}
    assert not held_out & {review.group for review in corpus.train}
    of_one_hotel = {
        f"neg.txt:{number}" for number in range(3400, 3410)
    }  # 前面几位评价误导了我 … 1、… 2、… 好处是：… 总体评价：…
    found = {review for review in (*corpus.train, *corpus.dev, *corpus.test) if review.source in of_one_hotel}
    assert {review.group for review in found} == {"neg.txt:3400"} and not found & set(corpus.train)


def test_the_earlier_training_set_is_the_one_that_the_encoders_cards_speak_of():
    """It held 13,875 lines, and no line of dev or test; what is left of it is today's, in the same order."""
    corpus, earlier = load_corpus("reviews"), reviews.earlier_train()
    assert (len(earlier), fingerprint(earlier)[:16]) == (13_875, "24917bbbd5ded3f6")
    assert not {review.text for review in earlier} & {review.text for review in (*corpus.dev, *corpus.test)}
    today = set(corpus.train)
    assert tuple(review for review in earlier if review in today) == corpus.train


def test_a_new_split_keeps_the_reviews_together():
    corpus = load_corpus("reviews")
    split = split_groups((*corpus.train, *corpus.dev, *corpus.test))
    groups = [{review.group for review in part} for part in (split.train, split.dev, split.test)]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert [round(len(part) / 1000) for part in (split.train, split.dev, split.test)] == [11, 1, 1]


def test_repeats_and_texts_under_both_labels_go(tmp_path, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    (tmp_path / "pos.txt").write_text("很好\n优点：\n很好 \n\n", encoding="utf-8")
    (tmp_path / "neg.txt").write_text("优点：\n很差\n", encoding="utf-8")
    corpus = load_corpus("reviews")
    read = {(each.text, each.label) for subset in (corpus.train, corpus.dev, corpus.test) for each in subset}
    assert read == {("很好", "positive"), ("很差", "negative")}
    assert "Of 5 lines, 2 repeats and 1 texts" in corpus.provenance


def test_an_empty_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    (tmp_path / "pos.txt").write_text("很好\n", encoding="utf-8")
    (tmp_path / "neg.txt").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"neg.txt: is empty"):
        load_corpus("reviews")
