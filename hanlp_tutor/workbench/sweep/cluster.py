"""The machines of a sweep: a local Dask cluster, or one that somebody else has started; a slot for each run.

Each worker has one slot (the Dask resource ``slot``) unless it was started with more: ``dask worker ADDRESS
--nthreads 2 --resources slot=2``. A run takes one, so that a worker with many threads does not begin many at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib import cpu_count

from hanlp_tutor.errors import ConfigError, TrainingError, first_line
from hanlp_tutor.extras import needs
from hanlp_tutor.workbench.sweep.one_run import SLOT, visible_gpus

PATIENCE = 10  # seconds for a scheduler to answer
FOR_WORKERS = 30  # seconds for its first worker to come
ALLOWED_DEATHS = 3  # workers that may die under a run before it counts as failed
_LOADS = 2  # cores of a local worker by default: lessons are made for two


@contextmanager
def cluster_client(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    """A client of Dask whose workers have slots.

    Args:
        workers: of a local cluster; None: one a GPU, or one for each two cores.
        scheduler: the address of a cluster that exists; None: a local one, which ends with the block.

    Raises:
        ConfigError: Dask is missing, or more workers than GPUs. TrainingError: a scheduler that does not answer, has no
            workers, or whose workers lack the kit.
    """
    distributed = needs("distributed", "A sweep")
    import dask

    quiet = {"distributed.worker.daemon": False, "distributed.admin.log-format": "%(message)s"}
    settings = {"distributed.scheduler.allowed-failures": ALLOWED_DEATHS, **quiet}
    with dask.config.set(settings):
        if scheduler is None:
            with _local(distributed, workers) as client:
                yield client
        else:
            if workers is not None:
                raise ConfigError("--workers is for a local cluster; that of --scheduler has its own.")
            with _existing(distributed, scheduler) as client:
                yield client


def crowd(client: Any) -> int:
    """How many runs go on at a time on the machine that has most of them; they share its cores."""
    hosts: dict[str, float] = {}
    for worker in client.scheduler_info(n_workers=-1)["workers"].values():
        hosts[worker["host"]] = hosts.get(worker["host"], 0) + worker.get("resources", {}).get(SLOT, 1)
    return max(1, int(max(hosts.values(), default=1)))


def slots(client: Any) -> int:
    """How many runs go on at a time, now."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return int(sum(worker.get("resources", {}).get(SLOT, 1) for worker in workers))


@contextmanager
def _local(distributed: Any, workers: int | None) -> Iterator[Any]:
    gpus = visible_gpus()
    if workers is not None and workers < 1:
        raise ConfigError(f"--workers {workers}: a sweep needs one at least.")
    if gpus and workers is not None and workers > len(gpus):
        raise ConfigError(
            f"--workers {workers}: no two runs share a GPU, and here there {'are' if len(gpus) > 1 else 'is'} "
            f"{len(gpus)}. Give --workers {len(gpus)}, or set CUDA_VISIBLE_DEVICES= to compute without them."
        )
    number = workers or len(gpus) or max(1, cpu_count() // _LOADS)
    options = {"n_workers": number, "threads_per_worker": 1, "resources": {SLOT: 1}, "dashboard_address": "127.0.0.1:0"}
    # runs are processes of their own, which take memory that Dask does not see
    options |= {"processes": True, "memory_limit": 0, "silence_logs": 50}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@contextmanager
def _existing(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=PATIENCE, name="hanlp-tutor sweep")
    except (OSError, ValueError, TimeoutError, ImportError) as error:
        raise TrainingError(
            f"{address}: no scheduler answers ({first_line(error)}). Start one with `dask scheduler`, and give the "
            "address that it prints, such as tcp://192.168.1.5:8786."
        ) from None
    with client:
        start = f"`dask worker {address} --nthreads 1`"
        try:
            client.wait_for_workers(1, timeout=FOR_WORKERS)
        except TimeoutError:
            raise TrainingError(f"{address}: the scheduler has no worker. Start some: {start}") from None
        try:
            client.register_plugin(_slots_of(distributed))
        except Exception as error:  # what a worker without our package answers is any error of unpickling
            raise TrainingError(
                f"{address}: a worker cannot run the kit ({first_line(error)}). Install hanlp-tutor[course,sweep] for "
                "the Python of the scheduler and of each worker."
            ) from None
        yield client


def _slots_of(distributed: Any) -> Any:
    """A plugin that gives one slot to each worker without, to those that come later, too."""
    from hanlp_tutor.workbench.sweep.slots import OneSlot

    return OneSlot()
