"""JSON with a list of tokens and a list of tags, as Hugging Face's data sets have them.

``{"tokens": ["张", "三", "来", "了"], "ner_tags": ["B-PER", "I-PER", "O", "O"]}``; tags may be numbers, whose names the
card of the data set lists. W2NER's ``{"sentence": [tokens], "ner": [{"index": [0, 1], "type": "PER"}]}`` is read too.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from hanlp_tutor.data.columns import Row, join_rows
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.formats.format import SPANS, Format
from hanlp_tutor.data.formats.head import head_values
from hanlp_tutor.data.formats.json_objects import list_of, name_of, offset, read_objects, write_objects
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import parse_tag, scheme_of_file
from hanlp_tutor.errors import DataError

_TOKENS = ("tokens", "words", "sentence")
_TAGS = ("ner_tags", "tags", "labels")
_REMEDY = 'Write {"tokens": ["张", "三"], "ner_tags": ["B-PER", "I-PER"]}.'


def read_json_tokens(path: str | Path, *, encoding: str | None = None, tag_names: str | None = None) -> list[Document]:
    """Read tokens, joined without spaces, and their tags, whose scheme is detected.

    Args:
        path: the file.
        encoding: of the file; None detects it.
        tag_names: what the numbers 0, 1, ... stand for, ``O,B-PER,I-PER``; needed where tags are numbers.

    Raises:
        DataError: another number of tags than of tokens, no tag, numbers without names; W2NER's entities in pieces.
    """
    names = None if tag_names is None else [name.strip() for name in tag_names.split(",")]

    def rows(line: int, entry: dict[str, Any]) -> tuple[int, list[Row]]:
        key = next((key for key in _TOKENS if key in entry), None)
        if key is None:
            raise DataError("there are no 'tokens'.", remedy=_REMEDY)
        tokens = list_of(entry[key], repr(key), str)
        if not all(tokens):
            raise DataError("a token is empty.", remedy="Leave it out, with its tag.")
        tags = _indexed(entry, len(tokens)) if "ner" in entry else _tags(entry, names)
        if len(tags) != len(tokens):
            raise DataError(f"{len(tokens)} tokens have {len(tags)} tags.", remedy="Give each token one tag.")
        for tag in tags:
            parse_tag(tag)
        return line, [Row(token, tag, line) for token, tag in zip(tokens, tags, strict=True)]

    sentences = read_each(path, rows, read_objects(path, encoding))
    scheme = scheme_of_file(path, ((row.number, row.tag) for _, each in sentences for row in each))
    return [
        Document(example.text, example.spans, None, example.source)
        for line, each in sentences
        for example in [join_rows(path, each, scheme) if each else TaggedText("", (), f"{path}:{line}")]
    ]


def _tags(entry: dict[str, Any], names: list[str] | None) -> list[str]:
    key = next((key for key in _TAGS if key in entry), None)
    if key is None:
        raise DataError("there is no 'ner_tags': the text is not annotated.", remedy=_REMEDY)
    tags = list_of(entry[key], repr(key))
    if not any(isinstance(tag, int) for tag in tags):
        return [name_of(tag, "a tag") for tag in tags]
    if names is None:
        remedy = f"{pass_option('tag_names', 'VALUE')}, such as O,B-PER,I-PER: the card of the data set lists them."
        raise DataError(f"the tags are numbers ({tags[:8]}), not names.", remedy=remedy)
    unknown = [tag for tag in tags if not isinstance(tag, int) or not 0 <= tag < len(names)]
    if unknown:
        raise DataError(f"the tag {unknown[0]!r} is none of the {len(names)} tag_names.", remedy="Name all of them.")
    return [names[tag] for tag in tags]


def _indexed(entry: dict[str, Any], length: int) -> list[str]:
    tags = ["O"] * length
    for entity in list_of(entry["ner"], "'ner'", dict):
        index = [offset(each) for each in list_of(entity.get("index"), "'index'")]
        kind = name_of(entity.get("type"), "the type of an entity")
        if not index or not 0 <= index[0] <= index[-1] < length or any(b != a + 1 for a, b in pairwise(index)):
            remedy = "Leave it out: a tag for each token holds no entity in pieces."
            raise DataError(f"the entity {kind} {index} is no run of tokens.", remedy=remedy)
        if any(tags[each] != "O" for each in index):
            raise DataError(f"the entity {kind} {index} overlaps another.", remedy="Keep one of the two.")
        for each in index:
            tags[each] = f"{'B' if each == index[0] else 'I'}-{kind}"
    return tags


def write_json_tokens(path: str | Path, documents: Iterable[Document]) -> None:
    """Write a token a character with its BIO tag; :func:`read_json_tokens` reads them back unchanged.

    Raises:
        DataError: overlapping entities, a place that cannot be written.
    """
    write_objects(path, ({"tokens": list(each.text), "ner_tags": list(each.tagged().tags)} for each in documents))


def _sniff(path: Path) -> bool:
    entry = next(iter(head_values(path)), None)
    if not isinstance(entry, dict):
        return False
    tokens = next((entry[key] for key in _TOKENS if isinstance(entry.get(key), list)), [])
    tags = [key for key in (*_TAGS, "ner") if isinstance(entry.get(key), list)]
    return bool(tokens) and all(isinstance(token, str) for token in tokens) and bool(tags)


FORMAT = Format("json-tokens", (".json", ".jsonl"), frozenset({SPANS}), read_json_tokens, write_json_tokens, _sniff)
