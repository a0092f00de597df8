"""What a set has to teach or to test: its classes, or its types of entities, held against those of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hanlp_tutor.data.examples import gold_counts
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.errors import DataError

_ENOUGH = 8  # examples, that none of them shares its label with another is no accident
_SHOWN = 8  # names in a message
_LONGEST = 20  # characters of one


def names(task: str, gold: Iterable[str] | Mapping[str, int]) -> Counter[str]:
    """The classes among gold labels, or the types of entities, and how often each occurs (as an entity).

    Args:
        task: ``ner``, ``classify`` or ``multitask``, whose names stay ``pos/NN`` and ``ner/PER``; words are no class.
        gold: the labels or tags, or how often each occurs.
    """
    counts: Counter[str] = Counter()
    for label, number in Counter(gold).items():
        part, _, tag = label.partition("/") if task == "multitask" else (task, "", label)
        if part == "tok" or (part == "ner" and tag[:2] != "B-"):
            continue
        name = tag.removeprefix("B-") if part == "ner" else tag
        counts[f"{part}/{name}" if task == "multitask" else name] += number
    return counts


def check_known(task: str, known: Iterable[str], examples: Sequence[Any], *, training: bool = False) -> None:
    """Note the labels of a set that a model, or its training set, does not know; refuse a set with no other.

    Args:
        task: of both.
        known: the model's labels, or those of the training set.
        examples: with gold labels, of a dev or test set.
        training: they are those of the training set, for the message.

    Raises:
        DataError: there are labels, and none of them is known; it says both, or that the columns look swapped.
    """
    there = names(task, known)
    counts = names(task, gold_counts(examples))
    strange = {name: number for name, number in counts.items() if name not in there}
    path = _file(examples)
    where = f"{path}: " if path else ""
    if task == "ner" and there and not counts:
        note(f"{where}holds no entity: precision, recall and F1 say nothing on it.")
    if not strange:
        return
    unknown, knows = (
        ("occurs in the training set", "the training set has")
        if training
        else ("is known to the model", "the model knows")
    )
    if len(strange) == len(counts):
        if task == "classify" and sum(example.text.strip() in there for example in examples) > len(examples) / 2:
            texts = _listed({example.text for example in examples})
            message = f"the columns look swapped: the texts are {texts}, and {knows} {_listed(there)}."
            raise DataError(message, path=path, remedy=f"{pass_option('label_first', True)}.")
        raise DataError(
            f"no label of this file {unknown}: {_listed(strange)}; {knows} {_listed(there)}.",
            path=path,
            remedy="Give its labels the names that training had, or take a model that was trained with these.",
        )
    what = {"classify": "examples", "relation": "pairs", "ner": "entities"}.get(task, "labels")
    note(
        f"{where}{sum(strange.values()):,} of {sum(counts.values()):,} {what} count as wrong whatever is predicted, "
        f"because no such label {unknown}: {_listed(strange)}; {knows} {_listed(there)}."
    )


def nothing_to_learn(task: str, gold: Mapping[str, int]) -> str | None:
    """Why a training set with these gold labels teaches nothing; None when it does."""
    if task not in ("ner", "classify", "relation") or not gold:
        return None
    found = names(task, gold)
    if task == "ner" and not found:
        return "there is no entity: nothing but O can be learnt"
    if task in ("classify", "relation") and len(found) == 1:
        return f"all examples are {_listed(found)}: with one class there is nothing to learn"
    if task == "classify" and len(found) >= _ENOUGH and len(found) == found.total():
        return f"each of the {len(found):,} examples has a label of its own, such as {_listed(found)}"
    return None


def _listed(found: Iterable[str]) -> str:
    shown = [name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..." for name in sorted(found)]
    return ", ".join(shown[:_SHOWN]) + (f", ... ({len(shown)} in all)" if len(shown) > _SHOWN else "")


def _file(examples: Sequence[Any]) -> str | None:
    path, _, line = examples[0].source.rpartition(":") if len(examples) else ("", "", "")
    return path if path and line.isdigit() else None
