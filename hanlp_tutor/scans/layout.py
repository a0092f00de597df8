"""A tagger that knows where on the page a character stands: LayoutLM's idea (Xu et al. 2020) on any BERT.

Two tables of embeddings, of the place from the left and from the top, are added to those of the characters. Both begin
at zero, so before training the model computes what the same model without them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch, Encoded
from hanlp_tutor.core.inference import predict_labels
from hanlp_tutor.core.model import Model, TaggingModel, draw_weights
from hanlp_tutor.data import Span
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.data.windows import windows
from hanlp_tutor.encoders import POSITIONS, Encoder, load_encoder
from hanlp_tutor.encoders.masks import mask_for
from hanlp_tutor.scans.lines import BUCKETS, PlacedText


@dataclass(frozen=True, slots=True)
class PlacedEncoded(Encoded):
    """With the buckets of each token, 1 to BUCKETS."""

    x: Sequence[int] = ()
    y: Sequence[int] = ()


@dataclass
class PlacedBatch(Batch):
    """With the buckets of each token, (W, T); 0 at [CLS], [SEP] and padding."""

    BY_ROW: ClassVar[tuple[str, ...]] = (*Batch.BY_ROW, "x", "y")
    x: Tensor | None = None
    y: Tensor | None = None


class LayoutTaggingModel(TaggingModel):
    """:class:`~hanlp_tutor.core.model.TaggingModel` of :class:`~hanlp_tutor.scans.lines.PlacedText`.

    A text without places is read too: its characters stand nowhere.
    """

    unsaved = "A model with layout embeddings has no model folder yet: keep its weights with torch.save(state_dict)."

    def __init__(self, encoder: Encoder, labels: Sequence[str], **options: Any):
        super().__init__(encoder, labels, **options)
        # drawn at random, they would move the draws of the head
        zeros = torch.zeros(BUCKETS + 1, self.encoder.config.hidden_size)
        self.x_embedding = nn.Embedding.from_pretrained(zeros.clone(), freeze=False, padding_idx=0)
        self.y_embedding = nn.Embedding.from_pretrained(zeros.clone(), freeze=False, padding_idx=0)

    def encode(self, example: PlacedText | str) -> PlacedEncoded:
        plain = super().encode(example)
        return self._with_places(plain, example)

    def encode_input(self, example: PlacedText) -> PlacedEncoded:
        return self._with_places(super().encode(example.text), example)

    def _with_places(self, plain: Encoded, example: Any) -> PlacedEncoded:
        nowhere = (0,) * len(plain.ids)
        x, y = (getattr(example, axis, ()) or nowhere for axis in "xy")
        return PlacedEncoded(plain.ids, plain.labels, plain.source, x=x, y=y)

    def collate(self, examples: Sequence[PlacedEncoded], *, max_length: int = POSITIONS) -> PlacedBatch:
        batch = super().collate(examples, max_length=max_length)
        size = min(max_length, self.window) - 2
        rows = [(each, *window) for each in examples for window in windows(len(each.ids), size)]
        x, y = torch.zeros_like(batch.input_ids), torch.zeros_like(batch.input_ids)
        for row, (each, start, end) in enumerate(rows):
            x[row, 1 : 1 + end - start] = torch.tensor(each.x[start:end])
            y[row, 1 : 1 + end - start] = torch.tensor(each.y[start:end])
        return PlacedBatch(**vars(batch), x=x, y=y)

    def hidden_states(self, batch: PlacedBatch) -> Tensor:
        characters = self.encoder.get_input_embeddings()(batch.input_ids)
        places = self.x_embedding(batch.x) + self.y_embedding(batch.y)
        mask = mask_for(self.encoder, batch.attention_mask, padded=batch.padded)
        return self.encoder(inputs_embeds=characters + places, attention_mask=mask).last_hidden_state


def layout_model(encoder: str, labels: Sequence[str], config: TrainConfig) -> LayoutTaggingModel:
    """As :func:`hanlp_tutor.build_model` for ``ner``, drawn from the same seed: θ and φ are equal, the tables zero."""
    loaded = load_encoder(encoder, seed=config.seed)
    torch.manual_seed(config.seed)
    model = LayoutTaggingModel(loaded, labels, dropout=config.dropout, crf=config.crf)
    draw_weights(model.head)
    return model


def found_on(model: Model, pages: Sequence[PlacedText]) -> list[list[Span]]:
    """The entities that a tagger finds on pages, with their places or without, as the model reads them."""
    predictions, _ = predict_labels(model, [model.encode_input(page) for page in pages])
    return [spans_from_bio(tags) for tags in predictions]
