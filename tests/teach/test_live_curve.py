"""A run's curve grows while it trains; without a bar nothing is drawn."""

import pytest

from hanlp_tutor import progress
from hanlp_tutor.progress import Reporter
from hanlp_tutor.teach import live_curve
from hanlp_tutor.teach.live_curve import LiveCurve


class Shown:
    def __init__(self):
        self.pictures = []

    def update(self, picture):
        self.pictures.append(picture)


@pytest.fixture
def curve(monkeypatch):
    monkeypatch.setattr(progress, "_listeners", [])
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "bar")
    monkeypatch.setattr(live_curve, "SECONDS", 1000.0)
    shown = Shown()
    monkeypatch.setattr(LiveCurve, "_place", staticmethod(lambda: shown))
    progress.listen(LiveCurve())
    progress.listen(LiveCurve())  # the set-up cell was run again
    assert len(progress._listeners) == 1
    return shown


def run(mode="auto"):
    reporter = Reporter(4, 0, mode)
    score = {"dev_loss": 1.0, "dev_score": 0.25, "train_score": 0.5, "epoch": 1, "tokens_per_second": 10.0}
    for step, more in ((1, {}), (2, score), (3, None), (4, {})):
        reporter.update(None if more is None else {"step": step, "loss": 2.0 / step, **more})
    reporter.close()


def test_it_is_drawn_at_each_evaluation_and_at_the_end(curve):
    run()
    evaluated, last = curve.pictures
    assert "2" in evaluated.alt and len(last.figure.axes[0].lines[0].get_xdata()) == 3
    run()
    assert len(curve.pictures) == 4 and len(curve.pictures[-1].figure.axes[0].lines[0].get_xdata()) == 3


def test_a_run_without_a_bar_draws_nothing(curve, monkeypatch):
    run("none")
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")
    run()
    assert not curve.pictures


def test_outside_of_a_kernel_nobody_watches(monkeypatch):
    monkeypatch.setattr(progress, "_listeners", [])
    live_curve.watch_training()
    assert progress._listeners == []
