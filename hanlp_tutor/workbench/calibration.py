"""Can a score be believed? Reliability, temperature scaling (温度缩放), and a threshold below which a person is asked.

A model is calibrated (校准) when of the predictions with a score of 0.8 eight in ten are right. Temperature scaling
(Guo et al. 2017, "On Calibration of Modern Neural Networks") divides the logits by one number T, fitted on dev. No
prediction changes by it, only how sure the model says it is; so an export, which carries no scores, stays exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hanlp_tutor.core.batching import IGNORED, Batch
from hanlp_tutor.core.inference import in_order, infer
from hanlp_tutor.core.model import Model
from hanlp_tutor.data import LabelledText, Span, TaggedText
from hanlp_tutor.data.edges import visible_spans
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.encoders.layers import evaluating
from hanlp_tutor.errors import DataError, ModelError

COLDEST, HOTTEST = 0.05, 20.0  # a model that is right on all of dev would want T = 0


def gather_logits(model: Model, examples: Sequence[TaggedText | LabelledText]) -> list[tuple[Tensor, Batch]]:
    """The logits of all examples with the batches they belong to, which hold gold and texts; shortest texts first."""

    def read(numbers: list[int], states: Tensor, batch: Batch) -> tuple[Tensor, Batch]:
        texts = [examples[i].text for i in numbers]
        return model.head.logits(states, batch).float(), replace(batch, texts=texts)

    return [pair for _, pair in infer(model, [model.encode(example) for example in examples], read)]


def class_probabilities(model: Model, texts: Sequence[str]) -> np.ndarray:
    """p(class | text) of a classifier, (texts, classes) in the order of ``model.labels``, at the model's temperature.

    A Predictor tells only the highest of them. What a threshold is set on is often another one: how probable is it that
    an alert is *not* legitimate?

    Raises:
        ModelError: a model of another task.
    """
    if model.task != "classify":
        raise ModelError(
            f"Only a classifier has a probability for each class of a text; this model is for {model.task}."
        )

    def read(numbers: list[int], states: Tensor, batch: Batch) -> list[np.ndarray]:
        return list(model.probabilities(model.head.logits(states, batch), batch).cpu().numpy())

    model = evaluating(model, model.text_encoder)
    rows = in_order(infer(model, [model.encode(text) for text in texts], read), len(texts))
    return np.stack(rows) if rows else np.zeros((0, len(model.labels)), np.float32)


def fit_temperature(model: Model, examples: Sequence[TaggedText | LabelledText]) -> float:
    """The temperature at which the scores of a :class:`~hanlp_tutor.Predictor` mean most nearly what they say.

    For classes and relations the one with the least negative log-likelihood (NLL, 负对数似然) of the gold labels, as in
    Guo et al. For ner that with the least NLL of *this entity is right* over the entities found: the NLL of the tags
    would not do, because nearly all characters are an easy O, and a model that is modest about those can be far too
    sure of its entities. Nothing is set: ``model.temperature = fit_temperature(model, dev)`` is the caller's line,
    after which :class:`~hanlp_tutor.Predictor` uses it and :func:`~hanlp_tutor.save_model` keeps it.

    Args:
        model: trained; its own temperature plays no part.
        examples: that the model was *not* trained on, with gold labels.

    Returns:
        Above 1 for a model that is too sure of itself, below 1 for one that is too modest; from 0.05 to 20.

    Raises:
        DataError: no example, a label that the model does not know, or not one entity found.
    """
    return temperature_of(model, gather_logits(model, examples))


def temperature_of(model: Model, pairs: Sequence[tuple[Tensor, Batch]]) -> float:
    """What :func:`fit_temperature` finds, from logits that are there already; see :func:`gather_logits`.

    Raises:
        DataError: as there. ModelError: a model of another task.
    """
    from scipy.optimize import minimize_scalar

    losses = {
        "ner": entity_log_loss,
        "classify": negative_log_likelihood,
        "relation": negative_log_likelihood,
    }
    if model.task not in losses:
        raise ModelError(f"A temperature is fitted for {' or '.join(losses)}; this model's task is {model.task}.")
    if not pairs:
        raise DataError("There is no example to fit a temperature on.", remedy="Give dev examples with gold labels.")
    if model.task == "ner" and not prediction_scores(model, pairs)[0]:
        raise DataError(
            "The model finds no entity in these examples.", remedy="Train it longer, or give more examples."
        )
    nll = losses[model.task]
    steps = np.linspace(math.log(COLDEST), math.log(HOTTEST), 13)
    coarse = min(
        range(13), key=lambda i: nll(model, pairs, math.exp(steps[i]))
    )  # that of entities may have two valleys
    found = minimize_scalar(
        lambda log_t: nll(model, pairs, math.exp(log_t)),
        bounds=(steps[max(coarse - 1, 0)], steps[min(coarse + 1, 12)]),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return math.exp(found.x)


@torch.no_grad()
def prediction_scores(
    model: Model, pairs: Iterable[tuple[Tensor, Batch]], temperature: float = 1.0
) -> tuple[list[float], list[bool]]:
    """Score and rightness of each prediction (an entity found, or the class of a text) at a temperature.

    The same scores as a Predictor's, from logits that are there already; see :func:`gather_logits`.
    """
    scores, right = [], []
    for logits, batch in pairs:
        p = model.head.probabilities(logits.double(), batch, temperature).cpu()
        if model.task in ("classify", "relation"):
            scores += p.amax(-1).tolist()
            right += (p.argmax(-1) == batch.labels.cpu()).tolist()
            continue
        columns = model.decode(logits, batch), p, batch.labels.tolist(), batch.texts
        for tags, row, ids, text in zip(*columns, strict=True):
            wanted = set(spans_from_bio([model.labels[i] for i in ids[: len(tags)]]))
            chosen = torch.tensor([model.labels.index(tag) for tag in tags])
            log_p = row[: len(tags)].gather(1, chosen.unsqueeze(1)).squeeze(1).clamp(1e-12, 1.0).log()
            for span in visible_spans(tags, text):
                scores.append(float(log_p[span.start : span.end].mean().exp()))
                right.append(span in wanted)
    return scores, right


def entity_log_loss(model: Model, pairs: Iterable[tuple[Tensor, Batch]], temperature: float = 1.0) -> float:
    """Mean of -log p over the entities found: p is the score of one that is right, 1 - score of one that is wrong.

    In nats an entity; a certain prediction that is wrong costs 27.6.
    """
    scores, right = (np.array(column) for column in prediction_scores(model, pairs, temperature))
    p = np.where(right, scores, 1 - scores)
    return float(-np.log(p.clip(1e-12)).mean())


@torch.no_grad()
def negative_log_likelihood(model: Model, pairs: Iterable[tuple[Tensor, Batch]], temperature: float = 1.0) -> float:
    """Mean of -log p(gold), in nats a character (tagging) or a text, at a temperature; see :func:`gather_logits`."""
    total, count = 0.0, 0
    for logits, batch in pairs:
        p = model.head.probabilities(logits.double(), batch, temperature)
        gold = batch.labels.flatten()
        valid = gold != IGNORED
        picked = p.flatten(0, -2)[valid].gather(1, gold[valid].unsqueeze(1))
        total -= float(picked.clamp(min=1e-30).log().sum())
        count += int(valid.sum())
    return total / count


def reliability_table(scores: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> list[dict[str, Any]]:
    """Predictions in bins of equal width by score: how many, how sure on average, how many of them right.

    Args:
        scores: between 0 and 1, one a prediction.
        right: whether the prediction is right.
        bins: of which each takes scores above its lower and up to its upper border, as in Guo et al. (2017).

    Returns:
        ``{"from", "to", "count", "confidence", "accuracy"}`` of each bin that is not empty.
    """
    scores, right = _checked(scores, right)
    place = np.clip(np.ceil(scores * bins).astype(int) - 1, 0, bins - 1)
    rows = []
    for number in range(bins):
        here = place == number
        if here.any():
            rows.append(
                {
                    "from": number / bins,
                    "to": (number + 1) / bins,
                    "count": int(here.sum()),
                    "confidence": float(scores[here].mean()),
                    "accuracy": float(right[here].mean()),
                }
            )
    return rows


def at_an_end(temperature: float) -> str | None:
    """What it means that a fitted temperature lies at an end of its range (within a tenth); None where it does not."""
    if temperature > 0.9 * HOTTEST:
        return (
            f"the temperature is at the upper end of its range ({HOTTEST:g}): on this file the model's scores say next "
            "to nothing about who is right. Evaluate it there; it may not have learnt the task yet."
        )
    if temperature < COLDEST / 0.9:
        return (
            f"the temperature is at the lower end of its range ({COLDEST:g}): the model is right on all of this file. "
            "Was it trained on it? Take a file that it has not seen, and a longer one."
        )
    return None


def expected_calibration_error(scores: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float:
    """ECE (期望校准误差): Σ over bins of n_b / N · |accuracy - confidence| (Naeini et al. 2015); 0 of none."""
    rows = reliability_table(scores, right, bins=bins)
    total = sum(row["count"] for row in rows)
    return sum(row["count"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / max(total, 1)


def risk_coverage(scores: Sequence[float], right: Sequence[bool]) -> list[dict[str, float]]:
    """What a reject threshold (拒识阈值) buys: of each score the share kept and the share of those right.

    Returns:
        ``{"threshold", "coverage", "accuracy"}``, the highest threshold first; a prediction is kept when its score is
        at least the threshold. The risk of El-Yaniv and Wiener (2010) is 1 - accuracy.
    """
    scores, right = _checked(scores, right)
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(right[order])
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]  # equal scores are kept or rejected together
    return [
        {"threshold": float(scores[i]), "coverage": (i + 1) / len(scores), "accuracy": float(hits[i] / (i + 1))}
        for i in np.flatnonzero(last)
    ]


def threshold_for(
    scores: Sequence[float], right: Sequence[bool], *, accuracy: float, at_least: int = 1
) -> float | None:
    """The threshold that keeps most predictions of those with which at least ``accuracy`` of the kept are right.

    Chosen on dev, it is a promise about dev: report what it gives on test.

    Args:
        scores, right: of the predictions.
        accuracy: wanted among the kept.
        at_least: predictions to be kept, because a high share of three is luck.

    Returns:
        None when no threshold reaches it.
    """
    points = (point for point in risk_coverage(scores, right) if point["coverage"] * len(scores) >= at_least - 0.5)
    enough = [point for point in points if point["accuracy"] >= accuracy]
    return min((point["threshold"] for point in enough), default=None)


def entity_scores(
    predictions: Sequence[dict[str, Any]], gold: Sequence[Iterable[Span]]
) -> tuple[list[float], list[bool]]:
    """Score and rightness (start, end and label) of each entity that a predictor found, in order of appearance.

    Args:
        predictions: of :meth:`hanlp_tutor.Predictor.predict_many`.
        gold: the entities of each text.
    """
    scores, right = [], []
    for prediction, spans in zip(predictions, gold, strict=True):
        wanted = set(spans)
        for entity in prediction["entities"]:
            scores.append(entity["score"])
            right.append(Span(entity["start"], entity["end"], entity["label"]) in wanted)
    return scores, right


def _checked(scores: Sequence[float], right: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    scores, right = np.asarray(scores, dtype=float), np.asarray(right, dtype=bool)
    if scores.shape != right.shape or scores.ndim != 1:
        raise ValueError(f"{scores.shape} scores and {right.shape} predictions: one score belongs to one prediction.")
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1 + 1e-6):
        raise ValueError("Scores are probabilities, from 0 to 1. Are these logits, or per cent?")
    return scores, right
