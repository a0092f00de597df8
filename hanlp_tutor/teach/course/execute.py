"""Execute a notebook of the course in place: measured, and clean enough to be committed."""

from __future__ import annotations

import hashlib
import os
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from hanlp_tutor.files import write_file
from hanlp_tutor.teach.course.cost import FetchMeter, TreeMeter, describe_cost, read_cost, write_cost
from hanlp_tutor.workbench.runner import NotebookError

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# Tags of cells that belong to the class room and have no part in what a lesson computes (tools/class_room_cells.py)
CLASS_ROOM = frozenset({"colab", "quiz", "take-away", "widget"})
_ELSEWHERE = "/path/to"  # stands in stored outputs for the folder that a notebook ran in


def execute_in_place(
    path: str | Path, manifest: dict[str, Any], *, profile: str = "class", results: Path | None = None
) -> dict[str, Any]:
    """Run a notebook in a fresh kernel and folder, note what it cost, and write its outputs back into its file.

    Only a run in the class profile is written back: that is the one whose outputs are stored. A notebook that fails
    leaves its file and the costs as they were.

    Args:
        path: the notebook.
        manifest: device, versions, date and command (:func:`hanlp_tutor.manifest.manifest`).
        profile: smoke, class or full.
        results: folder of the costs file; None: ``results/`` of the checkout.

    Returns:
        The cost that was written: ``minutes``, ``memory_mb`` (MiB of the kernel and its children), ``download_mib``
        (MiB that it fetched into empty caches), the manifest's part.

    Raises:
        NotebookError: a cell failed, or the kernel died; names the cell.
    """
    path = Path(path)
    node = nbformat.read(path, as_version=4)
    source = fingerprint(node)
    if profile != "class":
        node = _with_profile(path, profile)
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        here = str(Path(folder).resolve())
        with FetchMeter() as fetched, TreeMeter(include_root=False) as meter:
            _run(node, path.name, here)
    cost = {
        "minutes": round(meter.seconds / 60, 2),
        "memory_mb": round(meter.peak_mb),
        "download_mib": round(fetched.mib, 1),
        **{name: manifest.get(name) for name in ("device", "python", "versions", "date", "git", "command")},
        "profile": profile,
        "source": source,
    }
    before, after = describe_cost(read_cost(path.stem, profile, results)), describe_cost(cost)
    write_cost(path.stem, profile, cost, results)
    if profile == "class":
        clean(node, machine_paths(here))
        _update_cost_line(node, before, after)
        write_file(path, lambda file: file.write((nbformat.writes(node) + "\n").encode("utf-8")))
    return cost


def _with_profile(path: Path, profile: str) -> nbformat.NotebookNode:
    """A copy as papermill prepares it."""
    import papermill

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        papermill.execute_notebook(
            str(path), str(copy), {"PROFILE": profile}, prepare_only=True, kernel_name="python3", language="python"
        )
        return nbformat.read(copy, as_version=4)


def _run(node: nbformat.NotebookNode, name: str, folder: str) -> None:
    """All cells, in ``folder``."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    os.environ["HANLP_TUTOR_PROGRESS"] = "lines"  # the kernel inherits it: bars make a mess of a stored notebook
    client = NotebookClient(
        node, timeout=None, kernel_name="python3", record_timing=False, resources={"metadata": {"path": folder}}
    )
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError) as error:
        failed = [cell.id for cell in node.cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
        where = f"cell {failed[0]}: " if failed else ""
        what = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
        raise NotebookError(f"{name}, {where}{what}") from None


def _update_cost_line(node: nbformat.NotebookNode, before: str, after: str) -> None:
    """The set-up cell has shown what was measured before; the reader wants what this very run has cost."""
    for cell in node.cells:
        if cell.cell_type == "code" and "setup(" in cell.source:
            cell.outputs = [nbformat.from_dict(_replaced(output, [(before, after)])) for output in cell.outputs]


def clean(node: nbformat.NotebookNode, replacements: Sequence[tuple[str, str]] = ()) -> None:
    """Take out what a run adds and no reader needs: injected cells, widget state, timings, paths of the machine.

    Args:
        node: changed in place; ids stay, execution counts become 1 to n.
        replacements: pairs of texts, replaced in this order in all outputs but pictures.
    """
    node.cells = [cell for cell in node.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    kept = {name: node.metadata[name] for name in ("hanlp_tutor",) if name in node.metadata}
    node.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}, **kept})
    node.nbformat, node.nbformat_minor = 4, 5
    number = 0
    for cell in node.cells:
        for name in ("papermill", "execution", "collapsed", "scrolled"):
            cell.metadata.pop(name, None)
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        cell.outputs = [nbformat.from_dict(_replaced(output, replacements)) for output in cell.outputs]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def machine_paths(folder: str) -> list[tuple[str, str]]:
    """What stands for this machine's folders in a stored output; the longest first, as one may hold another."""
    checkout = str(Path(__file__).resolve().parents[3])
    pairs = {
        sysconfig.get_paths()["purelib"]: "site-packages",
        checkout: _ELSEWHERE + "/kit",
        folder: _ELSEWHERE,
        str(Path.home()): _ELSEWHERE + "/home",
    }
    return [(path, name) for path, name in sorted(pairs.items(), key=lambda pair: -len(pair[0])) if len(path) > 1]


def fingerprint(node: nbformat.NotebookNode) -> str:
    """SHA-256 over the sources of the lesson's own code cells: a cost belongs to the code that was run."""
    cells = [cell for cell in node.cells if cell.cell_type == "code"]
    code = "\n\x00".join(cell.source for cell in cells if not CLASS_ROOM & set(cell.metadata.get("tags", [])))
    return hashlib.sha256(code.encode("utf-8")).hexdigest()


def is_measured(path: Path, profile: str = "class", results: Path | None = None) -> bool:
    """Whether the notebook's cost is known for its code as it stands."""
    cost = read_cost(path.stem, profile, results)
    return cost is not None and cost["source"] == fingerprint(nbformat.read(path, as_version=4))


def _replaced(value: Any, replacements: Sequence[tuple[str, str]]) -> Any:
    """A copy of an output with texts replaced, pictures untouched."""
    if isinstance(value, dict):
        return {k: v if str(k).startswith("image/") else _replaced(v, replacements) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(item, replacements) for item in value]
    if isinstance(value, str):
        for old, new in replacements:
            value = value.replace(old, new)
    return value
