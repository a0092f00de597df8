"""Paths of optimisers, what a penalty does to characters that no sentence has, and the experiment's table."""

import json
import math

import pytest
import torch
from toy import tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.encoders.embedded import read_card
from hanlp_tutor.teach.lessons.l02.loss_terms import EMBEDDINGS, Regularisation, draw_paths, moved, path

EXAMPLES = tagged(24)
CONFIG = TrainConfig(epochs=2, batch_size=8, lr=1e-3, weight_decay=0.0, patience=None, log_steps=1)


def valley(weights):
    return 2 * (weights[0] - 1) ** 2 + 0.05 * (weights[1] - 1) ** 2


def penalised(weights):
    return valley(weights) + 0.05 * weights.square().sum()


@pytest.mark.parametrize(
    ("kind", "reference", "coupled"),
    [
        (torch.optim.SGD, torch.optim.SGD, True),
        (torch.optim.SGD, torch.optim.SGD, False),  # under SGD the two are the same
        (torch.optim.Adam, torch.optim.Adam, True),
        (torch.optim.Adam, torch.optim.AdamW, False),
    ],
)
def test_paths_are_pytorchs(kind, reference, coupled):
    loss, decay = (penalised, 0.0) if coupled else (valley, 0.1)
    ours = path(kind, loss, (2, 2), 50, lr=0.01, decay=decay)
    weights = torch.tensor([2.0, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer, theirs = reference([weights], lr=0.01, weight_decay=0.1), [weights.tolist()]
    for _ in range(50):
        optimizer.zero_grad()
        valley(weights).backward()
        optimizer.step()
        theirs.append(weights.tolist())
    assert torch.allclose(torch.tensor(ours), torch.tensor(theirs), rtol=0, atol=1e-9)


def test_under_adam_the_two_part():
    coupled = path(torch.optim.Adam, penalised, (2, 2), 600, lr=0.01)
    decoupled = path(torch.optim.Adam, valley, (2, 2), 600, lr=0.01, decay=0.1)
    assert coupled[-1] == pytest.approx([4 / 4.1, 0.5], abs=0.01), "the minimum of the formula"
    assert math.dist(coupled[-1], decoupled[-1]) > 0.3


def test_the_picture_names_the_ends():
    panels = {"SGD": {"a": [(2, 2), (1, 1)], "b": [(2, 2), (1, 0.5)]}}
    picture = draw_paths(panels, valley)
    assert "SGD, b: ends at (1.00, 0.50)" in picture.alt and picture.png()[:4] == b"\x89PNG"


def trained(encoder, out, **options):
    config = CONFIG.replace(**options)
    model = build_model("ner", encoder, label_set("ner", EXAMPLES), config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    result = fine_tune(model, EXAMPLES, [], config, out, progress="none")
    seen = torch.tensor(sorted({i for e in EXAMPLES for i in model.encode(e).ids}))
    return before, model, result, moved(before, model, seen)


def test_without_a_penalty_unseen_characters_stay(tiny_encoder, tmp_path):
    *_, far = trained(tiny_encoder, tmp_path)
    assert far["unseen"] == 1 and far["distance"] > 1e-3


def test_adamws_decay_of_unseen_characters_is_foretold(tiny_encoder, tmp_path):
    _, _, result, far = trained(tiny_encoder, tmp_path, weight_decay=5.0)
    assert far["unseen"] == pytest.approx(math.prod(1 - 5.0 * row["lr"] for row in result.history), rel=1e-6)
    assert far["unseen"] < 0.99


@pytest.mark.parametrize("lam", [0.1, 1.0])
def test_under_adam_a_penalty_marches_them_to_zero_whatever_its_size(tiny_encoder, tmp_path, lam):
    """Each unseen weight moves by the learning rate at each update: the penalty's own size is divided away."""
    before, model, result, far = trained(tiny_encoder, tmp_path, optimizer="adam", l2=lam)
    table, start = dict(model.named_parameters())[EMBEDDINGS].detach(), before[EMBEDDINGS]
    seen = {i for e in EXAMPLES for i in model.encode(e).ids}
    row = next(i for i in range(200, len(table)) if i not in seen)
    large = start[row].abs() > 0.01  # small ones arrive, and turn
    steps = (start[row] - table[row])[large] * start[row][large].sign()
    assert torch.allclose(steps, torch.full_like(steps, sum(r["lr"] for r in result.history)), rtol=0.1)
    assert far["unseen"] < 0.95


def test_the_distance_leaves_them_alone(tiny_encoder, tmp_path):
    *_, far = trained(tiny_encoder, tmp_path / "weak", optimizer="adam", l2=1.0, l2_on="distance")
    *_, near = trained(tiny_encoder, tmp_path / "strong", optimizer="adam", l2=1e4, l2_on="distance")
    assert far["unseen"] == near["unseen"] == 1
    assert near["distance"] < 0.5 * far["distance"]


def row(*f1, weights=None):
    values = [
        {"dev_f1": x, "train_f1": x, "dev_loss": 0.1, "size": 1.0, "distance": 0.2, "unseen": 0.5, "dev": x} for x in f1
    ]
    parts = {"median": sorted(f1)[len(f1) // 2], "min": min(f1), "max": max(f1)}
    return {
        "seeds": dict(enumerate(values)),
        "depends_on": {"weights": weights} if weights else {},
        **{part: {**values[0], "dev_f1": value, "train_f1": value, "dev": value} for part, value in parts.items()},
    }


def test_the_table_and_the_leads(tmp_path):
    today = read_card("mini-bert")["sha256"]
    rows = {
        "nothing": row(0.5, 0.52, 0.51, weights=today),
        "λ = 0.1 on the sum": row(0.6, 0.58, 0.59, weights=today),
        "alike": row(0.505, 0.515, 0.53, weights=today),
        "old": row(0.9, weights="of an earlier version"),
        "grid/sgd/lr=0.03": row(0.1, weights=today),
        "grid/sgd/lr=0.3": row(0.2, weights=today),
        "grid/sgd/lr=1": row(0.0, weights=today),
    }
    content = {"settings": {"encoder": "mini-bert"}, "rows": rows}
    (tmp_path / "loss_terms.json").write_text(json.dumps(content), encoding="utf-8")
    regularisation = Regularisation(tmp_path)
    assert [r["regularisation"] for r in regularisation.table()] == ["nothing", "λ = 0.1 on the sum", "alike"]
    assert regularisation.table()[0]["dev F1"] == "51.0 (50.0 to 52.0)"
    assert regularisation.of_the_article() == ["λ = 0.1 on the sum"]
    lead = "λ = 0.1 on the sum is ahead of no regularisation by 8.0 points of dev F1"
    assert regularisation.lead("λ = 0.1 on the sum").startswith(lead)
    assert regularisation.lead("alike").startswith("Neither is ahead for certain: alike has +0.7 points of dev F1")
    assert regularisation.lead("old") == "not measured yet"
    assert regularisation.sgd_lr == 0.3


def test_without_the_file_it_says_how_to_make_it(tmp_path):
    regularisation = Regularisation(tmp_path)
    assert not regularisation.rows and not regularisation.of_the_article() and regularisation.sgd_lr == 0.1
    assert regularisation.table() == [{"regularisation": "not measured yet: python -m experiments.loss_terms"}]
