"""Rules for relations, as one writes them before there are labels: by types, by the clause, by the nearest."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from hanlp_tutor.data.relations import RelationText

_CLAUSE = re.compile("[；。;]")
RULES = ("types alone", "same clause", "nearest")


def relation_of_types(train: Iterable[RelationText], negative: str) -> dict[tuple[str, str], str]:
    """The commonest relation between two types, the negative class left out."""
    counts: defaultdict[tuple[str, str], Counter] = defaultdict(Counter)
    for each in train:
        if each.relation != negative and each.types:
            counts[each.types][each.relation] += 1
    return {types: found.most_common(1)[0][0] for types, found in counts.items()}


def by_rule(rule: str, pairs: Sequence[RelationText], known: Mapping[tuple[str, str], str], negative: str) -> list[str]:
    """The relation of each pair.

    Args:
        rule: ``types alone`` says what their types may have; ``same clause`` only if no ；or 。 stands between them;
            ``nearest`` only if no other pair of these types in this sentence has the same tail and a nearer head.
        pairs: all of a sentence, in any order.
        known: from types to relation, :func:`relation_of_types`.
        negative: said of the others.
    """
    nearest: dict[tuple, int] = {}
    for pair in pairs:
        key = _key(pair)
        nearest[key] = min(_distance(pair), nearest.get(key, len(pair.text)))
    found = []
    for pair in pairs:
        relation = known.get(pair.types, negative)
        fails = {
            "types alone": False,
            "same clause": bool(_CLAUSE.search(_between(pair))),
            "nearest": _distance(pair) > nearest[_key(pair)],
        }[rule]
        found.append(negative if fails else relation)
    return found


def _key(pair: RelationText) -> tuple:
    return pair.text, pair.types, pair.spans[1].start


def _between(pair: RelationText) -> str:
    first, second = sorted(pair.spans, key=lambda span: span.start)
    return pair.text[first.end : second.start]


def _distance(pair: RelationText) -> int:
    return len(_between(pair))
