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
from hanlp_tutor.encoders.mini import EMBEDDED
from hanlp_tutor.errors import ConfigError

_DECODER = "cls.predictions.decoder.weight"  # how BERT, RoBERTa-wwm and MacBERT call it
PATTERN = "这是一条[MASK]评。"
WORDS = {"positive": "好", "negative": "差"}


def masked_lm(encoder: str) -> nn.Module:
    """A BERT with its masked-language head, by the encoder's name: embedded, of the hub, or a folder.

    Raises:
        ConfigError: the head is not where BERT has it.
        EncoderError: an embedded one is damaged.
    """
    if encoder in EMBEDDED:
        return load_masked_lm(encoder)
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(encoder, trust_remote_code=False).float().eval()
    if _DECODER not in model.state_dict():
        raise ConfigError(f"{encoder} has no masked-language head as BERT has it. Take mini-bert or another BERT.")
    return model


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
        encoder: one with a masked-language head (:func:`masked_lm`).
        config: its seed and dropout.
        pattern: stands before each text, with one ``[MASK]``.
        words: of each class the one character that fills the gap.

    Raises:
        ConfigError: not one gap in the pattern, or a word that is not one token.
    """
    loaded, predictions = load_encoder(encoder, seed=config.seed), masked_lm(encoder).cls.predictions
    model = ClozeModel(loaded, list(words), dropout=config.dropout)
    tokenizer = loaded.tokenizer
    model.pattern_ids = tuple(tokenizer(pattern, add_special_tokens=False)["input_ids"])
    if model.pattern_ids.count(tokenizer.mask_token_id) != 1:
        raise ConfigError(f"pattern={pattern!r}: it needs [MASK] once, such as {PATTERN!r}.")
    unfit = [word for word in words.values() if len(tokenizer(word, add_special_tokens=False)["input_ids"]) != 1
             or tokenizer.convert_tokens_to_ids(word) == tokenizer.unk_token_id]  # fmt: skip
    if unfit:
        raise ConfigError(f"words: {unfit[0]!r} does not fill one gap. Take a single common character for each class.")
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
