"""How position embeddings begin: as sines and cosines, or as copies of those that have been trained."""

from __future__ import annotations

import torch
from transformers import BertForMaskedLM


def repeat_positions(model: BertForMaskedLM, trained: int) -> None:
    """Let the untrained positions begin as copies of the trained ones, in turn.

    As Longformer does (Beltagy et al. 2020). Position 0 belongs to ``[CLS]`` alone and is not copied.
    """
    weight = model.bert.embeddings.position_embeddings.weight
    with torch.no_grad():
        for begin in range(trained, len(weight), trained - 1):
            piece = weight[begin : begin + trained - 1]
            piece.copy_(weight[1 : 1 + len(piece)])


def sinusoidal_positions(model: BertForMaskedLM) -> None:
    """Let the position embeddings begin as sines and cosines (Vaswani et al. 2017, section 3.5), at BERT's scale.

    Neighbours are alike from the first update, so attention to them need not be found by chance.
    """
    weight = model.bert.embeddings.position_embeddings.weight
    count, width = weight.shape
    frequencies = 10_000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(count)[:, None] * frequencies
    scale = model.config.initializer_range * 2**0.5  # the mean square of a sine is one half
    with torch.no_grad():
        weight.copy_(scale * torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1))
