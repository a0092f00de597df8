"""Text to pre-train on: lines cut into words, as one long array, without any sentence that the kit evaluates on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from hanlp_tutor.corpora import load_corpus, peoples_daily
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.data.lines import read_lines
from hanlp_tutor.errors import DataError
from hanlp_tutor.extras import needs

CORPORA = ("peoples_daily", "reviews")
SHORTEST_SENTENCE = 10  # characters; shorter ones (谢谢！) belong to nobody
INSIDE = -1


@dataclass(frozen=True)
class PretrainingText:
    """Lines one after another, each followed by ``[SEP]``.

    Args:
        ids: (N,) token ids.
        words: (N,) the number of the word that begins here, -1 elsewhere.
        lines: positions where lines begin.
        vocabulary: the words by number.
        sources: per source its name and its number of lines and characters.
    """

    ids: np.ndarray
    words: np.ndarray
    lines: np.ndarray
    vocabulary: list[str]
    sources: tuple[dict[str, int | str], ...]

    @cached_property
    def word_begins(self) -> np.ndarray:
        """Positions where words begin, ascending."""
        return np.flatnonzero(self.words >= 0)

    def fingerprint(self, sources: Sequence[str] | None = None) -> str:
        """sha256 of tokens and word borders, of the lines of the first ``sources`` only if they are named.

        Raises:
            DataError: the text does not begin with these sources.
        """
        end = len(self.ids)
        if sources is not None:
            first = self.sources[: len(sources)]
            if [source["source"] for source in first] != list(sources):
                raise DataError(f"the text does not begin with {', '.join(sources)}.", remedy="Name its first sources.")
            end = sum(int(source["characters"]) + int(source["lines"]) for source in first)  # a [SEP] ends each line
        return hashlib.sha256(self.ids[:end].tobytes() + (self.words[:end] >= 0).tobytes()).hexdigest()

    def sentences(self) -> Iterator[list[str]]:
        """Each line as its words."""
        borders = [*self.lines.tolist(), len(self.ids)]
        for begin, end in pairwise(borders):
            numbers = self.words[begin:end]
            yield [self.vocabulary[number] for number in numbers[numbers >= 0]]


def sentences_of(text: str) -> list[str]:
    """The sentences of a text that are long enough to belong to somebody, without white space."""
    parts = re.split(r"(?<=[。！？!?；;])", re.sub(r"\s+", "", text))
    return [part for part in parts if len(part) >= SHORTEST_SENTENCE]


def held_out_sentences() -> set[str]:
    """Every sentence of the dev and test sets of the corpora that the kit evaluates on."""
    corpora = [load_corpus(name) for name in CORPORA]
    return {
        sentence
        for corpus in corpora
        for subset in (corpus.dev, corpus.test)
        for example in subset
        for sentence in sentences_of(example.text)
    }


def training_lines(files: Iterable[str | Path] = ()) -> Iterator[tuple[str, list[str]]]:
    """Yield ``(source, words)``: the training sets of the corpora, then ``files`` (UTF-8, one text a line).

    The People's Daily comes with its words, all other text is cut by ``rjieba``. A line in which a sentence of a dev or
    test set stands, be it inside a longer one, and a line that came before, is left out.
    """
    by_beginning: dict[str, list[str]] = {}
    for sentence in held_out_sentences():
        by_beginning.setdefault(sentence[:SHORTEST_SENTENCE], []).append(sentence)
    seen = set()
    for source, text, words in _all_lines(files):
        if text in seen or _quotes(re.sub(r"\s+", "", text), by_beginning):
            continue
        seen.add(text)
        yield source, words if words is not None else cut(text)


def cut(text: str) -> list[str]:
    """The words (分词) of a text, white space left out.

    Raises:
        ConfigError: the segmenter is not installed.
    """
    rjieba = needs(
        "rjieba",
        "Cutting text into words",
        "give text whose words are separated by blanks to a recipe that needs none",
    )
    return [word for word in rjieba.cut(text) if not word.isspace()]


def read_text(
    encoder: TextEncoder, lines: Iterable[tuple[str, list[str]]], *, known: Sequence[str] = ()
) -> PretrainingText:
    """Put lines of words into one array.

    Args:
        encoder: of the tokenizer.
        lines: ``(source, words)``.
        known: words that have their numbers already, from 0: the vocabulary of another text.

    Raises:
        DataError: there is no text.
    """
    ids: list[int] = []
    words: list[int] = []
    begins: list[int] = []
    numbers = {word: number for number, word in enumerate(known)}
    counts: dict[str, list[int]] = {}
    for source, line in lines:
        begins.append(len(ids))
        ids.extend(encoder.by_character("".join(line)))
        for word in line:
            words.append(numbers.setdefault(word, len(numbers)))
            words.extend([INSIDE] * (len(word) - 1))
        ids.append(encoder.sep_id)
        words.append(INSIDE)
        count = counts.setdefault(source, [0, 0])
        count[0] += 1
        count[1] += len(ids) - begins[-1] - 1
    if not ids:
        raise DataError("there is no text to pre-train on.", remedy="Give --text a file with one text a line.")
    return PretrainingText(
        np.array(ids, dtype=np.int32),
        np.array(words, dtype=np.int32),
        np.array(begins, dtype=np.int64),
        list(numbers),
        tuple({"source": name, "lines": n, "characters": c} for name, (n, c) in counts.items()),
    )


def held_out_lines() -> Iterator[tuple[str, list[str]]]:
    """The dev sets, cut like the training text: masked accuracy is measured on them, nothing is learned from them."""
    dev = {example.source for example in load_corpus("peoples_daily").dev}
    for number, words in peoples_daily.read_words():
        if f"{Path(peoples_daily.FILES[0]).name}:{number}" in dev:
            yield "peoples_daily", [word for word, _ in words]
    for example in load_corpus("reviews").dev:
        yield "reviews", cut(example.text)


def _quotes(text: str, by_beginning: dict[str, list[str]]) -> bool:
    """Whether one of the sentences, given by their first characters, stands anywhere in a text."""
    return any(
        text.startswith(sentence, place)
        for place in range(len(text) - SHORTEST_SENTENCE + 1)
        for sentence in by_beginning.get(text[place : place + SHORTEST_SENTENCE], ())
    )


def _all_lines(files: Iterable[str | Path]) -> Iterator[tuple[str, str, list[str] | None]]:
    train = {example.source: example.text for example in load_corpus("peoples_daily").train}
    for number, words in peoples_daily.read_words():
        text = train.get(f"{Path(peoples_daily.FILES[0]).name}:{number}")
        if text is not None:
            yield "peoples_daily", text, [word for word, _ in words]
    for example in load_corpus("reviews").train:
        yield "reviews", example.text, None
    for file in files:
        path = Path(file)
        if not path.is_file():
            raise DataError("no such file.", path=path, remedy="Give a UTF-8 file with one text a line.")
        for line in read_lines(path):
            if line.strip():
                yield path.stem, line.strip(), None
