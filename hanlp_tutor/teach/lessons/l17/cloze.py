"""A classifier without a new head: the encoder's own masked-language head fills a gap (Schick and Schütze 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch, Encoded
from hanlp_tutor.core.heads import ClassificationHead
from hanlp_tutor.core.model import ClassificationModel
from hanlp_tutor.data import LabelledText
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.encoders.embedded import load_masked_lm

PATTERN = "这是一条[MASK]评。"
WORDS = {"positive": "好", "negative": "差"}


class ClozeHead(ClassificationHead):
    """The head of pre-training, of whose output layer only the rows of a few words are left, one a class.

    It reads the state of the gap, which stands at the same place of every text, in its first window.
    """

    def __init__(self, hidden_size: int, classes: int, *, dropout: float):
        super().__init__(hidden_size, classes, dropout=dropout)
        self.gap, self.transform = 0, nn.Identity()

    def read(self, hidden: Tensor, batch: Batch) -> Tensor:
        return hidden[:, self.gap]

    def logits(self, states: Tensor, batch: Batch) -> Tensor:
        return self.classifier(self.dropout(self.transform(states)))


class ClozeModel(ClassificationModel):
    """Reads ``pattern`` and the text behind it, as much as fits into one window; see :func:`cloze_model`."""

    pattern_ids: tuple[int, ...] = ()

    def new_head(self, labels: Any, native: Any, dropout: float) -> nn.Module:
        return ClozeHead(self.encoder.config.hidden_size, len(labels), dropout=dropout)

    def encode(self, example: LabelledText | str) -> Encoded:
        read = super().encode(example)
        ids = [*self.pattern_ids, *read.ids][: self.window - 2]
        return Encoded(ids, read.labels, read.source)


def cloze_model(
    encoder: str, config: TrainConfig, *, pattern: str = PATTERN, words: Mapping[str, str] = WORDS
) -> ClozeModel:
    """A classifier that answers before it has seen a label.

    Args:
        encoder: an embedded one, whose masked-language head is kept.
        config: its seed and dropout.
        pattern: stands before each text, with one ``[MASK]``.
        words: of each class the one character that fills the gap.
    """
    loaded, predictions = load_encoder(encoder, seed=config.seed), load_masked_lm(encoder).cls.predictions
    model = ClozeModel(loaded, list(words), dropout=config.dropout)
    tokenizer = loaded.tokenizer
    model.pattern_ids = tuple(tokenizer(pattern, add_special_tokens=False)["input_ids"])
    model.head.gap = 1 + model.pattern_ids.index(tokenizer.mask_token_id)  # behind [CLS]
    rows = tokenizer.convert_tokens_to_ids(list(words.values()))
    with torch.no_grad():
        model.head.classifier.weight.copy_(predictions.decoder.weight[rows])
        model.head.classifier.bias.copy_(predictions.bias[rows])
    model.head.transform = predictions.transform
    return model.eval()


@torch.no_grad()
def calibrate(model: ClozeModel) -> ClozeModel:
    """Take from every score what the pattern alone gives, with no text behind it (Zhao et al. 2021); in place."""
    batch = model.collate([model.encode("")]).to(model.device)
    model.head.classifier.bias -= model(batch)[0]
    return model
