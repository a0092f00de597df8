"""Documents that a pair of formats can hold, for hypothesis: any characters, entities that nest where they may."""

import itertools
import re

from hypothesis import strategies as st

from hanlp_tutor.data import FORMATS, Document, Span
from hanlp_tutor.data.documents import Relation
from hanlp_tutor.data.relations import RelationText

COLUMNS = {"columns", "bio", "iob1", "bmes", "iobes", "label-studio-conll"}
ONE_LINE = COLUMNS | {"tag-lines", "labels", "label-lines", "relation"}
CLASS_ONLY = {name for name, form in FORMATS.items() if form.carries == {"label"}}
FILE_NAME = re.compile(r".*\.[a-z]{2,5}([?#]\S*)?", re.IGNORECASE)  # hypothesis takes such words out of our sources
# Tab, space, lone carriage return, all that `splitlines` and `strip` take for more than text, a byte-order mark, joined
# emoji beyond the Basic Multilingual Plane, a combining accent, quotes and the like that formats use themselves.
HOSTILE = "\t \r\n\u3000\u2028\x0b\x0c\x1c\x85\xa0\ufeff\u200d👨🏽é𠮷\u0301\"',[{\\#O-_0;"
TYPES = ["PER", "LOC.NAM", "有_下", "a-b", "B-X", "O", "👍"]
CLASSES = ["positive", "负 面", "1", '"', "a,b", "O", "👍"]


def able(name: str, text: str) -> bool:
    """Whether a format can hold a text, as the documentation of its writer says."""
    if name in ONE_LINE and (not text or "\n" in text):
        return False
    if name in ("tag-lines", "label-lines", "relation") and text.endswith("\r"):
        return False
    if name in ("labels", "relation") and not text.strip():
        return False
    if FILE_NAME.fullmatch(text.strip()):  # the readers of label tools refuse it: the text itself lies elsewhere
        return False
    return not (name == "relation" and "\t" in text)


@st.composite
def documents(draw, *names: str) -> Document:
    """One document that each of the formats can hold."""
    # A file of NULs is taken for UTF-16 without its mark, and refused.
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from(HOSTILE)
    text = draw(st.text(characters, max_size=12).filter(lambda text: all(able(name, text) for name in names)))
    if "relation" in names:
        return draw(_relations(text))
    carries = frozenset.intersection(*(FORMATS[name].carries for name in names))
    label = None
    if "label" in carries:
        must = not CLASS_ONLY.isdisjoint(names)
        label = draw(st.sampled_from(CLASSES) if must else st.none() | st.sampled_from(CLASSES))
    spans = []
    if "spans" in carries:
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=5)))
        types = st.sampled_from(TYPES)
        spans = [Span(a, b, draw(types)) for a, b in itertools.pairwise(cuts) if draw(st.booleans())]
        if "overlaps" in carries and len(cuts) > 1:
            spans += [Span(cuts[0], cuts[-1], draw(types))] * draw(st.integers(0, 2))
    return Document(text, tuple(spans), label)


@st.composite
def _relations(draw, text: str) -> Document:
    places = (
        st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).map(sorted).filter(lambda p: p[0] < p[1])
    )
    head, tail = (text[slice(*draw(places))] for _ in range(2))
    relation = draw(st.sampled_from(CLASSES))
    return RelationText(text, head if head.strip() else text, tail if tail.strip() else text, relation).document()


@st.composite
def related(draw) -> Document:
    """A document that all label tools can hold, with relations between some of its entities."""
    document = draw(documents("brat", "doccano", "label-studio").filter(lambda each: not each.overlaps()))
    pairs = list(itertools.permutations(document.spans, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4)) if pairs else []
    relations = [Relation(*pair, draw(st.sampled_from(TYPES))) for pair in chosen]
    return Document(document.text, document.spans, document.label, relations=tuple(relations))
