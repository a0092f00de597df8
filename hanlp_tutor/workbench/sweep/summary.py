"""The end of a sweep: its table (CSV), its record (JSON), and a notebook that shows both."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanlp_tutor.errors import TutorError, first_line
from hanlp_tutor.files import write_file, write_json
from hanlp_tutor.manifest import RESULT_FILE, read_manifest
from hanlp_tutor.workbench.sweep.grid import Plan

if TYPE_CHECKING:
    import pandas as pd

SWEEP_FILE, TABLE_FILE, NOTEBOOK_FILE = "sweep.json", "table.csv", "summary.ipynb"
_PARTS = ("per_type", "per_class")  # a number for each label: the run's own file has them


def numbers_of(folder: Path) -> dict[str, float]:
    """The numbers of a run's ``metrics.json``, those of parts with a dot: ``test.f1``. None where it wrote none."""
    try:
        content = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, float] = {}

    def gather(value: Any, name: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in _PARTS:
                    gather(inner, f"{name}.{key}" if name else str(key))
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf"):
            found[name] = value

    gather(content, "")
    return found


def table_of(varied: tuple[str, ...], rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A row a run: what was varied, the state, every number of its metrics, seconds, folder, error."""
    import pandas as pd

    measures = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    columns = {name: [row["point"][name] for row in rows] for name in varied}
    columns["state"] = [row["state"] for row in rows]
    for name in measures:  # one that is called like a parameter keeps both
        columns[f"metrics.{name}" if name in columns else name] = [row["metrics"].get(name) for row in rows]
    columns["run_seconds"] = [row["seconds"] for row in rows]
    columns["folder"] = [row["folder"] for row in rows]
    columns["error"] = [row["error"] for row in rows]
    return pd.DataFrame(columns)


def headline_of(table: pd.DataFrame, varied: tuple[str, ...], out: Path) -> str | None:
    """The measure that the summary shows first, that of the runs' task; None where the runs have none."""
    from pandas.api.types import is_numeric_dtype

    from hanlp_tutor.core.task import measures_of  # what a sweep begins with waits for nothing

    tasks = {read_manifest(out / folder).get("task") for folder in table["folder"]}
    measures = list(table.columns[len(varied) + 1 : -3])
    usual = [name for name in measures_of(tasks.pop() if len(tasks) == 1 else None) if name in measures]
    return next(iter(usual + [name for name in measures if is_numeric_dtype(table[name])]), None)


def write_sweep(out: Path, plan: Plan, rows: list[dict[str, Any]]) -> None:
    """The record of a sweep, by which a later call knows the folder."""
    write_json(out / SWEEP_FILE, {"identity": plan.identity, "varied": list(plan.varied), "rows": rows})


def read_sweep(out: Path) -> dict[str, Any]:
    """The record.

    Raises:
        TutorError: it cannot be read.
    """
    path = out / SWEEP_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"identity": content["identity"], "varied": content["varied"], "rows": content["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TutorError(
            f"{path}: no sweep can be read here ({first_line(error)}). Remove that file; finished runs stay known."
        ) from None


def write_summary(out: Path, plan: Plan, rows: list[dict[str, Any]]) -> None:
    """Record, table and executed notebook."""
    table = table_of(plan.varied, rows)
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    write_file(out / TABLE_FILE, lambda file: file.write(text.getvalue().encode("utf-8")))
    write_sweep(out, plan, rows)
    _write_notebook(out, plan, headline_of(table, plan.varied, out))


def _write_notebook(out: Path, plan: Plan, measure: str | None) -> None:
    """A notebook on the table, executed; one that cannot be executed is there all the same."""
    import nbformat
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    from hanlp_tutor.workbench.kernel import encrypted

    cells = []
    for number, (words, code) in enumerate(_cells(plan, measure)):
        cells += [new_markdown_cell(words, id=f"words-{number}"), new_code_cell(code, id=f"code-{number}")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    node = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    place = {"metadata": {"path": str(out)}}
    NotebookClient(node, timeout=120, allow_errors=True, resources=place, config=encrypted()).execute()
    write_file(out / NOTEBOOK_FILE, lambda file: file.write(nbformat.writes(node).encode("utf-8")))


def _cells(plan: Plan, measure: str | None) -> list[tuple[str, str]]:
    """Words and code of the summary."""
    fixed = "".join(f", {name} = {value!r}" for name, value in plan.fixed.items())
    cells = [
        (
            f"# Sweep of {plan.notebook.stem}\n\nProfile {plan.profile}{fixed}; {len(plan.points)} runs, one a row.",
            f'import pandas as pd\n\ntable = pd.read_csv("{TABLE_FILE}")\ntable.drop(columns=["folder", "error"])',
        ),
        (
            "Failed runs, each with its error; the executed notebook in its folder shows the cell.",
            'table.loc[table.state == "failed", ["error", "folder"]]',
        ),
    ]
    if measure is None:
        return cells
    others = [name for name in plan.varied if name != "seed"]
    if others and "seed" in plan.varied:
        words = f"`{measure}` over the seeds: mean, least, greatest, how many runs."
        code = f"table.groupby({others!r}, dropna=False)[{measure!r}].agg(['mean', 'min', 'max', 'count'])"
        cells.append((words, code))
    along = next(iter(others), plan.varied[0])
    cells.append(
        (
            f"`{measure}` by {along}: a point a run.",
            f"shown = table.astype({{{along!r}: str}})\n"
            f"axes = shown.plot.scatter(x={along!r}, y={measure!r}, figsize=(5, 3))",
        )
    )
    return cells
