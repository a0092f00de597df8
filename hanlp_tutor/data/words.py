"""Segmented sentences for multi-task models: words, and one tag a word (分词、词性标注、命名实体).

Two file formats, both HanLP's own. With tabs: ``word<TAB>tag`` a line, a blank line between sentences, for any task;
of a segmentation file the first column alone is read, so one file can serve several tasks. Without tabs, for
segmentation only: a sentence a line, its words between white space, as the SIGHAN bakeoffs had them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hanlp_tutor.data.columns import MARKER, is_document_marker
from hanlp_tutor.data.lines import read_lines
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import Span, parse_tag, scheme_of_file, spans_from_bio, to_bio
from hanlp_tutor.data.split import Split
from hanlp_tutor.data.word_layout import check_rows, check_sentences
from hanlp_tutor.errors import ConfigError, DataError

WORD_TASKS = ("tok", "pos", "ner")  # HanLP's names; each builds on those before it
SEGMENTATION_TAGS = ("B", "M", "E", "S")  # of a word's pieces: begin, middle, end, single


@dataclass(frozen=True)
class TaggedWords:
    """A sentence in words, with the labels of one task.

    Args:
        task: ``tok`` (the words themselves are the labels), ``pos`` (a tag each) or ``ner`` (a BIO tag each).
        words: none of them empty; joined without spaces they are the text.
        tags: one a word; none for ``tok``.
        source: ``file:line``; no part of its identity.

    Raises:
        DataError: no word, an empty one, another number of tags than of words, or a tag that is not BIO.
    """

    task: str
    words: tuple[str, ...]
    tags: tuple[str, ...] = ()
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        object.__setattr__(self, "tags", tuple(self.tags))
        where = self.source or None
        if self.task not in WORD_TASKS:
            raise DataError(f"there is no task {self.task!r} of words.", remedy=f"Choose from {', '.join(WORD_TASKS)}.")
        if not self.words or not all(self.words):
            raise DataError("a sentence without words, or an empty word.", path=where, remedy="Remove it.")
        wanted = 0 if self.task == "tok" else len(self.words)
        if len(self.tags) != wanted:
            many = f"{len(self.words)} words of the task {self.task} have {len(self.tags)} tags, not {wanted}."
            raise DataError(many, path=where, remedy="Give each word one tag; for tok give none.")  # fmt: skip
        for tag in set(self.tags):
            if not tag or (self.task == "ner" and tag != "O" and not (tag[:2] in ("B-", "I-") and len(tag) > 2)):
                raise DataError(f"{tag!r} is no tag of {self.task}.", path=where, remedy="For ner write O, B-X or I-X.")

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def text(self) -> str:
        """The words joined."""
        return "".join(self.words)

    @property
    def segmented(self) -> str:
        """The words with a space between."""
        return " ".join(self.words)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The labels as spans of characters: each word, each word with its tag, or each entity."""
        ends = [0]
        for word in self.words:
            ends.append(ends[-1] + len(word))
        if self.task == "ner":
            return tuple(Span(ends[s.start], ends[s.end], s.label) for s in spans_from_bio(self.tags))
        labels = self.tags or ("word",) * len(self.words)
        return tuple(Span(start, end, label) for start, end, label in zip(ends, ends[1:], labels, strict=False))

    @property
    def gold_labels(self) -> tuple[str, ...]:
        """What is to be predicted, each as ``task/tag``; for ``tok`` one of B, M, E, S a character."""
        tags = self.tags if self.task != "tok" else [tag for word in self.words for tag in segmentation_tags(len(word))]
        return tuple(f"{self.task}/{tag}" for tag in tags)


def segmentation_tags(length: int) -> list[str]:
    """BMES of a word of ``length`` pieces.

    >>> segmentation_tags(1), segmentation_tags(4)
    (['S'], ['B', 'M', 'M', 'E'])
    """
    return ["S"] if length == 1 else ["B", *"M" * (length - 2), "E"]


def word_starts(tags: Sequence[str], places: Sequence[tuple[int, int]] | None = None) -> list[int]:
    """The pieces that begin a word: the first, and each B and S, unless it shares a character with the one before.

    As HanLP reads segmentation tags, well-formed or not (``bmes_to_spans``, ``TransformerTaggingTokenizer``).

    Args:
        tags: of the pieces.
        places: where each begins and ends in the text; None where no character is in two pieces.
    """
    return [
        number
        for number, tag in enumerate(tags)
        if number == 0 or (tag in "BS" and (places is None or places[number][0] >= places[number - 1][1]))
    ]


def word_labels(examples: Iterable[TaggedWords]) -> tuple[str, ...]:
    """The classes that occur, as ``task/tag``, in a fixed order: tok, pos (sorted), ner (O, then B and I of each)."""
    found = Counter()
    for example in examples:
        found.update(example.gold_labels)
    by_task = {task: sorted(name.partition("/")[2] for name in found if name.startswith(task + "/"))
               for task in WORD_TASKS}  # fmt: skip
    if by_task["tok"]:
        by_task["tok"] = list(SEGMENTATION_TAGS)
    if by_task["ner"]:
        types = sorted({tag[2:] for tag in by_task["ner"] if tag != "O"})
        by_task["ner"] = ["O", *(f"{letter}-{kind}" for kind in types for letter in "BI")]
    return tuple(f"{task}/{tag}" for task, tags in by_task.items() for tag in tags)


def read_words(task: str, path: str | Path, *, scheme: str | None = None, encoding: str | None = "utf-8",
               ) -> list[TaggedWords]:  # fmt: skip
    """Read a file of one task; the module's head describes the two formats.

    Args:
        task: ``tok``, ``pos`` or ``ner``.
        path: the file.
        scheme: of entity tags (BIO, IOB1, BMES, IOBES); None detects it.
        encoding: of the file; None detects it.

    Raises:
        DataError: a line without its tag, no sentence, tags of single characters instead of words, a file that only
            looks like one of words (:mod:`hanlp_tutor.data.word_layout`).
    """
    lines = list(read_lines(path, encoding))
    if task == "tok" and not any("\t" in line for line in lines):
        examples = [TaggedWords("tok", tuple(line.split()), source=f"{path}:{number}")
                    for number, line in enumerate(lines, 1)
                    if line.strip() and line.split() != [MARKER]]  # fmt: skip
        check_sentences(path, [(int(each.source.rpartition(":")[2]), each.words) for each in examples])
    else:
        examples = _with_tags(task, path, lines, scheme)
    if not examples:
        raise DataError("holds no sentence.", path=path, remedy="Write one word<TAB>tag a line.")
    if task != "tok" and max(len(word) for example in examples for word in example.words) == 1:
        raise DataError(
            f"every word has one character: these are tags of characters, and {task} of a multi-task model tags words.",
            path=path,
            remedy="Give a file of words, or train --task ner on this one.",
        )
    return examples


def _with_tags(task: str, path: str | Path, lines: list[str], scheme: str | None) -> list[TaggedWords]:
    sentences: list[list[tuple[str, str]]] = [[]]
    cells_of: list[list[tuple[int, list[str]]]] = [[]]
    starts = [1]
    for number, line in enumerate(lines, 1):
        if not line.strip() or is_document_marker(line):
            sentences.append([])
            cells_of.append([])
            starts.append(number + 1)
            continue
        word, *rest = cells = line.strip("\r\n").split("\t")
        tag = rest[0].strip() if rest else ""
        if not word.strip() or (task != "tok" and not tag):
            what = "word" if not word.strip() else "tag"
            raise DataError(f"the {what} is missing in {line[:40]!r}.", path=path, line=number,
                            remedy="Write word<TAB>tag, a blank line between sentences.")  # fmt: skip
        sentences[-1].append((word, tag))
        cells_of[-1].append((number, "\t".join(cells).rstrip("\t ").split("\t")))
    check_rows(path, task, cells_of)
    if task == "ner":
        rows_of_lines = zip(starts, sentences, strict=True)
        tagged = [(start + place, tag) for start, rows in rows_of_lines for place, (_, tag) in enumerate(rows)]
        read_each(path, lambda _, tag: parse_tag(tag), tagged)
        scheme = scheme or scheme_of_file(path, tagged)
        read_each(path, lambda _, tag: to_bio([tag], scheme), tagged)
    examples = []
    for start, rows in zip(starts, sentences, strict=True):
        if rows:
            words, tags = zip(*rows, strict=True)
            tags = () if task == "tok" else to_bio(tags, scheme) if task == "ner" else tags
            examples.append(TaggedWords(task, words, tags, f"{path}:{start}"))
    return examples


def task_files(files: str | Path) -> dict[str, Path]:
    """``tok=a.txt,pos=b.tsv,ner=c.tsv`` as a dictionary, tasks in HanLP's order.

    Raises:
        ConfigError: no such list, an unknown task, a task twice.
    """
    found: dict[str, Path] = {}
    for part in str(files).split(","):
        task, equals, path = part.partition("=")
        task = task.strip()
        if not equals or task not in WORD_TASKS or not path or task in found:
            raise ConfigError(
                f"{part!r}: files of a multi-task model are written one a task: tok=FILE,pos=FILE,ner=FILE "
                f"(tasks: {', '.join(WORD_TASKS)}, each once)."
            )
        found[task] = Path(path)
    return {task: found[task] for task in WORD_TASKS if task in found}


def read_task_files(files: str | Path | Mapping[str, Path], **options) -> list[TaggedWords]:
    """The examples of all tasks, task by task.

    Raises:
        ConfigError, DataError: as :func:`task_files` and :func:`read_words`.
    """
    paths = files if isinstance(files, Mapping) else task_files(files)
    return [example for task, path in paths.items() for example in read_words(task, path, **options)]


def split_by_text(
    examples: Sequence[TaggedWords], *, ratio: tuple[float, float, float] = (8, 1, 1), seed: int = 1
) -> Split[TaggedWords]:
    """Split so that a sentence is in one set in all its tasks; else the tagger is tested on the segmenter's training.

    The sets hold their share of the sentences, in the order of the examples.
    """
    texts = sorted({example.text for example in examples})
    random.Random(f"split-{seed}").shuffle(texts)
    total = sum(ratio)
    test, dev = round(len(texts) * ratio[2] / total), round(len(texts) * ratio[1] / total)
    part = {text: 2 if place < test else 1 if place < test + dev else 0 for place, text in enumerate(texts)}
    return Split(*([example for example in examples if part[example.text] == number] for number in range(3)))
