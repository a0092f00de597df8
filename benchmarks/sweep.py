"""``python -m benchmarks.sweep``: what a sweep costs beside the notebooks themselves, a run.

The notebook does nothing but write ``metrics.json``, so all time is overhead. ``a run of a sweep`` is the fresh process
with its imports, the kernel and papermill, as the sweep's own table has it; ``the sweep around its runs`` what is left
of the whole command: the local cluster of one worker, handing out, the table and the summary notebook, divided by the
runs; ``run_notebook in this process`` is the same notebook where nothing has to be started but its kernel.

Then 24 runs of it in ``smoke``, by the command ``hanlp-tutor sweep``, on two workers: of a local cluster, and of a
scheduler that was started separately by ``dask scheduler``, with two ``dask worker``. After a third of the runs one
worker is killed (``kill -9``) with the run that it is at. What counts is whether all results are there, and whether the
same command, given again, begins none and says so.

Results go to ``results/sweep.json``; what has been measured there is not measured again. ``--table`` only prints.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median

import psutil

from benchmarks._shared import load, result_file, show
from hanlp_tutor.teach.results import spread

NAME = "sweep"
RUNS = 4
IN_SWEEP, AROUND, IN_PROCESS = "a run of a sweep", "the sweep around its runs", "run_notebook in this process"
CELLS = (
    'PROFILE = "class"\nout = None\nseed = 1',
    'import pathlib\n(pathlib.Path(out) / "metrics.json").write_text(f\'{{"seed": {seed}}}\')',
)
KILLED_RUNS, KILLED_AFTER = 24, 8  # runs; how many are finished when a worker is killed
KILLED = {"two local workers": False, "`dask scheduler` and two `dask worker`": True}  # whether started separately
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--results", type=Path, help="folder of the result file; default: results/ of the checkout")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    arguments = parser.parse_args()
    if not arguments.table:
        measure(arguments.rounds, arguments.results)
    show(NAME, table, arguments.results)


def measure(rounds: int, folder: Path | None) -> None:
    """Fill the result file, round by round; a sweep gives two rows at once."""
    experiment = result_file(NAME, {"runs": RUNS, "workers": 1}, folder)
    for turn in range(1, rounds + 1):
        done: list[tuple[float, float]] = []

        def part(index: int, done: list[tuple[float, float]] = done) -> dict[str, float]:
            if not done:
                done.append(of_a_sweep())
            return {"seconds": done[0][index], "load": load()}

        experiment.measure(IN_SWEEP, (turn,), lambda _, part=part: part(0))
        experiment.measure(AROUND, (turn,), lambda _, part=part: part(1))
        experiment.measure(IN_PROCESS, (turn,), lambda _: {"seconds": in_this_process(), "load": load()})
    for name, separately in KILLED.items():
        experiment.measure(
            name, (1,), lambda _, separately=separately: of_a_killed_worker(separately=separately),
            depends_on={"runs": KILLED_RUNS, "killed after": KILLED_AFTER},
        )  # fmt: skip


def of_a_sweep() -> tuple[float, float]:
    """Seconds of a run, and of the sweep around it, a run."""
    from hanlp_tutor.workbench.sweep.grid import plan_sweep
    from hanlp_tutor.workbench.sweep.running import sweep

    with tempfile.TemporaryDirectory() as folder:
        plan = plan_sweep(_notebook(Path(folder)), {"seed": [*range(1, RUNS + 1)]})
        began = time.perf_counter()
        done = sweep(plan, Path(folder) / "s", workers=1, say=lambda line: print(line, file=sys.stderr))
        whole = time.perf_counter() - began
    seconds = [row["seconds"] for row in done.rows]
    return median(seconds), (whole - sum(seconds)) / RUNS


def in_this_process() -> float:
    """Seconds of the notebook by itself, the second time: then papermill is imported."""
    from hanlp_tutor.workbench.runner import run_notebook

    with tempfile.TemporaryDirectory() as folder:
        for number in (1, 2):
            began = time.perf_counter()
            run_notebook(str(_notebook(Path(folder))), out=Path(folder) / str(number))
        return time.perf_counter() - began


def of_a_killed_worker(*, separately: bool) -> dict[str, float]:
    """A sweep one of whose two workers is killed, and the same command once more; numbers by name.

    ``seconds`` is that of a run, ``least`` and ``greatest`` among the runs; ``a run`` is the whole command by runs.

    Args:
        separately: on a scheduler and workers that were started by themselves; else on a local cluster.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = ",".join(map(str, range(1, KILLED_RUNS + 1)))
        words = [str(_notebook(folder)), "--grid", f"seed={seeds}", "--profile", "smoke"]
        words += ["--out", str(folder / "s"), "--json"]
        with cluster(folder, 2) if separately else nullcontext((None, None)) as (address, workers):
            words += ["--scheduler", address] if separately else ["--workers", "2"]
            began = time.perf_counter()
            command = psutil.Popen(_sweeping(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

            def at_work() -> list[psutil.Process]:
                return working(workers if separately else command.children(recursive=True))

            until(lambda: _finished(folder / "s") >= KILLED_AFTER and at_work())
            victim = at_work()[0]
            with_it = len(runs_below(victim))
            victim.kill()  # SIGKILL
            out, err = command.communicate()
            whole = time.perf_counter() - began
            busy = load()
            again = subprocess.run(_sweeping(words), capture_output=True, text=True)
        print(err, file=sys.stderr)
        first, second = (json.loads(text.splitlines()[-1]) for text in (out, again.stdout))
        seconds = [run["seconds"] for run in first["runs"] if run["seconds"] is not None]
        return {
            "runs": KILLED_RUNS,
            "results": sum(run["metrics"].get("seed") == run["point"]["seed"] for run in first["runs"]),
            "runs killed": with_it,
            "begun by the second call": second["begun"],
            "said that there is nothing to do": float("nothing to do" in again.stderr),
            "seconds": median(seconds),
            "least": min(seconds),
            "greatest": max(seconds),
            "a run": whole / KILLED_RUNS,
            "load": busy,
        }


def _sweeping(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "hanlp_tutor.cli", "sweep", *words]


def _finished(folder: Path) -> int:
    return len(list((folder / "runs").glob("*/metrics.json")))


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[psutil.Process]]]:
    """``dask scheduler`` and so many ``dask worker`` as one types them; the address and the workers.

    A worker without a nanny is not started again when it is killed. What they print goes into ``folder``.
    """
    log, processes = folder / "scheduler.log", []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(name: str, *arguments: str) -> psutil.Popen:
        with open(folder / name, "wb") as file:
            command = [sys.executable, "-m", "dask", *arguments]
            processes.append(psutil.Popen(command, stdout=file, stderr=file, env=environment))
        return processes[-1]

    try:
        start("scheduler.log", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        until(lambda: re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text()))
        address = re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text())[1]
        plain = ("--nthreads", "2", "--no-dashboard", "--no-nanny")
        yield address, [start(f"worker-{n}.log", "worker", address, *plain) for n in range(workers)]
    finally:
        for process in reversed(processes):
            if process.is_running():
                process.terminate()
        psutil.wait_procs(processes, timeout=20)


def until(what: Callable[[], object], seconds: float = 300) -> None:
    """Wait for something.

    Raises:
        AssertionError: it has not come to that in so many seconds.
    """
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def working(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those of the processes that have a run of a sweep below them."""
    return [process for process in processes if runs_below(process)]


def runs_below(worker: psutil.Process) -> list[psutil.Process]:
    """The processes of the runs that a worker is at; none of one that is gone."""
    try:
        return [child for child in worker.children() if "sweep.one_run" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def _notebook(folder: Path) -> Path:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(CELLS)]
    cells[0].metadata["tags"] = ["parameters"]
    path = folder / "77_nothing.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def table(content: dict) -> str:
    """The result file as a Markdown table."""
    lines = ["| | seconds a run | load of the machine |", "|---|---|---|"]
    for name in (IN_SWEEP, AROUND, IN_PROCESS):
        row = content["rows"].get(name)
        cells = [spread(row, of, scale=1, form=".1f") if row else "not measured yet" for of in ("seconds", "load")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    rounds = max(len(row["seeds"]) for name, row in content["rows"].items() if name not in KILLED)
    measured = f"{content['device']}, {content['date'][:10]}"
    what = f"Of a notebook that does nothing, {content['settings']['runs']} runs on one local worker"
    busy = "The load counts all processes that wanted to compute: above the number of cores, the machine was busy."
    measured = f"Measured by `{content['command_line']}` on {measured}."
    lines += ["", f"{what}; rounds: {rounds}, median, spread in brackets. {busy} {measured}"]
    return "\n".join([*lines, *_killed(content["rows"])])


def _killed(rows: dict) -> list[str]:
    """What became of the sweeps one of whose workers was killed, as lines."""
    lines = ["", "| a worker is killed | with how many runs | results | begun by a second call | seconds a run | whole "
             "command, a run | load |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name in KILLED:
        found = rows[name]["median"] if name in rows else None
        if found is None:
            lines.append(f"| {name} | not measured yet | | | | | |")
            continue
        second = f"{found['begun by the second call']:.0f}"
        second += ', "nothing to do"' if found["said that there is nothing to do"] else ", and did not say so"
        lines.append(
            f"| {name} | {found['runs killed']:.0f} | {found['results']:.0f} of {found['runs']:.0f} | {second} | "
            f"{found['seconds']:.1f} ({found['least']:.1f} to {found['greatest']:.1f}) | {found['a run']:.1f} | "
            f"{found['load']:.1f} |"
        )
    about = "The same notebook in smoke, two runs at a time; after {} of them one worker gets `kill -9`. A local "
    about += "one is started again, one that was started separately is not. Seconds a run: median, least and greatest; "
    about += "the command's, from its start to the summary, by runs."
    known = [rows[name]["depends_on"]["killed after"] for name in KILLED if name in rows]
    return [*lines, "", about.format(known[0])] if known else lines


if __name__ == "__main__":
    main()
