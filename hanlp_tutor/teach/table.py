"""Rows as a table that a notebook shows whole, Chinese text included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Table:
    """Dictionaries with equal keys, shown as HTML in a notebook and as text elsewhere.

    Args:
        rows: one dictionary a row; None is an empty cell, True and False become a tick and nothing.
    """

    def __init__(self, rows: Sequence[dict[str, Any]]):
        import pandas as pd

        self.frame = pd.DataFrame([{name: _shown(value) for name, value in row.items()} for row in rows])

    def _repr_html_(self) -> str:
        import pandas as pd

        with pd.option_context("display.max_colwidth", None):
            html = self.frame.to_html(index=False, border=0, justify="left")
        return html.replace("<td>", '<td style="text-align: left">')  # Jupyter puts text to the right

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)


def _shown(value: Any) -> Any:
    if value is None or value is False:
        return ""
    return "✓" if value is True else value
