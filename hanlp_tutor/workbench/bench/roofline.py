"""How much of the machine a training run uses: its floating-point operations beside what plain products reach here.

Counted are the products of a forward pass, times 3 as the backward pass has two for each of them. A text of n tokens,
[CLS] and [SEP] among them, in an encoder of L layers, hidden size H and inner size I, with C classes at the head:

    3 · ( L · (2n · (4H² + 2HI) + 4n²H) + 2n·H·C )

(C's part once a text in classification). Padding, look-ups, norms and the optimiser count as nothing, so that the share
of the peak is one of useful work. The peak is the best of float32 products of several sizes on the same threads.

The products of an encoder are of smaller and thinner matrices, which no library multiplies at the peak:
:func:`reachable` times these alone, so that a share of the peak can be held against what there is to be had.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from transformers import PretrainedConfig

from hanlp_tutor.core.model import Model
from hanlp_tutor.workbench.bench.material import Clock

SIZES = (512, 1024, 2048)
ENOUGH = 0.25  # seconds that a size is repeated for
STEPS = 3  # of the products of a training step, at least


def of_model(model: Model, lengths: Sequence[int]) -> float:
    """Of one training pass of a model of ours over texts of these lengths in tokens, without [CLS] and [SEP]."""
    c = model.encoder.config
    shape = {"layers": c.num_hidden_layers, "hidden": c.hidden_size, "inner": c.intermediate_size}
    return operations(lengths, **shape, classes=len(model.labels), tagging=model.task == "ner")


@torch.no_grad()
def reachable(shape: PretrainedConfig, rows: int, width: int, device: torch.device, enough: float = ENOUGH) -> float:
    """Floating-point operations a second of the products alone that a training step of the encoder makes.

    Those of the linear layers and of attention, forward and backward, into memory that is there already: no norm, no
    activation, no optimiser, no padding. The best step of several.

    Args:
        shape: of the encoder, as Transformers has it; the head's products are left out.
        rows, width: texts of a micro-batch, and their tokens with [CLS] and [SEP].
        device: that computes them.
        enough: seconds that the step is repeated for.
    """
    heads, size = shape.num_attention_heads * rows, shape.hidden_size // shape.num_attention_heads
    h, inner, n, layers = shape.hidden_size, shape.intermediate_size, rows * width, shape.num_hidden_layers
    linear = [(h, h)] * 4 + [(h, inner), (inner, h)]  # of a layer: query, key, value, output; the feed-forward pair
    x, w = ({k: torch.rand(*k, device=device) for k in each} for each in ({(n, h), (n, inner)}, set(linear)))
    q, p = torch.rand(heads, width, size, device=device), torch.rand(heads, width, width, device=device)
    out = {k: torch.empty(*k, device=device) for k in (*x, *w)}
    per_head, scores = torch.empty_like(q), torch.empty_like(p)

    def step() -> None:
        for _ in range(layers):
            for a, b in linear:
                torch.mm(x[n, a], w[a, b], out=out[n, b])
                torch.mm(x[n, b], w[a, b].T, out=out[n, a])  # to the gradient of the input
                torch.mm(x[n, a].T, x[n, b], out=out[a, b])  # and of the weight
            for _ in range(3):  # of the scores and of their products with the values: one forward, two backward
                torch.bmm(q, q.transpose(1, 2), out=scores)
                torch.bmm(p, q, out=per_head)

    step()
    work = operations([width - 2] * rows, layers=layers, hidden=h, inner=inner, classes=0, tagging=True)
    took, until = [], time.perf_counter() + enough
    while time.perf_counter() < until or len(took) < STEPS:
        clock = Clock(device)
        step()
        took.append(clock.read()[0])
    return work / min(took)


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
