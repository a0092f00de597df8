import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.data import LabelledText, TaggedText, drop_duplicates, split_blocks, split_stratified
from hanlp_tutor.errors import ConfigError


def numbered(labels: list[str]) -> list[LabelledText]:
    return [LabelledText(str(number), label) for number, label in enumerate(labels)]


def subsets(split) -> list[list[int]]:
    return [[int(example.text) for example in subset] for subset in (split.train, split.dev, split.test)]


@given(st.lists(st.sampled_from("aaaabc"), max_size=200), st.integers(0, 3))
def test_stratified_is_a_partition_in_ratio_for_each_label(labels, seed):
    examples = numbered(labels)
    split = split_stratified(examples, seed=seed)
    assert sorted(itertools.chain(*subsets(split))) == list(range(len(labels)))
    assert subsets(split) == subsets(split_stratified(examples, seed=seed))
    total = Counter(labels)
    for subset, share in ((split.train, 0.8), (split.dev, 0.1), (split.test, 0.1)):
        assert abs(len(subset) - share * len(labels)) <= 1
        counts = Counter(example.label for example in subset)
        assert all(abs(counts[label] - share * total[label]) <= 2 for label in total)


def test_stratified_never_changes():
    assert subsets(split_stratified(numbered(["a", "b"] * 10), seed=1))[1:] == [[3, 0], [16, 9]]


def test_stratified_sides_are_shuffled_and_depend_on_the_seed():
    examples = numbered(["a"] * 500 + ["b"] * 500)
    split = split_stratified(examples)
    assert 30 < Counter(example.label for example in split.train[:100])["a"] < 70
    assert subsets(split) != subsets(split_stratified(examples, seed=2))


def test_tagged_texts_are_stratified_by_their_entity_types():
    plain = [TaggedText(f"{n:04}", ("O",) * 4) for n in range(90)]
    rare = [TaggedText(f"{n:04}", ("B-X",) + ("O",) * 3) for n in range(90, 100)]
    split = split_stratified(plain + rare)
    assert [sum(bool(each.spans) for each in subset) for subset in (split.train, split.dev, split.test)] == [8, 1, 1]


@pytest.mark.parametrize("ratio", [(9, 1, 0), (8, 0, 2), (1, 0, 0), (0, 0, 1), (0, 1, 0)])
def test_ratios_with_an_empty_set(ratio):
    expected = [100 * part / sum(ratio) for part in ratio]
    examples = numbered(["a"] * 100)
    assert [len(subset) for subset in subsets(split_stratified(examples, ratio=ratio))] == expected
    assert [len(subset) for subset in subsets(split_blocks(examples, block=1, ratio=ratio))] == expected


@pytest.mark.parametrize("ratio", [(8, 1), (8, -1, 1), (0, 0, 0)])
def test_impossible_ratios(ratio):
    with pytest.raises(ConfigError, match="ratio"):
        split_stratified(numbered(["a"]), ratio=ratio)


@given(st.integers(0, 300), st.integers(1, 20), st.integers(0, 3))
def test_blocks_stay_whole(count, block, seed):
    split = split_blocks(numbered(["a"] * count), block=block, seed=seed)
    assert sorted(itertools.chain(*subsets(split))) == list(range(count))
    subset_of = {number: name for name, subset in enumerate(subsets(split)) for number in subset}
    for start in range(0, count, block):
        assert len({subset_of[number] for number in range(start, min(start + block, count))}) == 1
    for subset, share in ((split.dev, 0.1), (split.test, 0.1)):
        assert len(subset) < share * count + block


def test_a_block_begins_only_where_it_may():
    split = split_blocks(numbered(["a"] * 100), block=4, may_start=lambda index: index % 7 == 0)
    for subset in subsets(split):
        for before, after in itertools.pairwise(subset):
            assert after == before + 1 or after % 7 == 0
    with pytest.raises(ConfigError, match="block"):
        split_blocks([], block=0)


def test_duplicates_keep_their_first():
    examples = [LabelledText("好", "p", "1"), LabelledText("坏", "n", "2"), LabelledText("好", "n", "3")]
    kept, dropped = drop_duplicates(examples)
    assert ([each.source for each in kept], dropped) == (["1", "2"], 1)
