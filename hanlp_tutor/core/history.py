"""What a run leaves behind: rows of its history, a manifest, numbered run folders."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from hanlp_tutor.files import write_file, write_json

# One row a logged update; the dev columns are filled where the model was evaluated. Seconds since the start, MiB.
COLUMNS = (
    "step",
    "epoch",
    "tokens",
    "loss",
    "l2",
    "lr",
    "head_lr",
    "grad_norm",
    "loss_scale",
    "micro_batch",
    "dev_loss",
    "dev_score",
    "train_score",
    "dev_minority",
    "seconds",
    "tokens_per_second",
    "memory_mb",
)
MEASURED = ("seconds", "tokens_per_second", "memory_mb")  # these differ between two equal runs
RESULT_FILE = "metrics.json"  # written last: a run folder that has it is finished
LIBRARIES = ("torch", "transformers", "tokenizers", "hanlp", "numpy", "scikit-learn", "snownlp", "hanlp-tutor")


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


def manifest(device: str, **details: Any) -> dict[str, Any]:
    """What is needed to repeat a run: versions, device, time, git state, and the ``details`` of the caller."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": device,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "versions": {name: _version(name) for name in LIBRARIES},
        "git": _git_state(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **details,
    }


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write a manifest as JSON."""
    write_json(path, content)


def update_manifest(folder: Path, **details: Any) -> None:
    """Add to the manifest of a run folder; ``data`` is merged into what it says of the data."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    data = {**content.get("data", {}), **details.pop("data", {})}
    write_manifest(path, {**content, **details, **({"data": data} if data else {})})


def new_run_folder(name: str, root: str | Path = "runs") -> Path:
    """Make and return ``root/name/NNN`` with the next free number; no two processes get the same one."""
    parent = Path(root) / name
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(p.name) for p in parent.iterdir() if p.name.isdigit()), default=0)
    while True:
        number += 1
        try:
            folder = parent / f"{number:03d}"
            os.mkdir(folder)
        except FileExistsError:
            continue
        return folder


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git_state() -> dict[str, Any] | None:
    """Commit and cleanliness of the kit's own checkout; None when it is an installed package."""
    here = Path(__file__).resolve().parent
    ask = ["git", "-C", str(here)]
    try:
        commit = subprocess.run([*ask, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        status = subprocess.run(
            [*ask, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if commit.returncode or status.returncode:
        return None
    return {"commit": commit.stdout.strip(), "clean": not status.stdout.strip()}
