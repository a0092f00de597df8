"""``sweep``: run all points of a plan that are not finished, and say how it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from hanlp_tutor.errors import TrainingError, first_line
from hanlp_tutor.extras import needs
from hanlp_tutor.files import write_file
from hanlp_tutor.workbench.sweep.cluster import cluster_client, crowd, slots
from hanlp_tutor.workbench.sweep.grid import Plan, described_point, folder_name
from hanlp_tutor.workbench.sweep.one_run import FAILED, FINISHED, SLOT, NoSharedFolder, run_on_worker, verdict
from hanlp_tutor.workbench.sweep.summary import SWEEP_FILE, numbers_of, read_sweep, write_summary, write_sweep

RETRIES = 2  # of a run whose process ended without a word; a cell that fails would fail again
RUNS = "runs"


@dataclass(frozen=True)
class Sweep:
    """What a sweep has come to.

    ``rows``: a dictionary a point, in the order of the grid: ``point``, ``state`` (finished, failed), ``seconds``,
    ``error``, ``folder`` (in ``out``), ``metrics`` (numbers by name, those of parts as ``test.f1``).
    ``begun``: how many runs this call began.
    """

    out: Path
    rows: list[dict[str, Any]]
    begun: int

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rows of failed runs."""
        return [row for row in self.rows if row["state"] == FAILED]


def sweep(
    plan: Plan,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Sweep:
    """Run what is not finished of a plan, and write the table and the summary notebook.

    A run whose cell fails is kept with its notebook, and stops nothing; the next call tries it again. A worker that is
    killed takes its run with it, which is begun anew on another.

    Args:
        out: the sweep's folder, on a cluster one that all machines see; None: ``runs/sweeps/NOTEBOOK-HASH``, another
            one for each state of the notebook, profile and fixed parameters.
        workers, scheduler: see :func:`~hanlp_tutor.workbench.sweep.cluster.cluster_client`.
        say: gets a line for each thing that happens.

    Raises:
        ConfigError, TrainingError: as ``cluster_client``; a folder that holds another sweep; a cluster that is gone.
    """
    needs("distributed", "A sweep")
    out = Path(out or Path("runs") / "sweeps" / f"{plan.notebook.stem}-{plan.key}").resolve()
    _prepare(plan, out)
    jobs = [_job(plan, point, out) for point in plan.points]
    waiting = [job for job in jobs if (verdict(Path(job["folder"]), job["key"]) or {}).get("state") != FINISHED]
    done = len(jobs) - len(waiting)
    if done:
        say(f"{done} of {len(jobs)} runs are finished already" + ("; nothing to do" if not waiting else ""))
    said = {}
    if waiting:
        with cluster_client(workers, scheduler) as client:
            _run_all(client, waiting, len(jobs), said, say)
    rows = [_row(point, job, said.get(job["key"])) for point, job in zip(plan.points, jobs, strict=True)]
    if waiting or not (out / SWEEP_FILE).exists() or read_sweep(out)["rows"] != rows:
        say("summary: writing the table and the notebook")
        write_summary(out, plan, rows)
    return Sweep(out, rows, len(waiting))


def _prepare(plan: Plan, out: Path) -> None:
    """The folder, with the notebook as it was when the sweep was planned.

    Raises:
        TrainingError: it holds another sweep.
    """
    out.mkdir(parents=True, exist_ok=True)
    copy = out / plan.notebook.name
    with FileLock(out / ".lock"):
        before = read_sweep(out).get("identity") if (out / SWEEP_FILE).exists() else None
        if before is not None and before != plan.identity:
            changed = [name for name in plan.identity if before.get(name) != plan.identity[name]]
            what = {"source": "state of the notebook", "parameters": "set of -p"}
            named = " and ".join(what.get(name, name) for name in changed)
            raise TrainingError(f"{out}: holds a sweep with another {named}. Choose another one, or leave out --out.")
        if before is None:
            if copy.exists() and copy.read_bytes() != plan.source:
                raise TrainingError(f"{copy}: is another notebook, and would be overwritten. Choose another folder.")
            write_file(copy, lambda file: file.write(plan.source))
            write_sweep(out, plan, [])


def _job(plan: Plan, point: dict[str, Any], out: Path) -> dict[str, Any]:
    key = plan.run_key(point)
    return {
        "notebook": str(out / plan.notebook.name),
        "parameters": plan.parameters(point),
        "point": point,
        "profile": plan.profile,
        "folder": str(out / RUNS / folder_name(point, key)),
        "key": key,
        "directory": os.getcwd(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


def _run_all(
    client: Any,
    jobs: list[dict[str, Any]],
    total: int,
    said: dict[str, dict[str, Any]],
    say: Callable[[str], None],
) -> None:
    """Hand out the jobs, and put into ``said`` what became of each, by key."""
    from distributed import as_completed

    beside, done, began = crowd(client), total - len(jobs), time.monotonic()
    say(f"{len(jobs)} runs to do, {slots(client)} at a time")
    futures = {}
    for job in jobs:
        options = {"resources": {SLOT: 1}, "retries": RETRIES, "pure": False}
        futures[client.submit(run_on_worker, {**job, "beside": beside}, key=f"run-{job['key']}", **options)] = job
    for future in as_completed(list(futures)):
        job = futures[future]
        said[job["key"]] = _outcome(client, future, job)
        done += 1
        say(_line(done, total, job, said[job["key"]], time.monotonic() - began))
        future.release()


def _outcome(client: Any, future: Any, job: dict[str, Any]) -> dict[str, Any]:
    """What became of a run, that of one that took its process or its workers with it, too.

    Raises:
        TrainingError: the cluster is gone, or does not see the folder.
    """
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise TrainingError("The scheduler is gone. Finished runs are kept: start it again, and give the same command.")
    error = future.exception()
    if isinstance(error, NoSharedFolder):
        raise TrainingError(f"{error}. On a cluster, --out and the notebook have to lie in a folder that all share.")
    if isinstance(error, KilledWorker):
        reason = "the workers that it ran on died one after another, most likely because memory ran out"
    else:
        reason = first_line(error)
    return {"state": FAILED, "error": reason, "key": job["key"], "seconds": None}


def _row(point: dict[str, Any], job: dict[str, Any], said: dict[str, Any] | None) -> dict[str, Any]:
    """A point with what its run came to."""
    folder = Path(job["folder"])
    said = said or verdict(folder, job["key"]) or {"state": FAILED, "error": "it was not run", "seconds": None}
    return {
        "point": point,
        "state": said["state"],
        "seconds": said["seconds"],
        "error": said["error"],
        "folder": f"{RUNS}/{folder.name}",
        "metrics": numbers_of(folder) if said["state"] == FINISHED else {},
    }


def _line(done: int, total: int, job: dict[str, Any], said: dict[str, Any], elapsed: float) -> str:
    took = "" if said["seconds"] is None else f"{said['seconds']:.1f} s"
    line = f"[{done:>{len(str(total))}}/{total}] {said['state']}  {described_point(job['point'])}  {took}".rstrip()
    if said["state"] == FAILED:
        line += f"  {said['error'].splitlines()[0]}"
    return f"{line}  ({elapsed:.0f} s so far)"
