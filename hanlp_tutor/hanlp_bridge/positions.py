"""An encoder with more than 512 positions, for HanLP: the kit reads windows of 512, so the rest of the table is unused.

HanLP's tokenizer cuts windows of 512 and its encoder reads them back as windows of ``max_position_embeddings``: texts
over 510 characters come out wrong unless the two agree. Cutting the table to 512 rows lets them agree.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from hanlp_tutor.encoders import POSITIONS
from hanlp_tutor.errors import ModelError

TABLE = "embeddings.position_embeddings.weight"


def positions_of(encoder: PreTrainedModel) -> int:
    """How many positions its configuration names."""
    return getattr(encoder.config, "max_position_embeddings", 0)


def can_be_cut(encoder: PreTrainedModel) -> bool:
    """Whether its positions are one table of absolute ones from 0 up, as in BERT and ERNIE, and longer than 512.

    RoBERTa counts from its padding token, ModernBERT and RoFormer turn the states, DeBERTa measures distances.
    """
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    count = positions_of(encoder)
    return (
        isinstance(table, nn.Embedding)
        and table.padding_idx is None
        and table.num_embeddings == count > POSITIONS
        and not getattr(encoder.config, "relative_attention", False)
        and getattr(encoder.config, "position_embedding_type", "absolute") in ("absolute", None)
    )


def cut_to_window(encoder: PreTrainedModel) -> tuple[PreTrainedConfig, dict[str, Tensor]]:
    """Configuration and weights of the encoder with the first 512 positions alone; as they are where it has 512.

    Raises:
        ModelError: the shorter encoder computes something else, so this kind is not to be cut.
    """
    if not can_be_cut(encoder):
        return encoder.config, encoder.state_dict()
    config = copy.deepcopy(encoder.config)
    config.max_position_embeddings = POSITIONS
    state = {
        name: tensor[:, :POSITIONS] if name.endswith(("position_ids", "token_type_ids")) else tensor
        for name, tensor in encoder.state_dict().items()
    }
    state[TABLE] = state[TABLE][:POSITIONS].clone()  # a view would be stored with all rows
    shorter = type(encoder)(config).to(encoder.device, encoder.dtype).eval()
    shorter.load_state_dict(state)
    ids = torch.arange(POSITIONS, device=encoder.device).remainder(encoder.config.vocab_size).unsqueeze(0)
    was_training = encoder.training
    encoder.eval()
    with torch.no_grad():
        before, after = (each(input_ids=ids).last_hidden_state for each in (encoder, shorter))
    encoder.train(was_training)
    if not torch.allclose(before, after, atol=1e-4):
        raise ModelError(f"{type(encoder).__name__} reads otherwise with {POSITIONS} positions: HanLP cannot have it.")
    return config, state
