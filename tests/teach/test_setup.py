"""The set-up cell refuses what papermill would pass with a warning."""

from pathlib import Path

import pytest

from hanlp_tutor import ConfigError
from hanlp_tutor.teach import setup
from hanlp_tutor.teach.course import cost

IN_CLASS = {"sentences": 100, "types": ["PER"], "rates": [1e-3], "epochs": 5}
OTHERS = """99_example:
  smoke: {sentences: 10, types: [PER], rates: [1.0e-3], epochs: 1}
  full: {sentences: 1000, types: [PER], rates: [1.0e-3], epochs: 9, lr: 2.0e-5}
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch) -> Path:
    """The working directory, with a file of profiles."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles.yaml").write_text(OTHERS, encoding="utf-8")
    return tmp_path / "profiles.yaml"


def set_up(**namespace):
    return setup("99_example", {"PROFILE": "class", **namespace}, IN_CLASS)


def test_profile_gives_sizes_and_options():
    lesson = set_up(PROFILE="full")
    assert (lesson.profile, lesson.sentences, lesson.config.epochs, lesson.config.lr) == ("full", 1000, 9, 2e-5)


def test_class_is_the_default_profile():
    assert setup("99_example", {}, IN_CLASS).sentences == 100


def test_given_values_win_over_the_profile():
    lesson = set_up(sentences=7, epochs=2, lr=1e-3)
    assert (lesson.sentences, lesson.config.epochs, lesson.config.lr) == (7, 2, 1e-3)


@pytest.mark.parametrize(
    ("namespace", "message"),
    [
        ({"epochz": 3}, "epochs"),
        ({"sentence": 3}, "sentences"),
        ({"lr": "2e-5"}, r"2\.0e-5"),
        ({"epochs": 2.5}, "epochs"),
        ({"epochs": 0}, "epochs"),
        ({"PROFILE": "clas"}, "smoke, class and full"),
        ({"sentences": "7"}, "expected int"),
        ({"sentences": 7.0}, "expected int"),
        ({"sentences": True}, "expected int"),
        ({"types": "PER"}, "expected list"),
    ],
)
def test_wrong_parameter_is_refused_with_what_is_right(namespace, message):
    with pytest.raises(ConfigError, match=message):
        set_up(**namespace)


def test_modules_functions_and_private_names_are_no_parameters():
    set_up(pytest=pytest, some_function=set_up, _anything=3, In=[""], Out={})


def test_misspelt_attribute_is_an_error():
    with pytest.raises(AttributeError, match="sentense"):
        _ = set_up().sentense


def test_run_folder_is_numbered_and_made_when_first_asked_for(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lesson = set_up()
    assert not (tmp_path / "runs").exists()
    assert lesson.out == lesson.out == Path("runs/99_example/001")
    assert set_up().out == Path("runs/99_example/002")
    assert set_up(out=str(tmp_path / "mine")).out.is_dir()


def test_it_says_what_runs_and_what_that_costs(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("hanlp_tutor.teach.results.results_folder", lambda: tmp_path)
    profile = "profile class (sentences=100, types=['PER'], rates=[0.001])"
    assert repr(set_up()).splitlines() == [profile, cost.NOT_MEASURED]
    cost.write_cost(
        "99_example", "class", {"minutes": 2.04, "memory_mb": 1000, "device": "a laptop", "date": "2026-11-22T10:00"}
    )
    assert repr(set_up()).splitlines()[1] == "measured: 2.0 min, 1.0 GiB on a laptop (2026-11-22)"
    assert repr(set_up(PROFILE="smoke")).splitlines()[1] == cost.NOT_MEASURED


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sentences: 10,", "", r"smoke of 99_example: lacks sentences"),
        ("sentences: 10,", "sentences: ten,", "sentences='ten': expected the like of 100"),
        ("sentences: 10,", "sentences: 10, sentense: 10,", "sentense.*sentences"),
        ("sentences: 10,", "sentences: 10, sentences: 20,", r"profiles.yaml:2: .*twice"),
        ("rates: [1.0e-3]", "rates: [1e-3]", r"rates=\['1e-3'\]: expected the like of \[0.001\]"),
        ("epochs: 1}", "epochs: 0}", "epochs"),
        ("epochs: 1}", "lr: 2e-5}", r"2\.0e-5"),
        ("  smoke", "  smok", "no profile smoke of 99_example"),
        ("99_example", "98_example", "no profile smoke of 99_example"),
        ("99_example:", "99_example: [", "not YAML"),
    ],
)
def test_a_wrong_file_of_profiles_is_refused_when_it_is_needed(profiles: Path, old: str, new: str, message: str):
    profiles.write_text(OTHERS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        set_up(PROFILE="smoke")
    assert set_up().sentences == 100


def test_a_notebook_alone_runs_in_class_and_says_what_the_others_need(profiles: Path, monkeypatch):
    profiles.unlink()
    monkeypatch.setattr("hanlp_tutor.teach.profiles.profiles_file", lambda: None)
    assert set_up().sentences == 100
    with pytest.raises(ConfigError, match=r"profiles\.yaml, beside the notebooks.*run the profile class"):
        set_up(PROFILE="full")
