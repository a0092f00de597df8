"""``python -m benchmarks.sweep``: what a sweep costs beside the notebooks themselves, a run.

The notebook does nothing but write ``metrics.json``, so all time is overhead. ``a run of a sweep`` is the fresh process
with its imports, the kernel and papermill, as the sweep's own table has it; ``the sweep around its runs`` what is left
of the whole command: the local cluster of one worker, handing out, the table and the summary notebook, divided by the
runs; ``run_notebook in this process`` is the same notebook where nothing has to be started but its kernel.

Results go to ``results/sweep.json``; what has been measured there is not measured again. ``--table`` only prints.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from hanlp_tutor.teach.results import Experiment, read_results, spread

NAME = "sweep"
RUNS = 4
IN_SWEEP, AROUND, IN_PROCESS = "a run of a sweep", "the sweep around its runs", "run_notebook in this process"
CELLS = (
    'PROFILE = "class"\nout = None\nseed = 1',
    'import pathlib\n(pathlib.Path(out) / "metrics.json").write_text(f\'{{"seed": {seed}}}\')',
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--results", type=Path, help="folder of the result file; default: results/ of the checkout")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    arguments = parser.parse_args()
    if not arguments.table:
        measure(arguments.rounds, arguments.results)
    content = read_results(NAME, arguments.results)
    print(table(content) if content else f"Not measured yet: {__doc__.split('``')[1]}")


def measure(rounds: int, folder: Path | None) -> None:
    """Fill the result file, round by round; a sweep gives two rows at once."""
    from hanlp_tutor.device import choose_device, describe_device
    from hanlp_tutor.manifest import manifest

    device = describe_device(choose_device("cpu"))
    experiment = Experiment(NAME, {"runs": RUNS, "workers": 1, "device": device}, manifest(device), folder)
    experiment.content["command_line"] = f"python -m benchmarks.{NAME}"
    for turn in range(1, rounds + 1):
        done: list[tuple[float, float]] = []

        def part(index: int, done: list[tuple[float, float]] = done) -> dict[str, float]:
            if not done:
                done.append(of_a_sweep())
            return {"seconds": done[0][index], "load": load()}

        experiment.measure(IN_SWEEP, (turn,), lambda _, part=part: part(0))
        experiment.measure(AROUND, (turn,), lambda _, part=part: part(1))
        experiment.measure(IN_PROCESS, (turn,), lambda _: {"seconds": in_this_process(), "load": load()})


def load() -> float:
    """How many processes wanted to compute during the last minute, the measured ones among them."""
    return psutil.getloadavg()[0]


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
    rounds = max(len(row["seeds"]) for row in content["rows"].values())
    measured = f"{content['device']}, {content['date'][:10]}"
    what = f"Of a notebook that does nothing, {content['settings']['runs']} runs on one local worker"
    busy = "The load counts all processes that wanted to compute: above the number of cores, the machine was busy."
    measured = f"Measured by `{content['command_line']}` on {measured}."
    lines += ["", f"{what}; rounds: {rounds}, median, spread in brackets. {busy} {measured}"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
