"""More labels for a trained model: the old rows of its last layer stay, new ones are drawn."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch

from hanlp_tutor.core.model import Model, draw_weights
from hanlp_tutor.core.scheme_head import SchemeHead
from hanlp_tutor.data.schemes import missing, tags_of
from hanlp_tutor.errors import ModelError


def add_labels(model: Model, names: Sequence[str], *, seed: int = 1) -> Model:
    """A copy of a model that knows further labels: entity types for ner, classes for classify, relations.

    Old classes keep their numbers and their very weights, so the copy scores old labels as the model does; a new class
    begins as in :func:`~hanlp_tutor.core.model_folder.build_model`. Tags that a type lacks (a small corpus may never
    have shown I-X) are added, too; that is what an empty ``names`` is good for.

    Raises:
        ModelError: a label that the model has already, or one that is no name.
    """
    known = {label[2:] if model.task == "ner" else label for label in model.labels}
    for name in names:
        if not isinstance(name, str) or not name or name in known or list(names).count(name) > 1:
            raise ModelError(f"add_labels: {name!r} is in the model already, comes twice or is no name.")
    if model.task in ("classify", "relation"):
        return _grown(model, [*model.labels, *names], None, seed)
    kinds = [*dict.fromkeys(label[2:] for label in model.labels if label != "O"), *names]
    labels = [*model.labels, *(tag for kind in kinds for tag in tags_of(kind, "BIO") if tag not in model.labels)]
    if not isinstance(model.head, SchemeHead):
        return _grown(model, labels, None, seed)
    head = model.head
    new = [tag for name in names for tag in tags_of(name, head.scheme)]
    return _grown(model, labels, [*head.native, *missing(head.native), *new], seed)


def with_labels(model: Model, labels: Iterable[str], *, seed: int = 1) -> Model:
    """A copy of a model that knows these labels beside its own, to be trained further on examples that have them.

    Args:
        model: stays as it is.
        labels: as :func:`hanlp_tutor.core.task.label_set` gives them for the new examples.
        seed: of the rows for new ones.

    Raises:
        ModelError: labels of a multi-task model that are new, or of a part of its tasks.
    """
    new = [label for label in labels if label not in model.labels]
    if model.task != "multitask":
        known = {label[2:] for label in model.labels} if model.task == "ner" else set(model.labels)
        names = dict.fromkeys(label[2:] if model.task == "ner" else label for label in new)
        return add_labels(model, [name for name in names if name not in known], seed=seed)  # O is always known
    tasks = {label.partition("/")[0] for label in labels}
    if new or tasks != set(model.tasks):
        lacks = f"its files have {new[0]!r}" if new else f"the files are of {', '.join(sorted(tasks))}"
        raise ModelError(
            f"A multi-task model goes on with the tasks and tags that it has ({', '.join(model.tasks)}); {lacks}. A "
            "further task is added by hanlp_tutor.workbench.extend.add_task."
        )
    return copy.deepcopy(model)


def _grown(model: Model, labels: Sequence[str], native: Sequence[str] | None, seed: int) -> Model:
    """The copy, with a head for these classes whose first ones are the old ones."""
    torch.manual_seed(seed)
    grown = copy.deepcopy(model)
    grown.labels, grown._label_ids = tuple(labels), {label: i for i, label in enumerate(labels)}
    grown.head = model.new_head(labels, native, model.head.dropout.p)
    draw_weights(grown.head)
    with torch.no_grad():
        for new, old in zip(grown.head.parameters(), model.head.parameters(), strict=True):
            new[tuple(slice(0, n) for n in old.shape)] = old  # rows of the layer; rows and columns of the CRF
    return grown.to(model.device).train(model.training)
