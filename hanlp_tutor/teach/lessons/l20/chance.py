"""What an estimate gives where there is nothing to find: the tags of lesson 20, dealt out anew."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hanlp_tutor.data import TaggedText


def shuffled_tags(examples: Sequence[TaggedText], seed: int = 1) -> list[TaggedText]:
    """The same texts and as many tags of each kind, dealt to the characters of all texts at random."""
    tags = [tag for example in examples for tag in example.tags]
    random.Random(seed).shuffle(tags)
    dealt = iter(tags)
    return [TaggedText(x.text, tuple(next(dealt) for _ in x.tags), x.source) for x in examples]
