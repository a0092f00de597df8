"""Several tasks on one encoder (多任务学习): segmentation (tok), part of speech (pos), named entities (ner).

The architecture is HanLP's own (``hanlp.components.mtl``): one encoder θ, a linear decoder φ a task. The segmenter
tags the pieces of a raw text with B, M, E and S; the other tasks tag *words*, each read as the mean of its pieces'
states (HanLP's ``average_subwords``). In training the words are the gold ones, in use those that the segmenter found.
An exported model is therefore HanLP's ``MultiTaskLearning`` to the letter (:mod:`hanlp_tutor.hanlp_bridge.multitask`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch, Encoded, Encodings
from hanlp_tutor.core.heads import Head, TaggingHead, token_states
from hanlp_tutor.core.model import Model, entity, log_probabilities
from hanlp_tutor.data.edges import visible_spans, without_blank_edges
from hanlp_tutor.data.word_pieces import ReadsWords, tags_by_task
from hanlp_tutor.data.words import WORD_TASKS, TaggedWords
from hanlp_tutor.errors import ConfigError, DataError, ModelError


class MultiTaskHead(Head):
    """The decoders by task; names and shapes of the weights are those of HanLP's ``MultiTaskModel.decoders``."""

    parts_along = TaggingHead.parts_along

    def __init__(self, hidden_size: int, classes: dict[str, int], *, dropout: float, crf: bool):
        super().__init__()
        heads = {task: TaggingHead(hidden_size, count, dropout=dropout, crf=crf) for task, count in classes.items()}
        self.decoders = nn.ModuleDict(heads)

    @property
    def dropout(self) -> nn.Dropout:
        """That of every decoder."""
        return next(iter(self.decoders.values())).dropout

    def read(self, hidden: Tensor, batch: Batch) -> Tensor:
        """What all decoders read of the encoder's output (W, T, H): the states of the tokens, (B, L, H)."""
        return token_states(hidden, batch)

    def logits(self, states: Tensor, batch: Batch) -> Tensor:
        """States of tokens (B, L, H) to the logits of the batch's task, of tokens (tok) or of words."""
        return self.decoders[batch.task].logits(states, batch)

    def loss_sum(self, logits: Tensor, batch: Batch, factors: dict[str, float] | None) -> Tensor:
        """Σ over the batch's pieces or words, times the factor of its task."""
        loss = self.decoders[batch.task].loss_sum(logits, batch, None)
        return loss if factors is None else loss * factors[batch.task]

    def decode(self, logits: Tensor, batch: Batch) -> list[list[int]]:
        """The best classes of each example."""
        return self.decoders[batch.task].decode(logits, batch)

    def probabilities(self, logits: Tensor, batch: Batch, temperature: float = 1.0) -> Tensor:
        """p(tag | text) of each piece or word."""
        return self.decoders[batch.task].probabilities(logits, batch, temperature)


class MultiTaskModel(ReadsWords, Model):
    """Encoder and a decoder for each task that the labels name; a label is ``task/tag``."""

    task = "multitask"

    def __init__(self, encoder: Any, labels: Sequence[str], **options: Any):
        self.tags = tags_by_task(labels)
        strange = [name for name in self.tags if name not in WORD_TASKS]
        if strange or not self.tags:
            raise ModelError(f"{strange or labels}: the tasks of a multi-task model are {', '.join(WORD_TASKS)}; "
                             "its labels are written task/tag.")  # fmt: skip
        super().__init__(encoder, labels, **options)
        self._ids = {name: {tag: i for i, tag in enumerate(tags)} for name, tags in self.tags.items()}

    def new_head(self, labels: Sequence[str], native: Sequence[str] | None, dropout: float) -> nn.Module:
        classes = {name: len(tags) for name, tags in self.tags.items()}
        return MultiTaskHead(self.encoder.config.hidden_size, classes, dropout=dropout, crf=self.crf)

    def encode(self, example: TaggedWords | str) -> Encoded:
        """One example in its gold words, or a raw text without gold labels, as numbers.

        Raises:
            DataError: a task or tag that the model does not have.
            InputError: a raw text, and the model has no segmenter to find its words.
        """
        if isinstance(example, str):
            self.check_raw()
            return Encoded(self.text_encoder.with_places(example)[0], None, "", task="tok")
        encoded = self.encode_input(example)
        ids, tags = self._ids[example.task], self.gold_tags(example)
        unknown = [tag for tag in tags if tag not in ids]
        if unknown:
            raise DataError(f"the {example.task} tag {unknown[0]!r} is unknown to the model.",
                            path=example.source or None,
                            remedy="Correct it, or put an example of it into the training file.")  # fmt: skip
        return replace(encoded, labels=[ids[tag] for tag in tags])

    def encode_input(self, example: TaggedWords) -> Encoded:
        if not isinstance(example, TaggedWords):
            raise DataError(f"a multi-task model learns from words (TaggedWords), not from {type(example).__name__}.",
                            remedy="Read its files with hanlp_tutor.data.words.read_words.")  # fmt: skip
        ids, words = self.pieces(example)
        return Encoded(ids, None, example.source, None if example.task == "tok" else words, example.task)

    def valid_of(self, encoded: Encodings) -> int:
        """N of the loss: all pieces that are segmented, and all words that are tagged."""
        return sum(example.units for example in encoded)

    def loss_weights(self, config: TrainConfig, counts: Counter[str]) -> dict[str, float]:
        """The factor of each task's loss, 1 where the configuration gives none.

        Raises:
            ConfigError: a factor of a task that the model does not have, or weights of classes.
        """
        given = config.task_weights or {}
        unknown = sorted(given.keys() - set(self.tasks))
        if unknown:
            raise ConfigError(f"task_weights names {unknown[0]!r}; the tasks are {', '.join(self.tasks)}.")
        if config.class_weights is not None:
            raise ConfigError("class_weights weigh the classes of one task; a multi-task model has task_weights.")
        return {task: given.get(task, 1.0) for task in self.tasks}

    def decode(self, logits: Tensor, batch: Batch) -> list[list[str]]:
        """The tags of each example, of pieces (tok) or of words."""
        tags = self.tags[batch.task]
        return [[tags[i] for i in row] for row in self.head.decode(logits.float(), batch)]

    def blank(self, text: str, encoded: Encoded) -> dict[str, Any] | None:
        return None if encoded.ids else self.no_words(text)

    def answer(self, texts: Sequence[str], states: Tensor, batch: Batch) -> list[dict[str, Any]]:
        """Words of raw texts, and what the other tasks predict for them.

        Returns:
            For each ``{"text", "tok": [word, ...], "offsets": [[start, end], ...], "pos": [tag, ...], "ner":
            [{"start", "end", "label", "text", "score"}, ...]}``, without the tasks that the model does not have.
            Offsets count code points, half-open; the score is that of :class:`hanlp_tutor.Predictor`.
        """
        answers, words = [], []
        for text, tags in zip(texts, self.decode(self.head.logits(states, batch), batch), strict=True):
            answer, word_of = self.words_in(text, tags)
            answers.append(answer)
            words.append(word_of)
        counts = [len(answer["tok"]) for answer in answers]
        length = batch.token_index.size(1)
        padded = torch.tensor([row + [max(counts)] * (length - len(row)) for row in words], device=self.device)
        for task in self.tasks[1:]:
            of_words = replace(batch, task=task, words=padded, lengths=counts)
            logits = self.head.logits(states, of_words)
            p = self.probabilities(logits, of_words).cpu()
            for answer, tags, row in zip(answers, self.decode(logits, of_words), p, strict=True):
                answer[task] = tags if task == "pos" else self._entities(answer, tags, row)
        return answers

    def _entities(self, answer: dict[str, Any], tags: list[str], p: Tensor) -> list[dict[str, Any]]:
        """Spans of words as spans of characters."""
        scores = log_probabilities([self._ids["ner"][tag] for tag in tags], p)
        text, offsets = answer["text"], answer["offsets"]
        return [
            entity(text, *without_blank_edges(text, offsets[s.start][0], offsets[s.end - 1][1]), s.label,
                   scores[s.start : s.end])
            for s in visible_spans(tags, answer["tok"])
        ]  # fmt: skip
