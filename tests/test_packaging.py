"""What a user meets before any lesson: the import, the public names, the lock."""

import os
import pkgutil
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import hanlp_tutor

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
HEAVY = ("torch", "transformers", "hanlp", "numpy", "pandas", "sklearn", "matplotlib", "pydantic", "papermill")


def pins() -> dict[str, str]:
    """The lock's versions, by normalised name (PEP 503)."""
    lines = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pairs = (line.partition("==") for line in lines)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, _, version in pairs}


def test_import_brings_nothing_heavy():
    code = f"import sys, hanlp_tutor; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", hanlp_tutor.__all__)
def test_public_name_is_there_and_is_no_submodule(name):
    assert name in dir(hanlp_tutor)
    assert getattr(hanlp_tutor, name) is not None
    assert name not in {module.name for module in pkgutil.iter_modules(hanlp_tutor.__path__)}


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = hanlp_tutor.no_such_name


def test_lock_holds_plain_versions_only():
    for name, version in pins().items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name}: {version!r} would not install on another machine"
    assert "tensorflow" not in pins()


def test_lock_fits_the_ranges_of_pyproject():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    locked = pins()
    lines = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]
    for requirement in map(Requirement, lines):
        if requirement.name == project["name"]:  # an extra that brings others of ours, whose lines are looked at too
            assert requirement.extras <= set(extras) and not requirement.specifier
            continue
        version = locked.get(requirement.name)
        assert version, f"{requirement.name} is missing from requirements.lock: run `make lock`"
        assert version in requirement.specifier, f"the lock has {requirement.name} {version}: run `make lock`"


IMPORT_ALL = """
import importlib, pkgutil, sys
import hanlp_tutor
names = [m.name for m in pkgutil.walk_packages(hanlp_tutor.__path__, "hanlp_tutor.") if not m.name.endswith("__main__")]
for name in names:
    module = importlib.import_module(name)
    assert module.__file__.startswith(sys.prefix), module.__file__
print(len(names))
"""


@pytest.mark.slow
def test_the_wheel_is_whole(tmp_path):
    """Built, installed into a fresh environment, every module imported there; the libraries are this environment's."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    source = tmp_path / "source"  # setuptools builds where the source lies, and would pack what an older build left
    shutil.copytree(ROOT / "hanlp_tutor", source / "hanlp_tutor", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-docs"):
        shutil.copy(ROOT / name, source)
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    bin_folder = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    site = subprocess.run(
        [bin_folder / "python", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    subprocess.run([*pip, "install", "--no-deps", "--target", site, str(wheel)], check=True)
    # the path alone: a .pth file in there, of the editable installation, is not followed
    Path(site, "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [bin_folder / "python", "-c", IMPORT_ALL], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    here = [p for p in (ROOT / "hanlp_tutor").rglob("*.py") if p.name not in ("__main__.py",)]
    assert int(done.stdout) == len(here) - 1, "a module is missing from the wheel"
