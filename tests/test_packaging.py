"""What a user meets before any lesson: the import, the public names, the lock."""

import pkgutil
import re
import subprocess
import sys
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
    extras = project["optional-dependencies"].values()
    locked = pins()
    for requirement in map(Requirement, [*project["dependencies"], *(line for extra in extras for line in extra)]):
        version = locked.get(requirement.name)
        assert version, f"{requirement.name} is missing from requirements.lock: run `make lock`"
        assert version in requirement.specifier, f"the lock has {requirement.name} {version}: run `make lock`"
