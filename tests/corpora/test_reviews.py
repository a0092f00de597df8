from collections import Counter

import pytest

from hanlp_tutor.corpora import load_corpus
from hanlp_tutor.data import fingerprint
from hanlp_tutor.errors import DataError


def test_the_split_is_the_published_one():
    corpus = load_corpus("reviews")
    subsets = (corpus.train, corpus.dev, corpus.test)
    assert corpus.task == "classify"
    assert [Counter(review.label for review in subset) for subset in subsets] == [
        {"positive": 6653, "negative": 7222},
        {"positive": 833, "negative": 903},
        {"positive": 833, "negative": 903},
    ]
    assert [fingerprint(each)[:16] for each in subsets] == ["24917bbbd5ded3f6", "1cac0bc601c30842", "735a86bed6adb27a"]
    texts = [review.text for subset in subsets for review in subset]
    assert len(texts) == len(set(texts)) == 8379 + 9078 - 2 * 47 - 16
    assert "47 texts" in corpus.provenance


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
