"""Two processes with one study, whose trainings only take time. Run by test_tune.py in a process of its own.

Imports cost seconds, so one parent imports everything and forks both. With ``1`` the first is killed while it trains.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from toy import tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.data import Split
from hanlp_tutor.workbench.tuning import search as module

SPLIT = Split(tagged(4, longest=20), tagged(2, seed=1, longest=20), [])
CONFIG = TrainConfig(epochs=3, head_lr=3e-3, patience=None)
TRIALS, SECONDS = 12, 0.3


def note(file: Path, place: str) -> None:
    with open(file, "a", encoding="utf-8") as lines:
        lines.write(f"{place} {os.getpid()}\n")


def slow_training(folder: Path):
    def fine_tune(model, train, dev, config, out, *, progress, on_start, on_evaluation):
        note(folder / "begun", out.name)
        out.mkdir(parents=True)
        (out / "manifest.json").write_text(json.dumps({"updates": 3}), encoding="utf-8")
        for step in (1, 2, 3):
            time.sleep(SECONDS / 3)
            on_evaluation({"step": step, "dev_score": step * config.lr, "tokens": 100 * step})
        note(folder / "ended", out.name)
        return type("Result", (), {"best_dev": 3 * config.lr})

    return fine_tune


def process(folder: Path) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            space = {"lr": "1e-4..1e-2:log"}
            begin = ("ner", SPLIT, "random:mini-bert", CONFIG, space, TRIALS, folder / "s")
            module.tune(*begin, pruner="none", progress="none")
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def under_way(folder: Path, process: int) -> bool:
    """Whether a process has ended a trial, and is in another."""
    lines = [file.read_text().split() if file.exists() else [] for file in (folder / "begun", folder / "ended")]
    begun, ended = (line[1::2].count(str(process)) for line in lines)
    return begun > ended > 0


def main() -> None:
    folder, killed = Path(sys.argv[1]), sys.argv[2] == "1"
    module.fine_tune, module.build_model = slow_training(folder), lambda *arguments: None
    processes = [process(folder), process(folder)]
    if killed:
        while not under_way(folder, processes[0]):
            time.sleep(0.01)
        os.kill(processes[0], signal.SIGKILL)
    statuses = [os.waitpid(each, 0)[1] for each in processes]
    if statuses != [signal.SIGKILL if killed else 0, 0]:
        raise SystemExit(f"they ended with {statuses}")
    print(json.dumps({"processes": processes}))


if __name__ == "__main__":
    main()
