"""The plain install trains, predicts and exports; whatever needs more says in one line which extra brings it."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.extras import COURSE, EXTRAS, distribution, needs

ROOT = Path(__file__).parents[1]
EARLIER = ROOT / "tests" / "earlier_kit"  # toy files and a toy encoder
NAMED = re.compile(r"""(?:hanlp-tutor|\bkit|['"]\.|-e \.)\[([\w, -]+)\]""")  # in pip's lines and in messages


def normal(name: str) -> str:
    """A distribution's name as pip compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def project():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# --- the table and pyproject.toml ----------------------------------------------------------------------------------


def test_the_table_is_that_of_pyproject(project):
    extras = project["optional-dependencies"]
    for extra, modules in EXTRAS.items():
        others = {normal(Requirement(line).name) for line in extras[extra]} - {"hanlp-tutor"}
        assert {distribution(module) for module in modules} == others, extra
    (own,) = [Requirement(line) for line in extras["course"] if line.startswith("hanlp-tutor")]
    assert {*own.extras, "course"} == set(COURSE)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git knows which files are the project's")
def test_every_extra_that_is_named_anywhere_exists(project):
    named = {}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        if name.endswith((".py", ".md", ".ipynb", ".sh", ".yml", ".toml", "postBuild", "Makefile")):
            text = (ROOT / name).read_text(encoding="utf-8").replace('\\"', '"')
            for extra in ",".join(NAMED.findall(text)).split(","):
                named.setdefault(extra.strip(), []).append(name)
    del named[""]
    assert set(named) <= set(project["optional-dependencies"]), named
    assert {"README.md", "binder/postBuild", "environment.yml", "tools/venv.sh"} <= set(named["course"])


def test_a_module_that_is_there_and_lacks_something_itself_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "optuna.py").write_text("import no_such_module_of_its_own", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_its_own"):
        needs("optuna", "A search")


def test_needs_gives_the_module_or_says_how_to_get_it(monkeypatch):
    assert needs("optuna", "A search") is sys.modules["optuna"]
    monkeypatch.setitem(sys.modules, "sklearn_crfsuite", None)
    with pytest.raises(ConfigError) as raised:
        needs("sklearn_crfsuite", "The feature CRF", "do without")
    assert str(raised.value) == (
        'The feature CRF needs sklearn-crfsuite, which is not installed: pip install "hanlp-tutor[audit]", '
        "or pip install sklearn-crfsuite, or do without."
    )


# --- a process that has the plain install only ---------------------------------------------------------------------

# Nothing is found of what another distribution brings; a raising finder would not do, for libraries that ask find_spec.
PLAIN = """
import sys

class Plain:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Plain, sys.meta_path)
"""


@pytest.fixture(scope="module")
def plain(project):
    """Run Python code as if only the dependencies of pyproject.toml, and theirs, were installed."""
    wanted, kept = list(project["dependencies"]), {"hanlp-tutor"}
    while wanted:
        requirement = Requirement(wanted.pop())
        name = normal(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and name not in kept:
            kept.add(name)
            wanted += metadata.requires(name) or []
    of = metadata.packages_distributions()
    hidden = {module for module, owners in of.items() if not kept & set(map(normal, owners))}
    assert {module for modules in EXTRAS.values() for module in modules} | {"pytest", "IPython"} <= hidden
    assert not hidden & {"torch", "hanlp", "sklearn", "snownlp"}

    def run(code, *arguments):
        program = f"HIDDEN = {sorted(hidden)!r}\n{PLAIN}\n{code}"
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    return run


@pytest.fixture(scope="module")
def command(plain):
    return lambda *arguments: plain("from hanlp_tutor.cli import main; main()", *arguments)


@pytest.fixture(scope="module")
def trained(command, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "run"
    files = ("--train", EARLIER / "train.tsv", "--dev", EARLIER / "dev.tsv", "--test", EARLIER / "test.tsv")
    options = ("--encoder", EARLIER / "encoder", "-p", "epochs", 1, "-p", "device", "cpu")
    done = command("train", "--task", "ner", *files, *options, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["test"]["f1"] >= 0
    return out


def test_the_plain_install_trains(trained):
    assert {path.name for path in trained.iterdir()} >= {"model", "metrics.json", "history.csv", "checkpoint.pt"}
    assert not (trained / "tensorboard").exists(), "not without its library"


def test_the_plain_install_evaluates_predicts_and_exports(command, trained, tmp_path):
    done = command("evaluate", trained, EARLIER / "test.tsv", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((trained / "metrics.json").read_text(encoding="utf-8"))["test"]
    done = command("predict", trained, "张三到北京大学", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["text"] == "张三到北京大学", done.stderr
    done = command("export", trained, tmp_path / "hanlp", "--to", "hanlp", "--json")
    assert done.returncode == 0 and (tmp_path / "hanlp" / "model.pt").exists(), done.stderr


def test_the_plain_install_audits_converts_and_has_the_corpora(command, plain, tmp_path):
    text = (EARLIER / "train.tsv").read_text(encoding="utf-8")
    (tmp_path / "train.tsv").write_text(text + "\n" + text, encoding="utf-8")
    done = command("audit", tmp_path / "train.tsv", "--json")
    assert done.returncode in (0, 1), done.stderr
    assert "duplicate" in {finding["kind"] for finding in json.loads(done.stdout)["findings"]}
    done = command("convert", EARLIER / "dev.tsv", tmp_path / "dev.jsonl", "--to", "doccano")
    assert done.returncode == 0, done.stderr
    done = plain("from hanlp_tutor import load_corpus; print(len(load_corpus('reviews').test))")
    assert done.returncode == 0 and int(done.stdout) > 1000, done.stderr


IMPORT_ALL = """
import importlib, pkgutil
import hanlp_tutor
for module in pkgutil.walk_packages(hanlp_tutor.__path__, "hanlp_tutor."):
    try:
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        print(module.name, error.name)
"""


def test_the_plain_install_imports_every_module(plain):
    """A lesson may need what the course brings, its own code in ``teach`` too; all else is imported without.

    Except for two that are a library's own class with a few words changed: the engine that papermill runs notebooks
    with, and the plugin that Dask gives its workers.
    """
    done = plain(IMPORT_ALL)
    assert done.returncode == 0, done.stderr[-2000:]
    for name, lacks in map(str.split, done.stdout.splitlines()):
        if name in ("hanlp_tutor.workbench.kernel", "hanlp_tutor.workbench.sweep.slots"):
            continue
        assert name.startswith("hanlp_tutor.teach.") and lacks in EXTRAS["course"], f"{name} needs {lacks}"


SEARCH = ("--task", "ner", "--train", EARLIER / "train.tsv", "--dev", EARLIER / "dev.tsv", "--encoder", "mini-bert")


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (("tune", *SEARCH, "--space", "lr=1e-5..1e-3:log", "--trials", 1), "optuna", "tune"),
        (("run", "05"), "papermill", "course"),
        (("audit", EARLIER / "train.tsv", "--label-errors"), "cleanlab", "audit"),
    ],
)
def test_a_command_that_needs_more_says_so_in_one_line(command, tmp_path, arguments, package, extra):
    out = () if arguments[0] == "audit" else ("--out", tmp_path / "out")
    done = command(*arguments, *out)
    assert done.returncode == 2 and done.stdout == ""
    assert "Traceback" not in done.stderr and done.stderr.count("Error: ") == 1
    assert done.stderr.splitlines()[-1].endswith(
        f'needs {package}, which is not installed: pip install "hanlp-tutor[{extra}]", or pip install {package}.'
    )


@pytest.mark.parametrize(
    ("call", "package", "extra"),
    [
        ("pretraining.similar import similar_words; similar_words([], [], seed=1)", "gensim", "pretrain"),
        ("pretraining.text import cut; cut('北京大学')", "rjieba", "pretrain"),
        ("data.large import open_large; open_large('x', 'ner')", "pyarrow", "large"),
        ("workbench.baselines import FeatureCRF; FeatureCRF([])", "sklearn-crfsuite", "audit"),
    ],
)
def test_a_call_that_needs_more_says_so(plain, call, package, extra):
    message = plain(f"from hanlp_tutor.{call}").stderr.splitlines()[-1]
    assert message.startswith("hanlp_tutor.errors.ConfigError: ")
    remedy = f'pip install "hanlp-tutor[{extra}]", or pip install {package}'
    assert f"needs {package}, which is not installed: {remedy}" in message


def test_the_doctor_finds_the_plain_install_healthy_and_says_what_the_course_needs(command):
    report = json.loads(command("doctor", "--json").stdout)
    assert report["healthy"] and not report["problems"]
    assert report["packages"]["papermill"] is None and report["packages"]["torch"]
    done = command("doctor")
    assert done.returncode == 0 and "Everything that training needs is there." in done.stdout
    for extra, message in zip(COURSE, report["course"], strict=True):
        assert f'missing: pip install "hanlp-tutor[{extra}]", or pip install' in message and message in done.stdout
