"""Every notebook keeps the rules of the course and runs; and the rules are tested on a notebook that breaks them."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_rules
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hanlp_tutor.teach.course.cost import TreeMeter

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_MEMORY_MB = 1.5 * 1024
MOST_SECONDS = 900  # far beyond what a lesson may take: this only ends a notebook that hangs
# What holds a lesson's minute in smoke: of the processor, for on a busy machine the clock says little. pytest and the
# two starts of Python are in it, and a busy machine needs more of them for the same work: hence more than sixty.
MOST_PROCESSOR_SECONDS = 100


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path: Path):
    broken = notebook_rules.problems(notebook_rules.read(path))
    assert not broken, "\n".join(f"{rule}: {line}" for rule, lines in broken.items() for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_in_the_smoke_profile(path: Path, tmp_path: Path, record_property):
    before = processor_seconds()
    code, log, meter = run_by_nbval(path, tmp_path)
    computed = processor_seconds() - before
    cost = f"{path.stem}: {meter.seconds:.0f} s, {computed:.0f} s of the processor, {meter.peak_mb:.0f} MiB"
    print(cost)
    record_property("cost", cost)
    assert code == 0, log[-6000:]
    assert meter.peak_mb < MOST_MEMORY_MB, cost
    assert computed < MOST_PROCESSOR_SECONDS, cost


def processor_seconds() -> float:
    """Of all processes that ended below this one, the kernels of a notebook among them."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


UNDRAWN = """

from hanlp_tutor.teach import plots

figure, (axes,) = plots.new_figure(1)
axes.set_title("\\U00020000")  # 𠀀, in neither font
plots.Picture(figure, "")"""


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda cell: None, 0),
        (lambda cell: cell.update(source=cell.source + "\nassert False"), 1),
        (lambda cell: cell.outputs[0].update(text="another output\n"), 1),
        (lambda cell: cell.update(source=cell.source + UNDRAWN), 1),
    ],
    ids=["as it is", "a cell fails", "a checked output differs", "a picture lacks a glyph"],
)
def test_a_notebook_that_does_not_hold_does_not_pass(spoil, code: int, tmp_path: Path):
    cell = new_code_cell("print(PROFILE[:0] + 'the same')", id="work", metadata={"tags": ["nbval-check-output"]})
    cell.update(execution_count=2, outputs=[stream("the same\n")])
    parameters = new_code_cell('PROFILE = "class"', id="parameters", metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    spoil(cell)
    nbformat.write(
        new_notebook(cells=[parameters, cell], metadata={"kernelspec": kernel}), tmp_path / "99_example.ipynb"
    )
    (tmp_path / "copy").mkdir()
    assert run_by_nbval(tmp_path / "99_example.ipynb", tmp_path / "copy")[0] == code


def run_by_nbval(path: Path, folder: Path) -> tuple[int, str, TreeMeter]:
    """Run a copy that papermill has prepared with the smoke profile; exit code, pytest's report, time and memory."""
    copy = folder / path.name
    parameters = {"PROFILE": "smoke", "out": str(folder / "run")}
    papermill.execute_notebook(str(path), str(copy), parameters, prepare_only=True)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        # the kernel starts in the copy's folder
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
        "HANLP_TUTOR_PROGRESS": "lines",
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "error:Glyph",  # matplotlib's: a character that a picture's fonts lack
    }
    log = folder / "log.txt"
    with open(log, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [*command, f"--rootdir={folder}", copy.name], cwd=folder, env=environment, stdout=stream, stderr=stream
        )
        with TreeMeter(process.pid) as meter:
            try:
                process.wait(timeout=MOST_SECONDS)
            finally:
                _end(process)
    return process.returncode, log.read_text(encoding="utf-8"), meter


def _end(process: subprocess.Popen) -> None:
    """End a process that still runs, and its kernels with it."""
    import psutil

    if process.poll() is not None:
        return
    tree = psutil.Process(process.pid).children(recursive=True)
    for each in (*tree, process):
        each.kill()
    process.wait()


def good_notebook() -> notebook_rules.Notebook:
    """The smallest notebook that keeps all rules."""
    call = "setup('99_example', globals(), {\n'sentences': 3, 'epochs': 1\n})"
    cells = [
        new_markdown_cell("# 99 · Example\n\n**中文摘要** 一。二。三。\n\nYou will be able to read it.", id="title"),
        new_code_cell("from hanlp_tutor.teach import check, setup", id="imports"),
        new_markdown_cell("Parameters.", id="parameters-text"),
        new_code_cell('PROFILE = "class"\nout = None', id="parameters", metadata={"tags": ["parameters"]}),
        new_markdown_cell("Set-up.", id="set-up-text"),
        new_code_cell(call, id="set-up"),
        new_markdown_cell("## Exercise 99.1\n\nThe article says “F1 92.3%”. [Next](99_example.ipynb)", id="claim"),
        new_code_cell(
            "answer = ...\ncheck.q99_1(answer)", id="exercise-1", metadata={"alt": "A curve that falls slowly."}
        ),
        new_markdown_cell("## Summary\n\n## Where next", id="summary"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "hanlp_tutor": {"sizes": ["sentences"]}}
    node = new_notebook(cells=cells, metadata=metadata)
    node.nbformat_minor = 5
    for number, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
    cells[7].outputs = [new_output("display_data", {"image/png": "aGVsbG8=", "text/plain": "a picture"})]
    return notebook_rules.Notebook(Path("notebooks/99_example.ipynb"), node)


def stream(text: str, name: str = "stdout") -> nbformat.NotebookNode:
    return new_output("stream", name=name, text=text)


# Each change breaks one rule and no other: (rule, place of the cell, what is done to it or to the notebook)
BAD = {
    "old format": ("format_4_5", 0, lambda cell, node: node.update(nbformat_minor=4)),
    "random id": ("readable_ids", 0, lambda cell, node: cell.update(id="3f2a9c1d")),
    "id twice": ("readable_ids", 0, lambda cell, node: cell.update(id="summary")),
    "other kernel": ("clean_metadata", 0, lambda cell, node: node.metadata.kernelspec.update(name="conda-env")),
    "widget state": ("clean_metadata", 0, lambda cell, node: node.metadata.update(widgets={})),
    "papermill's marks": ("clean_metadata", 3, lambda cell, node: cell.metadata.update(papermill={"status": "done"})),
    "no title": ("opening", 0, lambda cell, node: cell.update(source=cell.source[2:])),
    "short abstract": ("opening", 0, lambda cell, node: cell.update(source=cell.source.replace("二。三。", ""))),
    "no objectives": ("opening", 0, lambda cell, node: cell.update(source=cell.source.replace("be able to", ""))),
    "no summary": ("ending", 8, lambda cell, node: cell.update(source="## Where next")),
    "no check": ("ending", 7, lambda cell, node: cell.update(source="answer = ...")),
    "import does work": ("parameters_cell", 1, lambda cell, node: cell.update(source=cell.source + "\nx = 1")),
    "torch first": ("kit_before_torch", 1, lambda cell, node: cell.update(source="import torch\n" + cell.source)),
    "a part of torch first": (
        "kit_before_torch",
        1,
        lambda cell, node: cell.update(source="import json\nfrom torch.nn import functional as F\n" + cell.source),
    ),
    "no profile": ("parameters_cell", 3, lambda cell, node: cell.update(source="out = None")),
    "derived parameter": (
        "parameters_cell",
        3,
        lambda cell, node: cell.update(source=cell.source + "\na = len(PROFILE)"),
    ),
    "two parameters cells": ("parameters_cell", 7, lambda cell, node: cell.metadata.update(tags=["parameters"])),
    "size not listed": ("setup_cell", 0, lambda cell, node: node.metadata.hanlp_tutor.update(sizes=["sentence"])),
    "other name": ("setup_cell", 5, lambda cell, node: cell.update(source=cell.source.replace("99_", "98_"))),
    "another size": ("setup_cell", 5, lambda cell, node: cell.update(source=cell.source.replace("sentences", "texts"))),
    "many imports": ("few_imports", 1, lambda cell, node: cell.update(source=cell.source + ", a, b, c, d, e, f, g")),
    "code after code": ("text_before_code", 2, lambda cell, node: cell.update(cell_type="raw")),
    "long line": ("lengths", 7, lambda cell, node: cell.update(source=cell.source + f"\n# {'x' * 120}")),
    "long cell": ("lengths", 7, lambda cell, node: cell.update(source=cell.source + "\nx = 1" * 25)),
    "shell": ("plain_python", 7, lambda cell, node: cell.update(source=cell.source + "\n!ls")),
    "installation": ("plain_python", 7, lambda cell, node: cell.update(source=cell.source + "\nrun('pip install x')")),
    "branch": (
        "no_branch_on_profile",
        7,
        lambda cell, node: cell.update(source=cell.source + "\nif PROFILE == 'smoke': 1"),
    ),
    "no alt text": ("alt_text", 7, lambda cell, node: cell.metadata.pop("alt")),
    "not executed": ("executed", 7, lambda cell, node: cell.update(execution_count=None)),
    "executed twice": ("executed", 7, lambda cell, node: cell.update(execution_count=9)),
    "error": (
        "executed",
        7,
        lambda cell, node: cell.update(outputs=[new_output("error", ename="E", evalue="", traceback=[])]),
    ),
    "warning": ("executed", 7, lambda cell, node: cell.update(outputs=[stream("UserWarning", "stderr")])),
    "path": ("no_machine", 7, lambda cell, node: cell.update(outputs=[stream("wrote /home/anna/runs/1")])),
    "windows path": ("no_machine", 7, lambda cell, node: cell.update(outputs=[stream("C:\\Users\\anna")])),
    "dead link": ("links", 6, lambda cell, node: cell.update(source=cell.source.replace("(99_", "(98_"))),
    "typed score": ("no_typed_results", 6, lambda cell, node: cell.update(source=cell.source + " Our F1 is 0.87.")),
    "typed per cent": (
        "no_typed_results",
        6,
        lambda cell, node: cell.update(source=cell.source + " It is 12 % faster."),
    ),
}


@pytest.fixture
def course_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the example's link leads somewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "99_example.ipynb").touch()
    others = "99_example:\n  smoke: {sentences: 1, epochs: 1}\n  full: {sentences: 9, epochs: 9, lr: 2.0e-5}\n"
    (tmp_path / "notebooks" / "profiles.yaml").write_text(others, encoding="utf-8")
    return tmp_path


def test_good_notebook_breaks_no_rule(course_folder):
    assert notebook_rules.problems(good_notebook()) == {}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore")
def test_bad_notebook_breaks_just_that_rule(name: str, course_folder):
    rule, place, spoil = BAD[name]
    notebook = good_notebook()
    spoil(notebook.node.cells[place], notebook.node)
    assert list(notebook_rules.problems(notebook)) == [rule]


def test_each_rule_has_a_notebook_that_breaks_it():
    assert {rule for rule, _, _ in BAD.values()} == {rule.__name__ for rule in notebook_rules.RULES}


@pytest.mark.parametrize(
    "innocent",
    [
        "The article promises “92.3%”.",
        "> F1 92.3%",
        "Set `dropout` to 0.1, `lr` to 2e-5; split 8:1:1; transformers 4.50.",
        "F1 lies between 0 and 1. Lesson 0.5 does not exist.",
        "$P = 50\\%$ in theory.",
    ],
)
def test_prose_may_hold_numbers_that_are_no_results(innocent: str, course_folder):
    notebook = good_notebook()
    notebook.node.cells[6].source += "\n\n" + innocent
    assert notebook_rules.problems(notebook) == {}
