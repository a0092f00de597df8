"""The commands around the course: ``claims`` of the article, ``grade`` and ``edition`` for a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.options import NewFile
from hanlp_tutor.cli.speaking import speaks_json


@click.command()
@speaks_json
def claims(as_json: bool) -> dict[str, Any]:
    """Hold the article's claims beside what was measured, read from the result files, with a verdict each."""
    from hanlp_tutor.teach.course.claims import claims as compared
    from hanlp_tutor.teach.course.claims import read_claims, tally

    rows = compared()
    if not as_json:
        for row in rows:
            click.echo(f"{row['claim']}\n  the article: {row['the article says']}   lesson {row['lesson']}")
            click.echo(f"  measured: {row['measured']}")
            click.echo(f"  {row['verdict']}. {row['because']}".rstrip())
            if row["command"]:
                click.echo(f"  on a machine that can: {row['command']}")
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in tally(rows).items()))
    return {"source": read_claims()["source"], "claims": rows, "tally": tally(rows)}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--trust-outputs", is_flag=True, help="Read the stored outputs, which can be forged; execute nothing.")
@click.option(
    "--csv",
    "csv_file",
    type=NewFile(),
    help="Write a row an exercise, and one a file that cannot be graded.",
)
@click.option("--profile", type=click.Choice(["smoke", "class"]), default="smoke", show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), default=600.0, show_default=True, help="For one notebook.")
@click.option(
    "--memory",
    "memory_mb",
    type=click.FloatRange(min=64),
    default=4096.0,
    show_default=True,
    help="MiB for one notebook.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Notebooks at a time.")
@speaks_json
def grade(
    folder: Path,
    trust_outputs: bool,
    csv_file: Path | None,
    profile: str,
    seconds: float,
    memory_mb: float,
    jobs: int,
    as_json: bool,
) -> dict[str, Any]:
    """Grade the students' notebooks of a FOLDER, one a student or a sub-folder each: a table by student and exercise.

    Each notebook is executed in a process of its own, with your rights: grade what strangers send in a container.
    How long that may take is said first; --jobs runs some at a time, and each may then take its --memory. A
    prediction ("predict, run, explain") is held against a run in the chosen profile; that it was made counts most.
    """
    from hanlp_tutor.files import write_file
    from hanlp_tutor.teach.course import grading

    report = grading.grade(
        folder,
        trust_outputs=trust_outputs,
        profile=profile,
        limits=grading.Limits(seconds, memory_mb),
        jobs=jobs,
        tell=lambda text: click.echo(text, err=True),
    )
    if csv_file is not None:
        write_file(csv_file, lambda file: file.write(grading.as_csv(report)))
    if not as_json:
        click.echo(grading.as_text(report))
    return report.as_json()


@click.command()
@click.argument("notebook")
@click.option("--for", "reader", type=click.Choice(["student", "instructor"]), required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
@speaks_json
def edition(notebook: str, reader: str, out: Path, as_json: bool) -> dict[str, Any]:
    """Write an edition of a NOTEBOOK, or of all in a folder: the student's, or the instructor's with solutions.

    NOTEBOOK is a path, or a lesson as `run` takes it: 05, or 05_finetune_ner.
    """
    from hanlp_tutor.teach.course.edition import write_editions
    from hanlp_tutor.workbench.notebook_file import find_notebook

    given = Path(notebook)
    made = write_editions(given if given.exists() or given.suffix else find_notebook(notebook), reader, out)
    if not as_json:
        click.echo(f"{len(made)} notebook{'s' * (len(made) != 1)} for the {reader}: {out}")
    return {"for": reader, "notebooks": [str(path) for path in made]}
