"""A notebook executed in place: measured, clean, and left alone when it fails."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hanlp_tutor.teach.course.cost import NOT_MEASURED, read_cost
from hanlp_tutor.teach.course.execute import clean, execute_in_place, is_measured, machine_paths
from hanlp_tutor.workbench.runner import NotebookError

MANIFEST = {"device": "a laptop", "date": "2026-11-22T10:00:00+00:00", "command": "test", "versions": {}}
SETUP = f"def setup(): print({NOT_MEASURED!r})\nsetup()"  # stands for the set-up cell, which prints the cost line

# 2.5 MiB into two caches, beside a list of fonts, which nobody has fetched; what is there already is not seen.
FETCHES = """
import os
from pathlib import Path
import huggingface_hub.constants, pooch
for path, size in ((Path(huggingface_hub.constants.HF_HUB_CACHE), 4), (pooch.os_cache("hanlp_tutor"), 1),
                   (pooch.os_cache("matplotlib"), 4)):
    assert not path.exists()
    path.mkdir(parents=True)
    (path / "file").write_bytes(bytes(size << 19))
"""


@pytest.fixture
def kernel(monkeypatch):
    """The kernel starts elsewhere and has to find the package, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "none")


def write(path: Path, *sources: str) -> Path:
    cells = [new_markdown_cell("# Title", id="title")]
    cells += [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    cells[1].metadata["tags"] = ["parameters"]
    node = new_notebook(cells=cells, metadata={"hanlp_tutor": {"sizes": []}, "widgets": {"state": {}}})
    path.write_text(nbformat.writes(node), encoding="utf-8")
    return path


def test_outputs_are_written_back_clean_and_the_cost_is_noted(tmp_path: Path, kernel):
    source = (
        'PROFILE = "class"',
        SETUP,
        f"import os\nprint(os.getcwd() + '/runs')\nprint({NOT_MEASURED!r})",
        "PROFILE",
    )
    path = write(tmp_path / "99_example.ipynb", *source)
    assert not is_measured(path, results=tmp_path)
    cost = execute_in_place(path, MANIFEST, results=tmp_path)
    node = nbformat.read(path, as_version=4)
    assert [cell.id for cell in node.cells] == ["title", "cell-0", "cell-1", "cell-2", "cell-3"]
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert code[1].outputs[0].text.startswith("measured: ")  # what this run has cost
    assert code[2].outputs[0].text == f"/path/to/runs\n{NOT_MEASURED}\n"  # said by another cell, of something else
    assert code[3].outputs[0].execution_count == 4
    assert sorted(node.metadata) == ["hanlp_tutor", "kernelspec", "language_info"]
    assert 20 < cost["memory_mb"] < 1000 and cost["minutes"] > 0
    assert read_cost("99_example", "class", tmp_path) == cost
    assert is_measured(path, results=tmp_path)


def test_other_profile_is_measured_and_leaves_the_file(tmp_path: Path, kernel):
    path = write(tmp_path / "99_example.ipynb", 'PROFILE = "class"', 'assert PROFILE == "smoke"', FETCHES)
    before = path.read_bytes()
    execute_in_place(path, MANIFEST, profile="smoke", results=tmp_path)
    assert path.read_bytes() == before
    cost = read_cost("99_example", "smoke", tmp_path)
    assert cost["profile"] == "smoke" and cost["download_mib"] == 2.5
    assert read_cost("99_example", "class", tmp_path) is None


def test_failing_notebook_leaves_file_and_costs(tmp_path: Path, kernel):
    path = write(tmp_path / "99_example.ipynb", "1 + 1", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(NotebookError, match="cell cell-1: ZeroDivisionError: division by zero"):
        execute_in_place(path, MANIFEST, results=tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_dead_kernel_is_an_error(tmp_path: Path, kernel):
    path = write(tmp_path / "99_example.ipynb", "import os\nos._exit(138)")
    with pytest.raises(NotebookError, match=r"99_example\.ipynb, .*died"):
        execute_in_place(path, MANIFEST, results=tmp_path)


def test_clean_takes_papermill_out_and_leaves_pictures():
    home = str(Path.home() / "secret")
    picture = new_output("display_data", {"image/png": home, "text/html": [f"<b>{home}</b>"]})
    injected = new_code_cell("PROFILE = 1", metadata={"tags": ["injected-parameters"], "papermill": {}})
    cell = new_code_cell("draw()", id="draw", metadata={"papermill": {"status": "done"}, "alt": "x"}, outputs=[picture])
    node = new_notebook(cells=[injected, cell], metadata={"papermill": {}})
    clean(node, machine_paths("/scratch/folder"))
    assert [cell.id for cell in node.cells] == ["draw"]
    assert node.cells[0].metadata == {"alt": "x"}
    assert node.cells[0].outputs[0].data["image/png"] == home
    assert "secret" in node.cells[0].outputs[0].data["text/html"][0]
    assert home not in node.cells[0].outputs[0].data["text/html"][0]
