"""A patient's file is opened: what was found has to be what was planted, where a run is long enough to tell."""

from types import SimpleNamespace

import pytest

from hanlp_tutor.teach.lessons.l20 import opened as module


@pytest.mark.parametrize(
    ("letter", "kinds", "step", "holds"),
    [
        ("healthy", [], 52, True),
        ("healthy", ["too-short"], 52, False),
        ("healthy", ["too-short"], 9, True),
        ("A", ["over-fitting"], 50, True),
        ("A", ["leak"], 50, False),
        ("G", ["leak", "too-short"], 9, True),
        ("G", [], 9, False),
    ],
)
def test_the_finding_is_held_against_what_was_planted(letter, kinds, step, holds, monkeypatch, tmp_path):
    found = SimpleNamespace(kinds=kinds)
    monkeypatch.setattr(module, "diagnose", lambda folder: found)
    patient = SimpleNamespace(folder=tmp_path / letter, history=[{"step": step}])
    if holds:
        assert module.opened(patient) is found
    else:
        with pytest.raises(AssertionError):
            module.opened(patient)
