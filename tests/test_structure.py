"""The house: imports run down only, inside functions too; and what one lesson alone uses, nobody else imports."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hanlp_tutor"
# From the ground up; a room imports from itself and from what stands before it.
ROOMS = (
    "errors",
    "extras",
    "fonts",
    "files",
    "manifest",
    "device",
    "damage",
    "threads",
    "processes",
    "progress",
    "config",
    "run_folder",
    "defaults",
    "data",
    "encoders",
    "corpora",
    "core",
    "relations",
    "scans",
    "pretraining",
    "hanlp_bridge",
    "workbench",
    "serving",
    "teach",
    "cli",
)
# These hand on names from anywhere, and do nothing else.
EXEMPT = {"__init__.py", "article.py", "hanlp_compat.py"}
LESSONS = PACKAGE / "teach" / "lessons"
# Which lessons read ``results/X.json``: those whose rooms ``experiments/X.py`` may import from.
READERS = {
    "article": {"l00", "l07", "l14"},
    "audit": {"l01"},
    "encoders": {"l03"},
    "evaluation": {"l10"},
    "finance_aml": {"l13"},
    "finetune_ner": {"l03"},
    "how_much_data": {"l15"},
    "industrial_faults": {"l14"},
    "learning_rates": {"l06"},
    "loss_terms": {"l02"},
    "low_resource": {"l17"},
    "medical": {"l12"},
    "multitask": {"l11"},
    "ocr_ner": {"l18"},
    "relation_extraction": {"l16"},
    "troubleshooting": {"l20"},
    "tuning": {"l09"},
}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if str(path.relative_to(PACKAGE)) not in EXEMPT]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def source(path: Path) -> str:
    """The Python of a module, or of a notebook's cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports anywhere in it, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(source(path))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative imports hide where a name lives"
            if (node.module or "").split(".")[0] == "hanlp_tutor":
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "hanlp_tutor"}
    return {name.removeprefix("hanlp_tutor").lstrip(".") for name in found}


def test_every_room_is_known():
    assert {room_of(path) for path in modules()} <= set(ROOMS)


def test_no_module_imports_in_a_circle():
    from graphlib import CycleError, TopologicalSorter

    files = {".".join(p.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): p for p in modules()}
    graph = {
        module: {name if name in files else name.rpartition(".")[0] for name in imported(path)}
        for module, path in files.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_only(path):
    public = {"", "__version__"}
    mine = ROOMS.index(room_of(path))
    upwards = [name for name in imported(path) - public if ROOMS.index(name.split(".")[0]) > mine]
    assert not upwards, f"{path.name} imports {', '.join(upwards)}, which stands behind it in ROOMS"


def rooms_of_lessons(path: Path) -> set[str]:
    """The lessons' rooms that a file imports from; ``*`` for an import of all of them."""
    names = [name.split(".") for name in imported(path)]
    return {parts[2] if len(parts) > 2 else "*" for parts in names if parts[:2] == ["teach", "lessons"]}


def allowed_rooms(path: Path) -> set[str]:
    """The lessons' rooms that a file may import from."""
    if path.is_relative_to(LESSONS):
        return {path.relative_to(LESSONS).parts[0]}
    if path.suffix == ".ipynb":
        return {f"l{path.stem.partition('_')[0]}"}
    return READERS.get(path.stem, set()) if path.parent.name == "experiments" else set()


@pytest.mark.parametrize(
    "path",
    [*modules(), *sorted((ROOT / "notebooks").glob("*.ipynb")), *sorted((ROOT / "experiments").glob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_lessons_own_code_is_imported_by_its_room_its_notebook_and_its_experiment_alone(path):
    """``teach/check.py`` finds a lesson's checks by name."""
    foreign = rooms_of_lessons(path) - allowed_rooms(path)
    assert not foreign, f"{path.name} imports from {', '.join(sorted(foreign))}: share it in teach/, or move it"


def test_an_import_from_a_lesson_is_seen_however_it_is_written(tmp_path):
    package = "hanlp_tutor.teach"
    lines = (
        f"from {package}.lessons.l06 import drift",
        f"def late():\n    import {package}.lessons.l07.accumulation",
        f"from {package}.lessons import l08",
        f"from {package} import lessons, plots",
    )
    (tmp_path / "some.py").write_text("\n".join(lines), encoding="utf-8")
    assert rooms_of_lessons(tmp_path / "some.py") == {"l06", "l07", "l08", "*"}
    assert allowed_rooms(tmp_path / "some.py") == set()


def test_every_lessons_room_has_a_notebook():
    rooms = {path.name for path in LESSONS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert all(re.fullmatch(r"l\d\d[a-z]?", room) for room in rooms)
    assert rooms <= {f"l{path.stem.partition('_')[0]}" for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_every_experiment_whose_file_lessons_read_is_there():
    assert READERS.keys() <= {path.stem for path in (ROOT / "experiments").glob("*.py")}
