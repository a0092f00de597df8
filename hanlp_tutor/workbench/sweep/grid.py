"""The grid of a sweep: ``--grid lr=1e-4,3e-4 --grid seed=1,2,3`` is six points, each a run with a folder of its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from hanlp_tutor.config import parse_value, typed_value
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.workbench.notebook_file import NotebookError, check_parameters, has_parameters_cell
from hanlp_tutor.workbench.runner import PROFILES

MOST = 1000  # runs; a longer list of values is more often a slip of the pen than a plan
_NAME_LENGTH = 60  # characters of a folder's name that say its point; then comes the hash
_COMMA = re.compile(r""",(?=(?:[^"'\[\]{}]|"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\})*$)""")  # outside quotes and brackets


@dataclass(frozen=True)
class Plan:
    """What a sweep runs: a notebook, what all its runs share, and what each has of its own.

    Attributes:
        source: the notebook's bytes, as they were when the sweep was planned.
        varied: the names of the grid, in its order.
        points: the values of each run, by name.
    """

    notebook: Path
    source: bytes
    profile: str
    fixed: dict[str, Any]
    varied: tuple[str, ...]
    points: tuple[dict[str, Any], ...]

    @property
    def identity(self) -> dict[str, Any]:
        """What all runs of one sweep folder have in common."""
        return {
            "notebook": self.notebook.stem,
            "source": hashlib.sha256(self.source).hexdigest(),
            "profile": self.profile,
            "parameters": self.fixed,
        }

    @property
    def key(self) -> str:
        """Eight letters that stand for the identity."""
        return _hash(self.identity)

    def parameters(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters of a run."""
        return {**self.fixed, **point}

    def run_key(self, point: Mapping[str, Any]) -> str:
        """What a finished run is recognised by: the hash of all that it was started with."""
        return _hash({**self.identity, "parameters": self.parameters(point)})


def parse_grid(pairs: Iterable[str]) -> dict[str, list[Any]]:
    """The options ``--grid NAME=V1,V2`` of a command line; values as ``-p`` takes them.

    A comma inside quotes or brackets belongs to its value.

    >>> parse_grid(["lr=1e-4,3e-4", "encoder=mini-bert,'a,b'"])
    {'lr': [0.0001, 0.0003], 'encoder': ['mini-bert', 'a,b']}

    Raises:
        ConfigError: no equals sign, no value, a name or a value twice.
    """
    grid: dict[str, list[Any]] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        name = name.strip()
        parts = [part.strip() for part in _COMMA.split(text)]
        if not sign or not name or not all(parts):
            raise ConfigError(f"--grid {pair}: write --grid {name or 'NAME'}=V1,V2, with a value before each comma.")
        if name in grid:
            raise ConfigError(f"--grid {name} is given twice: write all its values behind one --grid {name}=.")
        grid[name] = [parse_value(part) for part in parts]
    return grid


def plan_sweep(
    notebook: Path,
    grid: Mapping[str, list[Any]],
    fixed: Mapping[str, Any] | None = None,
    *,
    profile: str = "class",
    most: int = MOST,
) -> Plan:
    """Check a grid against a notebook before anything runs.

    Args:
        notebook: an existing file.
        grid: values by name; the last name changes fastest.
        fixed: parameters that all runs share.
        most: runs that are let through.

    Raises:
        ConfigError: an empty grid, more runs than ``most``, a name twice or unknown, a value twice or wrong.
        NotebookError: a notebook without a parameters cell.
    """
    fixed = dict(fixed or {})
    if not grid:
        raise ConfigError("The grid is empty: name what shall vary, such as --grid seed=1,2,3.")
    if profile not in PROFILES:
        raise ConfigError(f"profile {profile!r}: choose one of {', '.join(PROFILES)}.")
    if not has_parameters_cell(notebook):
        raise NotebookError(
            f"{notebook}: no cell has the tag `parameters`, so there is nothing to vary. Give its first code cell that "
            "tag in Jupyter (Property Inspector, Cell Tags)."
        )
    for name, values in grid.items():
        _check_values(notebook, name, values, fixed)
    check_parameters(notebook, fixed)
    runs = 1
    for values in grid.values():
        runs *= len(values)
    if runs > most:
        sizes = " × ".join(str(len(values)) for values in grid.values())
        raise ConfigError(
            f"{sizes} = {runs:,} runs, and more than {most:,} are not begun by accident. "
            f"Give fewer values, or --at-most {runs}."
        )
    points = tuple(dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
    return Plan(notebook, notebook.read_bytes(), profile, fixed, tuple(grid), points)


def folder_name(point: Mapping[str, Any], run_key: str) -> str:
    """The name of a run's folder: its point for people, its hash to be one of its own."""
    said = re.sub(r"[^\w.=,+-]+", "-", described_point(point).replace(" ", ","))[:_NAME_LENGTH].strip("-.,")
    return f"{said}-{run_key}"


def described_point(point: Mapping[str, Any]) -> str:
    """A point in one line: ``lr=0.0001 seed=1``."""
    return " ".join(f"{name}={typed_value(value)}" for name, value in point.items())


def _check_values(notebook: Path, name: str, values: list[Any], fixed: Mapping[str, Any]) -> None:
    if name in fixed:
        raise ConfigError(f"{name} is given by --grid and by -p: keep one.")
    if name in ("out", "PROFILE"):
        instead = "each run has a folder of its own" if name == "out" else "all runs have one: --profile"
        raise ConfigError(f"--grid {name}: not to be varied; {instead}.")
    if not values:
        raise ConfigError(f"--grid {name}: no value. Write --grid {name}=V1,V2.")
    seen = []
    for value in values:
        shown = typed_value(value)
        if shown in seen:
            raise ConfigError(f"--grid {name}: {shown} is given twice; the second run would be the first again.")
        seen.append(shown)
        check_parameters(notebook, {name: value})


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode("utf-8")).hexdigest()[:8]
