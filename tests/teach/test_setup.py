"""The set-up cell refuses what papermill would pass with a warning."""

from pathlib import Path

import pytest

from hanlp_tutor import ConfigError
from hanlp_tutor.teach import setup
from hanlp_tutor.teach.course import cost

PROFILES = {
    "smoke": {"sentences": 10, "types": ["PER"], "epochs": 1},
    "class": {"sentences": 100, "types": ["PER"], "epochs": 5},
    "full": {"sentences": 1000, "types": ["PER"], "epochs": 9, "lr": 2e-5},
}


def set_up(**namespace):
    return setup("99_example", {"PROFILE": "class", **namespace}, profiles=PROFILES)


def test_profile_gives_sizes_and_options():
    lesson = set_up(PROFILE="full")
    assert (lesson.profile, lesson.sentences, lesson.config.epochs, lesson.config.lr) == ("full", 1000, 9, 2e-5)


def test_class_is_the_default_profile():
    assert setup("99_example", {}, profiles=PROFILES).sentences == 100


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
        ({"PROFILE": "clas"}, "smoke, class, full"),
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
    assert repr(set_up()).splitlines() == ["profile class (sentences=100, types=['PER'])", cost.NOT_MEASURED]
    cost.write_cost(
        "99_example", "class", {"minutes": 2.04, "memory_mb": 1000, "device": "a laptop", "date": "2026-11-22T10:00"}
    )
    assert repr(set_up()).splitlines()[1] == "measured: 2.0 min, 1.0 GiB on a laptop (2026-11-22)"
    assert repr(set_up(PROFILE="smoke")).splitlines()[1] == cost.NOT_MEASURED
