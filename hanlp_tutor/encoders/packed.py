"""All texts of a batch in one row, without padding: variable-length attention (变长注意力), an option on a GPU.

But for attention, an encoder computes each token by itself, so that the texts of a batch may stand behind each other in
one row of N tokens, if attention is told where each ends. PyTorch has that kernel (``torch.nn.attention.varlen``) for
CUDA, in 16 bits and without dropout; transformers calls it where a configuration names it. Nothing is read from the
device: how many tokens there are, the host knows of the batch. Whether an encoder computes the same so is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel

from hanlp_tutor.encoders.masks import takes_wide_mask
from hanlp_tutor.errors import ConfigError, first_line

NAME = "varlen"  # of the attention, in a configuration
_BEFORE = "_attention_before"  # on the encoder: the name of its own
CLOSE = 0.05  # ‖difference‖ / ‖hidden states‖ that 16 bits account for; another text's neighbours make ten times that


def is_packed(encoder: PreTrainedModel) -> bool:
    """Whether its batches are to be computed in one row."""
    return _BEFORE in vars(encoder)


def unpack(encoder: PreTrainedModel) -> None:
    """Let an encoder compute its batches in padded rows again."""
    if is_packed(encoder):
        encoder.config._attn_implementation = vars(encoder).pop(_BEFORE)


def pack(encoder: PreTrainedModel, autocast: Callable[[], AbstractContextManager], name: str) -> None:
    """Let an encoder compute its batches in one row from now on.

    Args:
        encoder: on its device, not packed.
        autocast: the number format of the run.
        name: of the encoder, for messages.

    Raises:
        ConfigError: this PyTorch has no such attention, not on this device, or the encoder does not compute the same.
    """
    try:
        _kernel()
    except ImportError:
        raise ConfigError(
            f"varlen=True: PyTorch {torch.__version__} has no torch.nn.attention.varlen. Leave it out."
        ) from None
    problem = _tried(encoder, autocast)
    AttentionInterface.register(NAME, _attention)
    if problem:
        raise ConfigError(f"varlen=True: the encoder {name} cannot be computed so here: {problem}. Leave it out.")
    setattr(encoder, _BEFORE, encoder.config._attn_implementation)
    encoder.config._attn_implementation = NAME


def hidden_states(encoder: PreTrainedModel, input_ids: Tensor, mask: Tensor, count: int) -> Tensor:
    """The last hidden states of padded rows, (W, T, H); 0 at padding, which is not computed.

    Args:
        input_ids: (W, T).
        mask: (W, T), 1 where a token is and 0 where padding is.
        count: N, how many tokens there are.
    """
    rows, width = input_ids.shape
    places = mask.flatten().argsort(descending=True, stable=True)[:count]  # as nonzero, which would wait for the device
    bounds = F.pad(mask.sum(1).cumsum(0), (1, 0)).int()
    found = encoder(
        input_ids=input_ids.flatten()[places][None],
        position_ids=(places % width)[None],
        cu_seq_lens_q=bounds,
        cu_seq_lens_k=bounds,
        max_length_q=width,
        max_length_k=width,
    ).last_hidden_state[0]
    padded = found.new_zeros(rows * width, found.size(-1))
    return padded.index_copy(0, places, found).view(rows, width, -1)


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None,
    *, scaling: float | None = None, cu_seq_lens_q: Tensor, max_length_q: int, **_: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """As transformers calls it: of (1, heads, N, size) the (1, N, heads, size) that attention makes of them."""
    q, k, v = (each[0].transpose(0, 1) for each in (query, key, value))
    bounds, longest = cu_seq_lens_q, max_length_q
    return _kernel()(q, k, v, bounds, bounds, longest, longest, scale=scaling)[None], None


def _kernel() -> Callable[..., Tensor]:
    from torch.nn.attention.varlen import varlen_attn

    return varlen_attn


@torch.no_grad()
def _tried(encoder: PreTrainedModel, autocast: Callable[[], AbstractContextManager]) -> str:
    """Why an encoder cannot be computed in one row, in words; empty where it can."""
    if not takes_wide_mask(encoder):
        return "its attention is its own, or of near tokens only"
    asked = []

    def noted(*given: Any, **named: Any) -> tuple[Tensor, None]:
        asked.append(given[0])
        return _attention(*given, **named)

    AttentionInterface.register(NAME, noted)
    own, was_training = encoder.config._attn_implementation, encoder.training
    width = min(64, getattr(encoder.config, "max_position_embeddings", 64))
    rows = 512 // width + 2  # together longer than a text can be
    device = encoder.get_input_embeddings().weight.device
    ids = 5 + torch.arange(rows * width, device=device).view(rows, width) % (encoder.config.vocab_size - 5)
    mask = (torch.arange(width) < width - torch.arange(rows)[:, None] % 5).long()
    count, mask = int(mask.sum()), mask.to(device)
    encoder.eval()  # dropout would draw random numbers
    try:
        with autocast():
            expected = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            encoder.config._attn_implementation = NAME
            found = hidden_states(encoder, ids, mask, count).float()
        if not asked:
            return "its attention is its own"
        apart = (found - expected)[mask.bool()].norm() / expected[mask.bool()].norm()
        return "" if apart <= CLOSE else f"its hidden states are off by {float(apart):.0%}"
    except Exception as error:  # what foreign code, or an old GPU, makes of it is anything
        return first_line(error).rstrip(".")
    finally:
        encoder.config._attn_implementation = own
        encoder.train(was_training)
