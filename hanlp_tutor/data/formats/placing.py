"""From what a reader has found in a file to documents: offsets, and what a whole file says about a single text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hanlp_tutor.data.documents import Document, Relation
from hanlp_tutor.data.formats.drafts import BUT_FOR_BLANKS, Claim, Draft, Reading, agreement
from hanlp_tutor.data.formats.elsewhere import refuse_names
from hanlp_tutor.data.formats.offsets import settle
from hanlp_tutor.data.notes import note
from hanlp_tutor.data.reader_options import pass_option
from hanlp_tutor.data.refusals import read_each
from hanlp_tutor.data.schemes import Span
from hanlp_tutor.errors import ConfigError, DataError

_UNLABELLED = ("keep", "drop")


def documents_of(drafts: Iterable[Draft], *, offsets: str | None = None, unlabelled: str = "keep") -> list[Document]:
    """The documents of a file, or of a folder of files.

    Texts without an annotation among annotated ones are noted with their number, and texts that are empty; an
    annotation that stands twice in a text is read once, and noted.

    Args:
        drafts: what the reader has found, in order.
        offsets: how they count (:mod:`hanlp_tutor.data.formats.counting`); None finds out.
        unlabelled: ``keep`` texts without any annotation, or ``drop`` them.

    Raises:
        DataError: an entity outside its text, or not covering what it says; offsets that can be read in two ways; a
            text that is the name of a file.
        ConfigError: no such counting; another word than ``keep`` and ``drop``.
    """
    check_unlabelled(unlabelled)
    drafts = list(drafts)
    readings = settle(drafts, offsets)
    names = refuse_names(drafts, [isinstance(reading, Reading) for reading in readings])
    documents = []
    for draft, reading, name in zip(drafts, readings, names, strict=True):
        found = (draft, name or reading)
        documents += read_each(draft.path, lambda _, pair: _document(*pair), [(draft.line, found)])
    for tally in dict.fromkeys(draft.tally for draft in drafts):
        tally.report()
    return _without_unlabelled(drafts, documents, unlabelled)


def check_unlabelled(choice: str) -> str:
    """What is to become of texts without an annotation.

    Raises:
        ConfigError: another word than ``keep`` and ``drop``.
    """
    if choice not in _UNLABELLED:
        raise ConfigError(f"unlabelled is one of {', '.join(_UNLABELLED)}, not {choice!r}.")
    return choice


def _document(draft: Draft, reading: Reading | DataError) -> Document:
    if isinstance(reading, DataError):
        raise reading
    spans: dict[Span, None] = {}
    ignored = set()
    for number, (claim, span, gaps) in enumerate(zip(draft.claims, reading.spans, reading.gaps, strict=True)):
        if any(not _is_line_end(draft.text[start:end]) for start, end in gaps):
            draft.tally.add("discontinuous entities ignored", claim.line)
            ignored.add(number)
            continue
        if _blanks_differ(draft, claim, span):
            draft.tally.add("covered texts that differ from the text in white space only", claim.line)
        if span in spans:
            draft.tally.add("annotations that stand twice, read once", claim.line)
            continue
        spans[span] = None
    if not draft.text.strip():
        draft.tally.add("texts that are empty or blank", draft.line)
    relations = dict.fromkeys(_relations(draft, reading, ignored))
    return Document(draft.text, tuple(spans), draft.label, draft.source, tuple(relations), draft.group)


def _relations(draft: Draft, reading: Reading, ignored: set[int]) -> Iterator[Relation]:
    """The links of a draft between spans; each of them counts that has two."""
    for link in draft.links:
        head, tail = reading.spans[link.head], reading.spans[link.tail]
        if {link.head, link.tail} & ignored:
            draft.tally.add("relations of discontinuous entities ignored", link.line)
        elif (head.start, head.end) == (tail.start, tail.end):
            draft.tally.add("relations of an entity with itself ignored", link.line)
        else:
            yield Relation(head, tail, link.label)


def _is_line_end(gap: str) -> bool:
    return "\n" in gap and not gap.strip()


def _blanks_differ(draft: Draft, claim: Claim, span: Span) -> bool:
    if claim.covered is None:
        return False
    return agreement(draft.text[span.start : span.end], claim.covered, draft.plain_blanks) == BUT_FOR_BLANKS


def _without_unlabelled(drafts: Sequence[Draft], documents: list[Document], unlabelled: str) -> list[Document]:
    """Note texts without an annotation among annotated ones, or leave them out as asked."""
    bare = [document for document in documents if not document.spans and document.label is None]
    if unlabelled == "drop" and documents and len(bare) == len(documents):
        raise DataError("no text is annotated.", path=drafts[0].path, remedy="Annotate, and export again.")
    if not bare or len(bare) == len(documents):
        return documents
    pending = sum(draft.pending for draft in drafts)
    said = f" ({pending} of them not approved yet, as the export says)" if pending else ""
    where = f"{bare[0].source}: {len(bare)} of {len(documents)} texts have no annotation{said}, the first here"
    if unlabelled == "drop":
        note(f"{where}; they are left out as asked.")
        return [document for document in documents if document.spans or document.label is not None]
    remedy = pass_option("unlabelled", "drop")
    note(f"{where}: they are read as texts that hold nothing. {remedy} where nobody has annotated them yet.")
    return documents
