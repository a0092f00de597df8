"""Pictures are drawn, say in words what they show, and speak to colour-blind eyes."""

import base64

import pytest

from hanlp_tutor.teach import plots

HISTORY = [
    {"step": 10, "loss": 1.5, "dev_score": None, "dev_loss": None, "train_score": None},
    {"step": 20, "loss": 0.7, "dev_score": 0.25, "dev_loss": 0.8, "train_score": 0.3},
    {"step": 40, "loss": 0.4, "dev_score": 0.5, "dev_loss": 0.6, "train_score": 0.75},
]
PICTURES = {
    "curves": (lambda: plots.training_curves(HISTORY), ["1.500", "0.400", "0.500", "0.750"]),
    "no dev": (lambda: plots.training_curves(HISTORY[:1]), ["1.500"]),
    "bars": (lambda: plots.bars({"CRF": 0.8125, "us": 0.5}, title="F1", reference=("claim", 0.9)), ["0.812", "0.900"]),
    "counts": (lambda: plots.bars({"positive": 1200, "negative": 0}, title="texts", limit=None), ["1,200"]),
    "confusion": (lambda: plots.confusion(list("aab"), list("abb")), ["a: 1 as a, 1 as b", "b: 0 as a, 1 as b"]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name):
    draw, words = PICTURES[name]
    picture = draw()
    for word in words:
        assert word in picture.alt
    data, metadata = picture._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == repr(picture) == metadata["alt"] == metadata["image/png"]["alt"]


def test_no_glyph_is_missing(recwarn, tmp_path):
    for draw, _ in PICTURES.values():
        draw().save(tmp_path / "picture.png")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_nothing_stays_in_pyplot():
    import matplotlib.pyplot as plt

    PICTURES["bars"][0]().png()
    assert plt.get_fignums() == []


def test_curves_tell_each_line_and_keep_a_names_colour():
    lines = {"ours": [(100, 0.2, 0.1, 0.3), (500, 0.5, 0.4, 0.6)], "theirs": [(100, 0.3, 0.3, 0.3)]}
    picture = plots.curves({"F1": lines, "accuracy": {"theirs": lines["theirs"]}}, xlabel="n", ylabel="score", log=True)
    assert "F1, ours: 0.200 at 100, 0.500 at 500" in picture.alt and "accuracy, theirs: 0.300 at 100" in picture.alt
    left, right = picture.figure.axes
    colours = [{c.get_label(): c.lines[0].get_color() for c in axes.containers} for axes in (left, right)]
    assert colours[0]["theirs"] == colours[1]["theirs"] != colours[0]["ours"]
    assert left.get_legend() and right.get_legend(), "each panel has lines of its own"
    assert picture.png().startswith(b"\x89PNG")
