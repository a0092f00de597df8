"""Labels of a dev or test set that its model, or its training set, does not know; and sets that teach nothing."""

import pytest

from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.known_labels import check_known, names, nothing_to_learn
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.data.words import TaggedWords
from hanlp_tutor.errors import DataError

REVIEWS = [LabelledText("房间很好", "positive", "a.txt:1"), LabelledText("太差了", "negative", "a.txt:2")]
TAGGED = [TaggedText("赵云来了", ("B-人名", "I-人名", "O", "O"), "a.bio:1")]


def noted(*arguments, **options):
    notes = []
    with notes_to(notes.append):
        check_known(*arguments, **options)
    return notes


def test_no_label_is_known():
    with pytest.raises(DataError, match=r"a[.]txt: no label of this .* model: negative, positive;") as e:
        check_known("classify", ("正面", "负面"), REVIEWS)
    assert "the model knows 正面, 负面" in str(e.value)
    with pytest.raises(DataError, match=r"occurs in the training set: .*; the training set has 正面, 负面"):
        check_known("classify", {"正面": 3, "负面": 4}, REVIEWS, training=True)
    with pytest.raises(DataError, match="known to the model: 人名; the model knows LOC, PER"):
        check_known("ner", ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"), TAGGED)


def test_some_labels_are_unknown():
    (note,) = noted("classify", ("positive", "neutral"), REVIEWS)
    assert note.startswith("a.txt: 1 of 2 examples count as wrong") and "negative" in note
    assert noted("classify", ("positive", "negative", "neutral"), REVIEWS) == []
    both = [*TAGGED, TaggedText("到京", ("O", "B-LOC"))]
    (note,) = noted("ner", ("O", "B-LOC", "I-LOC"), both)
    assert "1 of 2 entities" in note


def test_a_file_without_any_entity():
    (note,) = noted("ner", ("O", "B-PER", "I-PER"), [TaggedText("来了", ("O", "O"), "a.bio:1")])
    assert note == "a.bio: holds no entity: precision, recall and F1 say nothing on it."
    assert noted("classify", ("a",), []) == []


def test_columns_that_are_swapped_in_a_test_file():
    swapped = [LabelledText("正面", "很好", "a.txt:1"), LabelledText("负面", "坏", "a.txt:2")]
    with pytest.raises(DataError, match="the columns look swapped: the texts are 正面, 负面") as error:
        check_known("classify", ("正面", "负面"), swapped)
    assert "-r label_first true" in str(error.value)


def test_a_message_lists_few_labels():
    many = [LabelledText("好", f"很长的一段文字用来当作标签其实是文本{n}", f"a.txt:{n + 1}") for n in range(300)]
    with pytest.raises(DataError) as error:
        check_known("classify", ("正面", "负面"), many)
    assert "(300 in all)" in str(error.value) and len(str(error.value)) < 500


def test_words_have_labels_of_several_tasks():
    words = [TaggedWords("pos", ("赵云", "来"), ("名", "动")), TaggedWords("tok", ("赵云", "来"))]
    with pytest.raises(DataError, match=r"pos/动, pos/名; the model knows ner/PER, pos/NR, pos/VV"):
        check_known("multitask", ("tok/B", "pos/NR", "pos/VV", "ner/O", "ner/B-PER", "ner/I-PER"), words)


def test_names():
    assert names("ner", {"O": 9, "B-PER": 2, "I-PER": 3}) == {"PER": 2}
    assert names("classify", ["B-1", "a/b"]) == {"B-1": 1, "a/b": 1}


def test_nothing_to_learn():
    assert "nothing but O" in nothing_to_learn("ner", {"O": 9})
    assert "all examples are 好" in nothing_to_learn("classify", {"好": 9})
    assert "has a label of its own" in nothing_to_learn("classify", {f"类{n}": 1 for n in range(9)})
    assert nothing_to_learn("classify", {f"类{n}": 1 for n in range(7)}) is None
    assert nothing_to_learn("ner", {"O": 9, "B-X": 1}) is None
    assert nothing_to_learn("classify", {"好": 9, "坏": 1}) is None
    assert nothing_to_learn("multitask", {"tok/S": 1}) is None
