"""Execute a notebook that is graded, and write down what its checks said.

``python -m hanlp_tutor.teach.course.recording NOTEBOOK EVENTS`` is the process that :mod:`.grading` starts and limits.
It appends a line of JSON for each cell that begins or fails, and the notebook's kernel one for each verdict, so that
what was reached is known even if both are ended.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hanlp_tutor.teach import check


def start(path: str) -> None:
    """In the kernel: write each verdict of a check into the file of events."""

    def record(name: str, answer: Any, verdict: check.Verdict, guess: bool) -> None:
        blank = check.is_unsolved(answer[0] if guess and isinstance(answer, tuple) else answer)
        state = "solved" if verdict.accepted else "not tried" if blank else "wrong"
        _append(path, {"exercise": name, "state": state, "reason": verdict.reason, "prediction": guess})

    check.LISTENERS.append(record)


def execute(notebook: Path, events: Path) -> None:
    """Run a prepared notebook to its end, whatever its cells raise."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    node = nbformat.read(notebook, as_version=4)

    def begun(cell: Any, cell_index: int) -> None:
        _append(events, {"cell": cell_index})

    def done(cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        content = execute_reply["content"]
        if content["status"] != "ok":
            message = content.get("evalue", "").partition("\n")[0]
            error = f"{content.get('ename')}: {message}"
            _append(events, {"failed": cell_index, "error": error})

    client = NotebookClient(
        node,
        timeout=None,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(notebook.parent)}},
        on_cell_start=begun,
        on_cell_executed=done,
    )
    try:
        client.execute()
        _append(events, {"end": "done"})
    except DeadKernelError:
        _append(events, {"end": "its kernel died"})


def _append(path: str | Path, event: dict[str, Any]) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(event, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    execute(Path(sys.argv[1]), Path(sys.argv[2]))
