"""From files to pairs of entities: relation files, exports with relations, and pairs without any, to be predicted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats import FORMATS, detect_format, format_named, reads_relations
from hanlp_tutor.data.formats.format import check_options
from hanlp_tutor.data.lines import filled_lines
from hanlp_tutor.data.notes import Tally, note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.relations import (
    NO_RELATION,
    RelationText,
    named_negative,
    negative_class,
    pair_from,
    pairs_of,
    read_relations,
)
from hanlp_tutor.errors import ConfigError, DataError, nearest

WITH_RELATIONS = tuple(filter(reads_relations, FORMATS))


def read_relation_file(
    path: str | Path, format: str | None = None, *, negative: str | None = None, **options: Any
) -> list[RelationText]:
    """The examples of a relation file, or of an export with relations.

    Args:
        path: the file, or a folder of BRAT's files.
        format: by name; None takes ``head<TAB>tail<TAB>relation<TAB>sentence``.
        negative: the relation that means none; of an export the name that pairs without a relation get (``NA``). None
            finds it by its name.
        options: of the format's reader.

    Raises:
        ConfigError: an option or a format that does not exist, or one that holds no relations.
        DataError: what the reader raises; a file without any relation; ``negative`` is nearly the name of one.
    """
    if format in (None, "relation"):
        check_options(options, read_relations, "reading relation files")
        examples = read_relations(path, **options)
        note_repeated(path, examples)  # an export has said where
    else:
        examples = examples_of(path, documents_with_relations(path, format, **options), negative)
    return examples if negative is None else with_negative(path, examples, negative)


def with_negative(path: str | Path, examples: Sequence[RelationText], negative: str) -> list[RelationText]:
    """The examples with the relation that somebody has named as that which means none.

    Raises:
        ConfigError: a blank; or it is nearly the name of a relation, and none has it.
    """
    _check_named(path, examples, negative)
    return named_negative(examples, negative)


def documents_with_relations(path: str | Path, format: str, **options: Any) -> list[Document]:
    """The documents of an export, with their relations where the format can hold them.

    Raises:
        ConfigError, DataError: as :func:`read_relation_file`.
    """
    form = format_named(format)
    if format in WITH_RELATIONS:
        options = {**options, "relations": True}
    check_options(options, form.read, f"reading {form.name} files")
    return form.read(path, **options)


def examples_of(path: str | Path, documents: Sequence[Document], negative: str | None) -> list[RelationText]:
    """Documents as examples: one of ``head``, ``tail`` and a class is one, others are all pairs of entities.

    Raises:
        DataError: no document has a relation.
    """
    if any(document.relations for document in documents):
        return [pair for document in documents for pair in pairs_of(document, negative or NO_RELATION)]
    if any(document.label is not None for document in documents) and any(document.spans for document in documents):
        return read_each(path, lambda _, each: RelationText.from_document(each), _with_lines(documents))
    also = f"Read relations from one of {', '.join(('relation', *WITH_RELATIONS))}"
    if any(document.label is not None for document in documents):
        remedy = f"{also}; or train it with --task classify (in Python: task='classify')."
        raise DataError("holds classes, and no entity that could be in a relation.", path=path, remedy=remedy)
    entities = sum(len(document.spans) for document in documents)
    raise DataError(
        f"holds {entities:,} entities and no relation.",
        path=path,
        remedy=f"{also}; or train it with --task ner (in Python: task='ner')." if entities else f"{also}.",
    )


def read_pairs(path: str | Path, format: str | None = None, **options: Any) -> list[RelationText]:
    """The pairs of a file whose relations are to be predicted; what it says of them is not looked at.

    Args:
        path: a JSON object with ``head``, ``tail`` and ``text`` a line; three or four columns a line, head and tail
            first, the text last; or an export of which every ordered pair of entities is taken.
        format: of an export; None detects it.
        options: of its reader, such as ``encoding``.

    Raises:
        ConfigError, DataError: as :func:`read_relation_file`; a line that is no pair, with its number.
    """
    path = Path(path)
    lines = list(filled_lines(path, options.get("encoding"))) if path.is_file() else []
    if format in (None, "relation", "lines") and lines and all(_is_pair(line) for _, line in lines[:20]):
        check_options(options, read_relations, "reading pairs")
        return read_each(path, partial(_pair, path), lines)
    documents = documents_with_relations(path, format or detect_format(path, options).name, **options)
    labelled = [document for document in documents if {span.label for span in document.spans} == {"head", "tail"}]
    if labelled:
        return [pair for each in labelled for pair in pairs_of(each) if pair.types == ("head", "tail")]
    return [pair_from(pair) for document in documents for pair in _all_pairs(document)]


def parse_pair(line: str) -> RelationText:
    """A line of :func:`read_pairs`.

    Raises:
        DataError: it is none.
    """
    value: Any = line.rstrip("\r\n").split("\t")
    if line.lstrip().startswith("{"):
        try:
            value = json.loads(line)
        except ValueError:
            raise DataError(f"{line[:40]!r} is no JSON.", remedy="Write one object a line.") from None
    return pair_from(value)


def note_repeated(path: str | Path, examples: Sequence[RelationText]) -> None:
    """Note how many examples say a string that stands in their sentence more than once, without saying where."""
    tally = Tally(path)
    for each in examples:
        if each.repeated():
            line = each.source.rpartition(":")[2]
            what = "sentences in which head or tail stands more than once, of which the first places are taken"
            tally.add(what, int(line) if line.isdigit() else 1)
    tally.report()


def note_negative(path: str | Path, examples: Sequence[RelationText]) -> None:
    """Note which relation is taken for none, where nobody has named it."""
    if not examples or examples[0].negative:
        return
    name, where = negative_class(examples), f"{path}: " if str(path) else ""
    how = pass_option("negative", "NAME")
    if name is None:
        kinds = sorted({each.relation for each in examples if each.relation})
        shown = ", ".join(kinds[:8]) + (", ..." if len(kinds) > 8 else "")
        note(f"{where}no relation is called as if it were none ({shown}), so micro F1 is over all. {how} if one is.")
    else:
        note(f"{where}{name!r} is taken for no relation, and left out of micro F1. {how} if it is another.")


def _check_named(path: str | Path, examples: Sequence[RelationText], negative: str) -> None:
    if not negative.strip():
        raise ConfigError("negative is the name of a relation, not a blank.")
    there = {each.relation for each in examples}
    guess = None if negative in there else nearest(negative, there)
    if guess:
        raise ConfigError(f"{path}: no relation is called {negative!r}; did you mean {guess!r}?")


def _all_pairs(document: Document) -> list[RelationText]:
    """Each once, also one with several relations."""
    return list(dict.fromkeys(pair_from(pair) for pair in pairs_of(document)))


def _is_pair(line: str) -> bool:
    if line.lstrip().startswith("{"):
        try:
            value = json.loads(line)
        except ValueError:
            return False
        return isinstance(value, dict) and {"head", "tail"} <= value.keys()
    return line.count("\t") in (2, 3)


def _pair(path: Path, number: int, line: str) -> RelationText:
    return replace(parse_pair(line), source=f"{path}:{number}")


def _with_lines(documents: Sequence[Document]) -> list[tuple[int, Document]]:
    places = [document.source.rpartition(":")[2] for document in documents]
    return [(int(line) if line.isdigit() else 1, each) for line, each in zip(places, documents, strict=True)]
