"""Batches: every example once, the token budget kept, hardly any padding, each token read where HanLP reads it."""

import itertools
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.core.batching import IGNORED, Encoded, collate, length_buckets, window_of, windows
from hanlp_tutor.corpora import load_corpus

LENGTHS = st.lists(st.integers(0, 700), min_size=1, max_size=80)
SHUFFLES = st.none() | st.tuples(st.integers(0, 5), st.integers(0, 5))


def collated(lengths, max_length=512):
    """Examples whose token ids tell themselves apart: 1000 for the first token of all, counting on."""
    first, examples = 1000, []
    for number, length in enumerate(lengths):
        ids = list(range(first, first + length))
        examples.append(Encoded(ids, [i % 3 for i in ids], f"file:{number}"))
        first += length
    return examples, collate(examples, max_length=max_length, cls_id=1, sep_id=2, pad_id=0)


@given(st.integers(0, 3000), st.integers(2, 600))
def test_windows_cover_a_text_and_overlap_by_half(length, size):
    spans = windows(length, size)
    assert spans[0][0] == 0 and spans[-1][1] == length
    assert all(end - start <= size for start, end in spans)
    assert all(start == k * (size // 2) for k, (start, _) in enumerate(spans))
    if len(spans) > 1:
        assert spans[-2][1] < length, "the last window is needed"
        for token in range(length):
            start, end = spans[window_of(token, len(spans), size)]
            assert start <= token < end
            margin = size // 4 - 1  # of context on each side, but at the ends of the text
            assert token - start >= margin or start == 0
            assert end - token > margin or end == length


@given(LENGTHS, st.integers(1, 40), st.integers(16, 4000), st.integers(16, 512), SHUFFLES)
def test_every_example_once_and_the_budget_kept(lengths, batch_size, max_tokens, max_length, shuffle):
    how = {"batch_size": batch_size, "max_tokens": max_tokens, "max_length": max_length}
    batches = length_buckets(lengths, **how, shuffle=shuffle)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for numbers in batches:
        assert 1 <= len(numbers) <= batch_size
        _, batch = collated([lengths[i] for i in numbers], max_length)
        assert batch.input_ids.numel() <= max_tokens or len(numbers) == 1


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12), st.integers(16, 64))
def test_a_batch_holds_every_token_where_its_index_says(lengths, max_length):
    examples, batch = collated(lengths, max_length)
    flat = batch.input_ids.flatten()
    for number, example in enumerate(examples):
        n = len(example.ids)
        assert flat[batch.token_index[number, :n]].tolist() == example.ids
        assert batch.labels[number].tolist() == example.labels + [IGNORED] * (max(lengths) - n)
    assert batch.valid == sum(lengths) and batch.lengths == lengths
    assert batch.attention_mask.equal((batch.input_ids != 0).long())
    assert (batch.input_ids[:, 0] == 1).all() and batch.input_ids.size(1) <= max_length
    assert [int((row == 2).sum()) for row in batch.input_ids] == [1] * len(batch.input_ids)
    assert batch.owner.tolist() == [k for k, n in enumerate(lengths) for _ in windows(n, max_length - 2)]


@pytest.mark.parametrize("length", [511, 512, 765, 766, 1019, 1020, 1021, 1275, 1276, 2000])
def test_long_texts_are_read_as_hanlp_reads_them(length):
    from hanlp.layers.transformers.utils import restore_from_sliding_window, split_to_sliding_window
    from hanlp.transform.transformer_tokenizer import TransformerTokenizer

    (example,), batch = collated([length])
    rows = torch.tensor([TransformerTokenizer(512).sliding_window([1, *example.ids, 2])])
    split = split_to_sliding_window(rows, 512)
    assert batch.input_ids.equal(split)
    # hidden states that say where they are
    place = torch.arange(split.numel(), dtype=torch.float64).view(*split.shape, 1)
    restored, _ = restore_from_sliding_window(place, 1, 512, rows.size(1), 1, 1)
    assert batch.token_index[0].equal(restored[0, 1 : 1 + length, 0].long())


def test_classes_of_texts_and_texts_without_gold():
    examples = [Encoded([5, 6], 1, "a"), Encoded([], 0, "b")]
    batch = collate(examples, max_length=512, cls_id=1, sep_id=2, pad_id=0)
    assert batch.labels.tolist() == [1, 0] and batch.valid == 2
    assert batch.input_ids.tolist() == [[1, 5, 6, 2], [1, 2, 0, 0]]
    unknown = collate([Encoded([5], None, ""), Encoded([], None, "")], max_length=512, cls_id=1, sep_id=2, pad_id=0)
    assert unknown.labels is None and unknown.valid == 0


def test_a_batch_of_nothing_but_empty_texts():
    batch = collate([Encoded([], None, "")], max_length=512, cls_id=1, sep_id=2, pad_id=0)
    assert batch.token_index.shape == (1, 0) and batch.token_index.dtype == torch.long


def test_order_is_random_between_epochs_and_the_same_for_one():
    rng = random.Random(1)
    lengths = [rng.randint(3, 90) for _ in range(400)]

    def draw(seed, epoch):
        return list(length_buckets(lengths, batch_size=16, max_tokens=2048, shuffle=(seed, epoch)))

    assert draw(1, 0) == draw(1, 0)
    first = draw(1, 0)
    for other in (draw(1, 1), draw(2, 0)):
        together = {frozenset(batch) for batch in first} & {frozenset(batch) for batch in other}
        assert len(together) < len(first) / 10, "the members of a batch change, not its place alone"
    widths = [max(lengths[i] for i in batch) for batch in first]
    falls = sum(left > right for left, right in itertools.pairwise(widths))
    assert 0.3 < falls / (len(widths) - 1) < 0.7, "short ones must not always come first"


@pytest.mark.parametrize("name", ["peoples_daily", "reviews"])
def test_padding_of_real_lengths(name):
    lengths = [len(example.text) for example in load_corpus(name).train][:8000]
    shuffled = list(range(len(lengths)))
    random.Random(1).shuffle(shuffled)
    blind = [shuffled[i : i + 32] for i in range(0, len(lengths), 32)]

    def waste(batches):
        computed = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
        return 1 - sum(lengths) / computed

    ours = length_buckets(lengths, batch_size=32, max_tokens=4096, max_length=4096, shuffle=(1, 0))
    assert waste(blind) > 0.5, "random batches are what we compare with"
    assert waste(ours) < 0.1
