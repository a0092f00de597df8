"""``python -m experiments.course [NAME ...]``: run the notebooks in place, as they are stored, and note what they cost.

Each gets a fresh kernel and empty caches, and its minutes, its memory and what it fetched go to
``results/notebooks.json``. Without names: those whose code has changed since they were measured. Measure on a quiet
machine.

With ``-p NAME VALUE`` a notebook is measured with these parameters, as `hanlp-tutor run` does it, and no output is
stored; so `hanlp-tutor run` with the same ones can say how long it takes. What `make run` does: ``python -m
experiments.course 05 -p encoder mini-roberta-wwm-ext -p sentences 10000 -p epochs 2 -p lr 1e-3 -p eval_steps 400``.
"""

import tempfile
from pathlib import Path
from typing import Any

import click
import nbformat

from hanlp_tutor.cli.options import p_option, parameters
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.course.cost import TreeMeter, describe_cost, write_cost
from hanlp_tutor.teach.course.execute import execute_in_place, fingerprint, is_measured
from hanlp_tutor.workbench.notebook_file import NotebookError, find_notebook, notebook_folder
from hanlp_tutor.workbench.runner import PROFILES, described, run_notebook

COMMAND = "python -m experiments.course"


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Also those that have not changed.")
@click.option("--profile", type=click.Choice(PROFILES), default="class", help="Only class writes the outputs back.")
@p_option
def main(names: tuple[str, ...], everything: bool, profile: str, pairs: tuple[tuple[str, str], ...]) -> None:
    if pairs and not names:
        raise click.UsageError("-p changes a notebook: name it.")
    if names:
        notebooks = [find_notebook(name) for name in names]
    else:
        notebooks = sorted(notebook_folder().glob("[0-9]*.ipynb"))
        notebooks = [path for path in notebooks if everything or not is_measured(path, profile)]
    measured_on = manifest(describe_device(choose_device()))
    failed = []
    for path in notebooks:
        click.echo(f"== {path.stem}", err=True)
        command = f"{COMMAND} {path.stem}" + ("" if profile == "class" else f" --profile {profile}")
        try:
            if pairs:
                cost = _measure_with(parameters(pairs), path, profile, measured_on, command)
            else:
                cost = execute_in_place(path, {**measured_on, "command": command}, profile=profile)
        except NotebookError as error:
            click.echo(str(error), err=True)
            failed.append(path.stem)
        else:
            click.echo(f"{path.stem}: {describe_cost(cost)}")
    if failed:
        raise click.ClickException(f"failed: {', '.join(failed)}")


def _measure_with(
    given: dict[str, Any], path: Path, profile: str, manifest: dict[str, Any], command: str
) -> dict[str, Any]:
    """Run a notebook with parameters into a folder that is thrown away; note the cost under profile and parameters."""
    what = described(profile, given)
    with tempfile.TemporaryDirectory(prefix="course-") as folder, TreeMeter(include_root=False) as meter:
        run_notebook(str(path), given, profile=profile, out=folder)
    cost = {
        "minutes": round(meter.seconds / 60, 2),
        "memory_mb": round(meter.peak_mb),
        **{name: manifest[name] for name in ("device", "python", "versions", "date", "git")},
        "command": f"{command} {what.partition(' ')[2]}",
        "profile": profile,
        "source": fingerprint(nbformat.read(path, as_version=4)),
    }
    write_cost(path.stem, what, cost)
    return cost


if __name__ == "__main__":
    main()
