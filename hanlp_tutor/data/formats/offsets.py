"""How the offsets of a file count: proved where it can be, and refused where it cannot.

A text decides for itself where its entities say what they cover (that must be so), or where all but one way of
counting put one outside the text or into the middle of a character. Texts that do not are decided by the others of the
file and by the borders of their entities (:mod:`hanlp_tutor.data.formats.borders`), for a file was counted by one tool.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

from hanlp_tutor.data.documents import EMPTY_ENTITY, NOT_EMPTY
from hanlp_tutor.data.formats.borders import faults
from hanlp_tutor.data.formats.counting import (
    AS_IS,
    GRAPHEMES,
    Counting,
    countings_of_unit,
    has_clusters,
    rare_countings,
    told,
    usual_countings,
)
from hanlp_tutor.data.formats.drafts import OTHER, Draft, Reading, agreement, read_as
from hanlp_tutor.data.reader_options import on_command_line, pass_option
from hanlp_tutor.errors import DataError

_ENOUGH = 2  # entities or borders by which one way of counting must be ahead of another: one may be a slip of a person


def settle(drafts: Sequence[Draft], offsets: str | None) -> list[Reading | DataError]:
    """The entities of each draft in code points, or why they cannot be known.

    Args:
        drafts: all texts of a file, or of a folder.
        offsets: how they count, as :func:`~hanlp_tutor.data.formats.counting.told` takes it; None finds out.

    Raises:
        ConfigError: there is no such counting.
    """
    allowed = None if offsets is None else told(offsets)
    options = [_own_evidence(draft, allowed) for draft in drafts]
    settled: list[Reading | DataError | None] = [
        found if isinstance(found, DataError) else next(iter(found.values())) if _agree(found.values()) else None
        for found in options
    ]
    for draft, found, reading in zip(drafts, options, settled, strict=True):
        if isinstance(reading, Reading) and AS_IS not in found and offsets is None:
            draft.tally.add(f"texts whose offsets count {_in_words(found)}, converted to code points", draft.line)
    unclear = [number for number, reading in enumerate(settled) if reading is None]
    if unclear:
        _by_the_others(unclear, drafts, options, settled)
    return settled


def _own_evidence(draft: Draft, allowed: list[Counting] | None) -> dict[Counting, Reading] | DataError:
    """The readings of a draft that nothing in it speaks against, the more usual counting first.

    ``allowed`` are the only ones to try; None tries all.
    """
    if allowed is None:
        countings = usual_countings(draft.text)
        if has_clusters(draft.text):
            countings.append(GRAPHEMES)
    else:
        countings = allowed if len(allowed) == 1 else countings_of_unit(draft.text, allowed[0].unit)
    usual = _fitting(draft, countings)
    if not usual and any(claim.covered is not None for claim in draft.claims):
        rare = rare_countings(draft.text, draft.mark)
        usual = _fitting(draft, [counting for counting in rare if allowed is None or counting in allowed])
    if not usual:
        return _misfit(draft, AS_IS if allowed is None else allowed[0])
    best = max(reading.exact for reading in usual.values())
    best = {counting: reading for counting, reading in usual.items() if reading.exact == best}
    if AS_IS in best and all(claim.covered is not None for claim in draft.claims):
        return {AS_IS: best[AS_IS]}  # that it covers what it says elsewhere too, as in 哈哈哈, takes nothing from it
    return best


def _fitting(draft: Draft, countings: Sequence[Counting]) -> dict[Counting, Reading]:
    readings = ((counting, read_as(draft, counting)) for counting in countings)
    return {counting: reading for counting, reading in readings if reading is not None}


def _agree(readings: Iterable[Reading]) -> bool:
    """Whether all readings are the same entities."""
    return len({reading.spans for reading in readings}) == 1


def _by_the_others(
    unclear: list[int],
    drafts: Sequence[Draft],
    options: Sequence[dict[Counting, Reading] | DataError],
    settled: list[Reading | DataError | None],
) -> None:
    """Settle the drafts that can be read in several ways, by what speaks for a counting in the whole file."""
    units, line_ends, marks = (
        dict.fromkeys(getattr(counting, part) for number in unclear for counting in options[number])
        for part in ("unit", "line_end", "mark")
    )
    countings = [Counting(*parts) for parts in product(units, line_ends, marks)]
    refuted = {
        counting
        for draft, found in zip(drafts, options, strict=True)
        if isinstance(found, dict) and draft.claims
        for counting in countings
        if counting not in found and read_as(draft, counting) not in found.values()
    }
    left = [counting for counting in countings if counting not in refuted]
    names = Counter(
        name
        for draft, reading in zip(drafts, settled, strict=True)
        if isinstance(reading, Reading)
        for name in _names(draft, reading)
    )
    evidence = {counting: _evidence([drafts[n] for n in unclear], counting, names) for counting in left}
    for_it = {counting: seen - slips for counting, (seen, slips) in evidence.items()}
    best = max(left, key=for_it.__getitem__, default=None)
    # Where people have slipped under the best counting too, a lead must be longer than what they have slipped.
    contenders = [each for each in left if for_it[best] - for_it[each] < _ENOUGH + evidence[best][1]]
    for number in unclear:
        draft, found = drafts[number], options[number]
        readings = [read_as(draft, counting) for counting in contenders]
        if not readings or not _agree(readings):
            settled[number] = _undecided(draft, found)
            continue
        settled[number] = readings[0]
        chosen = next(counting for counting, reading in found.items() if reading.spans == readings[0].spans)
        other = next(counting for counting, reading in found.items() if reading.spans != readings[0].spans)
        if chosen == AS_IS and other == GRAPHEMES:
            continue
        otherwise = on_command_line("offsets", _name(other, found))
        draft.tally.add(
            f"texts whose offsets could count {other.in_words()}, read as counting {chosen.in_words()}, as the other "
            f"texts of the file and the borders of its entities show; {otherwise} reads them in the other way",
            draft.line,
        )


def _evidence(drafts: Sequence[Draft], counting: Counting, names: Counter[tuple[str, str]]) -> tuple[int, int]:
    """How many entities other texts have too, and how many borders are slips; ``names`` are of settled texts."""
    readings = [(draft, read_as(draft, counting)) for draft in drafts]
    found = [_names(draft, reading) for draft, reading in readings]
    in_texts = Counter(name for each in found for name in set(each))
    seen = sum(len(name[0]) > 1 and names[name] + in_texts[name] > 1 for each in found for name in each)
    # doccano counts what is seen as one character only where a project asks for it: that must be the more obvious.
    seen -= _ENOUGH * (counting.unit == GRAPHEMES.unit)
    return seen, sum(faults(draft.text, span) for draft, reading in readings for span in reading.spans)


def _names(draft: Draft, reading: Reading) -> list[tuple[str, str]]:
    """What the entities are called, and their types."""
    return [(draft.text[span.start : span.end], span.label) for span in reading.spans]


def _in_words(found: dict[Counting, Reading]) -> str:
    return next(iter(found)).in_words()


def _name(counting: Counting, found: Iterable[Counting]) -> str:
    """The value of the option ``offsets`` that says so: the unit alone, where no other of that unit is among them."""
    return counting.name() if sum(each.unit == counting.unit for each in found) > 1 else counting.unit


def _undecided(draft: Draft, found: dict[Counting, Reading]) -> DataError:
    """The readings of a draft, shown at the entity in which most of them differ."""
    readings = {reading.spans: counting for counting, reading in reversed(found.items())}
    entities = list(zip(*reversed(readings), strict=True))
    shown = max(entities, key=lambda spans: len(set(spans)))
    ways = [
        f"{span.label} {draft.text[span.start : span.end][:20]!r} if they count {counting.in_words()}"
        for span, counting in zip(shown, reversed(readings.values()), strict=True)
    ]
    message = f"{draft.name}how its offsets count cannot be told: an entity is {', or '.join(ways)}."
    names = [_name(counting, found) for counting in reversed(readings.values())]
    others = " or ".join(map(repr, names[:-1]))
    remedy = f"{pass_option('offsets', names[-1])}, or {others}: whichever gives the right entity."
    return DataError(message, path=draft.path, line=draft.line, remedy=remedy)


def _misfit(draft: Draft, counting: Counting) -> DataError:
    """What is wrong with the first claim that does not fit."""
    places = counting.places(draft.text)
    for claim in draft.claims:
        start, end = places.get(claim.start), places.get(claim.end)
        place = f"{claim.label} {claim.start}-{claim.end}"
        if claim.start == claim.end:
            message = EMPTY_ENTITY.format(place)
            return DataError(draft.name + message, path=draft.path, line=claim.line, remedy=NOT_EMPTY)
        if start is None or end is None or start >= end:
            message = f"the entity {place} does not fit into a text of {len(draft.text)} characters."
            break
        covered = draft.text[start:end]
        if claim.covered is not None and agreement(covered, claim.covered, draft.plain_blanks) == OTHER:
            message = f"the entity {place} covers {covered[:30]!r}, not {claim.covered[:30]!r}."
            break
    else:
        message = "a part of an entity lies outside the text."
        claim = draft.claims[0]
    if counting != AS_IS:
        remedy = f"So it is where offsets count {counting.in_words()}; leave out {on_command_line('offsets', 'NAME')}."
    else:
        end = "the end is the last character" if draft.inclusive else "the end is excluded"
        remedy = f"Offsets count Unicode code points from 0, and {end}."
        if any(character > "\uffff" for character in draft.text):
            remedy += " The text holds characters such as emoji, which a tool that counts UTF-16 units counts twice."
    return DataError(draft.name + message, path=draft.path, line=claim.line, remedy=remedy)
