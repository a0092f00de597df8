"""What it takes to repeat a run: its manifest, and the numbered folder that it lies in."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from hanlp_tutor.files import write_json

RESULT_FILE = "metrics.json"  # written last: a run folder that has it is finished
LIBRARIES = ("torch", "transformers", "tokenizers", "hanlp", "numpy", "scikit-learn", "snownlp", "hanlp-tutor")


def manifest(device: str, **details: Any) -> dict[str, Any]:
    """What is needed to repeat a run: versions, device, time, git state, and the ``details`` of the caller."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": device,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "versions": versions(),
        "git": _git_state(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **details,
    }


def versions(names: Sequence[str] = LIBRARIES) -> dict[str, str | None]:
    """The installed version of each package; None of one that is not installed."""
    return {name: _version(name) for name in names}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder; empty where there is none."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def update_manifest(folder: Path, **details: Any) -> None:
    """Add to the manifest of a run folder; ``data`` is merged into what it says of the data."""
    content = read_manifest(folder)
    data = {**content.get("data", {}), **details.pop("data", {})}
    write_json(folder / "manifest.json", {**content, **details, **({"data": data} if data else {})})


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
