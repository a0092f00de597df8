"""What a job notes about a run's data, so that :mod:`hanlp_tutor.workbench.diagnose` needs nothing but its folder.

Counts and shares, no text: a manifest is passed on where its corpus must not be.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hanlp_tutor.core.model import Model
from hanlp_tutor.core.run import Run
from hanlp_tutor.data import LabelledText, TaggedText
from hanlp_tutor.data.examples import gold_counts
from hanlp_tutor.data.near_duplicates import normalised
from hanlp_tutor.manifest import update_manifest

OFFSETS = (-2, -1, 0, 1, 2)
_SAMPLED = 2000  # examples of a set, evenly drawn, where every example is more than the question needs


def data_facts(model: Model, train: Sequence[Any], dev: Sequence[Any], test: Sequence[Any] = ()) -> dict[str, Any]:
    """What a run's manifest does not say of its data by itself.

    Returns:
        ``dev_known``, how many dev texts stand in train (None for a corpus on the disk, which is not read for this);
        ``unknown_share`` of the training tokens that are [UNK]; for tags also ``train_alignment`` and
        ``dev_alignment`` (:func:`alignment`) and ``train_broken``, the I- tags that continue nothing; with a test set
        ``test_examples``, ``test_known`` and ``test_labels``, how often each occurs.
    """
    seen = seen_texts(train)
    ids = [token for example in _evenly(train) for token in model.encode(example).ids]
    facts: dict[str, Any] = {
        "dev_known": known_texts(dev, seen),
        "unknown_share": ids.count(model.tokenizer.unk_token_id) / len(ids) if ids else 0.0,
    }
    if isinstance(train[0], TaggedText):
        facts["train_alignment"], facts["dev_alignment"] = alignment(_evenly(train)), alignment(_evenly(dev))
        facts["train_broken"] = sum(map(_broken, _evenly(train)))
    if test:
        counts = dict(gold_counts(test))
        facts.update(test_examples=len(test), test_known=known_texts(test, seen), test_labels=counts)
    return facts


def note_facts(run: Run) -> None:
    """Write them into the manifest: the ``on_start`` of :func:`hanlp_tutor.fine_tune`."""
    update_manifest(run.out, data=data_facts(run.model, run.train, run.dev))


def seen_texts(examples: Sequence[TaggedText] | Sequence[LabelledText]) -> frozenset[int] | None:
    """Hashes of the texts, blind to case, width and white space; of no use in another process.

    None of a corpus on the disk, which is not read for this.
    """
    if getattr(examples, "lengths", None) is not None:
        return None
    return frozenset(hash(normalised(example.text)) for example in examples)


def known_texts(examples: Sequence[TaggedText] | Sequence[LabelledText], seen: frozenset[int] | None) -> int | None:
    """How many of the texts were seen; None where that is not known."""
    return None if seen is None else sum(hash(normalised(example.text)) in seen for example in examples)


def alignment(examples: Sequence[TaggedText]) -> dict[str, float] | None:
    """How much the character ``k`` places on says about a tag: mutual information (互信息) in nats, by offset ``k``.

    A tag depends most on its own character, so the value at 0 is the greatest; where the tags have slipped by one
    against the text, that at 1 or -1 is. None when there are fewer than 30 entities to count.
    """
    if sum(tag.startswith("B-") for example in examples for tag in example.tags) < 30:
        return None
    return {str(offset): _information(examples, offset) for offset in OFFSETS}


def _information(examples: Sequence[TaggedText], offset: int) -> float:
    pairs: Counter[tuple[str, str]] = Counter()
    margin = max(map(abs, OFFSETS))  # the same tags at every offset
    for example in examples:
        text, end = example.text, max(margin, len(example.text) - margin)
        pairs.update(zip(text[margin + offset : end + offset], example.tags[margin:end], strict=True))
    total = pairs.total()
    characters, tags = Counter(), Counter()
    for (character, tag), count in pairs.items():
        characters[character] += count
        tags[tag] += count
    return sum(n / total * math.log(n * total / (characters[c] * tags[t])) for (c, t), n in pairs.items())


def _broken(example: TaggedText) -> int:
    before = ("O", *example.tags)
    return sum(tag[:2] == "I-" and last[2:] != tag[2:] for last, tag in zip(before, example.tags, strict=False))


def _evenly(items: Sequence[Any]) -> list[Any]:
    step = max(1, len(items) // _SAMPLED)
    return [items[i] for i in range(0, len(items), step)]
