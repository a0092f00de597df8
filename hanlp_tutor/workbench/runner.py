"""Run a notebook with parameters, by papermill, into a numbered run folder.

What its cells print is in the executed notebook, and only there. To show how far it is, the runner reads the headings
of the notebook, and in a cell's metadata what it is a step of: ``{"hanlp_tutor": {"step": "feature CRF", "say": "test
F1 {f1}", "baseline": true}}`` says that in a run the cell's result, a text or a dictionary of numbers, is worth a line
of that form; with ``baseline`` it is a score to hold the model's against.
"""

from __future__ import annotations

import ast
import json
import os
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor import threads
from hanlp_tutor.errors import ConfigError, TutorError, first_line
from hanlp_tutor.extras import how_to_install
from hanlp_tutor.files import write_file
from hanlp_tutor.manifest import RESULT_FILE, new_run_folder
from hanlp_tutor.progress import EVENTS
from hanlp_tutor.workbench.closing import shown
from hanlp_tutor.workbench.notebook_file import NotebookError, check_parameters, find_notebook, why_kernel_died
from hanlp_tutor.workbench.steps import Follower, Steps

PROFILES = ("smoke", "class", "full")
_NOT_OF_RUN = (
    "A notebook takes no options of reading: pass them to `hanlp-tutor convert FILE NEW --to columns` (of entities) or "
    "`--to labels` (of classes), and NEW to the notebook.\n"
)


@dataclass(frozen=True)
class Outcome:
    """An executed notebook, its run folder, and its metrics if it wrote some.

    Attributes:
        baselines: the scores of those that the notebook marks as such, by name.
        minutes: from the kernel's start to its end.
    """

    notebook: Path
    out: Path
    metrics: dict[str, Any] | None
    baselines: dict[str, dict[str, float]]
    minutes: float


def described(profile: str, parameters: dict[str, Any]) -> str:
    """A profile and what was changed in it, as one would type it: ``class -p epochs 3``."""
    return " ".join([profile, *(f"-p {name} {value}" for name, value in sorted(parameters.items()))])


def run_notebook(
    name: str,
    parameters: dict[str, Any] | None = None,
    *,
    profile: str = "class",
    out: str | Path | None = None,
    steps: Steps | None = None,
) -> Outcome:
    """Execute a notebook; the executed copy, and what its cells write, lie in the run folder.

    Args:
        name: see :func:`find_notebook`.
        parameters: by name, as Python values.
        profile: smoke, class or full.
        out: the run folder; None: the next number under ``runs/NAME/``.
        steps: show to a person how it goes; None: show nothing.

    Raises:
        ConfigError: a wrong parameter or profile. NotebookError: a failing cell, with its message.
        KeyboardInterrupt: from Ctrl-C, with the place of the notebook as far as it got.
    """
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
    if executed.exists() and executed.samefile(notebook):
        raise NotebookError(f"{folder}: the notebook lies there, and would be overwritten. Choose another folder.")
    if steps:
        steps.say("folder", shown(folder))
    _prepare(notebook, executed, {"PROFILE": profile, "out": str(folder), **parameters})
    begun = time.monotonic()
    try:
        _execute(executed, steps)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Stopped. The notebook as far as it got: {executed}") from None
    minutes = (time.monotonic() - begun) / 60
    metrics = folder / RESULT_FILE
    scores = json.loads(metrics.read_text(encoding="utf-8")) if metrics.exists() else None
    return Outcome(executed, folder, scores, _baselines(executed), minutes)


def _prepare(notebook: Path, executed: Path, parameters: dict[str, Any]) -> None:
    """Write the copy that is going to be executed, with the parameters' values in a cell of their own.

    :func:`check_parameters` has been through them. ``papermill.execute_notebook`` would warn of each that the notebook
    does not name by itself, which is every option of TrainConfig.
    """
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    node = parameterize_notebook(
        load_notebook_node(str(notebook)), parameters, kernel_name="python3", language="python"
    )
    write_file(executed, lambda file: file.write(nbformat.writes(node).encode("utf-8")))


def _execute(path: Path, steps: Steps | None) -> None:
    """Run a prepared notebook in place, in a kernel of its own.

    Raises:
        ConfigError, NotebookError: a cell failed, or the kernel died.
    """
    import nbformat
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from hanlp_tutor.workbench.kernel import ENGINE, written_whole

    with ExitStack() as stack:
        variables = {"HANLP_TUTOR_PROGRESS": "lines", **threads.variables()}  # bars make a mess of a stored notebook
        hooks = {}
        if steps:
            events = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-"))) / "events"
            watch = _Watch(nbformat.read(path, as_version=4), path.parent, steps)
            stack.callback(steps.close)
            watch.events = stack.enter_context(Follower(events, watch.hear, steps.tick))
            hooks = {"on_cell_start": watch.cell_start, "on_cell_executed": watch.cell_executed}
            variables[EVENTS] = str(events)
        stack.enter_context(_environment(variables))
        stack.enter_context(written_whole(path))
        try:
            place = str(path).replace("{", "{{").replace("}", "}}")  # papermill takes braces for parameters
            papermill.execute_notebook(
                place,
                place,
                engine_name=ENGINE,
                kernel_name="python3",
                progress_bar=False,
                request_save_on_cell_execute=True,
                hooks=hooks,
            )
        except PapermillExecutionError as error:
            raise _failure(path, error) from None
        except DeadKernelError as error:
            raise NotebookError(why_kernel_died(path, getattr(error, "exit_code", None))) from None
        except NoSuchKernel:
            raise NotebookError(f"{path.name}: no kernel for it: {how_to_install('ipykernel')}.") from None
        except RuntimeError as error:  # jupyter_client's word for a kernel that never began
            if not str(error).startswith("Kernel d"):
                raise
            raise NotebookError(f"{path.name}: its kernel did not start ({first_line(error)}). Run it again.") from None


def _tells_to_read_otherwise(error: Any) -> bool:
    """Whether a reader's error of a failing cell has a remedy that is an option of reading."""
    return error.ename == "DataError" and "Pass -" in error.evalue


def _failure(path: Path, error: Any) -> TutorError:
    """The error of a failing cell, as one of ours; with the cell itself unless an option was wrong."""
    import nbformat

    cells = nbformat.read(path, as_version=4).cells
    failed = [cell.id for cell in cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
    name = f" ({failed[0]})" if failed else ""
    wrong_option = error.ename == "ConfigError"
    source = "" if wrong_option else textwrap.indent(error.source.strip(), "    ") + "\n"
    kind = ConfigError if wrong_option else NotebookError
    return kind(
        f"{path.name}, cell {error.exec_count}{name}: {error.ename}: {error.evalue}\n{source}"
        f"{_NOT_OF_RUN if _tells_to_read_otherwise(error) else ''}"
        f"The notebook up to there: {path}"
    )


class _Watch:
    """Sees each cell begin and end, receives the events of the kernel, and makes steps of them."""

    events: Follower

    def __init__(self, node: Any, folder: Path, steps: Steps):
        self.folder, self.steps = folder, steps
        self.total = sum(cell.cell_type == "code" for cell in node.cells)
        self.by_steps = any(_step(cell) for cell in node.cells)  # or else section by section
        self.done, self.begun = 0, time.monotonic()
        steps.begin("cells", self.total, "cells", remaining=False)

    def cell_start(self, cell: Any, cell_index: int) -> None:
        """A heading begins a section."""
        self.steps.detailed = bool(_step(cell))
        if cell.cell_type == "markdown" and not self.by_steps:
            titles = [line[3:] for line in cell.source.splitlines() if line.startswith("## ")]
            minutes = (time.monotonic() - self.begun) / 60
            for title in titles:
                self.steps.say(f"{self.done}/{self.total} cells", f"{minutes:.1f} min  {title}")

    def cell_executed(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        """A cell that is a step says what it came to."""
        self.events.catch_up()
        self.done += 1
        self.steps.count_outermost(self.done)
        if any(output.get("name") == "stderr" and "warning" in output.text.lower() for output in cell.outputs):
            self.steps.say("note", f"there is a warning in cell {cell.id}: see the notebook")
        summary = _summary(cell)
        if summary is not None and execute_reply["content"]["status"] == "ok":
            self.steps.say(_step(cell)["step"], summary)

    def hear(self, event: dict[str, Any]) -> None:
        """A training has written its manifest before it begins; one in the run folder says what is trained."""
        manifest = self.folder / "manifest.json"
        if event["event"] == "training" and manifest.exists():
            facts = json.loads(manifest.read_text(encoding="utf-8"))
            self.steps.trains(facts["task"], facts["encoder"])
        self.steps.hear(event)


def _step(cell: Any) -> dict[str, Any]:
    """What a cell's metadata say about the step that it is; nothing for most."""
    return cell.metadata.get("hanlp_tutor", {})


def _summary(cell: Any) -> str | None:
    """What a cell's result is worth saying, by the form in its metadata; None when it has none, or does not fit it."""
    result = _result(cell)
    try:
        return _step(cell)["say"].format(result, **(result if isinstance(result, dict) else {}))
    except (KeyError, IndexError, ValueError, TypeError):  # not a step, or one that somebody has changed
        return None


def _result(cell: Any) -> Any:
    """A cell's result as a Python value; None when it is not written as one."""
    texts = [o.data.get("text/plain", "") for o in cell.get("outputs", []) if o.output_type == "execute_result"]
    try:
        return ast.literal_eval("".join(texts))
    except (ValueError, SyntaxError):
        return None


def _baselines(executed: Path) -> dict[str, dict[str, float]]:
    """The results of the cells that are marked as baselines."""
    import nbformat

    cells = [cell for cell in nbformat.read(executed, as_version=4).cells if _step(cell).get("baseline")]
    found = {_step(cell)["step"]: _result(cell) for cell in cells}
    return {name: scores for name, scores in found.items() if isinstance(scores, dict)}


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables for what is started in the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
