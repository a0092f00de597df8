"""What the benchmarks share: a result file to fill, a measurement in its own process, the table of what is known."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from hanlp_tutor.teach.results import Experiment, read_results


def result_file(name: str, settings: Mapping[str, Any], folder: Path | None, *, device: str = "cpu") -> Experiment:
    """The experiment that ``python -m benchmarks.NAME`` fills; what it measured depends on the device, too."""
    from hanlp_tutor.device import choose_device, describe_device
    from hanlp_tutor.manifest import manifest

    described, command = describe_device(choose_device(device)), f"python -m benchmarks.{name}"
    experiment = Experiment(name, {**settings, "device": described}, manifest(described, command=command), folder)
    experiment.content["command_line"] = command
    return experiment


def in_its_own_process(
    name: str, arguments: Sequence[str], environment: Mapping[str, str], *, processes: int | None = None
) -> dict[str, float]:
    """What ``python -m benchmarks.NAME ARGUMENTS`` prints in its last line; where it fails, its message ends this.

    Args:
        processes: started by torchrun, so many that work together.
    """
    several = () if processes is None else ("torch.distributed.run", "--nproc_per_node", str(processes), "-m")
    command = [sys.executable, "-m", *several, f"benchmarks.{name}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def load() -> float:
    """How many processes wanted to compute during the last minute, the measured ones among them."""
    return psutil.getloadavg()[0]


def show(name: str, table: Callable[[dict[str, Any]], str], folder: Path | None) -> None:
    """Print the table of the result file, or how to measure it."""
    content = read_results(name, folder)
    print(table(content) if content else f"Not measured yet: python -m benchmarks.{name}")
