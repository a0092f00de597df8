"""How near the same names stand, counted by hand."""

import pytest

from hanlp_tutor.corpora import Corpus
from hanlp_tutor.data import Span, Split, TaggedText
from hanlp_tutor.teach.lessons.l05.leakage import in_file_order, known_share, recurrence


def line(text, *names, number=1):
    spans = [Span(text.index(name), text.index(name) + len(name), "PER") for name in names]
    return TaggedText.from_spans(text, spans, f"a:{number}")


LINES = [line("张三来", "张三"), line("张三走", "张三"), line("李四和张三", "李四", "张三"), line("无名")]


def test_recurrence():
    assert recurrence(LINES, 1) == 2 / 4
    assert recurrence(LINES, 2) == 2 / 4  # 张三 of line 1 in line 3, and of line 3, around the corner, in line 1
    assert recurrence(LINES[:3] + [LINES[3]] * 3, 3) == 0.0
    assert recurrence(LINES, 1, "LOC") == 0.0


def test_known_share():
    assert known_share(Split(LINES[:2], [], LINES[2:])) == 1 / 2
    assert known_share(Split(LINES, [], [])) == 0.0


def test_file_order():
    numbers = (3, 10, 2, 1)
    examples = [line("无", number=n) for n in numbers]
    corpus = Corpus("x", "ner", tuple(examples[:2]), (examples[2],), (examples[3],), "", "", "")
    assert [e.source for e in in_file_order(corpus)] == ["a:1", "a:2", "a:3", "a:10"]


def test_people_s_daily_needs_blocks():
    """The claim of notebook 05: neighbours share names, and dealing out single lines carries them into the test."""
    from hanlp_tutor import load_corpus
    from hanlp_tutor.data import split_blocks, split_stratified

    lines = in_file_order(load_corpus("peoples_daily"))
    assert recurrence(lines, 1) > 20 * recurrence(lines, 100)
    by_line = [known_share(split_stratified(lines, seed=seed)) for seed in (1, 2, 3, 4, 5)]
    in_blocks = [known_share(split_blocks(lines, block=50, seed=seed)) for seed in (1, 2, 3, 4, 5)]
    assert sum(by_line) / 5 - sum(in_blocks) / 5 == pytest.approx(0.08, abs=0.05)
