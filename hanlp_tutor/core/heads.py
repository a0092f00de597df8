"""Heads (任务头): the φ of the article, one small module a task on top of the encoder θ.

Each turns hidden states into logits and knows the task's loss. Their weights have the names and shapes of HanLP's own
layers (``TransformerTaggingModel``, ``TransformerClassificationModel``), so that an export renames nothing inside them.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchcrf import CRF

from hanlp_tutor.core.batching import IGNORED, Batch
from hanlp_tutor.core.crf import best_tags, marginals, negative_log_likelihood


class Head(nn.Module):
    """What loop, evaluation and prediction ask of a head; a new one has all of this.

    Attributes:
        dropout: an ``nn.Dropout``; a model folder keeps its p.
        parts_along: the dimension along which the states of a long text's parts are joined.
    """

    dropout: nn.Dropout
    parts_along: int

    def read(self, hidden: Tensor, batch: Batch) -> Tensor:
        """What the head reads of the encoder's output (W, T, H); of a long text it is asked part by part."""
        raise NotImplementedError

    def logits(self, states: Tensor, batch: Batch) -> Tensor:
        """What was read to logits: (B, L, C) for tags, (B, C) for classes."""
        raise NotImplementedError

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Encoder output (W, T, H) to logits."""
        return self.logits(self.read(hidden, batch), batch)

    def loss_sum(self, logits: Tensor, batch: Batch, weights: Any) -> Tensor:
        """Σ over what is valid in the batch; ``weights`` are what the model's ``loss_weights`` gave."""
        raise NotImplementedError

    def decode(self, logits: Tensor, batch: Batch) -> list[Any]:
        """The best classes, as numbers, of each example."""
        raise NotImplementedError

    def probabilities(self, logits: Tensor, batch: Batch, temperature: float = 1.0) -> Tensor:
        """p(class), shaped as the logits."""
        return (logits / temperature).softmax(-1)


class TaggingHead(Head):
    """One class per token: dropout, a linear layer, and with ``crf`` a linear-chain CRF (Lafferty et al. 2001)."""

    parts_along = 1

    def __init__(self, hidden_size: int, classes: int, *, dropout: float, crf: bool):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, classes)
        self.crf = CRF(classes, batch_first=True) if crf else None  # HanLP's CRF is a copy of this library's

    def read(self, hidden: Tensor, batch: Batch) -> Tensor:
        """What the head reads of the encoder's output (W, T, H): the states of the tokens, (B, L, H)."""
        return token_states(hidden, batch)

    def logits(self, states: Tensor, batch: Batch) -> Tensor:
        """States of tokens (B, L, H) to logits (B, L, C); where words are tagged, L of these counts words."""
        return self.classifier(self.dropout(states if batch.words is None else word_states(states, batch)))

    def loss_sum(self, logits: Tensor, batch: Batch, class_weights: Tensor | None) -> Tensor:
        """Σ over the batch's valid tokens; for a CRF Σ over sentences of -log p(tags)."""
        if self.crf is None:
            return F.cross_entropy(
                logits.flatten(0, 1), batch.labels.flatten(), class_weights, ignore_index=IGNORED, reduction="sum"
            )
        return negative_log_likelihood(self.crf, logits, batch.labels.clamp(min=0), batch.labels != IGNORED)

    def decode(self, logits: Tensor, batch: Batch) -> list[list[int]]:
        """The best class of each token; with a CRF the best sequence (Viterbi)."""
        if self.crf is not None:
            return best_tags(self.crf, logits, batch.lengths)
        return [row[:n] for row, n in zip(logits.argmax(-1).tolist(), batch.lengths, strict=True)]

    def probabilities(self, logits: Tensor, batch: Batch, temperature: float = 1.0) -> Tensor:
        """p(class | text) of each token, (B, L, C); with a CRF the marginals, whose every score is divided alike."""
        if self.crf is None:
            return super().probabilities(logits, batch, temperature)
        return marginals(self.crf, logits, batch.lengths, temperature)


class ClassificationHead(Head):
    """One class per text, from [CLS]; the windows of a long text are max-pooled first, as HanLP does."""

    parts_along = 0

    def __init__(self, hidden_size: int, classes: int, *, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, classes)

    def read(self, hidden: Tensor, batch: Batch) -> Tensor:
        """What the head reads of the encoder's output (W, T, H): the state of [CLS] in each window, (W, H)."""
        return hidden[:, 0]

    def logits(self, states: Tensor, batch: Batch) -> Tensor:
        """States of [CLS] (W, H) to logits (B, C)."""
        if batch.windowed:
            index = batch.owner.unsqueeze(1).expand_as(states)
            empty = states.new_zeros(len(batch.lengths), states.size(1))
            states = empty.scatter_reduce(0, index, states, "amax", include_self=False)
        return self.classifier(self.dropout(states))

    def loss_sum(self, logits: Tensor, batch: Batch, class_weights: Tensor | None) -> Tensor:
        """Σ over the batch's examples."""
        return F.cross_entropy(logits, batch.labels, class_weights, reduction="sum")

    def decode(self, logits: Tensor, batch: Batch) -> list[int]:
        """The best class of each text."""
        return logits.argmax(-1).tolist()


def token_states(hidden: Tensor, batch: Batch) -> Tensor:
    """Encoder output (W, T, H) to the states of the tokens, (B, L, H)."""
    if not batch.windowed:
        return hidden[:, 1 : 1 + batch.token_index.size(1)]  # one window each: skip [CLS]
    rows = hidden.flatten(0, 1).index_select(0, batch.token_index.flatten())
    return rows.view(*batch.token_index.shape, -1)


def word_states(tokens: Tensor, batch: Batch) -> Tensor:
    """States of tokens (B, L, H) to states of words (B, max(lengths), H), each the mean over its tokens."""
    shape = (len(batch.words), max(batch.lengths) + 1)  # padding is a last word, which is cut off
    index = batch.words.unsqueeze(-1)
    sums = tokens.new_zeros(*shape, tokens.size(-1)).scatter_add(1, index.expand_as(tokens), tokens)
    sizes = tokens.new_zeros(*shape, 1).scatter_add(1, index, torch.ones_like(tokens[..., :1]))
    return (sums / sizes.clamp(min=1))[:, :-1]
