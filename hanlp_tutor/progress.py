"""A progress bar that behaves: a bar in a terminal, a widget in a live notebook, plain lines in a file or papermill."""

from __future__ import annotations

import os
import sys
from typing import Any


def resolve_mode(mode: str) -> str:
    """``bar``, ``lines`` or ``none``, whatever is asked for.

    ``auto`` is resolved; HANLP_TUTOR_PROGRESS overrides all but ``none`` (the runner sets ``lines`` for papermill).
    """
    if mode != "none":
        mode = os.environ.get("HANLP_TUTOR_PROGRESS", mode)
    if mode != "auto":
        return mode
    return "bar" if in_notebook() or sys.stderr.isatty() else "lines"


def in_notebook() -> bool:
    """Whether this process is a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class Reporter:
    """Shows a run to a person; it computes nothing.

    Lines go to standard output in a notebook, where standard error is red, and to standard error elsewhere, where
    standard output belongs to results.
    """

    def __init__(self, updates: int, done: int, mode: str = "auto"):
        self.mode, self.updates = resolve_mode(mode), updates
        self.stream = sys.stdout if in_notebook() else sys.stderr
        self.bar: Any = None
        if self.mode == "bar":
            from tqdm.auto import tqdm

            self.bar = tqdm(total=updates, initial=done, unit="update", leave=False, dynamic_ncols=True)

    def update(self, row: dict[str, Any] | None) -> None:
        """One update is done; ``row`` is the history row it gave, if any."""
        if self.bar is not None:
            self.bar.update()
            if row:
                self.bar.set_postfix_str(f"loss {row['loss']:.4f}")
        if row and row.get("dev_score") is not None:
            self.say(
                f"epoch {row['epoch']}  update {row['step']:>5}/{self.updates}  loss {row['loss']:.4f}  "
                f"dev loss {row['dev_loss']:.4f}  dev score {row['dev_score']:.4f}  "
                f"train score {row['train_score']:.4f}  {row['tokens_per_second']:,.0f} tokens/s"
            )

    def say(self, line: str) -> None:
        """One line, above the bar if there is one."""
        if self.mode == "none":
            return
        if self.bar is not None:
            self.bar.write(line, file=self.stream)
        else:
            print(line, file=self.stream, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
