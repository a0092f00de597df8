"""The history of a run, row by row: its columns, its file, TensorBoard; and a look at each row for what is no number.

A loss or gradient that is no number any more (发散) is looked for only where a row is made, because reading a tensor
waits for the device, and the error then names the update and the sentences.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanlp_tutor.errors import DivergedError
from hanlp_tutor.files import write_file

if TYPE_CHECKING:  # a history is read without torch
    from torch import Tensor

# One row a logged update; the dev columns are filled where the model was evaluated. Seconds since the start, MiB.
# fmt: off
COLUMNS = (
    "step", "epoch", "tokens", "loss", "l2", "lr", "head_lr", "grad_norm", "loss_scale", "micro_batch",
    "dev_loss", "dev_score", "train_score", "dev_minority", "seconds", "tokens_per_second", "memory_mb",
)
# fmt: on
MEASURED = ("seconds", "tokens_per_second", "memory_mb")  # these differ between two equal runs


def write_history(path: Path, rows: list[dict[str, Any]], columns: Sequence[str] = COLUMNS) -> None:
    """All rows so far as CSV, whole or not at all; an empty cell is a value that was not measured there."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, lambda file: file.write(text.getvalue().encode("utf-8")))


class HistoryFile:
    """``history.csv`` while a run goes on: begun with the rows of a resumed run, then a line is added for each.

    Rows that a killed run wrote beyond its checkpoint are gone with the beginning, and so is a line cut in half.
    """

    def __init__(self, path: Path, rows: list[dict[str, Any]]):
        self.path = path
        write_history(path, rows)

    def add(self, row: dict[str, Any]) -> None:
        """Write one row behind the others."""
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)


def read_history(path: str | Path) -> list[dict[str, float | None]]:
    """The rows of ``history.csv`` as numbers; None where a cell is empty."""
    with open(path, encoding="utf-8", newline="") as file:
        return [{name: float(cell) if cell else None for name, cell in row.items()} for row in csv.DictReader(file)]


class TensorBoard:
    """The same rows as TensorBoard scalars, when the library is there."""

    def __init__(self, folder: Path, done: int):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self.writer = None
        else:
            # purged: what a killed run wrote beyond its checkpoint
            self.writer = SummaryWriter(str(folder), purge_step=done + 1)

    def add(self, row: dict[str, Any]) -> None:
        """One row, without its empty cells."""
        if self.writer is not None:
            for name in COLUMNS[2:]:
                if row.get(name) is not None:
                    self.writer.add_scalar(name, row[name], row["step"])

    def close(self) -> None:
        """Flush to the disk."""
        if self.writer is not None:
            self.writer.close()


def check_finite(
    losses: Tensor, norms: Tensor, origins: Sequence[tuple[int, list[str]]], *, scaled: bool, fp16: bool
) -> None:
    """Look through all losses and gradients since the last row, before any of it is saved.

    Args:
        losses: of each micro-batch.
        norms: of the gradient of each update.
        origins: the update and the sources of each micro-batch.
        scaled: a loss scaler is at work; it skips an update whose gradient overflowed: that is how it finds its scale.
        fp16: the run computes in fp16, one possible cause.

    Raises:
        DivergedError: the first NaN or infinity, with the batch.
    """
    bad_losses = (~losses.isfinite()).nonzero().flatten().tolist()
    bad_norms = [] if scaled else (~norms.isfinite()).nonzero().flatten().tolist()
    first_update = origins[0][0]
    by_gradient = [first_update + i for i in bad_norms[:1]]
    if bad_losses and origins[bad_losses[0]][0] <= min(by_gradient, default=math.inf):
        update, sources = origins[bad_losses[0]]
        what = f"The loss became {float(losses[bad_losses[0]])} before update {update}"
    elif by_gradient:
        update = by_gradient[0]
        sources = [source for step, batch in origins if step == update for source in batch]
        what = f"The gradient of update {update} has the norm {float(norms[bad_norms[0]])}"
    else:
        return
    named = ", ".join(source or "(no source)" for source in sources[:3])
    more = f" and {len(sources) - 3} more" if len(sources) > 3 else ""
    raise DivergedError(
        f"{what}, in the batch of {named}{more}. "
        f"Lower lr or head_lr, lengthen the warm-up{', use bf16 or float32' if fp16 else ''}. "
        "The last checkpoint is from before."
    )
