"""Ask plain HanLP, in a process of its own in which this kit cannot be imported and the network cannot be reached.

:func:`ask_plain_hanlp` starts the process; :func:`predict` is what runs there. This file is run there as a script, so
nothing of the kit is imported at its top.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_MARK = "PREDICTIONS:"  # HanLP prints to standard output too


def predict(folder: str, inputs: list[Any]) -> list[Any]:
    """What a user of the model writes: two lines of HanLP, nothing of ours."""
    sys.modules["hanlp_tutor"] = None  # from here on `import hanlp_tutor` fails, even where it is installed
    import hanlp

    model = hanlp.load(folder)
    return [model(text) for text in inputs]  # a batch would be padded to its longest text: gigabytes


def ask_plain_hanlp(folder: str | Path, inputs: list[Any]) -> list[Any]:
    """Call :func:`predict` in a fresh, isolated process.

    Args:
        folder: a HanLP folder.
        inputs: lists of characters for NER, texts for classification.

    Raises:
        RuntimeError: HanLP failed there; the message is the end of what it wrote.
    """
    from hanlp_tutor.device import release_memory

    release_memory()  # the other process loads torch once more
    keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    with tempfile.TemporaryDirectory() as empty:
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HANLP_VERBOSE": "0", "HANLP_HOME": empty,
                   "HF_HOME": empty, "HOME": empty, "USERPROFILE": empty}
        done = subprocess.run(
            # -I: neither PYTHONPATH nor the working directory is searched for modules
            [sys.executable, "-I", "-X", "utf8", str(Path(__file__).resolve())],
            cwd=empty, env=keep | offline, input=json.dumps([str(Path(folder).resolve()), inputs]),
            capture_output=True, encoding="utf-8",
        )
    if done.returncode:
        raise RuntimeError(f"HanLP could not predict from {folder}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.rsplit(_MARK, 1)[1])


if __name__ == "__main__":
    print(_MARK + json.dumps(predict(*json.load(sys.stdin))))
