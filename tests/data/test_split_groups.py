"""Groups and near duplicates that stay in one set, and splits that a colleague gets too."""

import itertools
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanlp_tutor import load_corpus
from hanlp_tutor.data import LabelledText, Split, TaggedText, split_stratified
from hanlp_tutor.data.split import split_groups, split_without_leaks
from hanlp_tutor.data.stored_split import load_split, save_split
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.teach.planted import paraphrase
from hanlp_tutor.workbench.audit import audit

CAREFUL = settings(derandomize=True, deadline=None)


def numbered(labels) -> list[LabelledText]:
    return [LabelledText(f"第{number}条", label, f"a.txt:{number + 1}") for number, label in enumerate(labels)]


def subsets(split) -> list[list[int]]:
    return [[int(e.text[1:-1]) for e in subset] for subset in (split.train, split.dev, split.test)]


@CAREFUL
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("aab")), max_size=150), st.integers(0, 2))
def test_groups_stay_whole_and_sides_keep_their_shares(rows, seed):
    examples = numbered(label for _, label in rows)
    groups = [group for group, _ in rows]
    split = split_groups(examples, groups, seed=seed)
    assert sorted(itertools.chain(*subsets(split))) == list(range(len(rows)))
    assert subsets(split) == subsets(split_groups(examples, lambda e: groups[int(e.text[1:-1])], seed=seed))
    subset_of = {number: name for name, subset in enumerate(subsets(split)) for number in subset}
    assert all(len({subset_of[n] for n in range(len(rows)) if groups[n] == group}) == 1 for group in set(groups))
    largest = max(Counter(groups).values(), default=0)
    for subset, share in zip(subsets(split), (0.8, 0.1, 0.1), strict=True):
        assert abs(len(subset) - share * len(rows)) <= largest + 2


@CAREFUL
@given(st.lists(st.sampled_from("aaaabc"), max_size=300), st.integers(0, 2))
def test_single_examples_are_stratified(labels, seed):
    split = split_groups(numbered(labels), range(len(labels)), seed=seed)
    total = Counter(labels)
    for subset, share in ((split.train, 0.8), (split.dev, 0.1), (split.test, 0.1)):
        assert abs(len(subset) - share * len(labels)) < 3
        counts = Counter(example.label for example in subset)
        assert all(abs(counts[label] - share * total[label]) < 3 for label in total)


def test_it_never_changes_and_depends_on_the_seed():
    examples = numbered("ab" * 10)
    split = split_groups(examples, [n // 2 for n in range(20)], seed=1)
    assert subsets(split)[1:] == [[11, 10], [4, 5]]
    assert subsets(split) != subsets(split_groups(examples, [n // 2 for n in range(20)], seed=2))


@pytest.mark.parametrize("ratio", [(9, 1, 0), (8, 0, 2), (1, 0, 0), (0, 0, 1)])
def test_ratios_with_an_empty_set(ratio):
    split = split_groups(numbered("a" * 100), [n // 2 for n in range(100)], ratio=ratio)
    assert [len(subset) for subset in subsets(split)] == [100 * part / sum(ratio) for part in ratio]


def test_groups_of_another_number_are_refused():
    with pytest.raises(ConfigError, match="3 examples have 2 groups"):
        split_groups(numbered("aaa"), [1, 2])


def test_near_duplicates_stay_in_one_set():
    reviews = [e for e in load_corpus("reviews").train if len(e.text) > 60][:300]
    copies = [LabelledText(paraphrase(e.text, 1, 1, "的一是"), e.label) for e in reviews[:150]]
    examples = [*reviews, *copies, *reviews[150:180]]
    by_example = split_stratified(examples)
    assert len(audit(by_example.train, by_example.dev, by_example.test).of("leak", "near-leak")) > 20
    split = split_without_leaks(examples)
    assert audit(split.train, split.dev, split.test).of("leak", "near-leak") == []
    assert [round(len(subset) / 480, 2) for subset in (split.train, split.dev, split.test)] == [0.8, 0.1, 0.1]


# ---------------------------------------------------------------- stored splits


def test_a_colleague_gets_the_same_sets(tmp_path):
    examples = [*numbered("ab" * 20), LabelledText("两次", "a", "x:1"), LabelledText("两次", "a", "x:2")]
    split = split_stratified(examples)
    save_split(tmp_path / "split.json", split)
    theirs = [LabelledText(e.text, e.label, f"elsewhere:{n}") for n, e in enumerate(reversed(examples))]
    again = load_split(tmp_path / "split.json", theirs)
    assert again == Split(*(list(subset) for subset in (split.train, split.dev, split.test)))
    assert again.train[0].source.startswith("elsewhere")
    content = (tmp_path / "split.json").read_text(encoding="utf-8")
    assert "第" not in content
    assert json.loads(content)["counts"] == {"train": 34, "dev": 4, "test": 4}


def test_tagged_texts_and_empty_sets(tmp_path):
    examples = [TaggedText("张三", ("B-PER", "I-PER"), "a:1"), TaggedText("来", ("O",), "a:4")]
    save_split(tmp_path / "split.json", Split(examples[::-1], [], []))
    assert load_split(tmp_path / "split.json", examples) == Split(examples[::-1], [], [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e[:-1], "1 examples of the split are missing."),
        (lambda e: [*e, LabelledText("新的", "a", "b.txt:7")], r"1 are not in it, the first '新的' \(b.txt:7\)."),
        (lambda e: [LabelledText(e[0].text, "b", "a.txt:1"), *e[1:]], "1 examples .* missing, and 1 are not in it"),
        (lambda e: [*e, e[0]], "1 are not in it"),
    ],
)
def test_data_that_has_changed_is_refused(tmp_path, change, message):
    examples = numbered("a" * 10)
    save_split(tmp_path / "split.json", split_stratified(examples))
    with pytest.raises(DataError, match=message) as caught:
        load_split(tmp_path / "split.json", change(examples))
    assert "split.json" in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "hanlp_tutor split 1", "sides": {"train": [1]}}'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "split.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="no stored split"):
        load_split(tmp_path / "split.json", [])
    with pytest.raises(DataError, match="no such file"):
        load_split(tmp_path / "none.json", [])
