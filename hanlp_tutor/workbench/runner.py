"""Run a notebook with parameters, by papermill, into a numbered run folder."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig, unknown_option
from hanlp_tutor.errors import ConfigError, TutorError, nearest
from hanlp_tutor.manifest import RESULT_FILE, new_run_folder

PROFILES = ("smoke", "class", "full")


class NotebookError(TutorError):
    """A notebook that cannot be found, or a cell of it that failed."""


@dataclass(frozen=True)
class Outcome:
    """An executed notebook, its run folder, and its metrics if it wrote some."""

    notebook: Path
    out: Path
    metrics: dict[str, Any] | None


def notebook_folder() -> Path:
    """``notebooks/`` of the working directory, or of the checkout that this package is installed from.

    Raises:
        NotebookError: neither exists.
    """
    for folder in (Path("notebooks"), Path(__file__).resolve().parents[2] / "notebooks"):
        if folder.is_dir():
            return folder
    raise NotebookError("There is no folder `notebooks` here. Run this inside a clone of the kit, or give a path.")


def find_notebook(name: str) -> Path:
    """A notebook by path, by name (``05_finetune_ner``) or by number (``05``).

    Raises:
        NotebookError: none such; names the nearest one.
    """
    if name.endswith(".ipynb"):
        if Path(name).is_file():
            return Path(name)
        raise NotebookError(f"{name}: no such notebook.")
    known = {path.stem: path for path in sorted(notebook_folder().glob("*.ipynb"))}
    if name in known:
        return known[name]
    for stem, path in known.items():
        if stem.split("_")[0] == name or stem.split("_", 1)[-1] == name:
            return path
    guess = nearest(name, known)
    raise NotebookError(
        f"No notebook {name!r}." + (f" Did you mean {guess!r}?" if guess else f" There are: {', '.join(known)}.")
    )


def check_parameters(notebook: Path, parameters: dict[str, Any]) -> None:
    """Refuse a parameter that neither the notebook nor TrainConfig knows; papermill itself would only warn.

    Raises:
        ConfigError: with the nearest known name; or a value that TrainConfig refuses.
    """
    import papermill

    own = set(papermill.inspect_notebook(str(notebook))) | {"PROFILE"}
    fields = set(TrainConfig.model_fields)
    sizes = _sizes(notebook)
    for name in parameters:
        if name not in own | fields | sizes:
            raise ConfigError(unknown_option(name, sorted(own | fields | sizes)))
    TrainConfig(**{name: value for name, value in parameters.items() if name in fields})


def run_notebook(
    name: str, parameters: dict[str, Any] | None = None, *, profile: str = "class", out: str | Path | None = None
) -> Outcome:
    """Execute a notebook; the executed copy, and what its cells write, lie in the run folder.

    Args:
        name: see :func:`find_notebook`.
        parameters: by name, as Python values.
        profile: smoke, class or full.
        out: the run folder; None: the next number under ``runs/NAME/``.

    Raises:
        ConfigError: a wrong parameter or profile. NotebookError: a failing cell, with its message.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    parameters = dict(parameters or {})
    if profile not in PROFILES:
        raise ConfigError(f"profile {profile!r}: choose one of {', '.join(PROFILES)}.")
    notebook = find_notebook(name)
    check_parameters(notebook, parameters)
    if out is not None and (Path(out) / RESULT_FILE).exists():
        raise NotebookError(f"{out}: holds a finished run, which is never overwritten. Choose another folder.")
    folder = (Path(out) if out else new_run_folder(notebook.stem)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    executed = folder / notebook.name
    os.environ["HANLP_TUTOR_PROGRESS"] = "lines"  # the kernel inherits it: bars make a mess of a stored notebook
    try:
        papermill.execute_notebook(
            str(notebook),
            str(executed),
            {"PROFILE": profile, "out": str(folder), **parameters},
            kernel_name="python3",
            progress_bar=sys.stderr.isatty(),
            stdout_file=sys.stderr,
            request_save_on_cell_execute=True,
        )
    except PapermillExecutionError as error:
        kind = ConfigError if error.ename == "ConfigError" else NotebookError
        raise kind(
            f"{notebook.name}, cell {error.exec_count}: {error.ename}: {error.evalue}\n"
            f"The notebook up to there: {executed}"
        ) from None
    metrics = folder / RESULT_FILE
    return Outcome(executed, folder, json.loads(metrics.read_text(encoding="utf-8")) if metrics.exists() else None)


def _sizes(notebook: Path) -> set[str]:
    """Names of the profile sizes, which the notebook's metadata lists for the command line's sake."""
    import nbformat

    return set(nbformat.read(notebook, as_version=4).metadata.get("hanlp_tutor", {}).get("sizes", []))
