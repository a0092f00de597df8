"""Train the same run twice: once in peace, once killed again and again. Run by test_resume.py in a process of its own.

Imports cost seconds, so one parent imports everything and forks a child for each life of the run. A child is killed by
SIGKILL, some at a random moment, some while ``checkpoint.pt.partial`` is being written.
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
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune

TRAIN, DEV = tagged(120, longest=30), tagged(10, seed=1)
CONFIG = TrainConfig(
    epochs=8,
    batch_size=4,
    gradient_accumulation_steps=2,
    checkpoint_steps=2,
    eval_steps=7,
    log_steps=3,
    patience=None,
    dropout=0.2,  # the random numbers have to go on where they stopped
    l2=0.01,
    l2_on="distance",  # so has the origin that the distance is measured from
)
LEAST_KILLS, INSIDE = 24, 10  # in all; of them inside the write of a checkpoint


def train(encoder: str, out: Path) -> None:
    model = build_model("ner", encoder, label_set("ner", TRAIN), CONFIG)
    fine_tune(model, TRAIN, DEV, CONFIG, out, resume=True, progress="none")
    torch.save(model.state_dict(), out / "final.pt")


def fork(encoder: str, out: Path) -> int:
    """A child that trains and exits with 0; its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(encoder, out)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def ended(child: int) -> bool:
    """Whether it ended by itself; a child that failed is an error."""
    done, status = os.waitpid(child, os.WNOHANG)
    if done and status:
        raise SystemExit(f"a run failed with status {status}")
    return bool(done)


def wait_until(child: int, true, seconds: float) -> bool:
    """Poll as fast as it goes; False when time is over or the child has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        if ended(child):
            raise ChildProcessError
        time.sleep(0.0005)
    return False


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def killed_run(encoder: str, out: Path, rng: random.Random, pace: float) -> dict[str, int]:
    """Kill the run until it was killed often enough or has finished; then let it finish.

    ``pace`` is seconds per update on this machine: with fixed delays a fast machine would finish before it was killed
    often enough.
    """
    partial, checkpoint = out / "checkpoint.pt.partial", out / "checkpoint.pt"
    kills = inside = 0
    while kills < LEAST_KILLS:
        partial.unlink(missing_ok=True)
        child = fork(encoder, out)
        try:
            saved = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            if kills % 4:  # one whole checkpoint first, or the run would never get on; else any time before it
                wait_until(child, lambda s=saved: checkpoint.exists() and checkpoint.stat().st_mtime_ns != s, 30)
            if inside < INSIDE and kills % 2:
                wait_until(child, partial.exists, 30)
                time.sleep(rng.uniform(0, 0.003))
            else:
                wait_until(child, lambda: False, rng.uniform(0, 2 * pace))
            kill(child)
        except ChildProcessError:
            break
        kills += 1
        inside += partial.exists()
    if not (out / "final.pt").exists():
        child = fork(encoder, out)
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"the last run failed with status {status}")
    return {"kills": kills, "inside": inside}


def main() -> None:
    encoder, folder = sys.argv[1], Path(sys.argv[2])
    torch.set_num_threads(1)  # before the first fork: threads do not survive it
    began = time.monotonic()
    train(encoder, folder / "peaceful")
    updates = json.loads((folder / "peaceful" / "manifest.json").read_text(encoding="utf-8"))["updates"]
    pace = (time.monotonic() - began) / updates
    counts = killed_run(encoder, folder / "killed", random.Random(20), pace)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
