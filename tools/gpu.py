"""``make gpu``: the tests that need a GPU, then the bench on it; what came of both goes to ``results/gpu.json``.

Without a CUDA device it says so and exits with 1, with ``--allow-none`` with 0. It needs no network. The part that runs
on a GPU has been written without one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import torch

from hanlp_tutor.files import write_json

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "results" / "gpu.json"


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
        write_json(OUT, {**content, "experiment": "gpu", "command_line": "make gpu", "tests": counts})
    return failed or measured


if __name__ == "__main__":
    sys.exit(main())
