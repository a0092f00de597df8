"""What one file format is: its names, what it can hold, and how it is read, written and recognised."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.errors import ConfigError, DataError, nearest

SPANS, OVERLAPS, LABEL = "spans", "overlaps", "label"


@dataclass(frozen=True)
class Format:
    """A file format.

    Args:
        name: as ``--from`` and ``--to`` take it.
        suffixes: usual endings of its files.
        carries: ``spans``, ``overlaps`` (spans that nest or overlap), ``label``; what is not in it is refused.
        read: ``read(path, **options)``.
        write: ``write(path, documents, **options)``; the whole file or nothing.
        sniff: whether the file at a path looks like this format; never raises.
    """

    name: str
    suffixes: tuple[str, ...]
    carries: frozenset[str]
    read: Callable[..., list[Document]]
    write: Callable[..., None]
    sniff: Callable[[Path], bool]


def check_options(options: Mapping[str, Any], function: Callable[..., Any], purpose: str) -> None:
    """Refuse an option that a reader or writer does not take, and a value of another type than it takes.

    Raises:
        ConfigError: it gives the nearest right name, or the type.
    """
    parameters = inspect.signature(function).parameters.values()
    known = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    for name, value in options.items():
        if name not in known:
            guess = nearest(name, known)
            hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(known)}."
            raise ConfigError(f"{name!r} is no option for {purpose}; {hint}")
        kind = get_type_hints(function)[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in (kind, *get_args(kind))):
            raise ConfigError(f"{name} is {value!r} for {purpose}; it takes {inspect.formatannotation(kind)}.")


def check_carries(form: Format, documents: Iterable[Document], able: Callable[[str], list[str]]) -> None:
    """Refuse documents with something that a format cannot hold.

    Args:
        form: the format.
        documents: to be written.
        able: the names of the formats that carry a thing.

    Raises:
        DataError: with the first such document, and the formats that can.
    """
    for document in documents:
        if document.spans and SPANS not in form.carries:
            what, thing = f"the entity {document.show(document.spans[0])}", SPANS
        elif document.label is not None and LABEL not in form.carries:
            what, thing = f"the label {document.label!r} of a text", LABEL
        elif OVERLAPS not in form.carries and document.overlaps():
            other, span = document.overlaps()[0]
            what, thing = f"{document.show(span)}, which overlaps {document.show(other)}", OVERLAPS
        else:
            continue
        remedy = f"Choose one of {', '.join(able(thing))}."
        if thing == OVERLAPS:
            remedy = f"{pass_option('overlaps', 'longest')}, or choose one of {', '.join(able(thing))}."
        raise DataError(
            f"the format {form.name} cannot hold {what}.",
            path=document.source or None,
            remedy=remedy,
        )
