"""The task ``relation``: candidates of a training set's types, and scores that leave the negative class out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from hanlp_tutor.core.mistakes import class_mistake, surest_first
from hanlp_tutor.core.scores import class_scores, minority_share
from hanlp_tutor.core.task import TASKS, Task
from hanlp_tutor.data.examples import gold_counts
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.relation_files import note_negative
from hanlp_tutor.data.relations import RelationText, check_negative, negative_class, plausible, type_pairs
from hanlp_tutor.data.split import Split, split_groups

if TYPE_CHECKING:
    from hanlp_tutor.core.model import Model
    from hanlp_tutor.relations.model import RelationModel


class RelationTask(Task):
    """The relation from one entity of a text to another (关系抽取), or none."""

    name, headline = "relation", "micro_f1"

    def hold_out(self, examples: Sequence[Any], *, ratio: tuple[float, float, float], seed: int) -> Split:
        """The pairs of a sentence are in the same set, and so are the sentences of a group."""
        return split_groups(examples, self.kept_whole(examples), ratio=ratio, seed=seed)

    def kept_whole(self, examples: Sequence[Any]) -> list[Hashable]:
        """A sentence, or the sentences of a group; groups that share a sentence are one."""
        above: dict[Hashable, Hashable] = {}

        def top(member: Hashable) -> Hashable:
            while above.setdefault(member, member) != member:
                member = above[member]
            return member

        for example in examples:
            if example.group:
                above[top(("text", example.text))] = top(("group", example.group))
        return [top(("text", example.text)) for example in examples]

    def admit(self, examples: list[RelationText], train: Sequence[RelationText]) -> list[RelationText]:
        """Without pairs of types between which the training set has no relation, unless they are said to have one.

        Raises:
            ConfigError: no training example has the relation that was named as the negative class.
        """
        negative = negative_class(train)
        if examples is train and examples:
            note_negative(examples[0].source.rpartition(":")[0], examples)
            check_negative(examples)
        return plausible(examples, type_pairs(train, negative), negative)

    def counted(self, model: RelationModel, examples: list[RelationText]) -> list[RelationText]:
        """Without pairs of types between which the model knows no relation, unless they are said to have one."""
        return [each for each in examples if _counts(model, each)]

    def prepare(self, model: RelationModel, train: Sequence[RelationText]) -> None:
        """The relation that means none, and between which types there are relations; notes how many texts are cut."""
        longer = sum(map(model.is_longer, train))
        if longer:
            note(
                f"{longer:,} of {len(train):,} training texts are longer than the window of {model.window} tokens: of "
                "them the part around head and tail is read."
            )
        negative = negative_class(train) or model.extra["negative"]
        pairs = type_pairs(train, negative)
        known = {tuple(pair) for pair in model.extra["type_pairs"] or ()}
        model.extra["negative"] = negative
        if pairs is not None:
            model.extra["type_pairs"] = sorted(map(list, known | pairs))

    def label_set(self, examples: Iterable[Any]) -> tuple[str, ...]:
        """The relations, sorted, that of the negative class among them."""
        return tuple(sorted(gold_counts(examples)))

    def model_class(self) -> type[Model]:
        from hanlp_tutor.relations.model import RelationModel

        return RelationModel

    def score(
        self, model: RelationModel, examples: Sequence[RelationText], predictions: Sequence[str]
    ) -> dict[str, Any]:
        """``{"accuracy", "macro_f1", "micro_f1", "per_class"}``; ``micro_f1`` leaves the negative class out.

        Pairs of types between which the model knows no relation are none without being asked about: a relation there is
        missed, and the others are no examples.
        """
        negative = model.negative
        counted = [
            (example.relation, found if model.may_relate(example) else negative)
            for example, found in zip(examples, predictions, strict=True)
            if _counts(model, example)
        ]
        gold, found = [pair[0] for pair in counted], [pair[1] for pair in counted]
        return {**relation_scores(gold, found, negative), "minority": minority_share(found)}

    def inputs(self, examples: Sequence[RelationText]) -> list[RelationText]:
        """The pairs."""
        return list(examples)

    def said(self, example: RelationText, answer: dict[str, Any]) -> str:
        """The relation."""
        return answer["relation"]

    def mistakes(
        self, model: RelationModel, examples: Sequence[RelationText], predict_many: Callable[..., Any]
    ) -> list[dict[str, Any]]:
        """Sentences with head and tail marked, their relation and the one that was predicted.

        Pairs of types that the model knows no relation between count as in :meth:`score`, without a score.
        """
        asked = [example for example in examples if model.may_relate(example)]
        wrong = [
            class_mistake(pair, pair.relation, answer["relation"], answer["score"], model.marked(pair))
            for pair, answer in zip(asked, predict_many(asked), strict=True)
        ]
        wrong += [
            class_mistake(pair, pair.relation, model.negative, None, model.marked(pair))
            for pair in examples
            if not model.may_relate(pair)
        ]
        return surest_first(wrong)


def _counts(model: RelationModel, example: RelationText) -> bool:
    return model.may_relate(example) or example.relation != model.negative


def relation_scores(gold: Sequence[str], predicted: Sequence[str], negative: str | None) -> dict[str, Any]:
    """The scores of classes, with micro F1 over the decisions for a relation, as TACRED has it (Zhang et al. 2017).

    Accuracy, macro F1 and each class by itself count the negative class like any other.

    Args:
        gold, predicted: the relations.
        negative: that which means none; None where there is no such.

    Returns:
        ``{"accuracy", "macro_f1", "micro_f1", "per_class"}``
    """
    from sklearn.metrics import f1_score

    scores = class_scores(gold, predicted)
    kinds = sorted({*chain(gold, predicted)} - {negative})
    micro = f1_score(gold, predicted, labels=kinds, average="micro", zero_division=0) if kinds else 0.0
    return {**scores, "micro_f1": float(micro)}


TASKS.setdefault(RelationTask.name, RelationTask())
