"""Runs of the loop, started by test_parallel.py, in one process or in several: JSON in, weights out.

``--fork N``: as ``torchrun --nproc_per_node N`` starts them, but forked off one process that has imported torch, which
takes a third of the time. What torchrun itself does, ending all when one was killed, has a test that runs it.
"""

import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
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


def forked(processes: int, work: Callable[[], None]) -> int:
    """Let so many children do the work under the variables that torchrun gives; the greatest of their exit codes.

    As torchrun does, this process keeps the store by which they find each other, and outlives them.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(processes):
        child = os.fork()
        if not child:
            several = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
            several |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "none"}
            several |= {"TORCHELASTIC_USE_AGENT_STORE": "True"}
            os.environ.update({name: str(value) for name, value in several.items()} if processes > 1 else {})
            code = 1
            try:
                work()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    store = dist.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False)
    codes = [abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) for child in children]
    del store
    return max(codes)


def command_line() -> None:
    """``cli RANK KIND AT ARGUMENTS...``"""
    if sys.argv[2] == os.environ.get("RANK", "0"):
        trouble(sys.argv[3], int(sys.argv[4]))
    sys.argv[1:5] = []
    cli.main()


if __name__ == "__main__":
    count = None
    if sys.argv[1] == "--fork":
        count = int(sys.argv[2])
        del sys.argv[1:3]
    if sys.argv[1] == "cli":
        sys.exit(command_line() if count is None else forked(count, command_line))
    folders, given = json.loads(sys.argv[2]), json.loads(sys.argv[3])
    for several, folder in folders.items():
        if code := forked(int(several), lambda folder=folder: main(sys.argv[1], Path(folder), given)):
            sys.exit(code)
