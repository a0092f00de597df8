"""``make offline``: what its commands find, that the network is cut, what a failure does; the bundle here is a toy."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# In place of a bundle's: makes the commands of a virtual environment, of which one fails for one lesson.
INSTALL = """#!/bin/sh
mkdir -p venv/bin
printf '%s\\n' '#!/bin/sh' 'echo "HOME is $HOME, $2"' '[ "$2" != 03_encoders ]' > venv/bin/hanlp-tutor
printf '%s\\n' '#!/bin/sh' 'echo "{\\"versions\\": {}, \\"command\\": \\"\\"}"' > venv/bin/python
chmod +x venv/bin/*
"""
SETTINGS = {
    "PIP_INDEX_URL": "x",
    "PIP_EXTRA_INDEX_URL": "x",
    "PIP_FIND_LINKS": "x",
    "https_proxy": "x",
    "HTTP_PROXY": "x",
    "HF_ENDPOINT": "x",
    "HF_HOME": "x",
    "HANLP_URL": "x",
    "HANLP_TUTOR_DATA": "x",
    "HANLP_TUTOR_MIRROR": "x",
    "PYTHONPATH": "x",
    "VIRTUAL_ENV": "x",
}


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return __import__("offline")


@pytest.fixture
def folder(tmp_path):
    bundle = tmp_path / "bundle"
    (bundle / "kit").mkdir(parents=True)
    (bundle / "install.sh").write_text(INSTALL, encoding="utf-8")
    return bundle


def test_a_seat_has_nothing_of_this_machines_settings(tool, tmp_path, monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    found = tool.environment(tmp_path)
    assert set(found) <= {"PATH", "HOME", "PYTHON", "OMP_NUM_THREADS", "LANG", "LC_ALL"}
    assert found["HOME"] == str(tmp_path) and Path(found["PYTHON"]).is_file()
    assert sys.prefix == sys.base_prefix or not found["PYTHON"].startswith(sys.prefix + os.sep)


def test_lessons_that_run_are_told_with_their_seconds(tool, folder, capsys):
    found = tool.prove(folder, ["00_start_here", "01_data"], tool.Room((), tool.environment(folder)))
    assert set(found["lessons"]) == {"00_start_here", "01_data"} and found["install_seconds"] == 0
    told = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert told == [[step, "passed"] for step in ("install.sh", "00_start_here", "01_data")]


def test_a_lesson_that_fails_ends_it_and_is_shown(tool, folder, capsys):
    names = ["02_loss", "03_encoders", "04_finetune_classifier"]
    assert tool.prove(folder, names, tool.Room((), tool.environment(folder))) is None
    said = capsys.readouterr().out
    assert "03_encoders                       failed" in said and f"HOME is {folder}, 03_encoders" in said
    assert "04" not in said


def test_an_installation_that_fails_ends_it(tool, folder, capsys):
    (folder / "install.sh").write_text("echo no wheel; exit 3", encoding="utf-8")
    assert tool.prove(folder, ["00_start_here"], tool.Room((), tool.environment(folder))) is None
    assert "failed" in (said := capsys.readouterr().out) and said.endswith("no wheel\n")


@pytest.mark.parametrize("found", [True, False])
def test_a_failure_is_the_commands(tool, folder, monkeypatch, found):
    """What ``prove`` says becomes the exit code, and is written only if all lessons were run."""
    written = []
    (folder / tool.bundle.MANIFEST).write_text(json.dumps({"files": {}}), encoding="utf-8")
    monkeypatch.setattr(tool, "namespace", lambda: ())
    monkeypatch.setattr(tool, "_cut_at_all", lambda *_: None)
    monkeypatch.setattr(tool, "prove", lambda *_: {"lessons": {}} if found else None)
    monkeypatch.setattr(tool, "write", lambda *_: written.append(1))
    for lessons in ([], ["05"]):
        monkeypatch.setattr(sys, "argv", ["offline.py", "--bundle", str(folder), *lessons])
        assert bool(tool.main()) is not found
    assert len(written) == found


def test_where_the_network_cannot_be_cut_it_is_said(tool, monkeypatch):
    refused = subprocess.CompletedProcess([], 1, "", "unshare: unshare failed: Operation not permitted\n")
    monkeypatch.setattr(tool.sys, "platform", "linux")
    monkeypatch.setattr(tool.shutil, "which", lambda name: name)
    monkeypatch.setattr(tool.subprocess, "run", lambda *_, **__: refused)
    with pytest.raises(SystemExit, match=r"cannot be cut here: .*not permitted\. Run this as root; or "):
        tool.namespace()
    monkeypatch.setattr(tool.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"command unshare \(package util-linux\), which is not here\. By hand: make"):
        tool.namespace()


def test_a_folder_that_is_no_bundle_or_is_damaged_is_refused(tool, folder, tmp_path):
    with pytest.raises(SystemExit, match=r"no bundle, it holds no manifest\.json"):
        tool.taken(folder, tmp_path / "copy")
    (folder / tool.bundle.MANIFEST).write_text(json.dumps({"files": {"kit/README.md": "0"}}), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"damaged or missing: kit/README\.md"):
        tool.taken(folder, tmp_path / "copy")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces of Linux")
def test_what_answers_outside_does_not_answer_inside(tool, tmp_path):
    try:
        prefix = tool.namespace()
    except SystemExit as reason:
        pytest.skip(str(reason))
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        cut = (sys.executable, tool.__file__, tool.CUT, str(port))
        inside = tool.Room((*prefix, *cut), tool.environment(tmp_path))
        itself = "import socket as s; a = s.create_server(('127.0.0.1', 0)); s.create_connection(a.getsockname())"
        assert inside.run([sys.executable, "-c", f"{itself}; print('speaks')"], tmp_path)[1:] == ("speaks\n", True)
        _, said, well = tool.Room(cut, tool.environment(tmp_path)).run(["true"], tmp_path)
        assert not well and "The network is not cut" in said and "an answer" in said
