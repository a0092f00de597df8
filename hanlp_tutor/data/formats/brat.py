"""BRAT's standoff: ``name.txt`` is the text, ``name.ann`` the entities: ``T1<TAB>PER 0 2<TAB>张三``.

A file pair, or a folder of them, one document a pair. Offsets count code points of the whole text, its line ends too.
The covered texts prove where they do not: a browser counts CR LF as one character, BRAT a byte-order mark as one.
Relations, ``R1<TAB>works-for Arg1:T1 Arg2:T2``, are read where they are asked for. Else they are counted and ignored,
as are events (E), equivalences (*), attributes (A, M), normalisations (N), comments (#) and discontinuous entities,
except those that BRAT has cut at a line end only.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hanlp_tutor.data.documents import Document
from hanlp_tutor.data.formats.drafts import ONE_ID, Claim, Draft, Link
from hanlp_tutor.data.formats.format import OVERLAPS, RELATIONS, SPANS, Format
from hanlp_tutor.data.formats.placing import documents_of
from hanlp_tutor.data.lines import begins_with_mark, filled_lines, read_text, write_beside, write_text
from hanlp_tutor.data.notes import Tally
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.errors import DataError
from hanlp_tutor.files import new_folder

_IGNORED = {
    "R": "relations ignored",
    "E": "events ignored",
    "*": "equivalences ignored",
    "A": "attributes ignored",
    "M": "attributes ignored",
    "N": "normalisations ignored",
    "#": "comments ignored",
}
_TYPE = re.compile(r"(\S+) (.+)")
_ARGUMENTS = re.compile(r"(\S+) (\S+?):(\S+) (\S+?):(\S+)\s*")
_REMEDY = "Write T1<TAB>type start end<TAB>covered text."


def read_brat(
    path: str | Path,
    *,
    encoding: str | None = None,
    offsets: str | None = None,
    unlabelled: str = "keep",
    relations: bool = False,
) -> list[Document]:
    """Read a folder of pairs in the order of their names, or one pair by either of its files.

    Args:
        path: the folder or a file.
        encoding: of the files; None detects it.
        offsets: what they count, such as ``codepoints+lf`` (:mod:`hanlp_tutor.data.formats.counting`); None finds out.
        unlabelled: ``keep`` texts without any entity, or ``drop`` them.
        relations: read them, too, from the first argument to the second.

    Raises:
        DataError: a text without its ``.ann`` or the reverse, a line of another form, an entity that does not cover
            what it says, a relation of what is no entity.
    """
    path = Path(path)
    if path.is_dir():
        pairs = [(text, text.with_suffix(".ann")) for text in sorted(path.glob("*.txt"))]
        alone = sorted(set(path.glob("*.ann")) - {annotation for _, annotation in pairs})
        if alone:
            raise DataError("has no .txt of the same name.", path=alone[0], remedy="Put the text beside it.")
        if not pairs:
            raise DataError("holds no .txt and .ann files.", path=path, remedy="Name BRAT's collection folder.")
    else:
        if path.suffix not in (".txt", ".ann"):
            raise DataError("is no .txt, no .ann and no folder.", path=path, remedy="Name one of BRAT's files.")
        pairs = [(path.with_suffix(".txt"), path.with_suffix(".ann"))]
    for text, annotation in pairs:
        if text.exists() and not annotation.exists():
            remedy = f"Put {annotation.name} beside it; an empty one says that there is no entity."
            raise DataError("has no .ann of the same name.", path=text, remedy=remedy)
    drafts = [_pair(text, annotation, encoding, relations) for text, annotation in pairs]
    return documents_of(drafts, offsets=offsets, unlabelled=unlabelled)


def _pair(text_path: Path, annotation: Path, encoding: str | None, relations: bool) -> Draft:
    text = read_text(text_path, encoding)
    tally = Tally(annotation)
    lines = list(filled_lines(annotation, encoding))
    arrows = [(number, line) for number, line in lines if relations and line[0] == "R"]
    others = [(number, line) for number, line in lines if not (relations and line[0] == "R")]
    found = read_each(annotation, partial(_claim, tally), others)
    claims = tuple(claim for claim in found if claim is not None)
    numbers = {claim.line: number for number, claim in enumerate(claims)}
    names = {line.partition("\t")[0]: numbers.get(number) for number, line in others}
    several = {name for name, count in Counter(line.partition("\t")[0] for _, line in others).items() if count > 1}
    links = read_each(annotation, partial(_link, tally, names, several), arrows)
    mark, source = begins_with_mark(text_path), f"{text_path}:1"
    found_links = tuple(link for link in links if link is not None)
    return Draft(text, claims, None, source, annotation, 1, tally, mark=mark, plain_blanks=True, links=found_links)


def _link(tally: Tally, names: dict[str, int | None], several: set[str], number: int, line: str) -> Link | None:
    """The relation of a line; ``names`` are those of all other lines, with the number of an entity's claim.

    ``several`` are names that more than one line has.
    """
    match = _ARGUMENTS.fullmatch(line.partition("\t")[2])
    if match is None:
        raise DataError(f"{line[:40]!r} is no relation.", remedy="Write R1<TAB>type Arg1:T1 Arg2:T2.")
    label, role, head, other, tail = match.groups()
    if (role, other) == ("Arg2", "Arg1"):
        head, tail = tail, head
    for name in (head, tail):
        if name not in names:
            raise DataError(f"{line[:40]!r} names {name}, which the file lacks.", remedy="Mend it, or remove the line.")
        if name in several:
            raise DataError(f"{line[:40]!r} names {name}, which several lines of the file are.", remedy=ONE_ID)
        if names[name] is None:
            tally.add("relations of events ignored", number)
            return None
    return Link(names[head], names[tail], label, number)


def _claim(tally: Tally, number: int, line: str) -> Claim | None:
    """The entity of a line, None when it is something else."""
    if line[0] in _IGNORED:
        tally.add(_IGNORED[line[0]], number)
        return None
    if line[0] != "T":
        raise DataError(f"{line[:40]!r} is no annotation.", remedy=_REMEDY)
    cells = line.split("\t", 2)
    match = _TYPE.fullmatch(cells[1]) if len(cells) == 3 else None
    fragments = [part.split(" ") for part in match[2].split(";")] if match else []
    if not fragments or any(len(part) != 2 or not all(map(_is_offset, part)) for part in fragments):
        raise DataError(f"{line[:40]!r} is no entity.", remedy=_REMEDY)
    places = [(int(start), int(end)) for start, end in fragments]
    gaps = tuple((end, start) for (_, end), (start, _) in itertools.pairwise(places))
    # BRAT joins the parts of an entity by a space, whatever stood between them.
    covered = cells[2] if len(places) == 1 else None
    return Claim(places[0][0], places[-1][1], match[1], covered, number, gaps)


def _is_offset(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def write_brat(path: str | Path, documents: Iterable[Document]) -> None:
    """Write a pair a document into a new folder (``00001.txt``, ``00001.ann``), or one pair at ``name.txt``.

    Raises:
        DataError: a type with white space; several documents for one pair; a folder that holds something already.
    """
    path = Path(path)
    documents = list(documents)
    for document in documents:
        for name in [each.label for each in (*document.spans, *document.relations)]:
            if re.search(r"\s", name):
                raise DataError(
                    f"the type {name!r} holds white space, which BRAT cannot.",
                    path=document.source or None,
                    remedy="Rename it.",
                )
    if path.suffix in (".txt", ".ann"):
        if len(documents) != 1:
            raise DataError(f"cannot hold {len(documents)} documents.", path=path, remedy="Name a folder.")
        text, annotation = _pair_contents(documents[0])
        contents = {".txt": text, ".ann": annotation}
        other = ".ann" if path.suffix == ".txt" else ".txt"
        write_beside(path.with_suffix(other), contents[other])
        write_text(path, contents[path.suffix])
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DataError("is there already.", path=path, remedy="Name a new folder for BRAT's files.")
    try:
        with new_folder(path) as folder:
            width = max(5, len(str(len(documents))))  # so that the names are in the order of the texts
            for number, document in enumerate(documents, 1):
                text, annotation = _pair_contents(document)
                write_text(folder / f"{number:0{width}d}.txt", text)
                write_text(folder / f"{number:0{width}d}.ann", annotation)
    except DataError as error:  # of a file in a scratch folder, which nobody has heard of
        raise DataError(error.message, path=path, remedy=error.remedy) from None
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}.", path=path, remedy="Name another place.") from None


def _pair_contents(document: Document) -> tuple[str, str]:
    """The text and its annotations."""
    lines = []
    for number, span in enumerate(document.spans, 1):
        covered = re.sub(r"\s", " ", document.text[span.start : span.end])
        lines.append(f"T{number}\t{span.label} {span.start} {span.end}\t{covered}\n")
    names = {span: f"T{number}" for number, span in enumerate(document.spans, 1)}
    for number, each in enumerate(document.relations, 1):
        lines.append(f"R{number}\t{each.label} Arg1:{names[each.head]} Arg2:{names[each.tail]}\n")
    return document.text, "".join(lines)


def _sniff(path: Path) -> bool:
    if path.is_dir():
        return any(path.glob("*.ann"))
    return path.suffix in (".txt", ".ann") and path.with_suffix(".ann").is_file()


FORMAT = Format("brat", (".ann", ".txt", ""), frozenset({SPANS, OVERLAPS, RELATIONS}), read_brat, write_brat, _sniff)
