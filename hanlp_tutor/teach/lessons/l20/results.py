"""What ``experiments/troubleshooting.py`` measured, as notebook 20 shows it: remedies, and how sure diagnosis is."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.results import Measured, paired, spread
from hanlp_tutor.workbench.significance import Comparison

# Of each trouble: the measures of its rows, by what a reader calls them.
MEASURES = {
    "over-fitting": {"dev": "best dev F1", "gap": "train ahead at the end", "rise": "dev loss above its least"},
    "slow convergence": {"left": "left of the frequencies' loss", "dev": "best dev score"},
}


def remedies(trouble: str, folder: Path | None = None) -> list[dict[str, str]]:
    """A row a remedy: median, least and greatest over the seeds; one row that says how to measure, where nobody has.

    The last column counts in how many seeds the dev F1 is above that of the first row.
    """
    found, rows = Measured("troubleshooting", folder).under(f"remedy/{trouble}/"), []
    first = next(iter(found.rows.values()), None)
    for name, row in found.rows.items():
        measured = {title: spread(row, measure, scale=1, form=".3f") for measure, title in MEASURES[trouble].items()}
        seeds = sorted(row["seeds"].keys() & first["seeds"].keys())
        ahead = sum(row["seeds"][seed]["dev"] > first["seeds"][seed]["dev"] for seed in seeds)
        rows.append({"run": name, **measured, "ahead in": "" if row is first else f"{ahead} of {len(seeds)} seeds"})
    return rows or found.missing("run")


def against_the_first(trouble: str, folder: Path | None = None, *, measure: str = "dev") -> dict[str, Comparison]:
    """A measure of each remedy less that of the first row, paired by seed; nothing where no two seeds were measured.

    Args:
        trouble: one of :data:`MEASURES`.
        folder: of the result files; None: that of the checkout.
        measure: of the rows of this trouble; ``dev`` is the best dev F1.
    """
    first, *others = Measured("troubleshooting", folder).under(f"remedy/{trouble}/").rows.items() or [None]
    compared = {name: paired(row, first[1], measure) for name, row in others}
    return {name: comparison for name, comparison in compared.items() if comparison is not None}


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
