"""What becomes of a line that a reader refuses: an error, unless somebody collects the refusals and reads on.

Whoever trains wants the first fault of a file as an error; whoever audits wants them all, and the rest of the file::

    refused = []
    with refusals_to(refused.append):
        examples = read_labels(path)

Within the block a reader leaves out what it refuses and goes on behind it, in the same pass; ``refused`` holds the
errors that it would have raised. What is wrong with a file as a whole is raised here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from hanlp_tutor.errors import DataError

Result = TypeVar("Result")

_collector: ContextVar[Callable[[DataError], None] | None] = ContextVar("collector", default=None)


@contextmanager
def refusals_to(collector: Callable[[DataError], None]) -> Iterator[None]:
    """Hand what is refused in this block to ``collector``, such as ``list.append`` of a list, and read on."""
    token = _collector.set(collector)
    try:
        yield
    finally:
        _collector.reset(token)


def collecting() -> bool:
    """Whether :func:`refuse` comes back; for readers that know two errors, or must look further to go on."""
    return _collector.get() is not None


def refuse(error: DataError) -> None:
    """Raise ``error``, or hand it to whoever collects; the caller then goes on without what it is about."""
    collector = _collector.get()
    if collector is None:
        raise error from None
    collector(error)


def read_each(read: Callable[..., Result], items: Iterable[tuple]) -> list[Result]:
    """What ``read(*item)`` makes of each item, such as a line and its number; a refused one is left out."""
    results = []
    for item in items:
        try:
            results.append(read(*item))
        except DataError as error:
            refuse(error)
    return results
