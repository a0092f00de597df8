"""Calibration against scikit-learn, PyTorch and definitions."""

import json
import math

import numpy as np
import pytest
import torch
from crf_by_hand import batch_of, crf_head, enumerate_paths
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss
from toy import labelled, tagged

from hanlp_tutor import DataError, Predictor, TrainConfig, build_model, load_corpus, load_model, save_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import LabelledText, Span, TaggedText
from hanlp_tutor.errors import ModelError
from hanlp_tutor.workbench.calibration import (
    class_probabilities,
    entity_log_loss,
    entity_scores,
    expected_calibration_error,
    fit_temperature,
    gather_logits,
    negative_log_likelihood,
    prediction_scores,
    reliability_table,
    risk_coverage,
    threshold_for,
)

SCORED = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=60)


@given(SCORED, st.integers(1, 15))
def test_ece_by_its_definition(pairs, bins):
    """Bin by bin from the formula of Guo et al. (2017), in plain Python."""
    expected = 0.0
    for m in range(bins):
        # a score of 0 belongs to the first bin
        here = [(s, r) for s, r in pairs if max(0, math.ceil(s * bins) - 1) == m]
        if here:
            gap = sum(r for _, r in here) / len(here) - sum(s for s, _ in here) / len(here)
            expected += len(here) / len(pairs) * abs(gap)
    assert expected_calibration_error(*zip(*pairs, strict=True), bins=bins) == pytest.approx(expected, abs=1e-12)


def test_reliability_table_is_scikit_learns_calibration_curve():
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=3000)  # none on a border, where scikit-learn takes the other side
    right = rng.uniform(size=3000) < scores**2
    rows = reliability_table(scores, right, bins=12)
    accuracy, confidence = calibration_curve(right, scores, n_bins=12, strategy="uniform")
    assert [row["accuracy"] for row in rows] == pytest.approx(list(accuracy))
    assert [row["confidence"] for row in rows] == pytest.approx(list(confidence))
    assert sum(row["count"] for row in rows) == 3000


def test_reliability_at_the_borders_and_of_nothing():
    rows = reliability_table([0.0, 0.5, 0.500001, 1.0], [False, True, False, True], bins=2)
    assert [(row["from"], row["to"], row["count"]) for row in rows] == [(0, 0.5, 2), (0.5, 1, 2)]
    assert reliability_table([], []) == [] and expected_calibration_error([], []) == 0
    with pytest.raises(ValueError, match="per cent"):
        reliability_table([97.0], [True])
    with pytest.raises(ValueError, match="one score"):
        reliability_table([0.5], [True, False])


@given(SCORED)
def test_risk_coverage_by_its_definition(pairs):
    points = risk_coverage(*zip(*pairs, strict=True))
    assert [p["threshold"] for p in points] == sorted({s for s, _ in pairs}, reverse=True)
    for point in points:
        kept = [r for s, r in pairs if s >= point["threshold"]]
        assert point["coverage"] == pytest.approx(len(kept) / len(pairs))
        assert point["accuracy"] == pytest.approx(sum(kept) / len(kept))


@given(SCORED, st.floats(0.0, 1.0))
def test_threshold_keeps_most(pairs, accuracy):
    scores, right = zip(*pairs, strict=True)
    threshold = threshold_for(scores, right, accuracy=accuracy)
    reached = [t for t in scores if np.mean([r for s, r in pairs if s >= t]) >= accuracy]
    assert threshold == (min(reached) if reached else None)


def test_a_threshold_for_luck_is_refused():
    scores, right = [0.9, 0.8, 0.7, 0.6], [True, True, False, False]
    assert threshold_for(scores, right, accuracy=0.9, at_least=2) == 0.8
    assert threshold_for(scores, right, accuracy=0.9, at_least=3) is None


def test_threshold_of_nothing():
    assert risk_coverage([], []) == [] and threshold_for([], [], accuracy=0.5) is None


def test_entity_scores():
    predictions = [
        {"entities": [{"start": 0, "end": 2, "label": "PER", "score": 0.9}]},
        {"entities": [{"start": 0, "end": 2, "label": "PER", "score": 0.4}, {"start": 3, "end": 4, "label": "LOC",
                                                                             "score": 0.7}]},
    ]  # fmt: skip
    gold = [[Span(0, 2, "PER")], [Span(0, 2, "ORG"), Span(3, 4, "LOC")]]
    assert entity_scores(predictions, gold) == ([0.9, 0.4, 0.7], [True, False, True])
    with pytest.raises(ValueError, match="shorter"):
        entity_scores(predictions, gold[:1])


@pytest.fixture(scope="module")
def too_sure(tiny_encoder):
    """Models with far too large logits, and examples of which two in three have as label what the model predicts."""

    def make(task, crf=False):
        examples = tagged(60) if task == "ner" else labelled(80)
        model = build_model(task, tiny_encoder, label_set(task, examples), TrainConfig(crf=crf)).eval()
        with torch.no_grad():
            model.head.classifier.weight.mul_(60)
            if crf:
                torch.manual_seed(0)
                model.head.crf.transitions.normal_(std=3)
            batch = model.collate([model.encode(e.text) for e in examples])
            predictions = model.decode(model(batch), batch)
        likely = [
            e if i % 3 == 0 else TaggedText(e.text, tuple(a)) if task == "ner" else LabelledText(e.text, a)
            for i, (e, a) in enumerate(zip(examples, predictions, strict=True))
        ]
        return model, likely

    return make


def test_temperature_is_the_optimum_of_lbfgs(too_sure):
    """PyTorch's L-BFGS on the cross-entropy in float64, from every text's logits by itself."""
    model, examples = too_sure("classify")
    with torch.no_grad():
        logits = torch.cat([model(model.collate([model.encode(e)])) for e in examples]).double()
    gold = torch.tensor([model.labels.index(e.label) for e in examples])
    log_t = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits / log_t.exp(), gold)
        loss.backward()
        return loss

    optimizer.step(closure)
    expected = math.exp(log_t.item())
    assert 1.5 < expected < 15, "the optimum lies inside of the bounds"
    assert fit_temperature(model, examples) == pytest.approx(expected, rel=2e-3)


def test_nll_is_scikit_learns_log_loss(too_sure):
    model, examples = too_sure("classify")
    pairs = gather_logits(model, examples)
    logits = torch.cat([l for l, _ in pairs]).double()  # noqa: E741
    gold = torch.cat([batch.labels for _, batch in pairs])
    expected = log_loss(gold, (logits / 1.7).softmax(-1).numpy(), labels=range(len(model.labels)))
    assert negative_log_likelihood(model, pairs, 1.7) == pytest.approx(expected, rel=1e-9)


def test_probabilities_of_all_classes_are_those_of_the_predictor(too_sure):
    model, examples = too_sure("classify")
    texts = [example.text for example in examples[:40]]
    model.temperature = 1.7
    p, answers = class_probabilities(model, texts), Predictor(model).predict_many(texts)
    assert p.shape == (40, len(model.labels)) and np.allclose(p.sum(1), 1)
    assert [model.labels[place] for place in p.argmax(1)] == [answer["label"] for answer in answers]
    assert p.max(1) == pytest.approx([answer["score"] for answer in answers], abs=1e-6)
    assert class_probabilities(model, []).shape == (0, len(model.labels))


def test_probabilities_of_classes_need_a_classifier(too_sure):
    model, examples = too_sure("ner", False)
    with pytest.raises(ModelError, match=r"Only a classifier .* this model is for ner"):
        class_probabilities(model, [examples[0].text])


@pytest.mark.parametrize("crf", [False, True])
def test_temperature_of_entities_is_a_minimum(too_sure, crf):
    """Against scikit-learn's log loss of what a Predictor says at each temperature."""
    model, examples = too_sure("ner", crf)
    texts, gold = [e.text for e in examples], [e.spans for e in examples]
    temperature = fit_temperature(model, examples)

    def loss_at(t):
        model.temperature = t
        scores, right = entity_scores(Predictor(model).predict_many(texts), gold)
        assert 0.3 < np.mean(right) < 0.95
        return log_loss(right, np.clip(scores, 1e-12, 1 - 1e-12), labels=[False, True])

    best = loss_at(temperature)
    assert best <= min(loss_at(t) for t in np.geomspace(0.05, 20, 40)) + 1e-4
    assert best < loss_at(1.0) - 1e-3
    assert entity_log_loss(model, gather_logits(model, examples), temperature) == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_prediction_scores_are_those_of_a_predictor(too_sure, task):
    model, examples = too_sure(task)
    scores, right = prediction_scores(model, gather_logits(model, examples), 3.0)
    model.temperature = 3.0
    predictions = Predictor(model).predict_many([e.text for e in examples])
    if task == "ner":
        expected = zip(*entity_scores(predictions, [e.spans for e in examples]), strict=True)
    else:
        expected = [(a["score"], a["label"] == e.label) for a, e in zip(predictions, examples, strict=True)]
    ours, theirs = sorted(zip(scores, right, strict=True)), sorted(expected)  # batches have another order
    assert [r for _, r in ours] == [r for _, r in theirs]
    assert [s for s, _ in ours] == pytest.approx([s for s, _ in theirs], rel=1e-5)


@pytest.mark.parametrize("temperature", [0.4, 2.5])
def test_marginals_at_a_temperature_against_enumeration(temperature):
    head, batch = crf_head(), batch_of([4, 2])
    logits = torch.randn(2, 4, 3, dtype=torch.float64)
    before = head.crf.transitions.clone()
    with torch.no_grad():
        p = head.probabilities(logits, batch, temperature)
        for row, n in enumerate([4, 2]):
            paths, scores = enumerate_paths(head.crf, logits[row, :n])
            weights = (scores / temperature).softmax(0)
            for position in range(n):
                for tag in range(3):
                    through = sum(w for path, w in zip(paths, weights, strict=True) if path[position] == tag)
                    assert float(p[row, position, tag]) == pytest.approx(float(through), abs=1e-12)
    assert torch.equal(head.crf.transitions, before), "the CRF itself stays as it was"


@pytest.mark.xdist_group("trained")
def test_a_real_model_keeps_its_predictions_and_its_temperature(crf_model, tmp_path):
    """Fitted, saved, loaded: the same entities with other scores, better ones on sentences that were not fitted on."""
    news = [e for e in load_corpus("peoples_daily").dev if len(e.text) <= 60][:200]
    dev, test = news[:100], [e.text for e in news[100:]]
    before = Predictor(crf_model).predict_many(test)
    pairs = gather_logits(crf_model, news[100:])
    temperature = fit_temperature(crf_model, dev)
    assert temperature != pytest.approx(1.0, abs=0.02)
    assert entity_log_loss(crf_model, pairs, temperature) < entity_log_loss(crf_model, pairs)
    before_and_after = [expected_calibration_error(*prediction_scores(crf_model, pairs, t)) for t in (1.0, temperature)]
    assert before_and_after[1] < before_and_after[0]
    assert crf_model.temperature == 1.0, "fitting sets nothing"
    loaded = load_model(save_model(crf_model, tmp_path / "plain"))
    loaded.temperature = temperature
    again = load_model(save_model(loaded, tmp_path / "fitted"))
    assert again.temperature == temperature
    after = Predictor(again).predict_many(test)

    def without_scores(predictions):
        return [[{k: v for k, v in e.items() if k != "score"} for e in a["entities"]] for a in predictions]

    assert without_scores(after) == without_scores(before)
    cooler = [b["score"] - a["score"] for x, y in zip(before, after, strict=True)
              for b, a in zip(x["entities"], y["entities"], strict=True)]  # fmt: skip
    assert len(cooler) > 50 and np.mean(cooler) * (temperature - 1) > 0


def test_an_older_folder_has_no_temperature(tiny_encoder, tmp_path):
    examples = labelled(5)
    folder = save_model(build_model("classify", tiny_encoder, label_set("classify", examples), TrainConfig()), tmp_path)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    del card["temperature"]
    (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
    assert load_model(folder).temperature == 1.0


def test_nothing_to_fit_on(tiny_encoder):
    model = build_model("classify", tiny_encoder, ("bad", "good"), TrainConfig())
    with pytest.raises(DataError, match="no example"):
        fit_temperature(model, [])
    model = build_model("ner", tiny_encoder, ("O", "B-PER", "I-PER"), TrainConfig())
    with torch.no_grad():
        model.head.classifier.bias[0] = 100.0
    with pytest.raises(DataError, match="finds no entity"):
        fit_temperature(model, [TaggedText("张三", ("B-PER", "I-PER"))])
