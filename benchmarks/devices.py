"""``python -m benchmarks.devices``: the same training in one process, and in several with a device each.

Both are started by torchrun, and both make the same updates: the same sentences, encoder and batch, which several
processes divide among themselves (``core/parallel.py``). On GPUs there are as many processes as GPUs, which speak by
NCCL, and the encoder has BERT-base's shape; where there is none, two with a thread each, by Gloo, and the embedded one.
Counted are the tokens of the texts a second of time that passes, in the middle of the run; rounds alternate, and a
ratio is taken within a round. The record says how many processors were granted and how many processes wanted to
compute during the minute before: two processes whose processors share a core gain less than two devices would, and
beside other work they get two shares of the machine where one process gets one. Results go to
``results/devices.json``; what was measured under these settings is not measured again. Five minutes on a quiet CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._shared import in_its_own_process, load, result_file, show
from hanlp_tutor.teach.results import spread

NAME, ROUNDS = "devices", 3
BATCH, WARM_UP = 32, 4  # sentences an update; updates before those that are timed
SENTENCES = 512  # of the newspaper, in one pass
ON_GPU = {"batch": 256, "sentences": 8192}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--results", type=Path, help="folder of the result file; default: results/ of the checkout")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)  # a training, one of its processes
    arguments = parser.parse_args()
    if arguments.one:
        measured(*arguments.one)
        return
    if not arguments.table:
        measure_all(arguments.rounds, arguments.results)
    show(NAME, table, arguments.results)


def measure_all(rounds: int, folder: Path | None) -> None:
    """Fill the result file, round by round.

    Raises:
        SystemExit: a single GPU, which leaves nothing to compare.
    """
    import joblib
    import torch

    gpus = torch.cuda.device_count()
    if gpus == 1:
        sys.exit("There is one GPU: with nothing beside it, nothing is compared.")
    torch.set_num_threads(1)  # as in the processes that measure: the device is described with its threads
    processes = gpus or 2
    how = ON_GPU if gpus else {"batch": BATCH, "sentences": SENTENCES}
    settings = {
        **how,
        "encoder": "BERT-base's shape, random weights" if gpus else "mini-bert",
        "processes": processes,
        "devices": gpus,
        "processors": joblib.cpu_count(),
    }
    experiment = result_file(NAME, settings, folder, device="auto")
    for turn in range(1, rounds + 1):
        both = (1, processes) if turn % 2 else (processes, 1)  # who comes second finds the caches warm
        for count in both:
            run = lambda _, count=count: _started(count, how["batch"], how["sentences"])  # noqa: E731
            experiment.measure(row_name(count), (turn,), run)


def row_name(processes: int) -> str:
    """How a row of the result file is called."""
    return f"{processes} process{'es' * (processes > 1)}"


def _started(processes: int, batch: int, sentences: int) -> dict[str, float]:
    before = load()
    values = in_its_own_process(
        NAME, ["--one", str(batch), str(sentences)], os.environ | {"OMP_NUM_THREADS": "1"}, processes=processes
    )
    print(f"{row_name(processes)}: {values}", file=sys.stderr)
    return {**values, "load": before}


def measured(batch: int, sentences: int) -> None:
    """Train, as one of the processes; the first prints what came of it."""
    import torch

    from hanlp_tutor.core.parallel import join, leave
    from hanlp_tutor.core.train import fine_tune
    from hanlp_tutor.workbench.bench import material, ours

    examples = material.sentences("ner", sentences)
    with tempfile.TemporaryDirectory() as folder:
        encoder = material.EMBEDDED
        if torch.cuda.is_available():
            encoder = str(material.write_encoders(Path(folder), quick=False)["base"])
        config, model = ours.new_model("ner", encoder, examples, batch_size=batch, log_steps=WARM_UP, patience=None)
        result = fine_tune(model, examples, [], config, Path(folder) / "run", progress="none")
        leads = join().leads
        leave()
    if leads:
        print(json.dumps(of_history(result.history)))


def of_history(history: list[dict[str, Any]]) -> dict[str, float]:
    """Tokens a second between the first row of a run and its last, and what was computed."""
    first, last = history[0], history[-1]
    seconds = last["seconds"] - first["seconds"]
    rate = (last["tokens"] - first["tokens"]) / seconds
    return {"tokens_per_second": rate, "seconds": seconds, "updates": last["step"], "tokens": last["tokens"]}


def ratio(content: dict[str, Any]) -> dict[str, Any]:
    """How many times as fast several processes are as one: median and spread of the rounds."""
    one, several = (content["rows"][row_name(count)]["seeds"] for count in (1, content["settings"]["processes"]))
    ratios = [several[turn]["tokens_per_second"] / one[turn]["tokens_per_second"] for turn in one.keys() & several]
    return {"median": statistics.median(ratios), "spread": [min(ratios), max(ratios)]}


def for_gpu(content: dict[str, Any]) -> dict[str, Any]:
    """What ``results/gpu.json`` holds of it."""
    return {"processes": content["settings"]["processes"], "vs_one": ratio(content), "rows": content["rows"]}


def table(content: dict[str, Any]) -> str:
    """The result file as a Markdown table, and how it was measured."""
    settings, rows = content["settings"], content["rows"]
    times = ratio(content)
    low, high = times["spread"]
    lines = ["| | tokens a second | updates | processes that wanted to compute before |", "|---|---|---|---|"]
    for name, row in rows.items():
        cells = [spread(row, key, scale=1, form=form) for key, form in (("tokens_per_second", ",.0f"), ("load", ".1f"))]
        lines.append(f"| {name} | {cells[0]} | {row['median']['updates']:.0f} | {cells[1]} |")
    rounds = min(len(row["seeds"]) for row in rows.values())
    devices = f"{settings['devices']} GPUs" if settings["devices"] else f"{settings['processors']} processors"
    wanted = max(row["median"]["load"] for row in rows.values())
    shared = not settings["devices"] and wanted > settings["processors"]
    caveat = (
        " The machine was shared: more wanted to compute than it has processors. Of such a machine two processes get "
        "two shares, so the ratio flatters them."
    )
    said = (
        f"{row_name(settings['processes'])} beside 1: × {times['median']:.2f} ({low:.2f} to {high:.2f}), on {devices}. "
        f"{settings['sentences']:,} sentences, {settings['batch']} an update, {settings['encoder']}; rounds: {rounds}, "
        f"median, spread in brackets. Measured by `{content['command_line']}` on {content['device']}, "
        f"torch {content['versions']['torch']}, {content['date'][:10]}.{caveat * shared}"
    )
    return "\n".join([*lines, "", said])


if __name__ == "__main__":
    main()
