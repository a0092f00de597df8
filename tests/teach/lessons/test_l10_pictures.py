"""The pictures of lesson 10: drawn from the very numbers that stand in the alt text."""

import pytest

from hanlp_tutor.teach.lessons.l10.pictures import coverage, differences, reliability
from hanlp_tutor.workbench.calibration import reliability_table, risk_coverage
from hanlp_tutor.workbench.significance import Comparison

SCORES, RIGHT = [0.95, 0.9, 0.85, 0.6, 0.55], [True, True, False, True, False]


def lines(picture):
    return {line.get_label(): line for line in picture.figure.axes[0].lines}


def test_reliability():
    table = reliability_table(SCORES, RIGHT, bins=2)
    picture = reliability({"before": table, "after": table[:1]})
    axes = picture.figure.axes[0]
    drawn = next(dots for dots in axes.collections if dots.get_label() == "before").get_offsets()
    assert drawn.tolist() == [[pytest.approx(row["confidence"]), pytest.approx(row["accuracy"])] for row in table]
    assert "before: 0.60 at 0.77" in picture.alt and picture.png()[:4] == b"\x89PNG"


def test_coverage():
    picture = coverage({"one": risk_coverage(SCORES, RIGHT)}, chosen=0.4)
    assert list(lines(picture)["one"].get_ydata()) == pytest.approx([1, 1, 2 / 3, 3 / 4, 3 / 5])
    assert "0.600 at 1.00" in picture.alt and "dashed line at 0.40" in picture.alt


def test_differences():
    found = {"real": Comparison(0.02, 0.01, 0.03, 0.005, 0.001), "luck": Comparison(0.01, -0.01, 0.03, 0.01, 0.3)}
    picture = differences(found, title="Two pairs")
    dots = [line for line in picture.figure.axes[0].lines if line.get_marker() == "o"]
    assert [list(dot.get_xdata()) for dot in dots] == [[2.0], [1.0]]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, True], "filled where zero is excluded"
    assert "real: +2.0 from +1.0 to +3.0" in picture.alt
