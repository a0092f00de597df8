"""``python -m benchmarks.threads``: how fast the kit trains beside other work, by how its threads wait for each other.

Every measurement is a process of its own, as OpenMP reads its variables once: it fine-tunes ``mini-bert`` on sentences
of the People's Daily with the kit's own loop and counts tokens a second, evaluations, start-up and the first rows left
out. Beside it 0, 1 or 2 processes do nothing but keep a core busy. Rounds alternate between all settings, so that
what the machine does meanwhile falls on each alike; the table shows the median of the rounds, and their spread.

``default`` is torch as it is; ``one thread`` cannot wait; ``spin N`` looks N times before it sleeps (GNU's OpenMP);
``passive`` sleeps at once; ``as the kit chooses`` is :mod:`hanlp_tutor.threads` at work. Measure on a quiet
machine: one with load of its own is refused. Results go to ``results/threads.json``; what has been measured there is
not measured again. ``--table`` only prints.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._shared import in_its_own_process, result_file, show
from hanlp_tutor import threads
from hanlp_tutor.teach.results import Experiment, spread

NAME = "threads"
SETTINGS: dict[str, dict[str, str] | None] = {
    "default": {},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "spin 0": {"GOMP_SPINCOUNT": "0"},
    "spin 1000": {"GOMP_SPINCOUNT": "1000"},
    "spin 10000": {"GOMP_SPINCOUNT": "10000"},
    "spin 30000": {"GOMP_SPINCOUNT": "30000"},
    "spin 100000": {"GOMP_SPINCOUNT": "100000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "as the kit chooses": None,
}
BUSY = (0, 1, 2)  # processes beside the one that is measured
ENCODER, SENTENCES, BATCH_SIZE = "mini-bert", 160, 16
WARM_UP = 2  # rows of the history that are not counted: allocators and caches are cold
QUIET = 0.3  # cores that others may keep busy before a measurement


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of training in each measurement")
    parser.add_argument("--setting", action="append", choices=SETTINGS, help="only this one; repeat")
    parser.add_argument("--results", type=Path, help="folder of the result file; default: results/ of the checkout")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    parser.add_argument("--crowded-anyway", action="store_true", help="measure although the machine is not quiet")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # a measurement, in its own process
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(tokens_per_second(arguments.seconds)))
        return
    if not arguments.table:
        measure_all(arguments)
    show(NAME, table, arguments.results)


def measure_all(arguments: argparse.Namespace) -> None:
    """Fill the result file, round by round."""
    experiment = _experiment(arguments.seconds, arguments.results)
    for turn in range(1, arguments.rounds + 1):
        for setting in arguments.setting or SETTINGS:
            for busy in BUSY:
                experiment.measure(
                    row_name(setting, busy),
                    (turn,),
                    lambda _, setting=setting, busy=busy: _beside(busy, setting, arguments),
                    depends_on={"environment": SETTINGS[setting]},
                )


def row_name(setting: str, busy: int) -> str:
    """The row of a setting beside so many busy processes."""
    return f"{setting}, {busy} busy"


def table(content: dict[str, Any]) -> str:
    """The result file as a Markdown table: tokens a second, and in brackets how much of the default's that is."""
    rows, columns = content["rows"], ("quiet", *(f"{n} busy process{'es' * (n > 1)}" for n in BUSY[1:]))
    lines = [f"| tokens a second | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for setting in SETTINGS:
        cells = []
        for busy in BUSY:
            row, default = rows.get(row_name(setting, busy)), rows.get(row_name("default", busy))
            if row is None:
                cells.append("not measured yet")
                continue
            share = row["median"]["tokens_per_second"] / default["median"]["tokens_per_second"] if default else None
            times = f"; × {share:.2f}" if share and setting != "default" else ""
            cells.append(spread(row, "tokens_per_second", scale=1, form=",.0f") + times)
        lines.append(f"| {setting} | {' | '.join(cells)} |")
    measured = f"{content['device']}, torch {content['versions']['torch']}, {content['date'][:10]}"
    rounds = max(len(row["seeds"]) for row in rows.values())
    lines += ["", f"Median of {rounds} rounds, spread in brackets; × is the share of the default beside the same "
              f"company. Measured by `{content['command_line']}` on {measured}."]  # fmt: skip
    return "\n".join(lines)


def _experiment(seconds: float, folder: Path | None) -> Experiment:
    settings = {
        "encoder": ENCODER,
        "sentences": SENTENCES,
        "batch_size": BATCH_SIZE,
        "seconds": seconds,
        "cores": threads.this_machine().cores,
    }
    return result_file(NAME, settings, folder)


def _beside(busy: int, setting: str, arguments: argparse.Namespace) -> dict[str, float]:
    """One measurement, in a fresh process beside busy ones."""
    others = threads.others_at_work(1.0)
    if others > QUIET and not arguments.crowded_anyway:
        sys.exit(
            f"Other work keeps {others:.1f} cores busy, so nothing can be measured here now; what has been is kept. "
            "Go on later, or take --crowded-anyway."
        )
    variables = SETTINGS[setting]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "KMP_", threads.WHY))}
    if variables is not None:
        environment |= {**variables, threads.WHY: "threads wait as a benchmark has it"}
    with busy_processes(busy):
        values = in_its_own_process(NAME, ["--one", "--seconds", str(arguments.seconds)], environment)
    print(f"{row_name(setting, busy)}: {values['tokens_per_second']:,.0f} tokens/s", file=sys.stderr)
    return values


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that keep a core busy each; they end with the block, or with this process."""
    code = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    try:
        time.sleep(1.0 if count else 0.0)  # until they are at it
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def tokens_per_second(seconds: float) -> dict[str, float]:
    """Fine-tune for so long, in this process; tokens a second of training, and the number of threads."""
    from hanlp_tutor import TrainConfig, build_model, fine_tune, load_corpus
    from hanlp_tutor.core.task import label_set

    sentences = load_corpus("peoples_daily").train[:SENTENCES]
    config = TrainConfig(
        epochs=300, batch_size=BATCH_SIZE, head_lr=1e-3, crf=False, eval_steps=10, log_steps=5, device="cpu",
        patience=None, warmup_steps=0,
    )
    model = build_model("ner", ENCODER, label_set("ner", sentences), config)
    with tempfile.TemporaryDirectory() as folder:
        result = fine_tune(
            model,
            sentences,
            [],
            config,
            folder,
            progress="none",
            on_evaluation=lambda row: row["seconds"] > seconds and row["step"] > config.log_steps * (WARM_UP + 1),
        )
    import torch

    rows = result.history
    spans = [
        (row["tokens"] - before["tokens"], (row["tokens"] - before["tokens"]) / row["tokens_per_second"])
        for before, row in zip(rows[WARM_UP - 1 :], rows[WARM_UP:], strict=False)
    ]
    tokens, elapsed = (sum(column) for column in zip(*spans, strict=True))
    return {"tokens_per_second": tokens / elapsed, "threads": torch.get_num_threads()}


if __name__ == "__main__":
    main()
