"""Whether each requirement of a bundle has a wheel for Windows and macOS: ``python tools/wheels.py``, with a network.

Nothing is installed: pip chooses the locked versions for a foreign platform. What comes as source has to be plain
Python, which ``make bundle`` builds anywhere; whether it is, the wheel that was built here says.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = {"course", "lab"}
# torch 2.13 has wheels for Apple's processors from macOS 14 on, and none for Intel's.
PLATFORMS = {
    "win_amd64": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    "macosx_14_0_arm64": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
}


def required(markers: dict[str, str]) -> set[str]:
    """The names that ``kit[course,lab]`` brings where these markers hold, from what is installed here."""
    found: dict[str, set[str]] = {}
    todo = [("hanlp-tutor", EXTRAS)]
    while todo:
        name, extras = todo.pop()
        name = canonicalize_name(name)
        if name in found and extras <= found[name]:
            continue
        found[name] = extras = found.get(name, set()) | extras
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:  # needed there, not here: pip is asked for it, not for what it brings
            continue
        for line in map(Requirement, lines):
            if line.marker is None or any(line.marker.evaluate({**markers, "extra": each}) for each in {"", *extras}):
                todo.append((line.name, set(line.extras)))
    return set(found) - {"hanlp-tutor"}


def plain_python(name: str) -> bool:
    return "Root-Is-Purelib: true" in (distribution(name).read_text("WHEEL") or "")


def without_wheel(platform: str, lines: list[str]) -> list[str]:
    """Those of which pip finds no wheel for a platform."""
    lines, source = list(lines), []
    while True:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--target", "unused",
                   "--only-binary=:all:", "--platform", platform, "--python-version", "3.11", *lines]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        missing = re.search(r"No matching distribution found for (\S+)", said.stderr)
        if not said.returncode:
            return source
        if not missing:
            sys.exit(said.stderr)
        source.append(missing[1])
        lines.remove(missing[1])


def main() -> int:
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    versions = {canonicalize_name(name): version for name, version in locked}
    wrong = 0
    for platform, markers in PLATFORMS.items():
        lines = [f"{name}=={versions[name]}" if name in versions else name for name in sorted(required(markers))]
        source = without_wheel(platform, lines)
        compiled = [line for line in source if not plain_python(line.partition("==")[0])]
        wrong += len(compiled)
        plain = ", ".join(each for each in source if each not in compiled) or "none"
        print(f"{platform}: {len(lines)} requirements, {len(lines) - len(source)} with a wheel")
        print(f"  source of plain Python: {plain}; to be compiled: {', '.join(compiled) or 'none'}", flush=True)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
