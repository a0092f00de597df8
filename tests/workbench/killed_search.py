"""Search twice: once in peace, once killed again and again. Run by test_tune.py in a process of its own.

Imports cost seconds, so one parent imports everything and forks a child for each life of the search. A child is killed
by SIGKILL: while it trains, while it writes its journal, between two trials.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from toy import tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.data import Split
from hanlp_tutor.workbench.tuning.search import tune

SPLIT = Split(tagged(40, longest=20), tagged(15, seed=1, longest=20), [])
CONFIG = TrainConfig(epochs=3, head_lr=3e-3, patience=None)
SPACE = {"lr": "1e-4..1e-2:log", "dropout": "0..0.3", "batch_size": "4,8"}
TRIALS, KILLS = 12, 9


def search(encoder: str, out: Path) -> None:
    tune("ner", SPLIT, encoder, CONFIG, SPACE, TRIALS, out, progress="none")


def life(encoder: str, out: Path) -> int:
    """A child that searches; its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            search(encoder, out)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def main() -> None:
    encoder, folder = sys.argv[1], Path(sys.argv[2])
    torch.set_num_threads(1)  # before the first fork: threads do not survive it
    began = time.monotonic()
    search(encoder, folder / "peaceful")
    pace = (time.monotonic() - began) / TRIALS
    rng, kills = random.Random(7), 0
    while kills < KILLS:
        child = life(encoder, folder / "killed")
        time.sleep(rng.uniform(0.2, 2.2) * pace)
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
    _, status = os.waitpid(life(encoder, folder / "killed"), 0)
    if status:
        raise SystemExit(f"the last life failed with status {status}")
    print(json.dumps({"kills": kills}))


if __name__ == "__main__":
    main()
