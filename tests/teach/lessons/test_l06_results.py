"""The recipes' comparison as notebook 06 shows it, and its pictures."""

import json
import statistics

import pytest

from hanlp_tutor.encoders import weights_of
from hanlp_tutor.teach.lessons.l06 import pictures
from hanlp_tutor.teach.lessons.l06.results import Recipes, recipe_name, short
from hanlp_tutor.teach.results import UNMEASURED

PNG = b"\x89PNG"


def row(lr, head_lr, f1s, accuracies, layers=1.0, weights=None):
    seeds = {
        str(seed): {
            "lr": lr,
            "head_lr": head_lr,
            "layerwise_decay": layers,
            "updates": 150,
            "dev_f1": f1,
            "test_f1": f1,
            "masked_accuracy": accuracy,
            "masked_accuracy_before": 0.4,
            "masked_loss": 3.5,
            "masked_loss_before": 3.3,
            "drift embeddings": 0.001,
            "drift layer 1": 0.01,
            "drift layer 2": 0.02,
            "drift head φ": 0.5,
        }
        for seed, (f1, accuracy) in enumerate(zip(f1s, accuracies, strict=True), start=1)
    }
    parts = (("median", statistics.median), ("min", min), ("max", max))
    values = {part: {k: of(v[k] for v in seeds.values()) for k in seeds["1"]} for part, of in parts}
    return {"seeds": seeds, "depends_on": weights or weights_of("mini-bert"), **values}


@pytest.fixture
def recipes(tmp_path):
    rows = {
        "2e-5 and 1e-3": row(2e-5, 1e-3, [0.1, 0.3, 0.2], [0.41, 0.4, 0.39]),
        "3e-4 and 1e-2": row(3e-4, 1e-2, [0.5, 0.6, 0.4], [0.37, 0.38, 0.36]),
        "3e-4 and 1e-2, layers x 0.8": row(3e-4, 1e-2, [0.9], [0.39], layers=0.8),
        "1e-3 and 1e-2": row(1e-3, 1e-2, [0.45], [0.2]),
        "3e-4 everywhere": row(3e-4, 3e-4, [0.99], [0.9], weights={"weights": "of an earlier version"}),
    }
    settings = {
        "encoder": "mini-bert",
        "sentences": 240,
        "article": ["2e-5 everywhere", "2e-5 and 1e-3"],
        "small": ["3e-4 everywhere", "1e-2 everywhere", "3e-4 and 1e-2", "3e-4 and 1e-2, layers x 0.8"],
    }
    (tmp_path / "learning_rates.json").write_text(json.dumps({"settings": settings, "rows": rows}), encoding="utf-8")
    return Recipes(tmp_path)


def test_the_table_says_what_is_missing_or_of_other_weights(recipes):
    first, second = recipes.table(recipes.article)
    assert first == {"learning rates of θ and φ": "2e-5 everywhere", "test F1": UNMEASURED}
    assert second == {
        "learning rates of θ and φ": "2e-5 and 1e-3",
        "test F1": "20.0 (10.0 to 30.0)",
        "masked accuracy": "40.0 (39.0 to 41.0)",
        "change": "+0.0",
        "masked loss": "3.50",
        "drift of the top layer": "2.0%",
        "seeds": "3",
    }
    small = {row["learning rates of θ and φ"]: row["test F1"] for row in recipes.table(recipes.small)}
    assert small["3e-4 everywhere"] == UNMEASURED and small["3e-4 and 1e-2, layers x 0.8"] == "90.0"


def test_points_lines_and_the_best(recipes):
    assert list(recipes.trade_off()) == ["2e-5 and 1e-3", "3e-4 and 1e-2", "3e-4 and 1e-2, layers x 0.8"]
    assert recipes.trade_off()["3e-4 and 1e-2"] == ((0.37, 0.36, 0.38), (0.5, 0.4, 0.6))
    assert recipes.sweep() == {
        "test F1": [(3e-4, 0.5, 0.4, 0.6), (1e-3, 0.45, 0.45, 0.45)],
        "masked accuracy": [(3e-4, 0.37, 0.36, 0.38), (1e-3, 0.2, 0.2, 0.2)],
    }
    assert recipes.best(recipes.small) == "3e-4 and 1e-2, layers x 0.8"
    assert recipes.best(["2e-5 everywhere"]) is None
    assert recipes.before() == 0.4
    assert recipes.drifts(["2e-5 and 1e-3", "absent"]) == {
        "2e-5 and 1e-3": {"embeddings": 0.001, "layer 1": 0.01, "layer 2": 0.02}
    }
    assert "1 to 3 seeds" in recipes.state() and "240 sentences, 150 updates" in recipes.state()


def test_without_a_file_it_says_how_to_make_it(tmp_path):
    recipes = Recipes(tmp_path)
    assert "python -m experiments.learning_rates" in recipes.state() and UNMEASURED in recipes.state()
    assert (
        recipes.table(recipes.article) == [{"learning rates of θ and φ": UNMEASURED}]
        and recipes.trade_off() == {} == recipes.sweep()
    )
    assert recipes.before() is recipes.best(recipes.small) is None
    drawn = (
        pictures.trade_off(recipes.trade_off(), before=recipes.before()),
        pictures.drift_by_part(recipes.drifts(recipes.article)),
        pictures.lr_sweep(recipes.sweep()),
    )
    assert all("not measured" in picture.alt and picture.png().startswith(PNG) for picture in drawn)


@pytest.mark.parametrize(("lr", "text"), [(2e-5, "2e-5"), (1e-3, "1e-3"), (2.5e-4, "2.5e-4"), (0.01, "1e-2")])
def test_learning_rates_as_people_write_them(lr, text):
    assert short(lr) == text and recipe_name(lr, lr) == f"{text} everywhere"


def test_pictures_say_their_numbers_and_are_drawn(recipes):
    drawn = {
        "rises to 0.5 at update 2 and ends at 0.1": pictures.schedule_curves({"linear": [0.0, 0.5, 0.1]}),
        "layer 2 2.00%": pictures.drift_by_part(recipes.drifts(["2e-5 and 1e-3"])),
        "a: embeddings 0.00%": pictures.drift_by_part({"a": {"embeddings": 0.0, "head φ": 0.1}}),
        "3e-4 and 1e-2: masked accuracy 0.370, F1 0.500": pictures.trade_off(recipes.trade_off(), before=0.4),
        "masked accuracy: 0.370 at 3e-4, 0.200 at 1e-3": pictures.lr_sweep(recipes.sweep()),
    }
    for text, picture in drawn.items():
        assert text in picture.alt and picture.png().startswith(PNG)


def test_a_grid_holds_full_rows_alone(tmp_path):
    rows = {
        recipe_name(lr, head): row(lr, head, [lr, lr, lr], [head, head, head])
        for lr in (2e-5, 3e-4)
        for head in (1e-3, 1e-2, 3e-2)
    }
    rows |= {"1e-3 and 1e-2": row(1e-3, 1e-2, [0.5], [0.2]), "x": row(2e-5, 1e-2, [0.9], [0.9], layers=0.8)}
    (tmp_path / "learning_rates.json").write_text(json.dumps({"settings": {}, "rows": rows}), encoding="utf-8")
    grid = Recipes(tmp_path).grid("masked_accuracy")
    assert grid == {lr: {head: head for head in (1e-3, 1e-2, 3e-2)} for lr in (2e-5, 3e-4)}
    picture = pictures.rate_grid({"dev F1": Recipes(tmp_path).grid("dev_f1"), "masked accuracy": grid})
    assert picture.png().startswith(PNG) and "3e-4: 0.1 with 1e-3, 1.0 with 1e-2, 3.0 with 3e-2" in repr(picture)


def test_no_grid_no_picture(recipes):
    assert recipes.grid("dev_f1") == {}
    assert "not measured yet" in repr(pictures.rate_grid({"dev F1": recipes.grid("dev_f1")}))


def test_one_number_changes(recipes):
    found = recipes.one_number(("3e-4 and 1e-2", "2e-5 and 1e-3"), "test_f1")
    assert found.startswith("3e-4 and 1e-2 is ahead of 2e-5 and 1e-3 by 30.0 points of test F1 (95 % interval ")
    assert UNMEASURED in recipes.one_number(("3e-4 and 1e-2", "1e-3 and 1e-2"), "test_f1"), "one seed has no interval"
    assert UNMEASURED in recipes.one_number(("3e-4 and 1e-2", "no such"), "test_f1")
