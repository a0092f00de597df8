"""The house: imports run down only, inside functions too."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hanlp_tutor"
# From the ground up; a room imports from itself and from what stands before it.
ROOMS = (
    "errors",
    "extras",
    "files",
    "manifest",
    "device",
    "progress",
    "config",
    "data",
    "encoders",
    "corpora",
    "core",
    "pretraining",
    "hanlp_bridge",
    "workbench",
    "serving",
    "teach",
    "cli",
)
# These hand on names from anywhere, and do nothing else.
EXEMPT = {"__init__.py", "article.py", "hanlp_compat.py"}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if str(path.relative_to(PACKAGE)) not in EXEMPT]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports anywhere in it, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative imports hide where a name lives"
            if (node.module or "").split(".")[0] == "hanlp_tutor":
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "hanlp_tutor"}
    return {name.removeprefix("hanlp_tutor").lstrip(".") for name in found}


def test_every_room_is_known():
    assert {room_of(path) for path in modules()} <= set(ROOMS)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_only(path):
    public = {"", "__version__"}
    mine = ROOMS.index(room_of(path))
    upwards = [name for name in imported(path) - public if ROOMS.index(name.split(".")[0]) > mine]
    assert not upwards, f"{path.name} imports {', '.join(upwards)}, which stands above it"
