"""A notebook as a file: where it lies, which parameters it has, and which of them need less memory."""

from __future__ import annotations

import ast
import json
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig, unknown_option
from hanlp_tutor.errors import ConfigError, TutorError, first_line, nearest

_KILL = 9  # the number of SIGKILL, which Windows has not


class NotebookError(TutorError):
    """A notebook that cannot be found, or a cell of it that failed."""


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
    """A notebook by path, by name (``05_finetune_ner``) or by number (``05``, or ``5``).

    Raises:
        NotebookError: none such; names the nearest one, or all.
    """
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name)
    wanted = name.removesuffix(".ipynb")
    known = {path.stem: path for path in sorted(notebook_folder().glob("*.ipynb"))}
    if wanted in known:
        return known[wanted]
    for stem, path in known.items():
        number, _, rest = stem.partition("_")
        same_number = wanted.isdecimal() and number.isdecimal() and int(wanted) == int(number)
        if number == wanted or rest == wanted or same_number:
            return path
    guess = nearest(wanted, known)
    hint = f"Did you mean {guess!r}?" if guess else f"There are: {', '.join(known)}."
    raise NotebookError(f"{name}: no such notebook. {hint}")


def check_parameters(notebook: Path, parameters: dict[str, Any]) -> None:
    """Refuse a parameter that neither the notebook nor TrainConfig knows; papermill itself would only warn.

    Raises:
        ConfigError: with the nearest known name; or a value that TrainConfig refuses.
    """
    own = _own_parameters(notebook) | {"PROFILE"}
    fields = set(TrainConfig.model_fields)
    sizes = _sizes(notebook)
    for name in parameters:
        if name not in own | fields | sizes:
            raise ConfigError(unknown_option(name, sorted(own | fields | sizes)))
    others = own if not sizes else set()  # a notebook that is none of the kit's means by its `lr` what it likes
    TrainConfig(**{name: value for name, value in parameters.items() if name in fields - others})


def has_parameters_cell(notebook: Path) -> bool:
    """Whether a code cell has the tag ``parameters``."""
    return any(c.cell_type == "code" and "parameters" in c.metadata.get("tags", []) for c in _cells(notebook))


def _own_parameters(notebook: Path) -> set[str]:
    """The names that the cell with the tag ``parameters`` gives a value.

    papermill looks for them line by line, and misses those whose value holds an equals sign or goes over several lines.
    """
    import papermill

    cells = (cell for cell in _cells(notebook) if cell.cell_type == "code")
    source = next((cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])), "")
    plain = re.sub(r"(?m)^[ \t]*[%!].*$", "", source)  # magics and shell commands are no Python, and assign nothing
    for attempt in (source, plain):
        with suppress(SyntaxError):
            names = (node for node in ast.walk(ast.parse(attempt)) if isinstance(node, ast.Name))
            return {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return set(papermill.inspect_notebook(str(notebook)))  # of another language, or one that the kernel complains of


def why_kernel_died(path: Path, exit_code: int | None) -> str:
    """One line for a kernel that is gone: of what, as far as can be known, and what to change.

    The system ends what takes too much memory by SIGKILL; a shell, and a container, say 137 for it.
    """
    killed = exit_code in (None, -_KILL, 128 + _KILL)
    if killed:
        how = "was killed, most likely because memory ran out"
    elif exit_code < 0:
        how = f"died of signal {-exit_code} ({signal.Signals(-exit_code).name}), which may be a want of memory, too"
    else:
        how = f"died with exit code {exit_code}, which may be a want of memory, too"
    cells = _cells(path)
    given, manifest = _values(cells), path.with_name("manifest.json")
    trained = json.loads(manifest.read_text(encoding="utf-8")).get("config", {}) if manifest.exists() else {}
    batch, remedies = given.get("batch_size", trained.get("batch_size", 16)), []
    if (
        isinstance(batch, int)
        and batch > 1
        and ("batch_size" in given or trained or any("setup(" in cell.source for cell in cells))
    ):
        remedies.append(f"-p batch_size {max(1, batch // 4)} (smaller batches)")
    if given.get("PROFILE", "smoke") != "smoke":
        remedies.append("--profile smoke (fewer examples)")
    less = f"Run it with {' or '.join(remedies)}" if remedies else "It needs a machine with more memory"
    return f"{path.name}: its kernel {how}. {less}. The notebook up to there: {path}"


def _cells(notebook: Path) -> list[Any]:
    """The cells of a notebook file.

    Raises:
        NotebookError: it is none.
    """
    import nbformat

    try:
        return list(nbformat.read(notebook, as_version=4).cells)
    except OSError:
        raise
    except Exception as error:  # what a damaged file makes the library raise is anything
        remedy = "Save it again from Jupyter"
        raise NotebookError(f"{notebook}: cannot be read as a notebook ({first_line(error)}). {remedy}.") from None


def _values(cells: list[Any]) -> dict[str, Any]:
    """The plain values of the parameters of a notebook that was prepared: its own, and those that were passed."""
    values: dict[str, Any] = {}
    for cell in cells:
        if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])):
            with suppress(SyntaxError):
                for statement in ast.parse(cell.source).body:
                    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                        with suppress(ValueError):
                            values[statement.targets[0].id] = ast.literal_eval(statement.value)
    return values


def _sizes(notebook: Path) -> set[str]:
    """Names of the profile sizes, which the notebook's metadata lists for the command line's sake."""
    import nbformat

    return set(nbformat.read(notebook, as_version=4).metadata.get("hanlp_tutor", {}).get("sizes", []))
