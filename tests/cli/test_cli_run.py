"""What a newcomer sees of `make run`, on the smallest profile: steps, a closing block, commands that work as pasted."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hanlp_tutor import load_corpus
from hanlp_tutor.workbench.closing import kit
from hanlp_tutor.workbench.runner import NotebookError, described, run_notebook

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("run")  # one first run for all
COMMAND = [sys.executable, "-m", "hanlp_tutor.cli"]
NOISE = ("unknown parameter", "zmq", "encryption", "not yet", "exercise", "warning", "licence")


def environment() -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name != "HANLP_TUTOR_PROGRESS"}
    return {**plain, "PYTHONPATH": str(ROOT)}


# --- notebook 05 ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> tuple[Path, list[str], list[str]]:
    """The working directory of `run 05 --profile smoke` through a pipe, what it printed, and what of it is result."""
    folder = tmp_path_factory.mktemp("first")
    options = ["-p", "eval_steps", "10", "--profile", "smoke"]  # an option that the parameters cell does not name
    with open(folder / "all.txt", "w+", encoding="utf-8") as both:
        done = subprocess.Popen(
            [*COMMAND, "run", "05", *options], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=both
        )
        out = done.communicate(timeout=600)[0].decode("utf-8")
        both.seek(0)
        err = both.read()
    assert done.returncode == 0, err
    return folder, err.splitlines(), out.splitlines()


@pytest.mark.slow
def test_a_newcomer_sees_the_steps_and_nothing_else(first_run):
    _, err, out = first_run
    for line in (*err, *out):
        assert not any(noise in line.lower() for noise in NOISE), line
    steps = [line.split("  ")[0] for line in err if not line.startswith(" ")]
    expected = (
        "notebook, folder, environment, corpus, sentences, dictionary, feature CRF, training, training, test, HanLP"
    )
    assert steps == expected.split(", ")
    assert sum("dev F1" in line and "tokens/s" in line for line in err) == 2
    assert all(len(line) <= 80 for line in err)
    assert len(err) < 25 and len(out) < 20


@pytest.mark.slow
def test_the_closing_block_tells_this_runs_numbers(first_run):
    folder, err, out = first_run
    run = folder / "runs" / "05_finetune_ner" / "001"
    f1 = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["test"]["f1"]
    block = "\n".join(out)
    assert re.search(rf"^test: P .* F1 {f1:.4f}$", block, re.M) and "folder: runs/05_finetune_ner/001" in out
    baselines = dict(re.findall(r"^(dictionary|feature CRF) +test F1 (\S+)$", "\n".join(err), re.M))
    for name, score in baselines.items():
        assert re.search(rf"^baselines: .*\b{name} F1 {float(score):.3f}", block, re.M)
    best = max(map(float, baselines.values()))
    assert f"by {abs(100 * (best - f1)):.1f} points" in block.replace("\n", " ") and len(baselines) == 2
    assert re.search(r"^minutes: \d+\.\d$", block, re.M) and "(Profile smoke" in block
    executed = nbformat.read(run / "05_finetune_ner.ipynb", as_version=4)
    printed = [output.get("text", "") for cell in executed.cells for output in cell.get("outputs", [])]
    assert any("Not yet" in text for text in printed)  # what was not shown is there to be read


def pasted(first_run) -> list[str]:
    _, _, out = first_run
    commands = [line.strip() for line in out[out.index("To try next:") + 1 :]]
    assert len(commands) == 4
    return commands


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="pasted into sh")
def test_the_commands_work_as_pasted(first_run):
    predict, plain, serve, lab = pasted(first_run)
    assert shlex.split(serve)[-2:] == ["serve", "runs/05_finetune_ner/001"]
    tested = {example.text for example in load_corpus("peoples_daily").test}
    assert shlex.split(predict)[-1] in tested, "a text of the model's own"
    for command in (predict, plain):
        done = subprocess.run(command, shell=True, cwd=first_run[0], env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("[") if command == plain else done.stdout.strip()
    assert shlex.split(plain)[1] == "-c" and "hanlp_tutor" not in plain.replace("runs/", "")
    log = first_run[0] / "lab.txt"
    with open(log, "w") as stream:
        server = subprocess.Popen(
            f"exec {lab} --no-browser --allow-root",
            shell=True,
            cwd=first_run[0],
            env=environment(),
            stdout=stream,
            stderr=stream,
        )
        try:
            until = time.monotonic() + 120
            while "is running at" not in log.read_text() and server.poll() is None and time.monotonic() < until:
                time.sleep(0.5)
        finally:
            server.kill()
            server.wait()
    assert "is running at" in log.read_text(), log.read_text()[-2000:]


# --- any notebook --------------------------------------------------------------------------------------------------

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch):
    """Writes a notebook of three sections, whose second holds the given code, and goes where it lies."""

    def write(code: str) -> Path:
        parameters = 'PROFILE = "smoke"\nout = None'
        cells = [
            new_markdown_cell("# Title", id="title"),
            new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}),
            new_markdown_cell("Words.\n\n## A beginning\n\nWords.", id="beginning"),
            new_code_cell("print('Not yet')\n6 * 7", id="quiet"),
            new_markdown_cell("## The work\n\n### Exercise 1", id="work-text"),
            new_code_cell(code, id="work"),
            new_markdown_cell("## Summary", id="summary"),
        ]
        (tmp_path / "notebooks").mkdir()
        path = tmp_path / "notebooks" / "99_example.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
        return path

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return write


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, "run", *arguments], env=environment(), capture_output=True, text=True, timeout=300, **options
    )


def test_sections_of_a_notebook_and_its_end(notebook):
    notebook("import warnings; warnings.warn('a word of caution')")
    done = run("99")
    assert done.returncode == 0, done.stderr
    lines = [re.sub(r"\d\.\d min", "N min", line) for line in done.stderr.splitlines()]
    assert lines == [
        "notebook     99_example, profile class",
        "folder       runs/99_example/001",
        "2/4 cells    N min  A beginning",
        "3/4 cells    N min  The work",
        "note         there is a warning in cell work: see the notebook",
        "4/4 cells    N min  Summary",
    ]
    assert "folder: runs/99_example/001" in done.stdout and not re.search("Not yet|caution", done.stdout + done.stderr)


def test_json_is_all_of_standard_output(notebook):
    notebook("1")
    done = run("99", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["metrics"] is None and answer["baselines"] == {} and answer["minutes"] > 0


def test_measured_minutes_are_reported_and_others_are_not(notebook, monkeypatch):
    from click.testing import CliRunner

    from hanlp_tutor.cli import app
    from hanlp_tutor.teach.course.cost import write_cost

    notebook("1")
    monkeypatch.setattr("hanlp_tutor.teach.results.results_folder", lambda: Path.cwd())
    cost = {"minutes": 10.7, "memory_mb": 900, "device": "a laptop (2 threads)", "date": "2026-11-22"}
    write_cost("99_example", described("class", {"epochs": 3, "encoder": "mini-bert"}), cost)
    parameters = ["-p", "encoder", "mini-bert", "-p", "epochs", "3"]
    monkeypatch.setattr("hanlp_tutor.workbench.runner.check_parameters", lambda *_: None)
    printed = CliRunner().invoke(app, ["run", "99", *parameters]).stderr
    assert "notebook     99_example, profile class -p encoder mini-bert -p epochs 3\n" in printed
    assert "minutes      about 11 (measured: 10.7 on a laptop (2 threads))\n" in printed
    assert "minutes" not in CliRunner().invoke(app, ["run", "99"]).stderr


def test_a_failing_cell_is_shown_with_its_error_and_its_place(notebook):
    notebook("answer = 6 * 9\nassert answer == 42, 'planted'")
    done = run("99", "--json")
    assert done.returncode == 2
    assert "99_example.ipynb, cell 4 (work): AssertionError: planted\n    answer = 6 * 9\n" in done.stderr
    assert str(Path("runs/99_example/001/99_example.ipynb").resolve()) in done.stderr
    assert "planted" in json.loads(done.stdout)["error"]


def test_a_kernel_that_dies_is_an_error_in_words(notebook):
    notebook("import os; os._exit(9)")
    with pytest.raises(NotebookError, match=r"^.*its kernel died with exit code 9.* memory.*001/99_example.ipynb$"):
        run_notebook("99")


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_leaves_the_notebook_as_far_as_it_got(notebook):
    notebook("import time\nprint('so far', flush=True)\nopen('begun', 'w').close()\ntime.sleep(600)")
    process = subprocess.Popen(
        [*COMMAND, "run", "99"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until = time.monotonic() + 120
    while not Path("begun").exists() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    executed = Path("runs/99_example/001/99_example.ipynb").resolve()
    assert process.returncode == 130 and "Traceback" not in err
    assert err.splitlines()[-1] == (
        f"Stopped. The notebook as far as it got: {executed} Begin again with: {shlex.join([*kit(), 'run', '99'])}"
    )
    cells = {cell.id: cell for cell in nbformat.read(executed, as_version=4).cells}
    assert cells["work"].outputs[0].text == "so far\n" and cells["quiet"].outputs[0].text == "Not yet\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(notebook):
    import fcntl
    import pty
    import struct
    import termios

    notebook("import time; time.sleep(1)")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    process = subprocess.Popen([*COMMAND, "run", "99"], env=environment(), stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    raw = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        raw += piece
    assert process.wait() == 0
    text = raw.decode("utf-8")
    assert re.search(r"cells +\d+%\|.*\| \d/4 cells \[", text)
    screen = [line.split("\r")[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    assert not any("%|" in line for line in screen), repr(text)


def test_kernels_inherit_how_threads_wait(notebook, monkeypatch):
    """Also from a process that has loaded torch by itself; and what the user has set, they inherit as it is."""
    show = "import os; (os.environ.get('OMP_WAIT_POLICY'), 'HANLP_TUTOR_THREADS' in os.environ)"
    path = notebook(show)
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "HANLP_TUTOR_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTERHUB_API_URL", "x")
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("hanlp_tutor.threads._granted_cores", lambda: 2)
    for own, expected in ((None, "('passive', True)"), ("active", "('active', True)")):
        if own:
            monkeypatch.setenv("OMP_WAIT_POLICY", own)
        outcome = run_notebook(str(path))
        cells = {cell.id: cell for cell in nbformat.read(outcome.notebook, as_version=4).cells}
        assert cells["work"].outputs[0].data["text/plain"] == expected
        assert os.environ.get("OMP_WAIT_POLICY") == own and "HANLP_TUTOR_THREADS" not in os.environ
