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

Item = TypeVar("Item")
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


def read_each(path: object, read: Callable[[int, Item], Result], items: Iterable[tuple[int, Item]]) -> list[Result]:
    """What ``read(line, item)`` makes of each item of a file; a refused one is left out where somebody collects.

    Errors of ``read`` need not say where: they get the path, and the line of the item if they name none.
    """
    results = []
    for line, item in items:
        try:
            results.append(read(line, item))
        except DataError as error:
            refuse(DataError(error.message, path=path, line=error.line or line, remedy=error.remedy))
    return results
