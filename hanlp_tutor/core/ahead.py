"""One update ahead: while the GPU computes one, a thread makes the micro-batches of the next and locks their memory.

On a CPU there is nobody to wait for: the thread would take the time that the update needs, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from hanlp_tutor.core.batching import Batch


class Ahead:
    """Windows of micro-batches, each made once, the next while the present one is computed.

    Args:
        make: from the place of an update to its micro-batches on the CPU; draws nothing at random.
        on: whether to work ahead; otherwise each window is made when it is wanted.
    """

    def __init__(self, make: Callable[[Hashable], list[Batch]], *, on: bool):
        self._make, self._thread = make, ThreadPoolExecutor(1, "batches") if on else None
        self._coming: tuple[Hashable, Future[list[Batch]]] | None = None

    def take(self, place: Hashable, following: Hashable | None) -> list[Batch]:
        """The window of this place. ``following`` is begun, unless it is None: the next that will be wanted, mostly.

        Raises:
            Exception: whatever ``make`` raises, of this place.
        """
        coming, self._coming = self._coming, None
        if coming is not None and coming[0] != place:  # memory ran out, or a run goes on elsewhere
            coming[1].exception()  # wait for its end: two at a time may not read the same batches
            coming = None
        window = self._make(place) if coming is None else coming[1].result()
        if self._thread is not None and following is not None:
            self._coming = following, self._thread.submit(self._locked, following)
        return window

    def _locked(self, place: Hashable) -> list[Batch]:
        window = self._make(place)
        return [batch.pinned() for batch in window] if torch.cuda.is_available() else window
