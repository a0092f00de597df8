"""The plugin by which each worker of a foreign cluster gets a slot. Importing this imports Dask."""

from __future__ import annotations

from typing import Any

from distributed import WorkerPlugin

from hanlp_tutor.workbench.sweep.one_run import SLOT


class OneSlot(WorkerPlugin):
    """Gives a worker one slot where it was started without any."""

    name = "hanlp-tutor-slot"
    idempotent = True

    async def setup(self, worker: Any) -> None:
        """Called on each worker, now and when a new one comes."""
        if SLOT not in worker.state.total_resources:
            await worker.set_resources(**{SLOT: 1})
