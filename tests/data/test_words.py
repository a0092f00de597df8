"""Files and examples of words: what is read, what is refused, and that no sentence is in two sets."""

import re
import subprocess

import pytest
from toy import write_words

from hanlp_tutor.data.words import (
    TaggedWords,
    read_task_files,
    read_words,
    split_by_text,
    task_files,
    word_labels,
)
from hanlp_tutor.errors import ConfigError, DataError

WORDS = ("中国", "人民", "热爱", "北京")
POS = TaggedWords("pos", WORDS, ("ns", "n", "v", "ns"))
NER = TaggedWords("ner", WORDS, ("B-LOC", "O", "O", "B-LOC"))
TOK = TaggedWords("tok", WORDS)


def test_spans_count_characters():
    assert [(s.start, s.end, s.label) for s in NER.spans] == [(0, 2, "LOC"), (6, 8, "LOC")]
    assert [POS.text[s.start : s.end] for s in POS.spans] == list(WORDS)
    assert [s.label for s in POS.spans] == list(POS.tags)
    assert [(s.start, s.end) for s in TOK.spans] == [(0, 2), (2, 4), (4, 6), (6, 8)]
    joined = TaggedWords("ner", ("江", "泽民", "来"), ("B-PER", "I-PER", "O"))
    assert [(s.start, s.end, s.label) for s in joined.spans] == [(0, 3, "PER")]


def test_answers_and_labels_name_their_task():
    assert TaggedWords("tok", ("我", "天安门")).gold_labels == ("tok/S", "tok/B", "tok/M", "tok/E")
    assert word_labels([NER, TOK, POS]) == (
        "tok/B", "tok/M", "tok/E", "tok/S", "pos/n", "pos/ns", "pos/v", "ner/O", "ner/B-LOC", "ner/I-LOC",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (("dep", WORDS, ("x",) * 4), "no task 'dep'"),
        (("pos", WORDS, ("n",)), "4 words of the task pos have 1 tags"),
        (("tok", WORDS, ("n",) * 4), "not 0"),
        (("ner", WORDS, ("LOC", "O", "O", "O")), "'LOC' is no tag of ner"),
        (("pos", ("中国", ""), ("n", "n")), "empty word"),
        (("tok", (), ()), "without words"),
    ],
)
def test_what_is_no_example(values, what):
    with pytest.raises(DataError, match=what):
        TaggedWords(*values)


@pytest.mark.parametrize("example", [TOK, POS, NER], ids=["tok", "pos", "ner"])
def test_sentences_are_read_as_they_stand(tmp_path, example):
    path = tmp_path / "words"
    other = TaggedWords(example.task, ("好",), () if example.task == "tok" else ("O",))
    many = TaggedWords(example.task, ("很好",), () if example.task == "tok" else ("O",))
    write_words(path, [example, other, many])
    again = read_words(example.task, path)
    assert again == [example, other, many] and again[0].source == f"{path}:1"


def test_one_file_of_parts_of_speech_serves_the_segmenter_too(tmp_path):
    write_words(tmp_path / "pos", [POS])
    assert read_words("tok", tmp_path / "pos") == [TOK]


def test_other_schemes_of_entity_tags_become_bio(tmp_path):
    (tmp_path / "ner").write_text("江\tB-PER\n泽民\tE-PER\n在\tO\n北京\tS-LOC\n", encoding="utf-8")
    assert read_words("ner", tmp_path / "ner")[0].tags == ("B-PER", "I-PER", "O", "B-LOC")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("中国\tns\n人民\n", ":2: the tag is missing"),
        ("\tns\n", ":1: the word is missing"),
        ("", "holds no sentence"),
        ("中\tB-LOC\n国\tI-LOC\n", "train --task ner"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path, text, what):
    (tmp_path / "file").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=what):
        read_words("ner" if "LOC" in text else "pos", tmp_path / "file")


def test_files_by_task(tmp_path):
    write_words(tmp_path / "a", [TOK])
    write_words(tmp_path / "b", [NER])
    files = f"ner={tmp_path / 'b'},tok={tmp_path / 'a'}"
    assert list(task_files(files)) == ["tok", "ner"]
    assert read_task_files(files) == [TOK, NER]
    for wrong in ("a.txt", "tok=", "dep=a", "tok=a,tok=b", ""):
        with pytest.raises(ConfigError, match="tok=FILE,pos=FILE,ner=FILE"):
            task_files(wrong)


def test_a_sentence_is_in_one_set_in_all_its_tasks():
    made = [TaggedWords(task, (f"第{n}", "句"), () if task == "tok" else ("O", "O")) for task in ("tok", "pos", "ner")
            for n in range(50)]  # fmt: skip
    split = split_by_text(made, seed=3)
    subsets = [{example.text for example in subset} for subset in (split.train, split.dev, split.test)]
    assert [len(subset) for subset in subsets] == [40, 5, 5]
    assert not subsets[0] & subsets[1] and not (subsets[0] | subsets[1]) & subsets[2]
    assert sorted(map(repr, (*split.train, *split.dev, *split.test))) == sorted(map(repr, made))
    assert split_by_text(made, seed=3) == split != split_by_text(made, seed=4)


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ("张三\tB-PER\n到\tO\n\n北京\tX-LOC\n", {}, r"a\.tsv:4: 'X-LOC' is no tag"),
        ("张三\tB-PER\n到\tM-PER\n\n北京\tI-LOC\n", {}, r"a\.tsv:4: tags of BMES"),
        ("张三\tB-PER\n\n北京\tS-LOC\n", {"scheme": "BIO"}, r"a\.tsv:3: the tag 'S-LOC' does not belong"),
    ],
)
def test_faults_of_tags_name_their_line(tmp_path, lines, options, message):
    (tmp_path / "a.tsv").write_text(lines, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_words("ner", tmp_path / "a.tsv", **options)


LOOKALIKES = [  # each was read without a word, and another language learned
    ("tok", "张三/nr  去/v  了/u\n[北京/ns  大学/n]nt  在/p  海淀/ns\n", "parts of speech ('张三/nr')"),
    ("tok", "张三_NR 去_VV 了_AS\n", "parts of speech ('张三_NR')"),
    ("tok", "张三 NR\n去 VV\n\n李四 NR\n来 VV\n", "two words, the second of which is a tag"),
    ("tok", "在\t1998年\t来临\n我\t十分\t高兴\t地\n", "4 columns, where the line that begins the sentence has 3"),
    ("tok", "据\tS\n了\tB\n解\tE\n", "characters with their places in words (据 S)"),
    ("tok", "1\t张三\tNR\n2\t去\tVV\n3\t了\tAS\n", "the first column numbers the words"),
    ("pos", "".join(f"{n}\t词语\t词语\tNN\n" for n in range(1, 13)), "the first column numbers the words"),
    ("pos", "张三\tNR\n去\tVV\tx\n", "3 columns, where the line that begins the sentence has 2"),
]


@pytest.mark.parametrize(("task", "content", "what"), LOOKALIKES)
def test_files_that_only_look_like_words_are_refused(tmp_path, task, content, what):
    path = tmp_path / "a.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_words(task, path)
    assert what in caught.value.message and caught.value.line is not None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("张三/nr  去/v  了/u\n[北京/ns  大学/n]nt  在/p\n", [("张三", "去", "了"), ("北京", "大学", "在")]),
        ("张三_NR 去_VV\n", [("张三", "去")]),
        ("张三 NR\n去 VV\n\n李四 NR\n来 VV\n", [("张三", "去"), ("李四", "来")]),
        ("在\t1998年\t来临\n我\t十分\t高兴\t地\n", [("在", "1998年", "来临"), ("我", "十分", "高兴", "地")]),
        ("# text = x\n1\t张三\t_\tNR\n2\t去\t_\tVV\n3\t了\t_\tAS\n", [("张三", "去", "了")]),
    ],
)
def test_the_commands_that_such_errors_print_work(tmp_path, content, words):
    path, mended = tmp_path / "a b.tsv", tmp_path / "mended.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_words("tok", path)
    command = re.search(r"(?:sed|tr|grep) .* > NEW", caught.value.remedy)[0].removesuffix("NEW") + str(mended)
    subprocess.run(["bash", "-c", command], check=True)
    assert [each.words for each in read_words("tok", mended)] == words


@pytest.mark.parametrize(
    ("task", "content"),
    [
        ("tok", "and/or 是 什么\nTCP/IP 协议\n"),
        ("tok", "使用 Windows\n喜欢 吃 鱼\n我 买 iPhone\n"),
        ("tok", "1\tCD\n个\tM\n人\tNN\n"),
        ("tok", "我\n爱\n你\tB\n"),
        ("pos", "张三\tNR\tO\n去\tVV\tO\n\n李四\tNR\tO\tx\n"),
    ],
)
def test_words_that_look_a_little_like_that_are_read(tmp_path, task, content):
    path = tmp_path / "a.tsv"
    path.write_text(content, encoding="utf-8")
    assert read_words(task, path)
