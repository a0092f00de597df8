"""The curve of a run while it trains, below the cell that trains it; only where somebody may be watching."""

from __future__ import annotations

import time
from typing import Any

from hanlp_tutor.progress import in_notebook, listen
from hanlp_tutor.teach.plots import training_curves

SECONDS = 2.0  # between two drawings at least: each costs a tenth of a second of the run


class LiveCurve:
    """Listens to training (:func:`hanlp_tutor.progress.listen`), and draws loss and score as they come.

    A run that shows no progress bar (``progress="none"``, a file, papermill) draws nothing. The last picture stays.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._shown: Any = None  # IPython's handle of the picture; None where nothing is to be drawn
        self._drawn = 0.0

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "training":
            self.rows, self._drawn = [], time.monotonic()
            self._shown = self._place() if event["shown"] else None
        elif kind == "update" and self._shown is not None and event["logged"]:
            self.rows.append(event["row"] or event["logged"])
            if event["row"] or time.monotonic() - self._drawn > SECONDS:
                self._draw()
        elif kind == "trained" and self._shown is not None:
            self._draw()
            self._shown = None

    def _draw(self) -> None:
        if len(self.rows) > 1:
            self._shown.update(training_curves(self.rows, score="score"))
            self._drawn = time.monotonic()

    @staticmethod
    def _place() -> Any:
        from IPython.display import HTML, display

        return display(HTML(""), display_id=True)


def watch_training() -> None:
    """Draw every run of this kernel while it trains; elsewhere nothing happens."""
    if in_notebook():
        listen(LiveCurve())
