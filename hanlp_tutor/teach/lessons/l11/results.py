"""What ``experiments/multitask.py`` has measured, as notebook 11 shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hanlp_tutor.teach.results import Measured, spread


def measured(prefix: str, columns: Mapping[str, str], folder: Path | None = None) -> list[dict[str, str]]:
    """A row for each row of the file that begins so; of each measure the median in points, least and greatest behind.

    Args:
        prefix: of the rows: ``tasks/`` or ``extend/``.
        columns: measures of the file by the headings that they get.
        folder: of the result file; None: that of the checkout.

    Returns:
        One row that says how to measure, when nothing has been measured with today's encoder.
    """
    found = Measured("multitask", folder).under(prefix)
    rows = [
        {
            "trained": name,
            **{heading: _cell(row, measure) for heading, measure in columns.items()},
            "seeds": str(len(row["seeds"])),
        }
        for name, row in found.rows.items()
    ]
    return rows or found.missing("trained")


def _cell(row: dict, measure: str) -> str | None:
    if measure not in row["median"]:
        return None
    return spread(row, measure, scale=1 if measure == "forgotten" else 100)  # that one is in points already
