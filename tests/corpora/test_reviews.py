from collections import Counter

import pytest

from hanlp_tutor.corpora import load_corpus
from hanlp_tutor.data import fingerprint
from hanlp_tutor.errors import DataError


def test_the_split_is_the_published_one():
    corpus = load_corpus("reviews")
    sides = (corpus.train, corpus.dev, corpus.test)
    assert corpus.task == "classify"
    assert [Counter(review.label for review in side) for side in sides] == [
        {"positive": 6653, "negative": 7222},
        {"positive": 833, "negative": 903},
        {"positive": 833, "negative": 903},
    ]
    assert [fingerprint(side)[:16] for side in sides] == ["24917bbbd5ded3f6", "1cac0bc601c30842", "735a86bed6adb27a"]
    texts = [review.text for side in sides for review in side]
    assert len(texts) == len(set(texts)) == 8379 + 9078 - 2 * 47 - 16
    assert "47 texts" in corpus.provenance


def test_repeats_and_texts_under_both_labels_go(tmp_path, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    (tmp_path / "pos.txt").write_text("很好\n优点：\n很好 \n\n", encoding="utf-8")
    (tmp_path / "neg.txt").write_text("优点：\n很差\n", encoding="utf-8")
    corpus = load_corpus("reviews")
    read = {(each.text, each.label) for side in (corpus.train, corpus.dev, corpus.test) for each in side}
    assert read == {("很好", "positive"), ("很差", "negative")}
    assert "Of 5 lines, 2 repeats and 1 texts" in corpus.provenance


def test_an_empty_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    (tmp_path / "pos.txt").write_text("很好\n", encoding="utf-8")
    (tmp_path / "neg.txt").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"neg.txt: is empty"):
        load_corpus("reviews")
