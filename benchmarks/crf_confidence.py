"""What the confidence of a CRF costs: forward and backward sums, and the gradient of log Z that they replaced.

    python -m benchmarks.crf_confidence

Both are timed in turn on the same emissions, one thread, one text. The lines say the seconds of each and how far it is,
at most, from the sums in double precision: torchcrf's log Z grows with the text, and its gradient in single precision
loses what the size of log Z swallows.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torchcrf import CRF

from hanlp_tutor.core.crf import marginals

TAGS = 7  # of four entity types
LENGTHS = {16: 200, 510: 10, 80_000: 1}  # characters of a text: how often it is timed


def by_gradient(crf: CRF, emissions: Tensor) -> Tensor:
    """The marginals as autograd finds them."""
    scores = emissions.clone().requires_grad_()
    log_z = crf._compute_normalizer(scores.transpose(0, 1), torch.ones(emissions.size(1), 1, dtype=torch.bool)).sum()
    return torch.autograd.grad(log_z, scores)[0]


def seconds(work: Callable[[], Tensor], times: int) -> float:
    """Of one call, the mean of so many."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    crf = CRF(TAGS, batch_first=True)
    for length, times in LENGTHS.items():
        emissions = torch.randn(1, length, TAGS)
        exact = marginals(copy.deepcopy(crf).double(), emissions.double(), [length])
        ways = {
            "sums": lambda e=emissions: marginals(crf, e, [e.size(1)]),
            "gradient": lambda e=emissions: by_gradient(crf, e),
        }
        print(f"{length:>6,} characters", end="")
        for name, work in ways.items():
            off = float((work() - exact).abs().max())
            print(f"  {name} {seconds(work, times):.4f} s, off by {off:.0e}", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
