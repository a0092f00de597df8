"""The plane through three models, and the losses on it."""

import pytest
import torch
from toy import tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.evaluate import evaluate_model
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.teach.lessons.l02.loss_surface import Plane, draw_surface, loss_at, measure_surface, weight_vector

EXAMPLES = tagged(12)


def test_the_plane_holds_its_three_points():
    torch.manual_seed(0)
    start, first, second = torch.randn(3, 50, dtype=torch.float64)
    plane = Plane(start, first, second)
    for vector in (start, first, second):
        assert torch.allclose(plane.at(*plane.place(vector)), vector)
    assert plane.place(start) == (0, 0)
    assert plane.place(first) == pytest.approx((float((first - start).norm()), 0))
    x, y = plane.place(second)
    assert (x**2 + y**2) ** 0.5 == pytest.approx(float((second - start).norm())), "true distances"


def test_three_on_a_line_are_refused():
    start = torch.zeros(4)
    with pytest.raises(ValueError, match="no plane"):
        Plane(start, torch.ones(4), 3 * torch.ones(4))


@pytest.fixture(scope="module")
def models(tiny_encoder):
    labels = label_set("ner", EXAMPLES)
    return [build_model("ner", tiny_encoder, labels, TrainConfig(seed=seed)) for seed in (1, 2, 3)]


def test_the_loss_at_a_place_is_that_of_the_model_there(models):
    first, second = models[:2]
    with torch.no_grad():
        second.encoder.embeddings.word_embeddings.weight += 0.3
    plane = Plane(*map(weight_vector, models))
    batches = [first.collate([first.encode(e) for e in part]) for part in (EXAMPLES[:5], EXAMPLES[5:])]
    own = weight_vector(first)
    first.train()
    for model in models:
        found = loss_at(first, plane.at(*plane.place(weight_vector(model))), batches)
        assert found == pytest.approx(evaluate_model(model, EXAMPLES)["loss"], rel=1e-4)
    assert first.training and torch.equal(weight_vector(first), own), "lent, and given back"
    surface = measure_surface(first, plane, batches, [weight_vector(m) for m in models], points=3)
    assert [len(row) for row in surface.losses] == [3, 3, 3]
    middle = loss_at(first, plane.at(surface.xs[1], surface.ys[2]), batches)
    assert surface.losses[2][1] == middle
    picture = draw_surface(surface, {"start": (0.0, 0.0), "end": plane.place(weight_vector(second))})
    assert "start at (0.00, 0.00)" in picture.alt and picture.png()[:4] == b"\x89PNG"


def test_frozen_parameters_do_not_count(models):
    trained = sum(p.numel() for p in models[0].parameters() if p.requires_grad)
    assert len(weight_vector(models[0])) == trained < sum(p.numel() for p in models[0].parameters())
