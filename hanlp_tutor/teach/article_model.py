"""The shape that the article's three base models share, to be counted and measured."""

from __future__ import annotations

import torch
from transformers import BertConfig, BertModel

# config.json of bert-base-chinese (Devlin et al. 2019); RoBERTa-wwm-ext and MacBERT base (Cui et al. 2021) share it
BASE_SHAPE = {"vocab_size": 21128, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}


def article_model(vocabulary: int = BASE_SHAPE["vocab_size"]) -> BertModel:
    """A model of that shape on the meta device: counted without any memory."""
    shape = {**BASE_SHAPE, "vocab_size": vocabulary}
    with torch.device("meta"):
        return BertModel(BertConfig(**shape, intermediate_size=3072, max_position_embeddings=512))
