"""What ``experiments/troubleshooting.py`` measured, as notebook 20 shows it: remedies, and how sure diagnosis is.

Rows of other weights than today's are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.teach.results import UNMEASURED, current_rows, read_results, spread

COMMAND = "python -m experiments.troubleshooting"
# Of each trouble: the measures of its rows, by what a reader calls them.
MEASURES = {
    "over-fitting": {"dev": "best dev F1", "gap": "train ahead at the end", "rise": "dev loss above its least"},
    "slow convergence": {"left": "left of the frequencies' loss", "dev": "best dev score"},
}


def remedies(trouble: str, folder: Path | None = None) -> list[dict[str, str]]:
    """A row a remedy: median, least and greatest over the seeds; one row that says how to measure, where nobody has."""
    rows = []
    for name, row in _rows(f"remedy/{trouble}/", folder).items():
        measured = {title: spread(row, measure, scale=1, form=".3f") for measure, title in MEASURES[trouble].items()}
        rows.append({"run": name, **measured, "seeds": str(len(row["seeds"]))})
    return rows or [{"run": f"{UNMEASURED}: {COMMAND}"}]


def verdicts(folder: Path | None = None) -> list[dict[str, str]]:
    """A row a planted fault: in how many runs it was named, and named first; the healthy runs with an alarm last."""
    counted: dict[str, list[dict[str, float]]] = {}
    for name, row in _rows("fault/", folder).items():
        counted.setdefault(name.split("/", 1)[1], []).extend(row["seeds"].values())
    rows = [
        {
            "planted": fault,
            "runs": str(len(runs)),
            "named": str(int(sum(run["named"] for run in runs))),
            "first": str(int(sum(run["first"] for run in runs))),
        }
        for fault, runs in counted.items()
    ]
    healthy = [run for row in _rows("healthy/", folder).values() for run in row["seeds"].values()]
    if healthy:
        alarms = sum(run["alarms"] > 0 for run in healthy)
        said = f"{alarms} alarm{'s' * (alarms != 1)}"
        rows.append({"planted": "nothing", "runs": str(len(healthy)), "named": said, "first": ""})
    return rows or [{"planted": f"{UNMEASURED}: {COMMAND}"}]


def _rows(prefix: str, folder: Path | None) -> dict[str, dict[str, Any]]:
    """Measured rows under a prefix, by the rest of their name, in the order of the file."""
    content = read_results("troubleshooting", folder) or {"rows": {}}
    return {name.removeprefix(prefix): row for name, row in current_rows(content).items() if name.startswith(prefix)}
