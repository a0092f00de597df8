"""``python -m experiments.course [NAME ...]``: run the notebooks in place, as they are stored, and note what they cost.

Each gets a fresh kernel, and its minutes and memory go to ``results/notebooks.json``. Without names: those whose code
has changed since they were measured. Measure on a quiet machine.
"""

import click

from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.course.cost import describe_cost
from hanlp_tutor.teach.course.execute import execute_in_place, is_measured
from hanlp_tutor.workbench.runner import PROFILES, NotebookError, find_notebook, notebook_folder

COMMAND = "python -m experiments.course"


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Also those that have not changed.")
@click.option("--profile", type=click.Choice(PROFILES), default="class", help="Only class writes the outputs back.")
def main(names: tuple[str, ...], everything: bool, profile: str) -> None:
    if names:
        notebooks = [find_notebook(name) for name in names]
    else:
        notebooks = sorted(notebook_folder().glob("[0-9]*.ipynb"))
        notebooks = [path for path in notebooks if everything or not is_measured(path, profile)]
    measured_on = manifest(describe_device(choose_device()))
    failed = []
    for path in notebooks:
        click.echo(f"== {path.stem}", err=True)
        try:
            cost = execute_in_place(path, {**measured_on, "command": f"{COMMAND} {path.stem}"}, profile=profile)
        except NotebookError as error:
            click.echo(str(error), err=True)
            failed.append(path.stem)
        else:
            click.echo(f"{path.stem}: {describe_cost(cost)}")
    if failed:
        raise click.ClickException(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
