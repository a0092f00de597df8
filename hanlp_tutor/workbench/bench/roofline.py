"""How much of the machine a training run uses: its floating-point operations beside what plain products reach here.

Counted are the products of a forward pass, times 3 as the backward pass has two for each of them. A text of n tokens,
[CLS] and [SEP] among them, in an encoder of L layers, hidden size H and inner size I, with C classes at the head:

    3 · ( L · (2n · (4H² + 2HI) + 4n²H) + 2n·H·C )

(C's part once a text in classification). Padding, look-ups, norms and the optimiser count as nothing, so that the share
of the peak is one of useful work. The peak is the best of float32 products of several sizes on the same threads.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from hanlp_tutor.core.model import Model
from hanlp_tutor.workbench.bench.material import Clock

SIZES = (512, 1024, 2048)
ENOUGH = 0.25  # seconds that a size is repeated for


def of_model(model: Model, lengths: Sequence[int]) -> float:
    """Of one training pass of a model of ours over texts of these lengths in tokens, without [CLS] and [SEP]."""
    c = model.encoder.config
    shape = {"layers": c.num_hidden_layers, "hidden": c.hidden_size, "inner": c.intermediate_size}
    return operations(lengths, **shape, classes=len(model.labels), tagging=model.task == "ner")


def operations(lengths: Sequence[int], *, layers: int, hidden: int, inner: int, classes: int, tagging: bool) -> float:
    """The same by the shape of the encoder."""
    total = 0
    for length in lengths:
        n = length + 2
        total += layers * (2 * n * (4 * hidden**2 + 2 * hidden * inner) + 4 * n**2 * hidden)
        total += 2 * (n if tagging else 1) * hidden * classes
    return 3.0 * total


@torch.no_grad()
def peak(device: torch.device, sizes: Sequence[int] = SIZES, enough: float = ENOUGH) -> float:
    """Floating-point operations a second of a product of square matrices, the best call of the best size."""
    best = 0.0
    for size in sizes:
        a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)
        out, until = a @ b, time.perf_counter() + enough
        while time.perf_counter() < until:
            clock = Clock(device)
            torch.mm(a, b, out=out)
            best = max(best, 2 * size**3 / clock.read()[0])
    return best
