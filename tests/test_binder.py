"""binder/ by repo2docker's rules: what it reads, what it would pass over in silence, what it would refuse."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

BINDER = Path(__file__).parents[1] / "binder"
# Files that would replace environment.yml, or be passed over beside it
REPLACED = {"Dockerfile", "requirements.txt", "Pipfile", "Pipfile.lock", "runtime.txt", "setup.py", "Project.toml"}


def test_there_is_nothing_that_would_be_passed_over():
    here = {path.name for path in BINDER.iterdir()}
    assert {"environment.yml", "postBuild", "start"} <= here and not here & REPLACED


def test_the_environment_is_one_that_it_can_read():
    """Conda's keys alone; Python as a plain ``python=3.x``, by which it chooses the base environment."""
    content = yaml.safe_load((BINDER / "environment.yml").read_text(encoding="utf-8"))
    assert set(content) <= {"name", "channels", "dependencies", "prefix"} and content["channels"] == ["conda-forge"]
    conda = [each for each in content["dependencies"] if isinstance(each, str)]
    assert all(re.fullmatch(r"[a-z0-9-]+([<>=]=?[\w.*]+)?", each) for each in conda) and "pip" in conda
    (python,) = [each for each in conda if each.startswith("python=")]
    assert re.fullmatch(r"python=3\.1[0-3]", python)
    nested = [each for each in content["dependencies"] if not isinstance(each, str)]
    assert not nested, "pip's part is in postBuild: at the time of environment.yml the project is not there yet"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_a_script_begins_with_its_shell_may_be_run_and_is_shell(name):
    text = (BINDER / name).read_text(encoding="utf-8")
    assert text.startswith("#!/bin/bash\n") and "\r" not in text and os.access(BINDER / name, os.X_OK)
    assert subprocess.run(["sh", "-n", str(BINDER / name)], check=False).returncode == 0


def test_a_build_that_fails_is_seen_and_a_start_hands_on():
    build, start = ((BINDER / name).read_text(encoding="utf-8") for name in ("postBuild", "start"))
    assert "\nset -e\n" in build, "without it a build whose pip failed would be served"
    assert start.rstrip().endswith('exec "$@"'), "without it the server never starts"
