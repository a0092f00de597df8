"""How long one log takes, one at a time, as a shop floor sends them: not the mean, the percentiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

WARM_UP = 10  # calls that are not counted: the first ones allocate


def times(predict: Callable[[str], Any], texts: Sequence[str], *, warm_up: int = WARM_UP) -> list[tuple[float, float]]:
    """Milliseconds of ``predict(text)``, text by text: on the clock on the wall, and of computing."""
    for text in texts[:warm_up]:
        predict(text)
    found = []
    for text in texts:
        began, computed = time.perf_counter(), time.process_time()
        predict(text)
        cpu = time.process_time() - computed
        found.append((1000 * (time.perf_counter() - began), 1000 * cpu))
    return found


def latency(predict: Callable[[str], Any], texts: Sequence[str], *, warm_up: int = WARM_UP) -> dict[str, float]:
    """The percentiles of :func:`times`.

    Returns:
        ``p50`` and ``p99`` of the clock on the wall, which other programs of the machine make longer, and
        ``cpu p50``, ``cpu p99`` of what this process computed.
    """
    wall, cpu = zip(*times(predict, texts, warm_up=warm_up), strict=True)
    return {
        **{f"p{share}": float(np.percentile(wall, share)) for share in (50, 99)},
        **{f"cpu p{share}": float(np.percentile(cpu, share)) for share in (50, 99)},
    }
