"""What this machine can do, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from hanlp_tutor import threads
from hanlp_tutor.extras import COURSE, EXTRAS, how_to_install

REQUIRED = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "hanlp",
    "snownlp",
    "sklearn",
    "scipy",
    "torchcrf",
    "pydantic",
    "yaml",
    "tqdm",
)  # by training, prediction and export
DISTRIBUTIONS = {"sklearn": "scikit-learn", "torchcrf": "pytorch-crf", "yaml": "PyYAML"}
LEAST_DISK_GB = 1.0


def examine() -> dict[str, Any]:
    """Look at packages, device, memory, disk and corpora.

    ``healthy`` is False when a model could not be trained; what only lessons and searches need stands in ``course``.
    """
    packages = {name: _version(name) for name in (*REQUIRED, *(m for extra in COURSE for m in EXTRAS[extra]))}
    report: dict[str, Any] = {"python": platform.python_version(), "packages": packages}
    problems = [
        f"{name} is missing: pip install {DISTRIBUTIONS.get(name, name)}" for name in REQUIRED if packages[name] is None
    ]
    absent = [[module for module in EXTRAS[extra] if packages[module] is None] for extra in COURSE]
    report["course"] = [f"{_listed(modules)} missing: {how_to_install(*modules)}" for modules in absent if modules]
    if packages["torch"] and packages["transformers"]:
        report["device"] = _device()
    report["threads"] = threads.report()
    report["memory_gb"] = _memory_gb()
    report["disk_free_gb"] = round(shutil.disk_usage(".").free / 2**30, 1)
    if report["disk_free_gb"] < LEAST_DISK_GB:
        problems.append(f"{report['disk_free_gb']} GiB of disk are free here; a lesson needs {LEAST_DISK_GB}.")
    report["corpora"] = _corpora()
    problems += [f"corpus {name}: {state}" for name, state in report["corpora"].items() if state != "found"]
    report["offline"] = {name: os.environ.get(name) for name in ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HANLP_TUTOR_DATA")}
    report["problems"] = problems
    report["healthy"] = not problems
    return report


def render(report: dict[str, Any]) -> str:
    """The report as lines for a person."""
    lines = [f"Python {report['python']}"]
    lines += [f"  {name:18} {version or 'MISSING'}" for name, version in report["packages"].items()]
    if "device" in report:
        device = report["device"]
        formats = ", ".join(name for name in ("fp16", "bf16") if device[name]) or "none: train in float32"
        lines += [f"device: {device['name']}", f"  fast half precision: {formats}"]
    waiting = report["threads"]
    lines += [f"cores: {waiting['cores']}; {waiting['waiting']}"]
    lines += [f"  {name}={value}" for name, value in waiting["set"].items()]
    lines += [f"memory: {report['memory_gb']} GiB, free disk: {report['disk_free_gb']} GiB"]
    lines += [f"corpus {name}: {state}" for name, state in report["corpora"].items()]
    found = "Everything that training needs is there." if report["course"] else "Everything is there."
    lines += ["", found if report["healthy"] else "To do:", *("  " + problem for problem in report["problems"])]
    lines += ["For the course:", *("  " + absent for absent in report["course"])] if report["course"] else []
    return "\n".join(lines)


def _listed(modules: list[str]) -> str:
    return f"{', '.join(modules)} {'is' if len(modules) == 1 else 'are'}"


def in_a_line(device: str = "auto") -> str:
    """The device, torch, and how threads wait where that is not as usual: the first line of a run's report."""
    from hanlp_tutor.device import choose_device, describe_device, limit_threads

    limit_threads()  # first, as the device's name has their number
    waiting = threads.report()["waiting"]
    machine = f"{describe_device(choose_device(device))}, Python {platform.python_version()}, torch {_version('torch')}"
    return f"{machine}; {waiting}" if waiting.startswith(threads.SLEEP) else machine


def _device() -> dict[str, Any]:
    from hanlp_tutor.device import choose_device, describe_device, is_fast

    device = choose_device()
    return {
        "type": device.type,
        "name": describe_device(device),
        "fp16": is_fast(device, "fp16"),
        "bf16": is_fast(device, "bf16"),
    }


def _version(module: str) -> str | None:
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return metadata.version(DISTRIBUTIONS.get(module, module))
    except metadata.PackageNotFoundError:
        return "unknown"


def _memory_gb() -> float | None:
    """Of this machine, or of the container when it has less (Binder)."""
    import psutil

    total = psutil.virtual_memory().total
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return round(total / 2**30, 1)


def _corpora() -> dict[str, str]:
    from hanlp_tutor.corpora import CORPORA, locate
    from hanlp_tutor.errors import DataError

    states = {}
    for name in CORPORA:
        try:
            locate(name)
            states[name] = "found"
        except DataError as error:
            states[name] = str(error)
    return states
