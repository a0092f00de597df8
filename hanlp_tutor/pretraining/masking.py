"""What each pre-training recipe hides (掩码), as its paper has it: BERT, RoBERTa-wwm, MacBERT.

* **bert** chooses 15 % of the characters, each by itself. Of them 80 % become ``[MASK]``, 10 % a random character,
  10 % stay as they are (Devlin et al. 2019, section 3.1).
* **roberta-wwm** chooses whole words until 15 % of the characters are chosen, and treats each character as bert does
  (Cui et al. 2021, "Pre-Training With Whole Word Masking for Chinese BERT").
* **macbert** chooses runs of one to four whole words (40, 30, 20, 10 %) until 15 % of the characters are chosen. Of the
  words 80 % become a *similar word* (同义词), 10 % a random word, 10 % stay; ``[MASK]``, which no text in
  service has, is not used (Cui et al. 2020, "Revisiting Pre-Trained Models for Chinese NLP", section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RECIPES = ("bert", "roberta-wwm", "macbert")
RATE = 0.15
RUN_LENGTHS = (0.4, 0.3, 0.2, 0.1)  # MacBERT: how often a run has one, two, three, four words
MASKED, RANDOM = 0.8, 0.1  # the rest, a tenth, stays as it is


@dataclass(frozen=True)
class Words:
    """The words of a pre-training text, numbered; ``similar[w]`` are the numbers of similar words, -1 where none is.

    Args:
        spelling: per word its token ids.
        similar: (words, choices); a similar word has as many characters, so that the row keeps its length. Words
            beyond its end, those of a held-out text, have no similar word and are never put in another's place.
    """

    spelling: list[tuple[int, ...]]
    similar: np.ndarray

    @property
    def by_length(self) -> dict[int, np.ndarray]:
        """Per length in characters the numbers of the words: among them a random word is drawn."""
        lengths = np.array([len(ids) for ids in self.spelling[: len(self.similar)]])
        return {int(n): np.flatnonzero(lengths == n) for n in np.unique(lengths)}


class Masker:
    """Hides 15 % of a row by one of the three recipes.

    Args:
        recipe: one of ``RECIPES``.
        words: needed by macbert only.
        mask_id: the id of ``[MASK]``.
        first_id: ids from here on are ordinary characters; below are [PAD], [UNK], [CLS], [SEP] and [MASK], which are
            neither chosen nor drawn at random.
        vocabulary: the number of ids.
    """

    def __init__(self, recipe: str, *, mask_id: int, first_id: int, vocabulary: int, words: Words | None = None):
        self.recipe, self.words = recipe, words
        self.mask_id, self.first_id, self.vocabulary = mask_id, first_id, vocabulary
        self.by_length = words.by_length if words else {}

    def __call__(
        self, ids: np.ndarray, words: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The row to read, and the positions that count in the loss.

        Args:
            ids: (T,) token ids of a row.
            words: (T,) at the first character of a word its number, -1 inside a word and at special tokens.

        Returns:
            The changed row (T,), the chosen positions (M,) ascending, and (M,) of bool: whether the position was
            changed. Targets are ``ids[positions]``.
        """
        ordinary = ids >= self.first_id
        budget = max(1, round(RATE * int(ordinary.sum())))
        row = ids.copy()
        if self.recipe == "bert":
            chosen = rng.permutation(np.flatnonzero(ordinary))[:budget]
            self._cover(row, chosen, rng)
        elif self.recipe == "roberta-wwm":
            spans = self._choose_words(words, ordinary, budget, rng, runs=False)
            chosen = _positions(spans)
            self._cover(row, chosen, rng)
        else:
            spans = self._choose_words(words, ordinary, budget, rng, runs=True)
            chosen = _positions(spans)
            for begin, end in spans:
                self._exchange(row, begin, end, int(words[begin]), rng)
        chosen = np.sort(chosen)
        return row, chosen, row[chosen] != ids[chosen]

    def _choose_words(
        self, words: np.ndarray, ordinary: np.ndarray, budget: int, rng: np.random.Generator, *, runs: bool
    ) -> list[tuple[int, int]]:
        """Borders of whole words, chosen at random until the budget is spent; a word too long for the rest is passed
        over, as in the code of the papers."""
        begins = np.flatnonzero(words >= 0)
        ends = np.append(begins, len(words))[1:]
        borders = []
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            inside = ordinary[begin:end]
            # a word ends where a special token stands: the next line's separator, or a character we do not know
            length = int(np.argmin(inside)) if not inside.all() else end - begin
            borders.append((begin, begin + length))
        spans: list[tuple[int, int]] = []
        taken = np.zeros(len(borders), dtype=bool)
        left = budget
        for first in rng.permutation(len(borders)).tolist():
            if left <= 0:
                break
            length = 1 + int(rng.choice(4, p=RUN_LENGTHS)) if runs else 1
            for number in range(first, min(first + length, len(borders))):
                size = borders[number][1] - borders[number][0]
                if taken[number] or size == 0 or size > left:
                    break
                taken[number] = True
                spans.append(borders[number])
                left -= size
        return spans

    def _cover(self, row: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> None:
        """80 % [MASK], 10 % any character, 10 % nothing; each position by itself."""
        fate = rng.random(len(chosen))
        row[chosen[fate < MASKED]] = self.mask_id
        strange = chosen[(fate >= MASKED) & (fate < MASKED + RANDOM)]
        row[strange] = rng.integers(self.first_id, self.vocabulary, len(strange))

    def _exchange(self, row: np.ndarray, begin: int, end: int, word: int, rng: np.random.Generator) -> None:
        """80 % a similar word, or a random one where none is known; 10 % a random word; 10 % nothing."""
        fate = rng.random()
        if fate >= MASKED + RANDOM:
            return
        # a word cut by the border of the row has another length than its similar words
        whole = len(self.words.spelling[word]) == end - begin
        known = whole and word < len(self.words.similar)
        choices = self.words.similar[word] if known and fate < MASKED else np.empty(0, dtype=int)
        choices = choices[choices >= 0]
        if not len(choices):
            choices = self.by_length.get(end - begin, choices)
        if len(choices):
            row[begin:end] = self.words.spelling[int(rng.choice(choices))]
        else:
            row[begin:end] = rng.integers(self.first_id, self.vocabulary, end - begin)


def _positions(spans: list[tuple[int, int]]) -> np.ndarray:
    return np.array([p for begin, end in spans for p in range(begin, end)], dtype=int)
