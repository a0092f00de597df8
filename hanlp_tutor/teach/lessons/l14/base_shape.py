"""A classifier of the article's size with random weights: wrong answers, in the time of right ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import BertConfig, BertModel

from hanlp_tutor.core.model import ClassificationModel, Model
from hanlp_tutor.encoders import Encoder
from hanlp_tutor.encoders.mini import mini_tokenizer
from hanlp_tutor.teach.article_model import BASE_SHAPE


def base_classifier(labels: Sequence[str], *, layers: int = BASE_SHAPE["num_hidden_layers"]) -> Model:
    """BERT-base's shape under the kit's own tokenizer, which gives a token a character as well.

    How long a text takes depends on the shape and on the number of tokens, not on what the weights are.
    """
    torch.manual_seed(1)
    shape = {**BASE_SHAPE, "num_hidden_layers": layers}
    module = BertModel(BertConfig(**shape, intermediate_size=3072, max_position_embeddings=512)).eval()
    return ClassificationModel(Encoder("bert-base's shape, random", module, mini_tokenizer(), False), labels)
