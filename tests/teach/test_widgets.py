"""Pictures with controls: what they draw is right, a moved control changes picture and words, a stored one is still."""

import itertools
import math
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hanlp_tutor import ConfigError, TrainConfig
from hanlp_tutor.teach.lessons.l01b import explore as decoding
from hanlp_tutor.teach.lessons.l02 import explore as valley
from hanlp_tutor.teach.lessons.l06 import explore as rates
from hanlp_tutor.teach.lessons.l06.drift import budget
from hanlp_tutor.teach.lessons.l07 import explore as window
from hanlp_tutor.teach.lessons.l08 import explore as half
from hanlp_tutor.teach.lessons.l10 import explore as threshold
from hanlp_tutor.teach.lessons.l14 import explore as confusion
from hanlp_tutor.teach.lessons.l15 import curve
from hanlp_tutor.teach.lessons.l15 import explore as forecast
from hanlp_tutor.teach.plots import Picture
from hanlp_tutor.teach.widgets import Explorer

VIEW = "application/vnd.jupyter.widget-view+json"
# Two test logs of a pump taken for a valve, which one of them names too, and one the other way round
LOGS = ("pump drips, not the valve", "drips", "valve drips", "valve stuck", "pump hot", "motor hot")
GOLD = ("pump/leak", "pump/leak", "valve/leak", "valve/stuck", "pump/hot", "motor/hot")
FOUND = {
    "most frequent type": ("pump/leak",) * 6,
    "linear SVM": ("valve/leak", "pump/leak", "valve/leak", "valve/stuck", "pump/hot", "motor/hot"),
    "two SVMs": ("valve/leak", "valve/leak", "pump/leak", "valve/stuck", "pump/hot", "motor/hot"),
}
ROOMS = {
    "01b": decoding.explorer,
    "02": valley.explorer,
    "06": rates.explorer,
    "07": window.explorer,
    "08": half.explorer,
    "10": threshold.explorer,
    "14": lambda: confusion.explorer(LOGS, GOLD, FOUND),
    "15": forecast.explorer,
}
needs_widgets = pytest.mark.skipif(find_spec("ipywidgets") is None, reason="the extra `lab` is not installed")


@pytest.fixture(params=ROOMS, ids=lambda lesson: f"lesson {lesson}")
def explorer(request, monkeypatch) -> Explorer:
    monkeypatch.setattr(curve, "RESAMPLES", 20)  # of lesson 15's bootstrap, which takes a second a curve
    forecast._fitted.cache_clear()
    yield ROOMS[request.param]()
    forecast._fitted.cache_clear()


@pytest.fixture
def live(monkeypatch):
    """As in Jupyter: a shell with a kernel, and nobody who wants lines."""
    monkeypatch.delenv("HANLP_TUTOR_PROGRESS", raising=False)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_each_control_changes_what_is_said(explorer):
    first, seen = explorer.picture, set()
    assert isinstance(first, Picture) and first.png().startswith(b"\x89PNG")
    for name, offered in explorer.offered.items():
        start = explorer.values[name]
        for value in (offered[0], offered[-1]):
            seen.add(explorer.set(**{name: value}).alt)
        explorer.set(**{name: start})
    assert explorer.picture.alt == first.alt and len(seen) > len(explorer.offered)


@needs_widgets
@pytest.mark.parametrize("lesson", ["02", "07", "14"])
def test_moving_a_control_moves_the_picture(lesson):
    explorer = ROOMS[lesson]()
    box = explorer.build()
    image, says = explorer._image, explorer._says
    assert box.children[-2:] == (image, says) and set(explorer.controls) == set(explorer.offered)
    for name, control in explorer.controls.items():
        before, said = image.value, says.value
        value = next(each for each in explorer.offered[name] if each != control.value)
        control.value = value
        assert explorer.values[name] == value
        assert (image.value, says.value) != (before, said) and says.value == explorer.picture.alt
    explorer.set(**{name: each[0] for name, each in explorer.offered.items()})
    assert all(control.value == explorer.offered[name][0] for name, control in explorer.controls.items())


@needs_widgets
def test_in_jupyter_both_are_shown_and_a_stored_notebook_has_the_picture_alone(live, monkeypatch):
    explorer = valley.explorer()
    data, metadata = explorer._repr_mimebundle_()
    assert data[VIEW]["model_id"] == explorer.widget.model_id
    assert data["image/png"] and data["text/plain"] == metadata["alt"] == explorer.picture.alt
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")  # as the course and the runner set it
    assert VIEW not in explorer._repr_mimebundle_()[0]


def test_without_ipywidgets_the_picture_is_shown(live, monkeypatch):
    monkeypatch.setattr("hanlp_tutor.teach.widgets.find_spec", lambda name: None)
    assert VIEW not in valley.explorer()._repr_mimebundle_()[0]


def test_what_a_control_does_not_offer_is_refused():
    explorer = valley.explorer()
    with pytest.raises(ConfigError, match=r"lam=2: choose one of \[0.0, 0.01"):
        explorer.set(lam=2)
    with pytest.raises(ConfigError, match="no control 'lambda', only lam"):
        explorer.set(**{"lambda": 1.0})
    with pytest.raises(ConfigError, match="draw_valley needs a parameter lam whose default is one of"):
        Explorer(valley.draw_valley, lam=(5.0,))


@pytest.mark.parametrize("lam", [0.0, 0.3, 10.0])
def test_the_valleys_lowest_place_is_where_the_gradient_is_zero(lam):
    theta = torch.tensor(valley.minimum(lam), requires_grad=True)
    curvature, best = torch.tensor(valley.CURVATURE), torch.tensor(valley.BEST)
    (0.5 * (curvature * (theta - best) ** 2).sum() + lam * theta.square().sum()).backward()
    assert theta.grad.abs().max() < 1e-12


@pytest.mark.parametrize("penalty", [0.0, 0.5, 5.0])
def test_the_decoded_path_is_the_best_of_all(penalty):
    """Every sequence of tags, tried one by one; their probabilities by hand."""
    scores = {}
    for tags in itertools.product(decoding.TAGS, repeat=len(decoding.TEXT)):
        steps = zip([None, *tags[:-1]], tags, strict=True)
        logits = sum(row[decoding.TAGS.index(tag)] for row, tag in zip(decoding.LOGITS, tags, strict=True))
        scores[tags] = logits - penalty * sum(decoding.forbidden(*step) for step in steps)
    tags, probabilities = decoding.decoded(penalty)
    assert tuple(tags) == max(scores, key=scores.get)
    weights = {path: math.exp(score) for path, score in scores.items()}
    share = sum(weight for path, weight in weights.items() if path[1] == "I-PER") / sum(weights.values())
    assert probabilities[1][decoding.TAGS.index("I-PER")] == pytest.approx(share, abs=1e-5)


def test_a_threshold_leaves_out_the_less_sure():
    said = decoding.explorer().set(penalty=5.0, threshold=0.6).alt
    assert "Entities from 0.6 on: 李明 PER 0.74; left out: 北京 LOC 0.56." in said


def test_the_sum_of_the_rates_is_the_budget():
    config = TrainConfig(schedule="cosine", warmup_steps=0.2)
    said = rates.explorer().set(schedule="cosine", warm_up=0.2, lr=3e-4).alt
    assert f"{budget(3e-4, config, 200):.2g} for θ, top layer" in said


@pytest.mark.parametrize("divisor", window.DIVISORS)
def test_what_a_token_weighs_is_its_share_of_the_gradient(divisor):
    """Autograd of the summed micro-batch losses, each token's loss its own weight, against the mean over all."""
    lengths = [[3, 5], [2, 2], [9]]
    weights = window.token_weights(lengths, divisor)
    tokens = [torch.ones(sum(micro), requires_grad=True) for micro in lengths]
    total = sum(map(sum, lengths))
    divisors = {
        "valid tokens of the window": lambda micro: total,
        "mean of means": lambda micro: len(micro) * len(tokens),
        "micro-batch alone": len,
    }
    sum(micro.sum() / divisors[divisor](micro) for micro in tokens).backward()
    for micro, weight in zip(tokens, weights, strict=True):
        assert torch.allclose(micro.grad * total, torch.full_like(micro, weight))


@pytest.mark.parametrize("power", [-40, -27, -20, -3, 12])
@pytest.mark.parametrize("scale", [0, 8, 24])
def test_the_number_line_rounds_as_torch_does(power, scale):
    exact = half.MANTISSA * 2.0**power
    wanted = (torch.tensor(exact * 2.0**scale, dtype=torch.float64).to(torch.float16).double() / 2.0**scale).item()
    assert half.through_fp16(exact, 2.0**scale) == wanted
    fate = "lost" if wanted == 0 else "skipped" if math.isinf(wanted) else "off"
    assert fate in half.draw_number_line(power, scale).alt


def test_the_scores_are_calibrated_by_the_temperature_that_is_told():
    def gap(temperature):
        score, right = threshold.scores(temperature)
        return abs(score.mean() - right.mean())

    assert gap(2.0) < 0.03 < gap(1.0)
    one, two = threshold.scores(1.0)[0], threshold.scores(2.0)[0]
    assert (np.argsort(one) == np.argsort(two)).all(), "a temperature keeps the order"


def test_the_matrix_counts_the_logs_that_it_shows():
    explorer = ROOMS["14"]()
    assert explorer.offered["model"] == ("linear SVM", "two SVMs"), "what has learnt nothing is not offered"
    assert explorer.values == {"model": "two SVMs", "wanted": "pump", "taken_for": "valve"}, "the commonest confusion"
    said = explorer.picture.alt
    assert "of 3 logs of pump, 2 are given as valve; 1 of them name valve in just these words" in said
    assert said.endswith(f"{LOGS[0]} {LOGS[1]}")
    assert "of 3 logs of pump, 1 are given as valve" in explorer.set(model="linear SVM").alt
    assert explorer.set(wanted="valve", taken_for="pump").alt.endswith("of 2 logs of valve, 0 are given as pump.")
    matrix = explorer.set(model="two SVMs").figure.axes[0]
    counts = {(text.get_position()[::-1]): int(text.get_text()) for text in matrix.texts}
    assert counts == {(0, 0): 1, (0, 1): 2, (1, 0): 1, (1, 1): 1, (2, 2): 1}, "rows are gold"


def test_without_a_confusion_the_matrix_is_of_the_frequent_classes():
    explorer = confusion.explorer(LOGS, GOLD, {"linear SVM": GOLD})
    assert explorer.offered["wanted"] == ("pump", "valve", "motor")
    assert "of 3 logs of pump, 0 are given as valve" in explorer.picture.alt
    assert confusion.most_confused(["a"], ["a"]) == ["a"]


def test_what_is_foretold_is_the_lessons_own_curve(monkeypatch):
    monkeypatch.setattr(curve, "RESAMPLES", 20)
    forecast._fitted.cache_clear()
    scores, explorer = forecast.HowMuch().scores("laws/articles")["SVM"], forecast.explorer()
    for smallest in (50, 200):
        said = explorer.set(smallest=smallest, wanted=0.8).alt
        fitted = curve.Curve({n: runs for n, runs in scores.items() if smallest <= n <= 1000})
        assert f"at 2,000 {fitted.at(2000).value:.3f} foretold, {np.mean(scores[2000]):.3f} came" in said
        assert f"Labels for 0.8: {curve.labels(fitted.needed(0.8).value)} (" in said
    assert "three sizes fix the three numbers" in explorer.picture.alt
    assert "1 measured size in between" in explorer.set(smallest=500, labelled=500).alt
    forecast._fitted.cache_clear()


def test_before_anything_is_measured_the_picture_says_what_measures_it(tmp_path):
    assert "python -m experiments.how_much_data" in forecast.explorer(tmp_path).picture.alt


def test_every_room_to_explore_is_put_into_its_lesson(monkeypatch):
    root = Path(__file__).parents[2]
    pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
    monkeypatch.syspath_prepend(str(root / "tools"))
    rooms = {path.parent.name[1:] for path in root.glob("hanlp_tutor/teach/lessons/l*/explore.py")}
    assert rooms == set(import_module("class_room_cells").EXPLORED) == set(ROOMS)
