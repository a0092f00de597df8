"""How good is it: the model's answers to examples with gold, scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hanlp_tutor.answers import answer_all
from hanlp_tutor.base_model import Model
from hanlp_tutor.batching import Encoded
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.multitask.scores import evaluate_tasks
from hanlp_tutor.scores import class_scores, minority_share, span_scores


def evaluate_model(
    model: Model, examples: Sequence[TaggedText | LabelledText], *, encoded: Sequence[Encoded] | None = None
) -> dict[str, Any]:
    """Predict every example and score against its gold.

    Args:
        model: on any device; its training mode is left as it was.
        examples: with gold labels.
        encoded: the same examples as numbers, when the caller has them already.

    Returns:
        The scores of the task, with ``loss``: the mean over valid tokens or examples; 0 when ``encoded`` has no gold;
        and ``minority``: the share of the answers (tags, classes) that are not the commonest one. At 0 the model gives
        one answer to everything.
    """
    if model.task == "multitask":
        return evaluate_tasks(model, examples, encoded)
    if encoded is None:
        encoded = [model.encode(example) for example in examples]
    answers, loss, _ = answer_all(model, encoded)
    if model.task == "ner":
        gold = [example.spans for example in examples]
        scores = span_scores(gold, [spans_from_bio(tags) for tags in answers])
    else:
        scores = class_scores([example.label for example in examples], answers)
    given = (tag for tags in answers for tag in tags) if model.task == "ner" else answers
    return {**scores, "loss": loss, "minority": minority_share(given)}
