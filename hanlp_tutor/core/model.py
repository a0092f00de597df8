"""An encoder θ and a head φ as one module, with the labels and the tokenizer they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hanlp_tutor.config import TASKS
from hanlp_tutor.core.batching import Batch, Encoded, Encodings, collate
from hanlp_tutor.core.heads import ClassificationHead, TaggingHead
from hanlp_tutor.core.scheme_head import SchemeHead
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.encoders import POSITIONS, Encoder
from hanlp_tutor.encoders.characters import TextEncoder
from hanlp_tutor.errors import DataError, ModelError


class Model(nn.Module):
    """Encoder and head of one task.

    Args:
        task: ``ner`` or ``classify``; ``multitask`` is :class:`hanlp_tutor.core.multitask.MultiTaskModel`.
        encoder: θ with its tokenizer.
        labels: the classes in order of their ids: BIO tags with ``O`` first, or class names.
        dropout: of the head, and of the encoder's hidden states.
        crf: a CRF on top of the tag scores.
        native: tags of another scheme, where the linear layer has those (:mod:`hanlp_tutor.core.scheme_head`).

    Attributes:
        temperature: by which all scores are divided before they become probabilities; answers do not depend on it.
            Fitted by :func:`hanlp_tutor.workbench.calibration.fit_temperature`, for these very weights.
    """

    def __init__(
        self,
        task: str,
        encoder: Encoder,
        labels: Sequence[str],
        *,
        dropout: float = 0.1,
        crf: bool = False,
        native: Sequence[str] | None = None,
    ):
        super().__init__()
        if task not in TASKS:
            raise ModelError(f"task={task!r}: this version knows {' and '.join(TASKS)}.")
        self.task, self.labels, self.crf = task, tuple(labels), crf and task != "classify"
        self.encoder_name, self.pretrained, self.temperature = encoder.name, encoder.pretrained, 1.0
        self.encoder, self.text_encoder = encoder.module, TextEncoder(encoder.tokenizer)
        self._label_ids = {label: i for i, label in enumerate(self.labels)}
        hidden_size = self.encoder.config.hidden_size
        self.head = self._head(hidden_size, dropout, native)
        _set_dropout(self.encoder, dropout)
        pooler = getattr(self.encoder, "pooler", None)
        if pooler is not None:  # no task reads it; it stays for the export's sake
            pooler.requires_grad_(False)

    def _head(self, hidden_size: int, dropout: float, native: Sequence[str] | None) -> nn.Module:
        """A fresh φ."""
        if native is not None:
            return SchemeHead(hidden_size, self.labels, native, dropout=dropout, crf=self.crf)
        if self.task == "ner":
            return TaggingHead(hidden_size, len(self.labels), dropout=dropout, crf=self.crf)
        return ClassificationHead(hidden_size, len(self.labels), dropout=dropout)

    @property
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer."""
        return self.text_encoder.tokenizer

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.head.parameters()).device

    def encode(self, example: TaggedText | LabelledText | str) -> Encoded:
        """One example, or a raw text without gold, as numbers.

        Raises:
            DataError: a label that the model does not know.
        """
        text = example if isinstance(example, str) else example.text
        ids = self.text_encoder.by_character(text) if self.task == "ner" else self.text_encoder.whole(text)
        if isinstance(example, str):
            return Encoded(ids, None, "")
        if self.task == "ner" and not ids:
            raise DataError("an example has no text.", path=example.source or None, remedy="Remove it.")
        gold = example.tags if isinstance(example, TaggedText) else example.label
        try:
            labels = [self._label_ids[tag] for tag in gold] if self.task == "ner" else self._label_ids[gold]
        except KeyError as error:
            raise DataError(
                f"label {error.args[0]!r} is unknown to the model, which has {', '.join(self.labels)}.",
                path=example.source or None,
                remedy="Correct it, or put an example of it into the training file.",
            ) from None
        return Encoded(ids, labels, example.source)

    def valid_of(self, encoded: Encodings) -> int:
        """N of the loss: how many tokens (tagging) or examples (classification) of the training set carry one."""
        return int(encoded.lengths.sum(dtype="int64")) if self.task == "ner" else len(encoded)

    def collate(self, examples: Sequence[Encoded], *, window: int = POSITIONS) -> Batch:
        """Pad encoded examples to a batch on the CPU."""
        text = self.text_encoder
        return collate(examples, window=window, cls_id=text.cls_id, sep_id=text.sep_id, pad_id=text.pad_id)

    def forward(self, batch: Batch) -> Tensor:
        """Logits: (B, L, C) for tagging, (B, C) for classification."""
        hidden = self.encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        return self.head(hidden, batch)

    def loss_sum(self, logits: Tensor, batch: Batch, weights: Tensor | None = None) -> Tensor:
        """Σ L_task over the valid tokens (tagging) or examples (classification), in float32."""
        return self.head.loss_sum(logits.float(), batch, weights)

    def decode(self, logits: Tensor, batch: Batch) -> list[list[str]] | list[str]:
        """Tags of each text, or the class of each text."""
        best = self.head.decode(logits.float(), batch)
        if self.task == "ner":
            return [[self.labels[i] for i in row] for row in best]
        return [self.labels[i] for i in best]

    def probabilities(self, logits: Tensor, batch: Batch) -> Tensor:
        """p(class) at the model's temperature, shaped as the logits."""
        return self.head.probabilities(logits.float(), batch, self.temperature)


def draw_weights(head: nn.Module) -> None:
    """Fresh weights for the linear layers of a head, as BERT draws its own (Devlin et al. 2019)."""
    for layer in head.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)


def _set_dropout(encoder: nn.Module, p: float) -> None:
    """Set the dropout of hidden states; that of attention probabilities stays as the encoder's authors chose it."""
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Dropout) and not name.endswith("attention.self.dropout"):
            module.p = p
    encoder.config.hidden_dropout_prob = p
