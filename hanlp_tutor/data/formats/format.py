"""What one file format is: its names, what it can hold, and how it is read, written and recognised."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.reader_options import on_command_line, pass_option
from hanlp_tutor.errors import ConfigError, DataError, nearest

SPANS, OVERLAPS, LABEL, RELATIONS = "spans", "overlaps", "label", "relations"


@dataclass(frozen=True)
class Format:
    """A file format.

    Args:
        name: as ``--from`` and ``--to`` take it.
        suffixes: usual endings of its files.
        carries: ``spans``, ``overlaps`` (spans that nest or overlap), ``label``, ``relations`` (between spans); what is
            not in it is refused.
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


# A remedy where what belongs together is asked of a form without a place for it.
NO_GROUPS = "Write a JSON object a line, as doccano does, with a key for it, or leave group_column out."


def check_options(options: Mapping[str, Any], function: Callable[..., Any], purpose: str, *, flag: str = "-r") -> None:
    """Refuse an option that a reader or writer does not take, and a value of another type than it takes.

    Args:
        options: by name.
        function: the reader or writer, whose keyword arguments these are.
        purpose: what it does, for the message.
        flag: with which the command line takes them, ``-r`` for a reader, ``-w`` for a writer.

    Raises:
        ConfigError: it gives the nearest right name, or the type, as typed after a command and in Python.
    """
    parameters = inspect.signature(function).parameters.values()
    known = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    for name, value in options.items():
        if name not in known:
            if name == "group_column":
                raise ConfigError(f"{name!r} is no option for {purpose}, which have no place for it. {NO_GROUPS}")
            guess = _meant(name, known)
            hint = f"did you mean {guess!r}? {pass_option(guess, value, flag)}." if guess else _all_of(known, flag)
            raise ConfigError(f"{name!r} is no option for {purpose}; {hint}")
        kind = get_type_hints(function)[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in (kind, *get_args(kind))):
            # A word in capitals stands for what people must choose; a number that is meant as text needs its quotes.
            right = str(value) if str in (kind, *get_args(kind)) else "true" if kind is bool else "VALUE"
            takes = f"it takes {inspect.formatannotation(kind)}"
            raise ConfigError(f"{name} is {value!r} for {purpose}; {takes}. {pass_option(name, right, flag)}.")


def _meant(name: str, known: list[str]) -> str | None:
    """The option that a misspelt one meant; a part that both end in, such as ``_column``, makes them no more alike."""
    guess = nearest(name, known)
    if guess is None:
        return None
    (own, _, end), (right, _, other) = name.rpartition("_"), guess.rpartition("_")
    return guess if end != other or not own or nearest(own, [right]) else None


def _all_of(known: list[str], flag: str) -> str:
    """Every option of a reader or writer, as typed after a command."""
    if not known:
        return "it takes none: leave it out."
    typed = ", ".join(on_command_line(name, "VALUE", flag) for name in known)
    return f"it takes {typed} (in Python: {', '.join(f'{name}=' for name in known)})."


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
        elif document.relations and RELATIONS not in form.carries:
            what, thing = document.show_relation(document.relations[0]), RELATIONS
        else:
            continue
        remedy = f"Choose one of {', '.join(able(thing))}."
        if thing == OVERLAPS:
            remedy = f"{pass_option('overlaps', 'longest')}, or choose one of {', '.join(able(thing))}."
        if thing == RELATIONS:
            remedy = f"Pass --drop relations (in Python: drop='relations'), or choose one of {', '.join(able(thing))}."
        raise DataError(
            f"the format {form.name} cannot hold {what}.",
            path=document.source or None,
            remedy=remedy,
        )
