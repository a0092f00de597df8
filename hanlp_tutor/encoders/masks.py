"""The padding of a batch, told to an encoder so that nobody has to look at it.

Given a mask of 0 and 1, (W, T), transformers asks whether all of it is 1 to choose the faster attention. The answer
lies on the device, so each forward pass waits for all that was queued before. Our batches know from the start whether
they are padded: without padding the encoder gets no mask, and with it one of the shape that attention reads,
(W, 1, T, T), which transformers passes on unread. Whether an encoder takes that is tried, as its code decides.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel

_TRIED = "_takes_wide_mask"  # on the encoder, so that a copy of it knows too
# Attention to near tokens only needs a mask of its own: these options of a configuration say how near.
_NEAR = ("sliding_window", "local_attention", "attention_window", "attention_chunk_size", "attention_type")


def mask_for(encoder: PreTrainedModel, mask: Tensor, *, padded: bool) -> Tensor | None:
    """What to pass an encoder as ``attention_mask``.

    Args:
        mask: (W, T), 1 where a token is and 0 where padding is.
        padded: whether there is a 0 in it.
    """
    if not takes_wide_mask(encoder):
        return mask
    return wide(mask) if padded else None


def wide(mask: Tensor) -> Tensor:
    """(W, T) of 0 and 1 as (W, 1, T, T), True where a token (row) may look at another (column); takes no memory."""
    return mask.bool()[:, None, None, :].expand(-1, 1, mask.size(1), -1)


def takes_wide_mask(encoder: PreTrainedModel) -> bool:
    """Whether it computes the same with the wide mask, and with none where nothing is padded; tried once."""
    kernel = getattr(encoder.config, "_attn_implementation", None)
    tried = vars(encoder).get(_TRIED)
    if tried is None or tried[0] != kernel:  # another kernel may want another mask
        tried = (kernel, kernel == "sdpa" and not _looks_near(encoder) and _computes_the_same(encoder))
        setattr(encoder, _TRIED, tried)
    return tried[1]


def _looks_near(encoder: PreTrainedModel) -> bool:
    kinds = set(getattr(encoder.config, "layer_types", None) or ()) - {"full_attention"}
    return bool(kinds) or any(getattr(encoder.config, name, None) for name in _NEAR)


@torch.no_grad()
def _computes_the_same(encoder: PreTrainedModel) -> bool:
    device = encoder.get_input_embeddings().weight.device
    ids = torch.arange(5, 21, device=device).view(2, 8)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    was_training = encoder.training
    encoder.eval()  # dropout would draw random numbers
    try:
        for narrow, other in ((mask, wide(mask)), (mask[:1], None)):
            rows = ids[: len(narrow)]
            expected, found = (encoder(input_ids=rows, attention_mask=m).last_hidden_state for m in (narrow, other))
            if not torch.allclose(found[narrow.bool()], expected[narrow.bool()], rtol=1e-4, atol=1e-5):
                return False
    except Exception:  # what foreign code makes of a mask that it does not expect is anything
        return False
    finally:
        encoder.train(was_training)
    return True
