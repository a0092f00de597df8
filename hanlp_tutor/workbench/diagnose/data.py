"""Faults of the data: they are counted before the first update, so these rules do not look at curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hanlp_tutor.data.known_labels import nothing_to_learn
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.errors import nearest
from hanlp_tutor.workbench.diagnose.record import Record
from hanlp_tutor.workbench.diagnose.report import Finding

_SLIPPED = 1.05  # how much more a neighbour must say about a tag than its own character: aligned corpora stay below 0.9
_LEAKED, _UNKNOWN, _UNSEEN, _BROKEN = 0.02, 0.05, 0.05, 0.05
_SHOWN = 8  # labels in a message
_AUDIT = "`hanlp-tutor audit TRAIN --dev DEV --test TEST`"
_REPEATS = "`hanlp-tutor audit TRAIN`"  # where dev or test was held out and is no file


def nothing(run: Record) -> Iterator[Finding]:
    """A training set that shows O alone, or one class."""
    labels = run.fact("data", "train_labels") or {}
    shown = {label: count for label, count in labels.items() if count}
    reason = nothing_to_learn(run.task or "", shown)
    if reason is not None:
        yield Finding(
            "nothing-to-learn",
            f"In the training set {reason} ({sum(shown.values()):,} {'tags' if run.task == 'ner' else 'examples'}). A "
            "score of this run says nothing.",
            f"Look at the training file: were the labels exported, and is it the right column that is read? {_AUDIT}.",
            {"train_labels": shown},
        )


def unseen_label(run: Record) -> Iterator[Finding]:
    """A label of dev or test that no training example has, and that is more than an accident."""
    if run.several_tasks:
        return
    train = _kinds(run.fact("data", "train_labels"), run.task)
    for subset in ("dev", "test"):
        there = _kinds(run.fact("data", f"{subset}_labels"), run.task)
        if train and there and train.keys().isdisjoint(there):
            names = [", ".join(sorted(kinds)[:_SHOWN]) for kinds in (there, train)]
            yield Finding(
                "unseen-label",
                f"Not one of the {sum(there.values()):,} gold labels of {subset} occurs in train: {names[0]} in "
                f"{subset}, {names[1]} in train. They can only be missed.",
                f"Give the labels of both files the same names and train again; {_AUDIT} names the lines.",
                {"side": subset, subset: dict(there), "train": dict(train)},
            )
        elif train:
            yield from _unseen(subset, train, there)


def _unseen(subset: str, train: Counter[str], there: Counter[str]) -> Iterator[Finding]:
    total = sum(there.values())
    for label in sorted(there.keys() - train.keys()):
        twin = nearest(label, train.keys() - there.keys())
        if twin is None and there[label] < _UNSEEN * total:
            continue
        spelt = f" Train has {twin!r} instead ({train[twin]:,} times), which {subset} lacks." if twin else ""
        yield Finding(
            "unseen-label",
            f"{there[label]:,} of the {total:,} gold labels of {subset} are {label!r}, and not one in train.{spelt} "
            "They can only be missed.",
            f"Spell {twin!r} and {label!r} alike and train again; {_AUDIT} names the lines."
            if twin
            else f"Put examples of {label!r} into train, or divide the data anew, stratified by label.",
            {"side": subset, "label": label, subset: there[label], "train": 0, "instead": twin},
        )


def misaligned(run: Record) -> Iterator[Finding]:
    """A neighbouring character says more about a tag than the character that the tag stands under."""
    for subset in ("train", "dev"):
        information = run.fact("data", f"{subset}_alignment")  # nats, by how far the character stands from the tag
        if not information:
            continue
        best = max(information, key=information.get)
        if best == "0" or information[best] < _SLIPPED * information["0"]:
            continue
        places = -int(best)
        where = f"{abs(places)} character{'s' if abs(places) > 1 else ''} too {'late' if places > 0 else 'early'}"
        yield Finding(
            "misaligned",
            f"The tags of {subset} stand {where}: a tag says {information[best]:.3f} nats about the character {best} "
            f"places on and only {information['0']:.3f} about its own.",
            "Look for what the converter counted and the text does not hold (or the other way): a title, blanks, "
            f"\\r, a byte-order mark, pieces of words in place of characters. Convert again, then {_AUDIT}.",
            {"side": subset, "places": places, "information": information},
        )


def broken_tags(run: Record) -> Iterator[Finding]:
    """I- tags without the entity that they would continue."""
    broken, labels = run.fact("data", "train_broken"), run.fact("data", "train_labels") or {}
    entities = sum(count for tag, count in labels.items() if tag[:2] == "B-")
    if broken and broken > _BROKEN * entities:
        yield Finding(
            "broken-tags",
            f"{broken:,} tags I-X of train continue nothing, beside {entities:,} entities that begin with B-X.",
            f"{pass_option('scheme', 'IOB1')} where entities begin with I-, or mend the file: {_AUDIT}.",
            {"broken": broken, "entities": entities},
        )


def leak(run: Record) -> Iterator[Finding]:
    """Texts that are evaluated on and were trained on."""
    for subset in ("dev", "test"):
        known, total = run.fact("data", f"{subset}_known"), run.fact("data", f"{subset}_examples")
        if not known or not total or known < max(3, _LEAKED * total):
            continue
        flattered = "The dev score, and the choice of weights by it, " if subset == "dev" else "The test score "
        yield Finding(
            "leak",
            f"{known:,} of the {total:,} texts of {subset} stand in train too ({known / total:.0%}). {flattered}"
            "measures memory there.",
            f"Take them out of train ({_AUDIT} names them; where {subset} was held out of TRAIN, {_REPEATS} does, as "
            "duplicates), train again, and report that score.",
            {"side": subset, "known": known, "examples": total},
        )


def unknown_characters(run: Record) -> Iterator[Finding]:
    """Text that the tokenizer turns into [UNK]."""
    share = run.fact("data", "unknown_share")
    if share is not None and share > _UNKNOWN:
        yield Finding(
            "unknown-characters",
            f"{share:.0%} of the training tokens are [UNK] to the encoder {run.fact('encoder')!r}: it cannot tell "
            "them apart.",
            "See which characters these are (traditional forms, another language, a wrong encoding of the file?), and "
            "normalise them or take another encoder.",
            {"share": share},
        )


def _kinds(labels: dict[str, int] | None, task: str | None) -> Counter[str]:
    """How often each class occurs, or each type of entity begins."""
    counts: Counter[str] = Counter()
    for label, count in (labels or {}).items():
        if count and (task != "ner" or label[:2] == "B-"):
            counts[label.removeprefix("B-") if task == "ner" else label] += count
    return counts


RULES = (nothing, unseen_label, misaligned, broken_tags, leak, unknown_characters)
