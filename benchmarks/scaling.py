"""``python -m benchmarks.scaling``: how time and memory grow with sentences, with their length, with labels.

Each point is a process of its own, on one thread, so that its peak of memory is its own; seconds are those that it
computes. **Read**: a file of so many reviews, those of the corpus again and again, to the first epoch's batches: read
and checked, encoded, sorted into batches (a file above 32 MiB is prepared first and then read from the disk).
**Train**: updates on so many sentences of the newspaper; the longer the list, the less is padded. **Length**: updates
on texts of that many characters, cut from the newspaper, as many characters in each micro-batch. **Labels**: a tagger's
and a classifier's update with so many labels, nearly all of them without an example; with a CRF, whose work grows
with their square, up to some hundreds. What other processes cost is measured by ``python -m benchmarks.threads``.
The million is read in the first round only. Results go to ``results/scaling.json``; what was measured under these
settings is not measured again. Twenty minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks._shared import in_its_own_process, result_file, show
from hanlp_tutor.teach.results import spread

NAME, ENCODER, BATCH = "scaling", "mini-bert", 32
POINTS = {
    "read": (1_000, 10_000, 100_000, 1_000_000),
    "train": (1_000, 3_000, 10_000),
    "length": (16, 32, 64, 128, 256, 510),
    "labels": (10, 100, 1_000, 5_000),
    "labels, CRF": (10, 100, 400),
    "labels, classes": (10, 100, 1_000, 5_000),
}
HEADS = {"read": "reviews", "train": "sentences", "length": "characters of a text"}  # of all others: labels
UPDATES = 24  # that are timed at most, in the middle of a run
WARM_UP = 3  # updates before
CHARACTERS = 32 * 64  # in a micro-batch of the texts of one length
ROUNDS = 2
ONCE = 1_000_000  # points of this size are measured in the first round only
MEASURES = {"seconds": ("seconds", 1, ",.2f"), "tokens_per_second": ("tokens a second", 1, ",.0f"),
            "ms": ("ms an update", 1, ",.0f"), "memory_mib": ("peak MiB", 1, ",.0f")}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", choices=POINTS, help="only this curve")
    parser.add_argument("--most", type=int, help="leave out what is larger")
    parser.add_argument("--results", type=Path, help="folder of the result file; default: results/ of the checkout")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # a measurement, in its own process
    arguments = parser.parse_args()
    if arguments.one:
        curve, size = arguments.one
        print(json.dumps(measured(curve, int(size))))
        return
    if not arguments.table:
        measure_all(arguments)
    show(NAME, table, arguments.results)


def measure_all(arguments: argparse.Namespace) -> None:
    """Fill the result file, round by round."""
    import torch

    torch.set_num_threads(1)  # as in the processes that measure: the device is described with its threads
    settings = {"encoder": ENCODER, "batch": BATCH, "characters": CHARACTERS, "updates": UPDATES, "threads": 1}
    experiment = result_file(NAME, settings, arguments.results)
    for turn in range(1, arguments.rounds + 1):
        for curve, sizes in POINTS.items():
            for size in sizes if arguments.only in (None, curve) else ():
                if size <= (arguments.most or size) and (turn == 1 or size < ONCE):
                    run = lambda _, curve=curve, size=size: _alone(curve, size)  # noqa: E731
                    experiment.measure(f"{curve}/{size}", (turn,), run)


def _alone(curve: str, size: int) -> dict[str, float]:
    values = in_its_own_process(NAME, ["--one", curve, str(size)], os.environ | {"OMP_NUM_THREADS": "1"})
    print(f"{curve}, {size:,}: {values}", file=sys.stderr)
    return values


def measured(curve: str, size: int) -> dict[str, float]:
    """One point of a curve, in this process."""
    from hanlp_tutor.device import choose_device, peak_memory_mb

    with tempfile.TemporaryDirectory() as folder:
        values = _read(size, Path(folder)) if curve == "read" else _updates(curve, size, Path(folder))
    return {**values, "memory_mib": peak_memory_mb(choose_device("cpu"))}


def _read(size: int, folder: Path) -> dict[str, float]:
    from hanlp_tutor import TrainConfig, build_model, load_corpus
    from hanlp_tutor.core.batching import Encodings
    from hanlp_tutor.core.mixing import epoch_batches
    from hanlp_tutor.core.task import label_set
    from hanlp_tutor.workbench.job import read_split

    reviews = load_corpus("reviews").train
    path = folder / "train.tsv"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{each.text}\t{each.label}\n" for each in islice(cycle(reviews), size))
    config = TrainConfig(batch_size=BATCH)
    model = build_model("classify", ENCODER, label_set("classify", reviews), config)
    del reviews
    began = time.process_time()
    split = read_split("classify", path)
    encoded = Encodings(model.encode, split.train)
    first = epoch_batches(encoded, config, 0)[0]
    model.collate([encoded[i] for i in first])
    return {"seconds": time.process_time() - began}


def _updates(curve: str, size: int, folder: Path) -> dict[str, float]:
    """Updates of a run in the middle of its first epoch: tokens a second, and how long one takes."""
    from hanlp_tutor import TrainConfig, build_model, fine_tune
    from hanlp_tutor.core.task import label_set

    task = "classify" if curve == "labels, classes" else "ner"
    examples = list(_examples(curve, size, task))
    batch = max(1, CHARACTERS // size) if curve == "length" else BATCH
    config = TrainConfig(epochs=1, batch_size=batch, crf=curve == "labels, CRF", device="cpu", patience=None,
                         eval_steps=10**9, log_steps=WARM_UP + UPDATES + 1, warmup_steps=0)  # fmt: skip
    labels = list(label_set(task, examples))
    if curve.startswith("labels"):
        kinds = [f"L{i}" for i in range(size)]
        labels = ["O", *(f"{part}-{kind}" for kind in kinds for part in "BI")][:size] if task == "ner" else kinds
    model = build_model(task, ENCODER, labels, config)
    times, tokens = [], []

    def begin(run: Any) -> None:
        end_update = run.end_update

        def counted(*args: Any) -> None:
            tokens.append(run.tokens_since_row)
            times.append(time.process_time())
            end_update(*args)
            if len(times) == WARM_UP + UPDATES + 1:  # of which there is a row
                run.finish()

        run.end_update = counted

    fine_tune(model, examples, [], config, folder / "run", progress="none", on_start=begin)
    first = min(WARM_UP, len(times) - 2)
    seconds = times[-1] - times[first]
    return {
        "tokens_per_second": (tokens[-1] - tokens[first]) / seconds,
        "ms": 1000 * seconds / (len(times) - 1 - first),
    }


def _examples(curve: str, size: int, task: str) -> Iterator[Any]:
    from hanlp_tutor import load_corpus
    from hanlp_tutor.data import LabelledText, TaggedText

    news = load_corpus("peoples_daily").train
    if curve == "train":
        yield from news[:size]
        return
    wanted, long = (WARM_UP + UPDATES + 1) * BATCH, size if curve == "length" else 46
    text = "".join(example.text for example in news)
    tags = [tag for example in news for tag in example.tags]
    for start in range(0, wanted * long, long):
        piece = slice(start, start + long)
        if task == "classify":
            yield LabelledText(text[piece], f"L{start // long % size}")
        elif curve.startswith("labels"):
            yield TaggedText(text[piece], ["O"] * long)
        else:
            yield TaggedText(text[piece], [tag.replace("I-", "B-") for tag in tags[piece]])


def table(content: dict[str, Any]) -> str:
    """The result file as Markdown tables, a curve each."""
    parts = []
    for curve, sizes in POINTS.items():
        rows = {size: content["rows"][f"{curve}/{size}"] for size in sizes if f"{curve}/{size}" in content["rows"]}
        if not rows:
            continue
        measures = [name for name in MEASURES if name in next(iter(rows.values()))["median"]]
        lines = [
            f"| {HEADS.get(curve, curve)} | {' | '.join(MEASURES[name][0] for name in measures)} |",
            "|" + "---|" * (len(measures) + 1),
            *(f"| {size:,} | {' | '.join(_cell(row, name) for name in measures)} |" for size, row in rows.items()),
        ]
        parts.append("\n".join([f"**{curve[0].upper()}{curve[1:]}**", "", *lines]))
    rounds = max(len(row["seeds"]) for row in content["rows"].values())
    measured_on = f"{content['device']}, torch {content['versions']['torch']}, {content['date'][:10]}"
    last = (
        f"Median of {rounds} round{'s' * (rounds > 1)}, spread in brackets. Measured by `{content['command_line']}` "
        f"on {measured_on}."
    )
    return "\n\n".join([*parts, last])


def _cell(row: dict[str, Any], name: str) -> str:
    _, scale, form = MEASURES[name]
    return spread(row, name, scale=scale, form=form)


if __name__ == "__main__":
    main()
