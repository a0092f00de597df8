"""How entities are written as one tag per token: BIO, IOB1, BMES and IOBES, and the spans behind them.

========  =====================================================================
``BIO``    B begins an entity, I goes on (Ramshaw and Marcus 1995, IOB2 variant)
``IOB1``   I begins and goes on; B begins only right behind an entity of the same type
``BMES``   Begin, Middle, End, Single: usual for Chinese
``IOBES``  the same with I for M; also called BIOES
========  =====================================================================

All reading is lenient in the way of conlleval, seqeval's default mode and HanLP: a tag that continues nothing (I-X
after O, after an end, or after another type) begins an entity, and an entity without its end is an entity all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import refuse
from hanlp_tutor.errors import ConfigError, DataError, nearest

SCHEMES = ("BIO", "IOB1", "BMES", "IOBES")

# first, middle, last, only
_LETTERS = {"BIO": "BIIB", "IOB1": "IIII", "BMES": "BMES", "IOBES": "BIES"}
_OTHER_LETTERS = ("U-", "L-", "U_", "L_", "W-", "W_")  # of BILOU, spaCy's scheme, and of BMEWO
_READABLE = {"BIO": "BI", "IOB1": "BI", "BMES": "BMIES", "IOBES": "BIES"}


@dataclass(frozen=True, order=True)
class Span:
    """An entity: code points ``start`` to ``end`` (half-open) of a text, and its type."""

    start: int
    end: int
    label: str


def scheme_name(name: str) -> str:
    """``BIO``, ``IOB1``, ``BMES`` or ``IOBES`` from any spelling of them.

    Raises:
        ConfigError: there is no such scheme.
    """
    upper = name.upper()
    if upper in ("BIOES", "IOBES"):
        return "IOBES"
    if upper not in SCHEMES:
        guess = nearest(upper, [*SCHEMES, "BIOES"])
        hint = f"did you mean {guess}?" if guess else f"choose from {', '.join(SCHEMES)}."
        raise ConfigError(f"there is no tagging scheme {name!r}; {hint}")
    return upper


def parse_tag(tag: str) -> tuple[str, str]:
    """``(letter, label)`` of a tag, ``("O", "")`` outside; ``B_disease`` means ``B-disease``.

    Raises:
        DataError: it has the form of no scheme.
    """
    if tag == "O":
        return "O", ""
    if len(tag) > 2 and tag[0] in "BIMES" and tag[1] in "-_":
        return tag[0], tag[2:]
    remedy = "A tag is O, or one of B, I, M, E, S with a hyphen and a type: B-PER."
    if tag[:2] in _OTHER_LETTERS:
        remedy = "BILOU is IOBES by other letters: write S- for U- and for W-, E- for L-."
    elif tag in ("0", "o", "〇", "Ｏ", "ｏ", "OO"):
        remedy = "Outside of entities write the capital letter O."
    raise DataError(f"{tag!r} is no tag.", remedy=remedy)


def to_bio(tags: Iterable[str], scheme: str) -> tuple[str, ...]:
    """Rewrite one sentence's tags from ``scheme`` into well-formed BIO; as many tags come out as went in.

    Raises:
        DataError: a tag of no scheme, or a letter that ``scheme`` does not have.
        ConfigError: there is no such scheme.
    """
    scheme = scheme_name(scheme)
    result = []
    open_label = None  # of the entity that the next tag may continue
    for tag in tags:
        letter, label = parse_tag(tag)
        if letter == "O":
            open_label = None
            result.append("O")
            continue
        if letter not in _READABLE[scheme]:
            raise DataError(f"the tag {tag!r} does not belong to the scheme {scheme}.")
        begins = letter in "BS" or label != open_label
        result.append(("B-" if begins else "I-") + label)
        open_label = None if letter in "ES" else label
    return tuple(result)


def spans_from_bio(tags: Sequence[str]) -> list[Span]:
    """The entities of one sentence's BIO tags, in order; offsets count tags."""
    spans = []
    start = 0
    label = None
    for position, tag in enumerate(to_bio(tags, "BIO")):
        if tag.startswith("I-"):
            continue
        if label is not None:
            spans.append(Span(start, position, label))
        start, label = position, (tag[2:] if tag != "O" else None)
    if label is not None:
        spans.append(Span(start, len(tags), label))
    return spans


def from_bio(tags: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Rewrite one sentence's BIO tags in ``scheme``; the reverse of :func:`to_bio`."""
    name = scheme_name(scheme)
    first, middle, last, only = _LETTERS[name]
    before = None
    result = ["O"] * len(tags)
    for span in spans_from_bio(tags):
        length = span.end - span.start
        letters = only if length == 1 else first + middle * (length - 2) + last
        if name == "IOB1" and before is not None and (before.end, before.label) == (span.start, span.label):
            letters = "B" + letters[1:]
        before = span
        result[span.start : span.end] = [f"{letter}-{span.label}" for letter in letters]
    return tuple(result)


def detect_scheme(letters: Iterable[str]) -> str:
    """The scheme of a file, from the set of all letters in it.

    Only B and I (or no entity at all) is BIO, which reads IOB1 too: an I that continues nothing begins an entity. B, E
    and S without I or M reads the same as BMES and as IOBES.

    Raises:
        DataError: M and I together, which is two schemes in one file.
    """
    found = set(letters)
    if {"M", "I"} <= found:
        raise DataError(
            "tags of BMES (M-) and of BIO or IOBES (I-) stand in one file.",
            remedy=f"Mend the file, or read M and I alike. {pass_option('scheme', 'BMES')}.",
        )
    if "M" in found:
        return "BMES"
    return "IOBES" if found & {"E", "S"} else "BIO"


class MixedSchemes(DataError):
    """Tags of two schemes in one file, the second from ``tag`` on; who collects gets M and I read alike."""

    tag = ""


def scheme_of_file(path: object, tags: Iterable[tuple[int, str]]) -> str:
    """The scheme of a file, from all its tags with their lines.

    Raises:
        MixedSchemes: as :func:`detect_scheme`, in the line where the second scheme comes in.
    """
    first: dict[str, tuple[int, str]] = {}  # of each letter
    for line, tag in tags:
        first.setdefault(tag[0], (line, tag))
    try:
        return detect_scheme(first)
    except DataError as error:
        line, tag = max(first["M"], first["I"])
        mixed = MixedSchemes(error.message, path=path, line=line, remedy=error.remedy)
        mixed.tag = tag
        refuse(mixed)
        return "BMES"


def scheme_of(native: Sequence[str]) -> str:
    """The scheme of a set of tags.

    Raises:
        DataError: something in it is no tag, or it mixes schemes.
    """
    return detect_scheme(parse_tag(tag)[0] for tag in native)


def missing(native: Sequence[str]) -> list[str]:
    """The tags that the scheme has for the types in ``native`` and that are not there: a small corpus lacks some."""
    kinds = sorted({parse_tag(tag)[1] for tag in native} - {""})
    there = {parse_tag(tag) for tag in native}
    return [tag for kind in kinds for tag in tags_of(kind, scheme_of(native)) if parse_tag(tag) not in there]


def tags_of(kind: str, scheme: str) -> list[str]:
    """All tags of one entity type, as ``B-PER, M-PER, E-PER, S-PER``."""
    long, short = (from_bio([f"B-{kind}", *[f"I-{kind}"] * rest], scheme) for rest in (2, 0))
    return list(dict.fromkeys([*long, *short]))


def each_alone(native: Sequence[str]) -> list[str]:
    """Which BIO tag each tag counts to by itself: B and S to B, the others to I."""
    tags = [parse_tag(tag) for tag in native]
    return ["O" if letter == "O" else ("B-" if letter in "BS" else "I-") + kind for letter, kind in tags]


def class_table(native: Sequence[str], kinds: Sequence[str]) -> list[list[list[int]]]:
    """Which of the tags ``native`` a token gets; for one that is missing another of its type stands in.

    Returns:
        The tag's number by the token's kind (0: outside, then those of ``kinds``), whether it begins an entity (0, 1),
        and whether the entity goes on behind it (0, 1).
    """
    place = {parse_tag(tag): i for i, tag in enumerate(native)}
    stand_in = {kind: i for (_, kind), i in place.items()}
    outside = place[parse_tag("O")]
    table = [[[outside, outside], [outside, outside]] for _ in range(len(kinds) + 1)]
    for kind, cells in zip(kinds, table[1:], strict=True):
        for length in (1, 3):
            for j, tag in enumerate(from_bio([f"B-{kind}", *[f"I-{kind}"] * (length - 1)], scheme_of(native))):
                cells[int(j == 0)][int(j < length - 1)] = place.get(parse_tag(tag), stand_in[kind])
    return table
