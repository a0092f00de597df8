"""The command ``hanlp-tutor``: a thin layer over the package's functions.

Nothing heavy is imported before a command needs it. Results go to standard output, progress and errors to standard
error; with ``--json`` the last line of standard output is one JSON object. Exit code 0: done; 2: the user can mend it;
1: anything else.
"""

from __future__ import annotations

import sys

import click

from hanlp_tutor import __version__
from hanlp_tutor.cli.audit import audit
from hanlp_tutor.cli.calibration import calibrate
from hanlp_tutor.cli.compare import compare
from hanlp_tutor.cli.course import claims, edition, grade
from hanlp_tutor.cli.data import convert
from hanlp_tutor.cli.diagnose import diagnose
from hanlp_tutor.cli.machine import bench, doctor
from hanlp_tutor.cli.models import evaluate, export, predict, relocate
from hanlp_tutor.cli.serving import serve
from hanlp_tutor.cli.speaking import App
from hanlp_tutor.cli.sweep import sweep
from hanlp_tutor.cli.training import pretrain, run, train
from hanlp_tutor.cli.tuning import tune

__all__ = ["app", "main"]


@click.group(cls=App, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hanlp-tutor")
def app() -> None:
    """Fine-tune Chinese language models, and open them with plain HanLP."""


# fmt: off
for command in (
    doctor, convert, audit, run, train, tune, pretrain, evaluate, calibrate, predict, export, serve, relocate, diagnose,
    claims, sweep, compare, grade, edition, bench,
):
    # fmt: on
    app.add_command(command)


def main() -> None:
    """Entry point; UTF-8 in and out, on Windows too."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="strict" if stream is sys.stdin else "backslashreplace")
    app()
