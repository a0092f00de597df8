"""Texts that are the name of another file: label tools that were given files show their content and export the name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hanlp_tutor.data.formats.counting import AS_IS
from hanlp_tutor.data.formats.drafts import Draft, read_as
from hanlp_tutor.errors import DataError

_LONGEST = 1000  # characters
# What no sentence looks like: Label Studio's own uploads and local files, and places in a store.
_STORED = re.compile(
    r"((https?://[^\s/]+|\.)?/?data/(upload|local-files)/\S.*|/?upload/[0-9]+/\S.*"
    r"|(s3a?|gs|gcs|oss|cos|obs|hdfs|file|minio|azure(-blob)?)://\S.*)"
)
_FILE = re.compile(
    r"[^\n，。！？；]*\.(txt|text|csv|tsv|jsonl?|md|docx?|pdf|xml|rtf|ann|conll)([?#]\S*)?", re.IGNORECASE
)
_URL = re.compile(r"https?://\S+")
REMEDY = "Import the texts themselves into the label tool, not files or links to them, and export again."


def is_stored(text: str) -> bool:
    """Whether a text is surely a place in the store of a label tool."""
    return len(text) < _LONGEST and _STORED.fullmatch(text.strip()) is not None


def lies_elsewhere(text: str) -> str:
    """The message about such a text."""
    return f"the text is the name of a file, {text.strip()[:60]!r}: the text itself lies there."


def refuse_names(drafts: Sequence[Draft], fits: Sequence[bool]) -> list[DataError | None]:
    """For each draft the error that its text lies elsewhere, or None.

    What may be the name of a file, or a link, may also be a text. It is taken for one when its entities say that they
    cover it or are all of it, or when most texts of the file are none and its entities fit.

    Args:
        drafts: all texts of a file.
        fits: whether the entities of each fit into its text.
    """
    names = [_may_be_name(draft) for draft in drafts]
    most = 2 * sum(names) >= len(drafts)
    return [
        _error(draft) if (is_stored(draft.text) and not _is_text(draft)) or (name and (most or not fit)) else None
        for draft, name, fit in zip(drafts, names, fits, strict=True)
    ]


def _may_be_name(draft: Draft) -> bool:
    text = draft.text.strip()
    if len(text) >= _LONGEST or not (_FILE.fullmatch(text) or (draft.claims and _URL.fullmatch(text))):
        return False
    return not _is_text(draft)


def _is_text(draft: Draft) -> bool:
    whole = any(claim.start == 0 and claim.end == len(draft.text) for claim in draft.claims)
    said = any(claim.covered is not None for claim in draft.claims)
    return whole or (said and read_as(draft, AS_IS) is not None)


def _error(draft: Draft) -> DataError:
    message = draft.name + lies_elsewhere(draft.text)
    return DataError(message, path=draft.path, line=draft.line, remedy=REMEDY)
