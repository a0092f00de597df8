"""Notebooks by papermill: numbered run folders, refused parameters, honest exit codes. On a notebook of three cells."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from hanlp_tutor import ConfigError
from hanlp_tutor.files import write_file
from hanlp_tutor.teach import setup
from hanlp_tutor.workbench.runner import NotebookError, check_parameters, find_notebook, run_notebook

ROOT = Path(__file__).parents[2]
NAME = "99_example"
SETUP = f"""from hanlp_tutor.teach import setup
lesson = setup("{NAME}", globals(), {{"sentences": 2, "epochs": 2}})"""
OTHERS = f"{NAME}:\n  smoke: {{sentences: 1, epochs: 1}}\n  full: {{sentences: 3, epochs: 3}}\n"
WORK = """import json
print(lesson.sentences, lesson.config.epochs, lesson.config.lr)
scores = {"sentences": lesson.sentences, "epochs": lesson.config.epochs, "lr": lesson.config.lr, "fail": fail}
assert not fail, "planted"
(lesson.out / "metrics.json").write_text(json.dumps(scores))"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A working directory with a tiny notebook in ``notebooks/``."""
    sources = ('PROFILE = "class"\nout = None\ntest_file = None', SETUP, "fail = test_file is not None", WORK)
    cells = [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    node = new_notebook(cells=cells, metadata={"kernelspec": kernel, "hanlp_tutor": {"sizes": ["sentences"]}})
    (tmp_path / "notebooks").mkdir()
    nbformat.write(node, tmp_path / "notebooks" / f"{NAME}.ipynb")
    (tmp_path / "notebooks" / "profiles.yaml").write_text(OTHERS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "hanlp_tutor.cli", "run", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_runs_are_numbered_and_hold_the_executed_notebook(folder: Path):
    first, second = run_notebook("99"), run_notebook(NAME, {"sentences": 7, "lr": 2e-5}, profile="smoke")
    assert first.out == folder / "runs" / NAME / "001"
    assert second.out == folder / "runs" / NAME / "002"
    assert first.metrics == {"sentences": 2, "epochs": 2, "lr": None, "fail": False}
    assert second.metrics == {"sentences": 7, "epochs": 1, "lr": 2e-5, "fail": False}
    executed = nbformat.read(second.notebook, as_version=4)
    assert executed.cells[-1].outputs[0].text == "7 1 2e-05\n"


@pytest.mark.parametrize("name", ["99", "099", NAME, "example", f"notebooks/{NAME}.ipynb", f"{NAME}.ipynb"])
def test_notebook_is_found_by_number_name_and_path(folder: Path, name: str):
    assert find_notebook(name).stem == NAME


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("98", f"There are: {NAME}"),
        ("99.0", f"There are: {NAME}"),
        ("six", f"There are: {NAME}"),
        ("99_exampel", f"mean '{NAME}'"),
        ("no.ipynb", "no such"),
    ],
)
def test_notebook_that_does_not_exist_is_an_error(folder: Path, name: str, message: str):
    with pytest.raises(NotebookError, match=message):
        find_notebook(name)


WRONG = [
    ({"epochz": 3}, "epochs"),
    ({"sentense": 3}, "sentences"),
    ({"lr": "2e-5"}, "text"),
    ({"epochs": 0}, "epochs"),
    ({"sentences": "7"}, "expected int"),
    ({"PROFILE": "clas"}, "smoke, class and full"),
]


@pytest.mark.parametrize(("parameters", "message"), WRONG[:4])
def test_wrong_parameter_is_refused_before_the_run(folder: Path, parameters, message):
    with pytest.raises(ConfigError, match=message):
        check_parameters(Path("notebooks") / f"{NAME}.ipynb", parameters)
    with pytest.raises(ConfigError, match=message):
        run_notebook("99", parameters)
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("parameters", "message"), WRONG)
def test_wrong_parameter_is_refused_by_plain_papermill_too(folder: Path, parameters, message):
    with pytest.raises(PapermillExecutionError, match=message) as caught:
        papermill.execute_notebook(f"notebooks/{NAME}.ipynb", "out.ipynb", parameters, progress_bar=False)
    assert caught.value.ename == "ConfigError"


@pytest.mark.parametrize("size", [0, -5])
def test_a_size_that_is_none_is_refused(folder: Path, size: int):
    """A negative number would be a slice from the end, and so nearly the whole corpus."""
    with pytest.raises(ConfigError, match=rf"sentences={size}: expected a number above 0"):
        run_notebook("99", {"sentences": size})


def test_a_size_that_the_profile_leaves_out_may_be_left_out():
    assert setup("x", {"PROFILE": "class", "seeds": 0}, {"seeds": 0, "share": 0.5}).seeds == 0
    for wrong in ({"seeds": -1}, {"share": 0.0}, {"share": -0.5}):
        with pytest.raises(ConfigError, match="expected a number"):
            setup("x", {"PROFILE": "class", **wrong}, {"seeds": 0, "share": 0.5})


PARAMETERS = [
    ('s = "a=b"\nn: int = 3', {"s": "c=d", "n": 4}, "c=d 4"),
    ('s = """a\n= b"""\nn = {\n    "a": 1,\n}["a"]', {"s": "x\ny", "n": 2}, "x\ny 2"),
    ("%matplotlib inline\ns, n = 'a # b', 3", {"s": "c", "n": 5}, "c 5"),
    ("s = n = 'a' # type: ignore", {"s": "=", "n": "=="}, "= =="),
]


@pytest.mark.parametrize(("source", "values", "printed"), PARAMETERS)
def test_parameters_are_found_as_python_does(folder: Path, source: str, values: dict, printed: str):
    cells = [new_code_cell(source), new_code_cell("print(s, n, end='')")]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "own.ipynb")
    done = run_notebook("own.ipynb", values)
    assert nbformat.read(done.notebook, as_version=4).cells[-1].outputs[0].text == printed
    with pytest.raises(ConfigError, match="unknown option 'm'"):
        run_notebook("own.ipynb", {"m": 1})


def test_a_notebook_of_ones_own_means_its_names_as_it_likes(folder: Path):
    cells = [new_code_cell("epochs = 'many'"), new_code_cell("print(epochs, end='')")]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(new_notebook(cells=cells), folder / "own.ipynb")
    done = run_notebook("own.ipynb", {"epochs": "few"})
    assert nbformat.read(done.notebook, as_version=4).cells[-1].outputs[0].text == "few"


def test_a_file_that_is_no_notebook(folder: Path):
    (folder / "bad.ipynb").write_text("words", encoding="utf-8")
    with pytest.raises(NotebookError, match=r"bad\.ipynb: cannot be read as a notebook"):
        run_notebook("bad.ipynb")


def test_a_notebook_never_overwrites_itself(folder: Path):
    before = (folder / "notebooks" / f"{NAME}.ipynb").read_bytes()
    with pytest.raises(NotebookError, match="would be overwritten"):
        run_notebook("99", out="notebooks")
    assert (folder / "notebooks" / f"{NAME}.ipynb").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_kernel_that_is_killed_names_memory_and_what_to_change(folder: Path):
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    path = folder / "notebooks" / f"{NAME}.ipynb"
    node = nbformat.read(path, as_version=4)
    node.cells[-1].source = killed
    nbformat.write(node, path)
    done = command(folder, "99", "-p", "batch_size", "64")
    assert done.returncode == 2 and "Kernel died" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert "its kernel was killed, most likely because memory ran out. Run it with " in last
    assert "-p batch_size 16 (smaller batches) or --profile smoke (fewer examples)." in last
    again = re.search(r"(-p \S+ \S+).*(--profile \S+)", last).groups()
    node.cells[-1].source = "print(lesson.config.batch_size)"
    nbformat.write(node, path)
    for remedy in again:
        assert command(folder, "99", *remedy.split()).returncode == 0


def test_a_full_disk_leaves_the_notebook_as_it_was_before(folder: Path, monkeypatch):
    """The executed notebook is written after each cell, whole or not at all."""
    monkeypatch.setattr("hanlp_tutor.workbench.kernel.write_file", full_after(2))
    with pytest.raises(OSError, match="No space left"):
        run_notebook("99", out="run")
    nbformat.read(folder / "run" / f"{NAME}.ipynb", as_version=4)
    assert [path.name for path in (folder / "run").iterdir() if path.suffix == ".partial"] == []


def full_after(writes: int):
    """A ``write_file`` that finds a full disk after so many writes."""
    done = []

    def write(path, content):
        done.append(path)
        if len(done) > writes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_file(path, content)

    return write


def test_wrong_size_in_the_kernel_is_a_config_error_here(folder: Path):
    with pytest.raises(ConfigError, match="expected int"):
        run_notebook("99", {"sentences": 7.5})


def test_unknown_profile_is_refused(folder: Path):
    with pytest.raises(ConfigError, match="smoke, class, full"):
        run_notebook("99", profile="clas")


def test_finished_run_is_never_overwritten(folder: Path):
    run_notebook("99", out="mine")
    before = {path.name: path.read_bytes() for path in (folder / "mine").iterdir()}
    with pytest.raises(NotebookError, match="never overwritten"):
        run_notebook("99", {"sentences": 9}, out="mine")
    assert {path.name: path.read_bytes() for path in (folder / "mine").iterdir()} == before


def test_command_ends_in_one_json_object(folder: Path):
    done = command(folder, "99", "-p", "sentences", "5", "-p", "lr", "2e-5", "--profile", "smoke", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["metrics"] == {"sentences": 5, "epochs": 1, "lr": 2e-5, "fail": False}
    assert Path(answer["notebook"]).is_file()


def test_command_refuses_a_misspelt_parameter(folder: Path):
    done = command(folder, "99", "-p", "epochz", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "epochs" in done.stderr and "Traceback" not in done.stderr


def test_failing_notebook_has_an_exit_code_and_stays_to_be_read(folder: Path):
    done = command(folder, "99", "-p", "test_file", "anything")
    assert done.returncode != 0
    assert "AssertionError: planted" in done.stderr and "Traceback" not in done.stderr.split("Error: ")[-1]
    partial = folder / "runs" / NAME / "001" / f"{NAME}.ipynb"
    assert str(partial) in done.stderr
    outputs = [output for cell in nbformat.read(partial, as_version=4).cells for output in cell.get("outputs", [])]
    assert any(output.get("text", "").startswith("2 2 None") for output in outputs)
    assert not (partial.parent / "metrics.json").exists()
    assert run_notebook("99").out.name == "002"


@pytest.mark.parametrize(
    ("kind", "remedy", "told"),
    [("DataError", "Pass --format csv -r text_column 2", True), ("DataError", "Mend the path.", False),
     ("ValueError", "Pass --format csv", False)],
)  # fmt: skip
def test_a_remedy_of_reading_is_one_of_convert_as_run_takes_none(folder: Path, kind: str, remedy: str, told: bool):
    source = f"class {kind}(Exception):\n    pass\nraise {kind}('a.csv: looks odd. {remedy}')"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), folder / "own.ipynb")
    with pytest.raises(NotebookError) as caught:
        run_notebook("own.ipynb")
    assert remedy in str(caught.value)
    assert ("`hanlp-tutor convert FILE NEW --to columns`" in str(caught.value)) == told
