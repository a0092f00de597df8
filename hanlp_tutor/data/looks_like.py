"""What a file looks like that a reader has refused: said in its error, with the option, format or task that reads it.

Whoever reads a labelled file does so through :func:`explaining`::

    with explaining(path, "ner", options):
        examples = read_columns(path, **options)

An error then says ``It looks like columns with 4 fields, as CoNLL 2003 has them. Pass -r token_column 1 ...``. A file
that is what its reader expects, but for a line, keeps the reader's own message.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import signature
from itertools import pairwise
from pathlib import Path
from typing import Any

from hanlp_tutor.data.column_heads import NO_PAIRS, begins_with_head, pair_in
from hanlp_tutor.data.column_layout import cells_of
from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.examples import TaggedText
from hanlp_tutor.data.file_kinds import binary_kind
from hanlp_tutor.data.formats import FORMATS, detect_format
from hanlp_tutor.data.formats.format import NO_GROUPS
from hanlp_tutor.data.formats.head import head_lines, head_text, head_values
from hanlp_tutor.data.lines import CR_LINES, cr_remedy, ends_in_cr
from hanlp_tutor.data.reader_options import pass_option, pass_options
from hanlp_tutor.errors import DataError

_TAG = re.compile(r"[oO]|[BIMESbimes][-_]\S+")
_LOWER_TAG = re.compile(r"o|[bimes][-_]\S+")
_MOST = 0.9  # of the lines at the head of a file, before it is taken for what they are
_WINDOW, _SENTENCES = 510, 2  # characters, or ends of sentences in it, before one sentence is taken for several
_SENTENCE = 8  # characters: a line without label is at least so long, before it is taken for a plain text
_KEEP = {"ner": ("spans", "entities", "ner"), "classify": ("label", "classes of texts", "classify")}
_OWN = {"ner": ("columns", "bio", "iob1", "bmes", "iobes"), "classify": ("labels",)}
_LISTS = ("entities", "spans", "label", "labels", "annotations", "relations")  # of one text
_NO_LABELS = {"id", "idx", "keywords", "keyword", "source", "url", "date", "time"}
_TEXTS = ("text", "sentence", "content", "review", "data", "abst", "query", "title")
_NARROW = ("columns", "tsv", "csv", "label-studio-conll", "tag-lines")  # formats of lines that are sure to be theirs
_AS_JSON = 'Write one JSON object a line, as doccano does: {"text": "...", "entities": [[start, end, "PER"]]}.'

_OR_TAGS = "Or a character, a tab and its tag a line, a blank line behind each sentence."
_JSON_CELL = re.compile(r"""[,\t]"?\[(\[\s*\d|\{)""")

_NONE, _EMPTY = "none of the formats", "an empty file"
_SAYS_SO = "The file looks like"


@dataclass(frozen=True)
class Look:
    """What a file looks like.

    Args:
        what: it is; completes "It looks like".
        remedy: what to do.
        options: of a reader that the remedy passes; whoever has passed them needs another message.
    """

    what: str
    remedy: str
    options: Mapping[str, Any] = field(default_factory=dict)


def looks_like(path: str | Path) -> Look | None:
    """What a file looks like that no reader of the kit takes as it stands; None of others. Never raises."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            kind = binary_kind(path, file.read(1 << 12))
    except (OSError, ValueError):
        return None
    if kind is not None:
        return Look(*kind)
    text, _ = head_text(path)
    if not text.strip():
        return Look(_EMPTY, "Name another, or save it again.")
    begins = text.lstrip()[:200].lower()
    if begins.startswith(("<!doctype html", "<html", "<?xml")):
        remedy = "If it was downloaded, that is the page about the file: take its raw form. Else export plain text."
        return Look(f"a page of {'XML' if begins.startswith('<?xml') else 'HTML'}", remedy)
    if begins.startswith("version https://git-lfs"):
        return Look("a pointer of Git LFS", "The file itself was not fetched: run git lfs pull in its repository.")
    if not begins.startswith(("{", "[")) and ends_in_cr(text):
        return Look("lines that end in a carriage return alone", cr_remedy(path))
    if begins.startswith(("{", "[")) and (values := head_values(path)):
        return _json(path, values)
    if any(FORMATS[name].sniff(path) for name in _NARROW):
        return None
    lines = [line for line in head_lines(path) if line.strip() and not line.startswith(("-DOCSTART-", "# "))]
    if len(lines) > 1 and _share(lines[1:], lambda line: _JSON_CELL.search(line)) >= _MOST:
        return Look(f"a table with entities as JSON in its cells: {lines[1][:40]!r}", f"{_AS_JSON} {_OR_TAGS}")
    return _columns(lines) or _labels(lines) if lines else None


@contextmanager
def explaining(path: str | Path, task: str | None, options: Mapping[str, Any]) -> Iterator[None]:
    """Let the errors of this block say what the file looks like.

    Args:
        path: that is read in it.
        task: it is read for; None when the file shall decide.
        options: of its reader that were given, ``format`` among them.
    """
    try:
        yield
    except DataError as error:
        raise explained(error, path, task, options) from None


def explained(error: DataError, path: str | Path, task: str | None, options: Mapping[str, Any]) -> DataError:
    """The error with what the file looks like and the remedy for that; itself where there is nothing to add."""
    said = any(words in error.message for words in (_SAYS_SO, CR_LINES, "look swapped", "holds no "))
    if said or "encoding" in (error.remedy or "") or not Path(path).is_file():
        return error  # in another encoding a file looks like nothing
    look = looks_like(path)
    if look is None and "a file for the task" not in error.message:
        look = _of_another_format(Path(path), task, options)
    if look is not None and not look.options and options.keys() & {"token_column", "tag_column"}:
        return error  # whoever names columns knows that there are some
    if look is None or look.what in error.message or (look.options and look.options.items() <= options.items()):
        return error
    message = f"{error.message} {_SAYS_SO} {look.what}."
    unasked = task is None and "format" not in options  # then the reader was a guess, and its message tells nothing
    if (unasked or _NONE in error.message) and look.what != _EMPTY:
        return DataError(f"looks like {look.what}.", path=path, remedy=look.remedy)
    return DataError(message, path=error.path or path, line=error.line, remedy=look.remedy)


def _of_another_format(path: Path, task: str | None, options: Mapping[str, Any]) -> Look | None:
    """A format that the kit reads, and that is not the one that was taken."""
    try:
        found = detect_format(path)
    except DataError:
        return None
    taken = options.get("format")
    own = _OWN.get(task or "", ())
    if found.name == taken or (taken is None and (task not in _KEEP or found.name in own)):
        return None
    if found.name in _OWN["ner"] and taken in _OWN["ner"]:
        return None
    if "group_column" in options and "group_column" not in signature(found.read).parameters:
        return Look(f"the format {found.name}, which has no place for a group", NO_GROUPS)
    if task not in _KEEP:
        return Look(f"the format {found.name}", f"{pass_option('format', found.name)}.", {"format": found.name})
    thing, _, _ = _KEEP[task]
    if thing not in found.carries:
        return other_task(task, f"the format {found.name}")
    return Look(f"the format {found.name}", f"{pass_option('format', found.name)}.", {"format": found.name})


def other_task(task: str, what: str) -> Look:
    """The look of a file that is for the other task."""
    _, things, other = _KEEP["classify" if task == "ner" else "ner"]
    remedy = (
        f"Train or audit it with --task {other} (in Python: task={other!r}), and evaluate a model of that task on it."
    )
    return Look(f"{what}, which holds {things}: a file for the task {other}, not {task}", remedy)


def check_for_task(task: str, path: str | Path, documents: Sequence[Document]) -> None:
    """Refuse texts that hold nothing but what the other task is about: as examples they would say nothing.

    Raises:
        DataError: it names the task.
    """
    has = {"ner": any(each.spans for each in documents), "classify": any(each.label is not None for each in documents)}
    other = "classify" if task == "ner" else "ner"
    if has[other] and not has[task]:
        look = other_task(task, "one")
        raise DataError(f"holds {_KEEP[other][1]} and no {_KEEP[task][1]}: a file for the task {other}, not {task}.",
                        path=path, remedy=look.remedy)  # fmt: skip


def one_sentence(examples: Sequence[Any]) -> Look | None:
    """The look of a column file without blank lines, which becomes one sentence; None of others."""
    if len(examples) != 1 or not isinstance(examples[0], TaggedText):
        return None
    text = examples[0].text
    ends = [character for character in "。！？；!?" if character in text[:-1]]
    if len(text) <= _WINDOW and sum(map(text[:-1].count, ends)) < _SENTENCES:
        return None
    remedy = (
        f"{pass_option('split_at', ''.join(ends))} to end a sentence behind each of these too, or p" if ends else "P"
    )
    remedy += "ut a blank line behind each sentence."
    return Look(f"one sentence of {len(text):,} characters: blank lines are missing.", remedy)


def _columns(lines: Sequence[str]) -> Look | None:
    """Token and tag in other columns than the only two, or tags in small letters."""
    body = lines[1:] or lines  # there may be a header
    if all("," in line and "\t" not in line for line in body) and _are_tags([each.rpartition(",")[2] for each in body]):
        remedy = "Write token<TAB>tag a line, a tab between them, and a blank line between sentences."
        return Look(f"columns of tokens and tags with commas between them: {body[0][:40]!r}", remedy)
    rows = [cells_of(line) for line in lines]
    width, _ = Counter(map(len, rows)).most_common(1)[0]
    rows = [row for row in rows if len(row) == width]
    if width < 2 or len(rows) < _MOST * len(lines):
        return None
    tags = [column for column in range(width) if _are_tags([row[column] for row in rows])]
    if not tags:
        return None
    tag = tags[-1]
    cells = [row[tag] for row in rows]
    options: dict[str, Any] = {}
    what = f"columns with {width} fields a line, as CoNLL 2003 has them"
    numbers = width > 2 and _counts([row[0] for row in rows])
    token = 1 if numbers else 0
    if numbers:
        what = f"columns with {width} fields a line, the first of which numbers the tokens, as CoNLL-U has them"
    if token == tag:
        token = next(column for column in range(width) if column != tag)
        what = "columns with the tag before the token"
    if width > 2 or token > tag:
        options.update(format="columns", token_column=token + 1, tag_column=tag + 1)
    if sum(bool(_LOWER_TAG.fullmatch(cell)) for cell in cells) >= _MOST * len(cells):
        what = f"{what}, with tags" if options else "tokens with tags"
        options.update(format="columns", lower_case_tags=True)
        what += f" in small letters ({next((cell for cell in cells if cell != 'o'), 'o')})"
    if not options:
        return None
    return Look(f"{what}: {lines[0][:40]!r}", f"{pass_options(**options)}, for the task ner.", options)


def _are_tags(cells: Sequence[str]) -> bool:
    return sum(bool(_TAG.fullmatch(cell)) for cell in cells) >= _MOST * len(cells)


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells count 0, 1, 2, ..., again and again."""
    if not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers[0] in (0, 1) and all(b in (a + 1, numbers[0]) for a, b in pairwise(numbers))


def _labels(lines: Sequence[str]) -> Look | None:
    """Texts with classes in another form than ``text<TAB>label``, or without them."""
    if (look := _table(lines, "tsv", "\t")) or (look := _table(lines, "csv", ",")):
        return look
    if _share(lines, lambda line: line.startswith("__label__")) >= _MOST:
        remedy = "Write text<TAB>label a line: the text, a tab, and the name without __label__."
        return Look("lines of fastText (__label__NAME text)", remedy)
    if _share(lines, lambda line: "_!_" in line) >= _MOST:
        return Look("columns with _!_ between them", "Write text<TAB>label a line: the title, a tab, and the class.")
    if _share(lines, lambda line: "\t" in line) > 1 - _MOST:
        return None
    for separator in ";|":
        numbers = {line.count(separator) for line in lines}
        if len(lines) >= 3 and len(numbers) == 1 and numbers != {0}:
            remedy = "Export it with commas or tabs between the columns and a header: text,label."
            return Look(f"a table with {separator} between its columns: {lines[0][:40]!r}", remedy)
    ends = {line.split()[-1] for line in lines}, {line.split()[0] for line in lines}
    for distinct, where in zip(ends, ("last", "first"), strict=True):
        if len(lines) >= 8 and len(distinct) * 4 <= len(lines) and _share(lines, lambda line: " " in line) >= _MOST:
            shown = ", ".join(sorted(distinct)[:3])
            remedy = "Write text<TAB>label a line: the text, a tab, and its label."
            return Look(f"texts with their labels ({shown}) {where}, behind a space and not a tab", remedy)
    lengths = sorted(len(line) for line in lines)
    plain = _share(lines, lambda line: line[:1] not in "{[<" and "," not in line) >= _MOST
    if lengths[len(lengths) // 2] >= _SENTENCE and plain:
        return Look("lines of text without labels", "Label them first, or name the file that holds the labels.")
    return None


def _table(lines: Sequence[str], name: str, separator: str) -> Look | None:
    """A table without a header, or with unusual heads; without one, between tabs it has three columns and more."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator, strict=True) if row]
    except csv.Error:
        return None
    width, number = Counter(map(len, rows)).most_common(1)[0]
    rows = [row for row in rows if len(row) == width]
    if number < max(2, _MOST * len(lines)) or not 2 <= width <= 9:
        return None
    shown = f"a table of {width} columns"
    head = [cell.strip() for cell in rows[0]]
    places = _text_and_label(rows[1:])
    if places is not None and _is_head(head, rows[1:], *places):
        named = len(set(head)) == width and all(head)
        text, label = (head[place] if named else place + 1 for place in places)
        options: dict[str, Any] = {"format": name, "text_column": text, "label_column": label}
        what = f"{shown} whose heads are none of the usual ones"
    else:
        places = _text_and_label(rows)
        if places is None or (name == "tsv" and (width < 3 or not _numbered(rows))):
            return None  # a text may hold tabs
        text, label = (place + 1 for place in places)
        options = {"format": name, "header": False, "text_column": text, "label_column": label}
        what = f"{shown} without a header"
    return Look(f"{what}: {lines[0][:40]!r}", f"{pass_options(**options)}.", options)


def _numbered(rows: Sequence[Sequence[str]]) -> set[int]:
    """The places of the columns that number the rows."""
    columns = enumerate(zip(*rows, strict=True))
    return {
        place for place, cells in columns if len(set(cells)) == len(cells) and all(c.strip().isdecimal() for c in cells)
    }


def _text_and_label(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """The places of the longest column and of the one that repeats itself most; None where there is no such pair."""
    if not rows:
        return None
    columns, numbered = list(zip(*rows, strict=True)), _numbered(rows)
    rest = [place for place in range(len(columns)) if place not in numbered]
    if len(rest) < 2:
        rest = list(range(len(columns)))
    text = max(rest, key=lambda place: sum(map(len, columns[place])))
    label = min((place for place in rest if place != text), key=lambda place: len(set(columns[place])))
    if 2 * sum(map(len, columns[label])) > sum(map(len, columns[text])) or len(set(columns[label])) > len(rows) / 2 + 1:
        return None
    return text, label


def _is_head(head: Sequence[str], rows: Sequence[Sequence[str]], text: int, label: int) -> bool:
    """Whether a first row names columns: its class is called so, or is no other row's, as its text is no other's."""
    labels = [row[label].strip() for row in rows]
    if begins_with_head([head[label], *labels]):
        return True
    lengths = sorted(len(row[text]) for row in rows)
    short = 2 * len(head[text]) <= lengths[len(lengths) // 2]
    repeated = min(Counter(labels).values()) > 1
    words = not any(cell.isdecimal() for cell in head)
    other = bool(_numbered(rows)) or all(each.isdecimal() for each in labels)  # what numbers below its head
    return head[label] not in labels and short and repeated and words and other


def _share(lines: Sequence[str], test: Any) -> float:
    return sum(map(bool, map(test, lines))) / len(lines)


def _json(path: Path, values: Sequence[Any]) -> Look | None:
    """JSON of a set that no format of the kit reads."""
    if any(form.sniff(path) for form in FORMATS.values()):
        return None  # its own reader says more
    if any(isinstance(each, list) and len(each) == 2 and isinstance(each[1], dict) for each in values):
        return Look('pairs of a text and {"entities": [...]}, as spaCy 2 has them', _AS_JSON)
    objects = [each for each in values if isinstance(each, dict)]
    if not objects:
        return None
    keys = set().union(*objects)
    shown = ", ".join(map(repr, list(objects[0])[:8]))
    first = json.dumps(objects[0], ensure_ascii=False)[:2000]
    if '"qas"' in first or '"question"' in first:
        return Look("a set of questions on texts (SQuAD, CMRC)", "No task of the kit reads it; take another set.")
    if "paragraphs" in keys:
        return Look(f"paragraphs of JSON, as spaCy writes them (keys {shown})", _AS_JSON)
    if len(objects) == 1 and (look := _nested(path, objects[0])):
        return look
    pair = pair_in(keys)
    if pair is not None:
        return Look(f"pairs of texts ({pair[0]}, {pair[1]}), as AFQMC and OCNLI have them", NO_PAIRS)
    if keys & {"conversations", "messages", "instruction"}:
        return Look(f"dialogues for a chat model (keys {shown})", "No task of the kit reads them; take another set.")
    return _keys(objects[0], keys, shown)


def _nested(path: Path, outer: dict[str, Any]) -> Look | None:
    """One object that holds all texts."""
    inner = [value for value in outer.values() if isinstance(value, dict)]
    if len(inner) == len(outer) > 1 and all(each.keys() == inner[0].keys() for each in inner):
        if next(iter(inner[0]), "").isdecimal():
            pandas = f"pandas.read_json({path.name!r}).to_json('data.jsonl', orient='records', lines=True, "
            remedy = f"Write it by rows, from Python: {pandas}force_ascii=False)."
            return Look("a JSON table by columns, as pandas writes it", remedy)
        remedy = "Write the inner objects one a line, or in one list [...]."
        return Look(f"one JSON object that holds an object for each text ({', '.join(list(outer)[:3])}, ...)", remedy)
    for key, value in outer.items():
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value) and key not in _LISTS:
            remedy = f"Write the list under {key!r} as a file of its own, [...]."
            return Look(f"one JSON object whose {key!r} lists the texts", remedy)
    return None


def _keys(entry: dict[str, Any], keys: set[str], shown: str) -> Look | None:
    """Objects with unusual keys, or without labels."""
    for key, value in entry.items():
        if isinstance(value, list) and value and isinstance(value[0], (list, dict)) and key not in _LISTS[:1]:
            return Look(f"JSON objects with lists under {key!r} (keys {shown})", f"{_AS_JSON} {_OR_TAGS}")
    strings = [key for key in entry if isinstance(entry[key], str)]
    others = [key for key in entry if isinstance(entry[key], (str, int)) and key not in _TEXTS]
    text = next((key for key in _TEXTS if key in strings), None)
    if text is not None and keys <= {*_TEXTS, *_NO_LABELS}:
        return Look(f"texts without labels (keys {shown}), as test sets are given out", "Name a file with labels.")
    if strings and others:
        label = "label" if "label" in others else "KEY"
        options = {"format": "json-labels", "text_column": text or "KEY", "label_column": label}
        return Look(f"JSON objects with the keys {shown}", f"{pass_options(**options)}.", options)
    return None
