"""Install the kit where a notebook server has most packages already, as Colab has: what the lessons' first cell runs.

pip adds what is missing and leaves torch and numpy as they are: what the running kernel has loaded, or is built for the
machine's GPU, must not change under it. Standard library only. ``python tools/colab.py course`` does the same.
"""

import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

KIT = Path(__file__).resolve().parents[1]
KEPT = ("torch", "numpy")


def constraints() -> str:
    """A line for each kept package that is there, with its very build, such as ``torch==2.11.0+cu128``."""
    lines = []
    for name in KEPT:
        try:
            lines.append(f"{name}=={version(name)}\n")
        except PackageNotFoundError:  # then pip may choose
            continue
    return "".join(lines)


def install(*extras: str) -> None:
    """Install the kit, with some of its extras, from the clone that this file lies in; import it from there.

    Raises:
        subprocess.CalledProcessError: pip's own report stands above it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text(constraints(), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input"]
        subprocess.run([*pip, "-c", str(file), "-e", f"{KIT}[{','.join(extras)}]"], check=True)
    sys.path.insert(0, str(KIT))  # Python looks for editable installations only when it starts


if __name__ == "__main__":
    install(*sys.argv[1:])
