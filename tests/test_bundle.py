"""The bundle for a class room without a network: its manifest, its files, the Colab constraints beside it."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("bundle_tool", ROOT / "tools" / "bundle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tool, tmp_path):
    tool.copy_files(["LICENSE", "notebooks/profiles.yaml", "no/such/file"], tmp_path / "kit")
    (tmp_path / "install.sh").write_text(tool.INSTALL % tool.EXTRAS, encoding="utf-8")
    (tmp_path / tool.MANIFEST).write_text(json.dumps(tool.manifest(tmp_path)), encoding="utf-8")
    return tmp_path


def test_the_manifest_names_every_file_but_itself(tool, folder):
    content = json.loads((folder / tool.MANIFEST).read_text(encoding="utf-8"))
    assert set(content["files"]) == {"kit/LICENSE", "kit/notebooks/profiles.yaml", "install.sh"}
    assert content["bytes"] == sum((folder / name).stat().st_size for name in content["files"])
    assert "Python" in content["made_for"] and content == tool.manifest(folder)


def test_what_a_stick_has_lost_is_found(tool, folder):
    assert tool.damaged(folder) == []
    (folder / "install.sh").write_text("#", encoding="utf-8")
    (folder / "kit" / "LICENSE").unlink()
    assert sorted(tool.damaged(folder)) == ["install.sh", "kit/LICENSE"]


def test_the_install_script_is_shell_and_asks_no_index(tool, folder):
    assert subprocess.run(["sh", "-n", str(folder / "install.sh")]).returncode == 0
    for text in (tool.INSTALL, tool.INSTALL_BAT):
        assert "--no-index --find-links wheels" in text


def test_a_folder_in_use_is_refused(tool, folder):
    with pytest.raises(SystemExit, match="not empty"):
        tool.build(folder)


def test_extras_exist(tool):
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(tool.EXTRAS.split(",")) <= set(extras)


def test_colabs_versions_are_within_our_ranges():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    ours = {each.name: each.specifier for each in map(Requirement, lines)}
    pins = [line for line in (ROOT / "tools" / "colab.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert len(pins) == 10
    for line in pins:
        name, version = re.fullmatch(r"([\w-]+)==([\d.]+)(?:\.\*)?", line).groups()
        assert name not in ours or ours[name].contains(version.rstrip(".")), line


def test_the_canary_is_shell():
    assert subprocess.run(["sh", "-n", str(ROOT / "tools" / "canary.sh")]).returncode == 0
