"""What ``experiments/troubleshooting.py`` measured, as notebook 20 shows it: remedies, and how sure diagnosis is."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.results import Measured, spread

# Of each trouble: the measures of its rows, by what a reader calls them.
MEASURES = {
    "over-fitting": {"dev": "best dev F1", "gap": "train ahead at the end", "rise": "dev loss above its least"},
    "slow convergence": {"left": "left of the frequencies' loss", "dev": "best dev score"},
}


def remedies(trouble: str, folder: Path | None = None) -> list[dict[str, str]]:
    """A row a remedy: median, least and greatest over the seeds; one row that says how to measure, where nobody has."""
    found, rows = Measured("troubleshooting", folder).under(f"remedy/{trouble}/"), []
    for name, row in found.rows.items():
        measured = {title: spread(row, measure, scale=1, form=".3f") for measure, title in MEASURES[trouble].items()}
        rows.append({"run": name, **measured, "seeds": str(len(row["seeds"]))})
    return rows or found.missing("run")


def verdicts(folder: Path | None = None) -> list[dict[str, str]]:
    """A row a planted fault: in how many runs it was named, and named first; the healthy runs with an alarm last."""
    found = Measured("troubleshooting", folder)
    planted, healthy, rows = found.under("fault/"), found.under("healthy/"), []
    if planted.rows:
        faults = planted.runs.groupby(lambda run: run[0].split("/", 1)[1], sort=False)
        table = faults.agg(runs=("named", "size"), named=("named", "sum"), first=("first", "sum"))
        rows = table.astype(int).astype(str).rename_axis("planted").reset_index().to_dict("records")
    if healthy.rows:
        alarms = int((healthy.runs["alarms"] > 0).sum())
        count = f"{alarms} alarm{'s' * (alarms != 1)}"
        rows.append({"planted": "nothing", "runs": str(len(healthy.runs)), "named": count, "first": ""})
    return rows or found.missing("planted")
