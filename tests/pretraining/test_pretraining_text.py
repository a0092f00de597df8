"""Pre-training text: words as arrays, and no sentence of a dev or test set in it."""

import re
from dataclasses import replace
from itertools import islice

import pytest

from hanlp_tutor.corpora import load_corpus, reviews
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.encoders.mini import mini_tokenizer
from hanlp_tutor.errors import DataError
from hanlp_tutor.pretraining import text as pretraining_text
from hanlp_tutor.pretraining.text import CORPORA, cut, read_text, training_lines


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder(mini_tokenizer())


@pytest.fixture(scope="module", params=["of today", "that the embedded encoders read"])
def lines(request):
    """Of the reviews the encoders have read the training set before lines were dropped from it."""
    corpora = {name: load_corpus(name) for name in CORPORA}
    if request.param != "of today":
        corpora["reviews"] = replace(corpora["reviews"], train=reviews.earlier_train())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining_text, "load_corpus", corpora.__getitem__)
        return list(training_lines())


def test_arrays_say_what_the_lines_say(encoder):
    text = read_text(encoder, [("a", ["江泽民", "在", "北京"]), ("b", ["北京", "很", "大"])])
    assert text.vocabulary == ["江泽民", "在", "北京", "很", "大"]
    assert text.words.tolist() == [0, -1, -1, 1, 2, -1, -1, 2, -1, 3, 4, -1]
    assert text.lines.tolist() == [0, 7] and text.word_begins.tolist() == [0, 3, 4, 7, 9, 10]
    assert text.ids.tolist() == [
        *encoder.by_character("江泽民在北京"), encoder.sep_id, *encoder.by_character("北京很大"), encoder.sep_id
    ]  # fmt: skip
    assert [list(s) for s in text.sentences()] == [["江泽民", "在", "北京"], ["北京", "很", "大"]]
    assert text.sources == (
        {"source": "a", "lines": 1, "characters": 6},
        {"source": "b", "lines": 1, "characters": 4},
    )


def test_the_fingerprint_of_the_first_sources_is_theirs_alone(encoder):
    own = [("a", ["中国", "人"]), ("b", ["好"])]
    both = read_text(encoder, [*own, ("c", ["新闻"])])
    assert both.fingerprint(["a", "b"]) == read_text(encoder, own).fingerprint() != both.fingerprint()
    with pytest.raises(DataError, match="does not begin with b"):
        both.fingerprint(["b"])


def test_the_fingerprint_sees_a_character_and_a_word_border(encoder):
    texts = (["北京", "很大"], ["北", "京", "很大"], ["北京", "很小"])
    assert len({read_text(encoder, [("a", words)]).fingerprint() for words in texts}) == 3


def test_a_second_text_has_the_numbers_of_the_first(encoder):
    first = read_text(encoder, [("a", ["江泽民", "在", "北京"])])
    second = read_text(encoder, [("b", ["我", "在", "北京"])], known=first.vocabulary)
    assert second.vocabulary == ["江泽民", "在", "北京", "我"]
    assert second.words.tolist() == [3, 1, 2, -1, -1]


def test_no_text_is_an_error(encoder):
    with pytest.raises(DataError, match="no text"):
        read_text(encoder, [])


def test_no_sentence_of_a_dev_or_test_set_is_read(lines):
    """By another road than the code's: sentences are looked for as plain substrings, wherever they begin."""
    everything = "\n".join("".join(words) for _, words in lines)
    for name in CORPORA:
        corpus = load_corpus(name)
        for subset in (corpus.dev, corpus.test):
            whole = [re.sub(r"\s", "", example.text) for example in subset]
            assert not {text for text in whole if len(text) >= 10} & {"".join(words) for _, words in lines}
            sentences = [part for text in whole for part in re.findall(r"[^。！？!?；;]{9,}[。！？!?；;]", text)]
            found = [s for s in sentences[:: len(sentences) // 150] if s in everything]
            assert found == [], f"{name}: {found[:2]}"


def test_both_corpora_are_there_cut_into_words(lines, request):
    sources = [source for source, _ in lines]
    reviews_at_least = 9_000 if "of today" in request.node.name else 12_000
    assert sources.count("peoples_daily") > 14_000 and sources.count("reviews") > reviews_at_least
    words = [word for _, line in islice(lines, 1000) for word in line]
    assert 1.2 < sum(map(len, words)) / len(words) < 3


def test_files_join_and_a_held_out_sentence_in_them_does_not(tmp_path):
    secret = next(e.text for e in load_corpus("peoples_daily").test if len(e.text) > 60)
    file = tmp_path / "more.txt"
    new = "完全新的一行文字，没有人见过它。"
    file.write_text(f"{new}\n{secret}\n据报道，{secret}\n\n{new}\n", encoding="utf-8")
    added = [words for source, words in training_lines([file]) if source == "more"]
    assert ["".join(words) for words in added] == [new]
    with pytest.raises(DataError, match="no such file"):
        list(training_lines([tmp_path / "absent.txt"]))


def test_words_spell_the_text():
    assert "".join(cut("我们 在北京大学\t读书")) == "我们在北京大学读书"
