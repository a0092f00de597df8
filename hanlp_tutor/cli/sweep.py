"""``hanlp-tutor sweep``: a notebook over a grid of parameters, here or on a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.options import p_option, parameters
from hanlp_tutor.cli.speaking import Reported, again, speaks_json
from hanlp_tutor.extras import needs
from hanlp_tutor.workbench.closing import shown

RUNS_AT_MOST = 1000


@click.command()
@click.argument("notebook")
@click.option("--grid", "pairs_of_grid", multiple=True, metavar="NAME=V1,V2", help="Values of a parameter; repeat.")
@p_option
@click.option("--profile", default="class", show_default=True, help="smoke, class or full.")
@click.option("--out", type=click.Path(path_type=Path), help="Sweep folder; by default one under runs/sweeps/.")
@click.option("--workers", type=int, help="Runs at a time here; by default one a GPU, or one for two cores.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster that exists, such as tcp://10.0.0.5:8786.")
@click.option("--at-most", default=RUNS_AT_MOST, show_default=True, help="Runs; more are refused.")
@speaks_json
def sweep(
    notebook: str,
    pairs_of_grid: tuple[str, ...],
    pairs: tuple[tuple[str, str], ...],
    profile: str,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    at_most: int,
    as_json: bool,
) -> dict[str, Any]:
    """Run NOTEBOOK once for each point of a grid, side by side, each in a fresh process.

    What is finished is not run again: the same command goes on, or does nothing. A failed run keeps its notebook with
    the error, and stops nothing. The end is a table (table.csv) and a summary notebook. Exit code 1: a run failed.
    """
    needs("distributed", "A sweep")
    from hanlp_tutor.workbench.notebook_file import find_notebook
    from hanlp_tutor.workbench.sweep.grid import parse_grid, plan_sweep
    from hanlp_tutor.workbench.sweep.running import sweep as run_sweep
    from hanlp_tutor.workbench.sweep.summary import NOTEBOOK_FILE, TABLE_FILE

    plan = plan_sweep(
        find_notebook(notebook), parse_grid(pairs_of_grid), parameters(pairs), profile=profile, most=at_most
    )
    try:
        done = run_sweep(plan, out, workers=workers, scheduler=scheduler, say=lambda line: click.echo(line, err=True))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Stopped. Finished runs are kept. Go on with: {again()}") from None
    if not as_json:
        failed = len(done.failed)
        click.echo(f"runs: {len(done.rows) - failed} finished, {failed} failed, {done.begun} begun by this call")
        for row in done.failed:
            click.echo(f"failed: {shown(done.out / row['folder'])}")
        click.echo(f"table: {shown(done.out / TABLE_FILE)}")
        click.echo(f"summary: {shown(done.out / NOTEBOOK_FILE)}")
    result = {
        "out": str(done.out),
        "begun": done.begun,
        "finished": len(done.rows) - len(done.failed),
        "failed": len(done.failed),
        "table": str(done.out / TABLE_FILE),
        "summary": str(done.out / NOTEBOOK_FILE),
        "runs": done.rows,
    }
    if done.failed:
        if as_json:
            click.echo(json.dumps(result, ensure_ascii=False))
        raise Reported(1)
    return result
