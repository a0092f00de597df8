"""The three recipes against the percentages of their papers, on real text."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from hanlp_tutor.corpora import peoples_daily
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.encoders.mini import SPECIAL, mini_tokenizer, vocabulary
from hanlp_tutor.pretraining.masking import RECIPES, Masker, Words
from hanlp_tutor.pretraining.text import read_text

MASK, FIRST = SPECIAL.index("[MASK]"), len(SPECIAL)
LENGTH, DRAWINGS = 512, 200


@pytest.fixture(scope="module")
def text():
    lines = (("news", [word for word, _ in words]) for _, words in islice(peoples_daily.read_words(), 1500))
    return read_text(TextEncoder(mini_tokenizer()), lines)


@pytest.fixture(scope="module")
def words(text):
    """Each word's similar word is the next one of its length, so that a substitute is known when it is seen."""
    encoder = TextEncoder(mini_tokenizer())
    spelling = [tuple(encoder.by_character(word)) for word in text.vocabulary]
    by_length: dict[int, list[int]] = {}
    for number, ids in enumerate(spelling):
        by_length.setdefault(len(ids), []).append(number)
    similar = np.full((len(spelling), 1), -1)
    for numbers in by_length.values():
        for here, after in zip(numbers, [*numbers[1:], numbers[0]], strict=True):
            similar[here] = after
    return Words(spelling, similar)


def rows(text, words, recipe, count=DRAWINGS, length=LENGTH):
    """Drawings of a recipe: (ids, words of the row, changed row, chosen positions)."""
    masker = Masker(recipe, mask_id=MASK, first_id=FIRST, vocabulary=len(vocabulary()), words=words)
    rng = np.random.default_rng(7)
    for _ in range(count):
        begin = int(rng.choice(text.word_begins[text.word_begins < len(text.ids) - length]))
        ids, numbers = text.ids[begin : begin + length], text.words[begin : begin + length]
        row, chosen, _ = masker(ids, numbers, rng)
        yield ids, numbers, row, chosen


@pytest.mark.parametrize("recipe", RECIPES)
def test_fifteen_per_cent_of_the_ordinary_characters_are_chosen(text, words, recipe):
    drawn = list(rows(text, words, recipe))
    shares = [len(chosen) / np.sum(ids >= FIRST) for ids, _, _, chosen in drawn]
    assert np.mean(shares) == pytest.approx(0.15, abs=0.002)
    for ids, _, row, chosen in drawn:
        assert (ids[chosen] >= FIRST).all(), "a special token was chosen"
        untouched = np.delete(np.arange(LENGTH), chosen)
        assert (row[untouched] == ids[untouched]).all()
        assert (np.diff(chosen) > 0).all()


@pytest.mark.parametrize("recipe", ["bert", "roberta-wwm"])
def test_of_the_chosen_80_per_cent_are_masks_10_random_10_kept(text, words, recipe):
    before, after = (
        np.concatenate(part)
        for part in zip(*((ids[chosen], row[chosen]) for ids, _, row, chosen in rows(text, words, recipe)), strict=True)
    )
    assert np.mean(after == MASK) == pytest.approx(0.8, abs=0.01)
    assert np.mean(after == before) == pytest.approx(0.1, abs=0.01)
    strange = after[(after != MASK) & (after != before)]
    assert len(strange) / len(after) == pytest.approx(0.1, abs=0.01)
    # drawn from the whole vocabulary, not from frequent characters
    assert np.median(strange) == pytest.approx(len(vocabulary()) / 2, rel=0.1) and strange.min() >= FIRST


def word_borders(numbers, ids):
    """Where the words of a row begin and end, counted anew: a word ends at a special token."""
    borders, begin = [], None
    for place in range(len(ids) + 1):
        ends = place == len(ids) or numbers[place] >= 0 or ids[place] < FIRST
        if ends and begin is not None:
            borders.append((begin, place))
            begin = None
        if place < len(ids) and numbers[place] >= 0 and ids[place] >= FIRST:
            begin = place
    return borders


@pytest.mark.parametrize("recipe", ["roberta-wwm", "macbert"])
def test_words_are_chosen_whole(text, words, recipe):
    for ids, numbers, _, chosen in rows(text, words, recipe, count=60):
        hit = set(chosen.tolist())
        partly = [b for b in word_borders(numbers, ids) if 0 < len(hit.intersection(range(*b))) < b[1] - b[0]]
        assert partly == []


def test_bert_splits_words(text, words):
    split = 0
    for ids, numbers, _, chosen in rows(text, words, "bert", count=20):
        hit = set(chosen.tolist())
        split += sum(0 < len(hit.intersection(range(*b))) < b[1] - b[0] for b in word_borders(numbers, ids))
    assert split > 100


def test_macbert_puts_similar_words_in_80_per_cent_random_words_in_10_and_never_a_mask(text, words):
    fates = Counter()
    for ids, numbers, row, chosen in rows(text, words, "macbert"):
        assert MASK not in row
        hit = set(chosen.tolist())
        for begin, end in word_borders(numbers, ids):
            if begin not in hit:
                continue
            word = int(numbers[begin])
            if len(words.spelling[word]) != end - begin:
                continue  # cut off by the end of the row
            now = tuple(row[begin:end].tolist())
            similar = words.spelling[int(words.similar[word, 0])]
            fates["similar" if now == similar else "kept" if now == words.spelling[word] else "random"] += 1
    total = sum(fates.values())
    assert total > 5000
    assert fates["similar"] / total == pytest.approx(0.8, abs=0.02)
    assert fates["kept"] / total == pytest.approx(0.1, abs=0.02)
    assert fates["random"] / total == pytest.approx(0.1, abs=0.02)


def test_macbert_chooses_runs_of_one_to_four_words_as_often_as_its_paper(words):
    """On one-character words, with room for the whole last run, against runs laid by the paper's rule alone."""
    count = 20_000
    single = [number for number, ids in enumerate(words.spelling) if len(ids) == 1]
    numbers = np.resize(np.array(single), count)
    ids = np.array([words.spelling[number][0] for number in numbers])
    masker = Masker("macbert", mask_id=MASK, first_id=1, vocabulary=len(vocabulary()), words=words)
    _, chosen, _ = masker(ids, numbers, np.random.default_rng(3))
    ours = Counter(np.bincount(np.cumsum(np.diff(chosen, prepend=-9) > 1)).tolist()[1:])

    rng, taken = np.random.default_rng(4), np.zeros(count + 4, dtype=bool)
    while taken.sum() < 0.15 * count:
        begin = rng.integers(count)
        if not taken[begin]:
            taken[begin : begin + rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1])] = True
    theirs = Counter(np.bincount(np.cumsum(np.diff(np.flatnonzero(taken), prepend=-9) > 1)).tolist()[1:])
    for length in range(1, 5):
        expected = theirs[length] / sum(theirs.values())
        assert ours[length] / sum(ours.values()) == pytest.approx(expected, abs=0.05), length


def test_a_held_out_texts_own_words_are_never_put_in(words):
    """They have spellings but no similar words, and their number is beyond the table."""
    own = (7, 8)
    more = Words([*words.spelling, own], words.similar)
    masker = Masker("macbert", mask_id=MASK, first_id=FIRST, vocabulary=len(vocabulary()), words=more)
    ids, numbers = np.tile(own, 30), np.tile([len(words.spelling), -1], 30)
    rng, others = np.random.default_rng(2), set(words.spelling)
    for _ in range(50):
        row, chosen, _ = masker(ids, numbers, rng)
        for begin in chosen[::2]:
            assert tuple(row[begin : begin + 2].tolist()) in others | {own}


def test_a_row_of_special_tokens_and_a_short_row_are_no_trouble(words):
    masker = Masker("roberta-wwm", mask_id=MASK, first_id=FIRST, vocabulary=len(vocabulary()), words=words)
    row, chosen, changed = masker(np.array([2, 3, 3]), np.array([-1, -1, -1]), np.random.default_rng(1))
    assert row.tolist() == [2, 3, 3] and len(chosen) == len(changed) == 0
