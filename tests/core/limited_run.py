"""Train on long texts twice: freely, and with so little address space that 32 of them at once do not fit.

Run by test_out_of_memory.py in a process of its own, for the limit stays.
"""

import resource
import sys
from pathlib import Path

import torch
from toy import tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.device import release_memory

TRAIN, DEV = tagged(64, shortest=180, longest=250), tagged(4, seed=1)
CONFIG = TrainConfig(
    epochs=1,
    batch_size=32,
    max_batch_tokens=100_000,
    lr=1e-3,
    dropout=0.0,
    warmup_steps=0,
    log_steps=1,
    optimizer="sgd",
)


def train(encoder: str, out: Path) -> None:
    model = build_model("ner", encoder, label_set("ner", TRAIN), CONFIG)
    fine_tune(model, TRAIN, DEV, CONFIG, out, progress="lines")
    torch.save(model.state_dict(), out / "final.pt")


def address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main() -> None:
    encoder, folder, granted = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 80
    torch.set_num_threads(1)
    train(encoder, folder / "free")  # first: whatever is loaded late is loaded now
    release_memory()  # what the first run's heap keeps mapped would not count against the second
    limit = address_space() + granted * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    train(encoder, folder / "limited")


if __name__ == "__main__":
    main()
