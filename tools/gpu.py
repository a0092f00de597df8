"""``make gpu``: the tests that need a GPU, then the bench on it, and where there are several GPUs, one beside all.

What came of it goes to ``results/gpu.json``.

Without a CUDA device it says so and exits with 1, with ``--allow-none`` with 0. It needs no network. The part that runs
on a GPU has been written without one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import torch

from hanlp_tutor.files import write_json

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "results" / "gpu.json"
sys.path.insert(0, str(ROOT))  # benchmarks/ is no part of the package


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--allow-none", action="store_true", help="exit with 0 where there is no GPU")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("There is no CUDA device here, so nothing is measured. What there is: hanlp-tutor doctor")
        return 0 if arguments.allow_none else 1
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        tests = [sys.executable, "-m", "pytest", "-m", "cuda", "-q", f"--junit-xml={report}", "tests/core"]
        failed = subprocess.run(tests, cwd=ROOT).returncode
        suite = ElementTree.parse(report).getroot().find("testsuite").attrib
    bench = [sys.executable, "-m", "hanlp_tutor.cli", "bench", "--out", str(OUT)]
    measured = subprocess.run(bench, cwd=ROOT).returncode
    if not measured:
        content = json.loads(OUT.read_text(encoding="utf-8"))
        counts = {name: int(suite[name]) for name in ("tests", "failures", "errors", "skipped")}
        content |= {"experiment": "gpu", "command_line": "make gpu", "tests": counts, "devices": devices()}
        write_json(OUT, content)
    return failed or measured


def devices() -> dict[str, Any] | str:
    """One GPU beside all of them (``benchmarks/devices.py``); in words, where that was not measured."""
    from benchmarks.devices import NAME, for_gpu

    if torch.cuda.device_count() < 2:
        return "not measured: there is one GPU"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"benchmarks.{NAME}", "--results", folder]
        if subprocess.run(command, cwd=ROOT).returncode:
            return f"not measured: python -m benchmarks.{NAME} failed"
        return for_gpu(json.loads((Path(folder) / f"{NAME}.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
