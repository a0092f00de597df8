"""Words and the pieces that an encoder reads them as: gold words into pieces, tagged pieces into words. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.data.words import TaggedWords, segmentation_tags, word_starts
from hanlp_tutor.errors import DataError, InputError


class ReadsWords:
    """What a model of several tasks does with words.

    Attributes:
        text_encoder: of the model.
        tags: the classes of each of its tasks.
    """

    text_encoder: TextEncoder
    tags: dict[str, tuple[str, ...]]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Its tasks, in HanLP's order."""
        return tuple(self.tags)

    def check_raw(self) -> None:
        """Refuse raw text where nothing finds its words.

        Raises:
            InputError: the model has no segmenter.
        """
        if "tok" not in self.tags:
            raise InputError(f"a model of {', '.join(self.tasks)} cannot read raw text: train it with tok too.")

    def pieces(self, example: TaggedWords) -> tuple[list[int], list[int]]:
        """Ids of the text's pieces, and the word of each; a word that has none by itself gets [UNK], as in HanLP.

        Raises:
            DataError: of a task that the model does not have.
        """
        if example.task not in self.tags:
            raise DataError(f"an example of {example.task}; the model has {', '.join(self.tasks)}.",
                            path=example.source or None,
                            remedy="Leave it out, or add it (hanlp_tutor.workbench.extend.add_task).")  # fmt: skip
        word_of = [number for number, word in enumerate(example.words) for _ in word]
        rows: list[list[int]] = [[] for _ in example.words]
        for piece, (start, _) in zip(*self.text_encoder.with_places(example.text), strict=True):
            rows[word_of[start]].append(piece)
        rows = [row or [self.text_encoder.unk_id] for row in rows]
        return [piece for row in rows for piece in row], [number for number, row in enumerate(rows) for _ in row]

    def gold_tags(self, example: TaggedWords) -> Sequence[str]:
        """What is to be predicted: a tag for each word, or for each of their pieces (tok)."""
        if example.task != "tok":
            return example.tags
        return [tag for count in Counter(self.pieces(example)[1]).values() for tag in segmentation_tags(count)]

    def words_in(self, text: str, tags: Sequence[str]) -> tuple[dict[str, Any], list[int]]:
        """The words that the tags of a raw text's pieces mean, as an answer begins, and the word of each piece."""
        _, places = self.text_encoder.with_places(text)
        borders = [*word_starts(tags, places), len(tags)]
        offsets = [[places[a][0], places[b - 1][1]] for a, b in pairwise(borders)]
        answer = {"text": text, "tok": [text[start:end] for start, end in offsets], "offsets": offsets}
        return answer, [number for number, (a, b) in enumerate(pairwise(borders)) for _ in range(a, b)]

    def no_words(self, text: str) -> dict[str, Any]:
        """The answer to a text in which there is nothing to read."""
        return {"text": text, "tok": [], "offsets": [], **{task: [] for task in self.tasks if task != "tok"}}


@dataclass
class WordReader(ReadsWords):
    """The same beside a model without torch."""

    text_encoder: TextEncoder
    tags: dict[str, tuple[str, ...]]


def tags_by_task(labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The classes of each task, from labels written ``task/tag``."""
    return {
        name: tuple(label.partition("/")[2] for label in labels if label.startswith(name + "/"))
        for name in dict.fromkeys(label.partition("/")[0] for label in labels)
    }
