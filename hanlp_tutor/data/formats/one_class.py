"""The class of a text in exports of projects in which a text may have several."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.errors import DataError

JOINT = "#"  # as doccano joins them in its tables


def one_class(found: Sequence[str], joint: bool, tally: Tally, line: int, *, what: str, remedy: str = "") -> str | None:
    """The only class, None if there is none; the same one twice is one.

    Args:
        found: the classes of a text.
        joint: whether several become one, ``A#B``.
        tally: where repeats are counted.
        line: of the text.
        what: how the message begins, such as ``the text has {} classes``.
        remedy: more that may help.

    Raises:
        DataError: there are several.
    """
    names = list(dict.fromkeys(found))
    tally.add("classes that stand twice, read once", line, len(found) - len(names))
    if len(names) > 1 and not joint:
        message = f"{what.format(len(names))}: {', '.join(names)[:60]}."
        decide = f"A text has one class here: {remedy}decide, or join them to one. {pass_option('joint', True)}."
        raise DataError(message, remedy=decide)
    return JOINT.join(names) if names else None
