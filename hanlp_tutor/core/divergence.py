"""A loss or a gradient that is no number any more (发散).

It is looked for only where a row of the history is made, because reading a tensor waits for the device, and then told
as what it was: which update, which sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from hanlp_tutor.errors import DivergedError


def check_finite(
    losses: Tensor, norms: Tensor, origins: Sequence[tuple[int, list[str]]], *, scaled: bool, fp16: bool
) -> None:
    """Look through all losses and gradients since the last row, before any of it is saved.

    Args:
        losses: of each micro-batch.
        norms: of the gradient of each update.
        origins: the update and the sources of each micro-batch.
        scaled: a loss scaler is at work; it skips an update whose gradient overflowed: that is how it finds its scale.
        fp16: the run computes in fp16, one possible cause.

    Raises:
        DivergedError: the first NaN or infinity, with the batch.
    """
    bad_losses = (~losses.isfinite()).nonzero().flatten().tolist()
    bad_norms = [] if scaled else (~norms.isfinite()).nonzero().flatten().tolist()
    first_update = origins[0][0]
    by_gradient = [first_update + i for i in bad_norms[:1]]
    if bad_losses and origins[bad_losses[0]][0] <= min(by_gradient, default=math.inf):
        update, sources = origins[bad_losses[0]]
        what = f"The loss became {float(losses[bad_losses[0]])} before update {update}"
    elif by_gradient:
        update = by_gradient[0]
        sources = [source for step, batch in origins if step == update for source in batch]
        what = f"The gradient of update {update} has the norm {float(norms[bad_norms[0]])}"
    else:
        return
    named = ", ".join(source or "(no source)" for source in sources[:3])
    more = f" and {len(sources) - 3} more" if len(sources) > 3 else ""
    raise DivergedError(
        f"{what}, in the batch of {named}{more}. "
        f"Lower lr or head_lr, lengthen the warm-up{', use bf16 or float32' if fp16 else ''}. "
        "The last checkpoint is from before."
    )
