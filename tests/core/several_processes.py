"""Runs of the loop, started by test_parallel.py, in one process or by torchrun in several: JSON in, weights out."""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from small_runs import PLAIN, make
from toy import labelled, tagged

from hanlp_tutor import cli
from hanlp_tutor.core import parallel, train
from hanlp_tutor.core.model import Model

OPTIONS = {"batch_size": 8, "gradient_accumulation_steps": 2, "max_grad_norm": 1.0, "log_steps": 5, "epochs": 2}


def main(encoder: str, out: Path, runs: dict) -> None:
    for name, given in runs.items():
        rank = parallel.join().rank
        given = {"task": "ner", "count": 150, "dev": 0, "double": True, "options": {}, **given}
        data = tagged if given["task"] == "ner" else labelled
        config = PLAIN.replace(**{**OPTIONS, **given["options"]})
        model = make(given["task"], data(given["count"]), encoder, config, double=given["double"])
        if "dropout" in given["options"]:
            model.dropout.set(model, config.dropout)
        evaluations = []  # here, where callbacks are called
        result = train.fine_tune(
            model,
            data(given["count"]),
            data(given["dev"], seed=1),
            config,
            out / name,
            progress="none",
            on_evaluation=evaluations.append,
        )
        weights = model.state_dict()
        ours = torch.cat([tensor.flatten().double() for tensor in weights.values()])
        same = [bool(torch.equal(ours, other)) for other in parallel.join().gather(ours)]
        told = parallel.join().gather((result.best_dev, result.best_step, result.steps, len(evaluations)))
        if rank == 0:
            torch.save({"weights": weights, "same": same, "told": told}, out / f"{name}.pt")
    parallel.leave()


def trouble(kind: str, at: int) -> None:
    """Let this process fail at its at-th micro-batch."""
    real, seen = Model.forward, 0

    def forward(self, batch):
        nonlocal seen
        seen += self.training
        if seen == at and self.training:
            if kind == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return real(self, batch) * torch.nan
        return real(self, batch)

    Model.forward = forward


if __name__ == "__main__":
    if sys.argv[1] == "cli":  # RANK KIND AT ARGUMENTS...
        if sys.argv[2] == os.environ.get("RANK", "0"):
            trouble(sys.argv[3], int(sys.argv[4]))
        sys.argv[1:5] = []
        cli.main()
    else:
        main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
