"""The kit's own contestant: training, prediction, peak memory, and where the time of an update goes.

``python -m hanlp_tutor.workbench.bench.ours`` trains the embedded encoder in a process of its own and prints the peak
of its memory in MiB.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.batching import Batch, Encodings
from hanlp_tutor.core.mixing import epoch_batches
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.run import Run
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.device import choose_device, peak_memory_mb
from hanlp_tutor.workbench.bench.material import EMBEDDED, Clock, Pass, sentences

# by what part of an update's time an operator counts, in this order
CLASSES = {
    "matrix products": ("mm", "bmm", "addmm", "linear"),
    "attention": ("scaled_dot_product",),
    "optimiser and clipping": ("_fused_adam", "_foreach", "norm_except", "linalg_vector_norm", "stack"),
    "activation, norm, dropout": ("gelu", "layer_norm", "dropout", "bernoulli", "softmax", "nll_loss"),
    "embedding": ("embedding", "index", "gather"),
    "additions and copies": ("",),
}
PYTHON = "Python: collation, autograd's books"


def new_model(task: str, encoder: str, examples: Sequence[Any], **options: Any) -> tuple[TrainConfig, Model]:
    """A model with a linear head, as the peers have, unless the options say otherwise; and the options of one pass."""
    linear = {"crf": False} if task == "ner" else {}
    config = TrainConfig(**{"epochs": 1, **linear, **options})
    return config, build_model(task, encoder, label_set(task, examples), config)


def train(
    task: str, encoder: str, examples: Sequence[Any], batch: int, *, part: int = 1, watched: Any = None, **options: Any
) -> tuple[Pass, Model]:
    """One pass of the loop with the kit's defaults; ``options`` are further ones of the run.

    After the last update the kit evaluates and saves, which is no part of the pass.

    Args:
        part: of its updates, which come in random order, the first of so many parts.
        watched: a profiler, which is started and stopped with the clock.
    """
    config, model = new_model(task, encoder, examples, batch_size=batch, **options)
    updates = -(-len(epoch_batches(Encodings(model.encode, examples), config, 0)) // part)
    config, passed, collate = config.replace(log_steps=updates), Pass(), model.collate

    def begin(run: Run) -> None:
        end_update = run.end_update

        def counted(*args: Any, **kwargs: Any) -> Batch:
            made = collate(*args, **kwargs)
            passed.count(made.attention_mask)
            return made

        def last(*args: Any) -> None:
            end_update(*args)
            if run.state.step == updates:
                passed.stop(clock, run.row["loss"])
                run.finish()
                del model.collate
                if watched is not None:
                    watched.stop()

        model.collate, run.end_update = counted, last
        if watched is not None:
            watched.start()
        clock = Clock(model.device)

    with tempfile.TemporaryDirectory() as folder:
        fine_tune(model, examples, [], config, Path(folder) / "run", progress="none", on_start=begin)
    return passed, model


def profile(task: str, encoder: str, examples: Sequence[Any], batch: int, part: int) -> dict[str, float]:
    """Where the time of a pass goes: the share of each class of operators, and of Python between them."""
    watched = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    passed, _ = train(task, encoder, examples, batch, part=part, watched=watched)
    shares = dict.fromkeys((*CLASSES, PYTHON), 0.0)
    for event in watched.key_averages():
        name = event.key.removeprefix("aten::")
        kind = next(kind for kind, parts in CLASSES.items() if any(part in name for part in parts))
        shares[kind] += event.self_cpu_time_total / 1e6 / passed.wall
    shares[PYTHON] = max(0.0, 1 - sum(shares.values()))
    return shares


def main() -> None:
    torch.set_num_threads(1)
    train("ner", EMBEDDED, sentences("ner", int(sys.argv[1])), 32)
    print(peak_memory_mb(choose_device("cpu")))


if __name__ == "__main__":
    main()
