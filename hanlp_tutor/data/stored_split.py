"""A split as a small file of hashes, so that a colleague with the same data gets the same sets.

The file holds no text: for each set the SHA-256 of each example (:func:`hanlp_tutor.data.fingerprint`), in the order
of the set. It may be published where the data may not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from hanlp_tutor.data.examples import fingerprint
from hanlp_tutor.data.lines import read_text
from hanlp_tutor.data.split import Example, Split
from hanlp_tutor.errors import DataError
from hanlp_tutor.files import write_json

SPLIT_FILE = "split.json"  # in a run folder
_FORMAT = "hanlp_tutor split 1"
_SETS = ("train", "dev", "test")


def save_split(path: str | Path, split: Split[Example]) -> None:
    """Write the hashes of a split's sets, the whole file or nothing."""
    hashes = {name: [fingerprint([example]) for example in getattr(split, name)] for name in _SETS}
    counts = {name: len(of_set) for name, of_set in hashes.items()}
    # stored splits keep the key "sides", so that earlier ones can be read
    write_json(path, {"format": _FORMAT, "counts": counts, "sides": hashes})


def load_split(path: str | Path, examples: Sequence[Example]) -> Split[Example]:
    """Deal out the examples as the file says, each set in the order in which it was saved.

    Args:
        path: what :func:`save_split` wrote.
        examples: all of them, in any order; their sources do not matter, their texts, tags and labels do.

    Raises:
        DataError: no such file, or not one of ours; data that is not that of the split, with numbers and the first
            example that is new.
    """
    hashes = _read(path)
    waiting: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        waiting[fingerprint([example])].append(example)
    dealt = {
        name: [waiting[digest].pop(0) if waiting.get(digest) else None for digest in hashes[name]] for name in _SETS
    }
    missing = sum(example is None for dealt_set in dealt.values() for example in dealt_set)
    new = [example for left in waiting.values() for example in left]
    if missing or new:
        differences = [f"{missing} examples of the split are missing"] if missing else []
        if new:
            place = f" ({new[0].source})" if new[0].source else ""
            differences.append(f"{len(new)} are not in it, the first {new[0].text[:20]!r}{place}")
        raise DataError(
            f"the data is not what this split was made of: {', and '.join(differences)}.",
            path=path,
            remedy="Texts, tags and labels must be as they were: take the same files, or make and save a new split.",
        )
    return Split(**dealt)


def load_part(path: str | Path, examples: Sequence[Example], part: str) -> tuple[list[Example], int]:
    """One set of a stored split, out of examples among which there may be others.

    Args:
        path: what :func:`save_split` wrote.
        examples: in any order; of an example that stands there twice each is taken as often as it is in the set.
        part: ``train``, ``dev`` or ``test``.

    Returns:
        The set, and how many of the examples are in no set of the split.

    Raises:
        DataError: no such file, or not one of ours; an empty set; an example of the set that is missing.
    """
    hashes = _read(path)
    if not hashes[part]:
        raise DataError(f"this split has no {part} set.", path=path, remedy="Choose another part.")
    known = set().union(*hashes.values())
    waiting: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        waiting[fingerprint([example])].append(example)
    taken = [waiting[digest].pop(0) for digest in hashes[part] if waiting.get(digest)]
    if len(taken) < len(hashes[part]):
        missing = len(hashes[part]) - len(taken)
        raise DataError(
            f"{missing:,} of the {len(hashes[part]):,} examples of its {part} set are not in the data.",
            path=path,
            remedy="Texts, tags and labels must be as they were: take the same file, with the same reading options.",
        )
    return taken, sum(len(left) for digest, left in waiting.items() if digest not in known)


def parts_known(path: str | Path, examples: Sequence[Example]) -> dict[str, int]:
    """How many of the examples stand in the train, dev and test set of a stored split, text and labels alike.

    Raises:
        DataError: no such file, or not one of ours.
    """
    hashes = {name: set(of_set) for name, of_set in _read(path).items()}
    mine = [fingerprint([example]) for example in examples]
    return {name: sum(digest in hashes[name] for digest in mine) for name in _SETS}


def _read(path: str | Path) -> dict[str, list[str]]:
    try:
        content = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError):
        content = None
    hashes = content.get("sides") if isinstance(content, dict) and content.get("format") == _FORMAT else None
    if not isinstance(hashes, dict) or any(
        not isinstance(hashes.get(name), list) or not all(isinstance(digest, str) for digest in hashes[name])
        for name in _SETS
    ):
        raise DataError("is no stored split.", path=path, remedy="Make one with save_split(path, split).")
    return hashes
