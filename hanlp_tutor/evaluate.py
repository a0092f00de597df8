"""How good is it: exact-span precision, recall and F1 for entities; accuracy, macro and micro F1 for classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from hanlp_tutor.batching import Encoded, length_buckets
from hanlp_tutor.data import LabelledText, Span, TaggedText
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.memory.fallback import cut, is_out_of_memory
from hanlp_tutor.model import Model

EVALUATION_TOKENS = 4096  # in a batch, padding included; halved where memory runs out


def span_scores(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]]) -> dict[str, Any]:
    """Micro-averaged exact-span scores, and the same for each type.

    An entity counts when start, end and label all agree (CoNLL-2003; seqeval's default mode). A ratio without a
    denominator is 0.

    Returns:
        ``{"precision", "recall", "f1", "per_type": {label: {"precision", "recall", "f1", "support"}}}``
    """
    right, found, wanted = Counter(), Counter(), Counter()
    for gold_spans, predicted_spans in zip(gold, predicted, strict=True):
        gold_set, predicted_set = set(gold_spans), set(predicted_spans)
        wanted.update(span.label for span in gold_set)
        found.update(span.label for span in predicted_set)
        right.update(span.label for span in gold_set & predicted_set)
    per_type = {}
    for label in sorted(wanted | found):
        per_type[label] = {**_prf(right[label], found[label], wanted[label]), "support": wanted[label]}
    return {**_prf(right.total(), found.total(), wanted.total()), "per_type": per_type}


def class_scores(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1 (the mean over classes) and micro F1 (over decisions), and each class by itself.

    With one label per text micro F1 equals accuracy. Macro F1 averages over every class that occurs in the gold or
    the predictions, as scikit-learn does.

    Returns:
        ``{"accuracy", "macro_f1", "micro_f1", "per_class": {label: {"precision", "recall", "f1", "support"}}}``
    """
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    if not gold:
        return {"accuracy": 0.0, "macro_f1": 0.0, "micro_f1": 0.0, "per_class": {}}
    labels = sorted({*gold, *predicted})
    columns = precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=0)
    per_class = {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    }
    return {
        "accuracy": float(accuracy_score(gold, predicted)),
        "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
        "micro_f1": float(f1_score(gold, predicted, average="micro", zero_division=0)),
        "per_class": per_class,
    }


def headline(task: str) -> str:
    """The score that chooses the best weights: ``f1`` for ner, ``macro_f1`` for classify, ``mean`` for multitask.

    Of the tasks of a multi-task model the mean takes ``f1`` (tok, ner) and ``accuracy`` (pos).
    """
    return {"ner": "f1", "classify": "macro_f1", "multitask": "mean", "tok": "f1", "pos": "accuracy"}[task]


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
        from hanlp_tutor.multitask.scores import evaluate_tasks  # it scores with the functions above

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


def minority_share(answers: Iterable[str]) -> float:
    """The share of the answers that are not the commonest one; 0 when all are alike or there is none."""
    given = Counter(answers)
    return 1 - max(given.values()) / given.total() if given else 0.0


@torch.no_grad()
def answer_all(model: Model, encoded: Sequence[Encoded]) -> tuple[list[Any], float, int]:
    """Decoded answers in the order of the examples, the mean loss, and over how many tokens, words or examples."""
    was_training = model.training
    model.eval()
    answers: list[Any] = [None] * len(encoded)
    total, valid = 0.0, 0
    waiting = [*length_buckets([len(e.ids) for e in encoded], batch_size=256, max_tokens=EVALUATION_TOKENS)][::-1]
    while waiting:
        numbers = waiting.pop()
        try:
            loss, count, decoded = _answer_batch(model, [encoded[i] for i in numbers])
        except (RuntimeError, MemoryError) as error:
            if len(numbers) == 1 or not is_out_of_memory(error):
                raise
            waiting += cut(numbers, 2)[::-1]
            continue
        total, valid = total + loss, valid + count
        for i, answer in zip(numbers, decoded, strict=True):
            answers[i] = answer
    model.train(was_training)
    return answers, total / max(valid, 1), valid


def _answer_batch(model: Model, encoded: Sequence[Encoded]) -> tuple[float, int, list[Any]]:
    """The summed loss, how many tokens or examples it sums, and the decoded answers."""
    batch = model.collate(encoded).to(model.device)
    logits = model(batch)
    loss = float(model.loss_sum(logits, batch)) if batch.labels is not None else 0.0
    return loss, batch.valid, model.decode(logits, batch)


def _prf(right: int, found: int, wanted: int) -> dict[str, float]:
    precision, recall = right / found if found else 0.0, right / wanted if wanted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}
