import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from hanlp_tutor.data import SCHEMES, from_bio, spans_from_bio, to_bio
from hanlp_tutor.errors import ConfigError, DataError

LABELS = ("PER", "LOC", "PER.NAM", "a-b", "O")


def sequences(letters: str) -> st.SearchStrategy[list[str]]:
    tags = ["O", *(f"{letter}-{label}" for letter in letters for label in LABELS)]
    return st.lists(st.sampled_from(tags), max_size=12)


def seqeval_spans(tags: list[str]) -> list[tuple[int, int, str]]:
    return [(start, last + 1, label) for label, start, last in get_entities(tags)]


def spans(tags) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in spans_from_bio(tags)]


@given(sequences("BI"))
def test_spans_are_those_of_seqeval_however_malformed_the_tags(tags):
    assert spans(tags) == seqeval_spans(tags)


@given(sequences("BIES"))
def test_malformed_iobes_reads_as_in_seqeval(tags):
    assert spans(to_bio(tags, "IOBES")) == seqeval_spans(tags)


@given(sequences("BIES"))
def test_malformed_bmes_reads_as_in_seqeval(tags):
    bmes = ["M" + tag[1:] if tag[0] == "I" else tag for tag in tags]
    assert spans(to_bio(bmes, "BMES")) == seqeval_spans(tags)
    assert to_bio(tags, "BMES") == to_bio(bmes, "BMES")  # M and I are the same inside


@given(sequences("BI"), st.sampled_from([*SCHEMES, "BIOES", "bmes"]))
def test_round_trip_keeps_the_spans_and_well_formed_tags(tags, scheme):
    well_formed = to_bio(tags, "BIO")
    written = from_bio(well_formed, scheme)
    assert to_bio(written, scheme) == well_formed
    if scheme in ("IOBES", "BIOES"):
        assert seqeval_spans(list(written)) == spans(tags)


def test_each_scheme_spells_entities_of_one_two_and_four():
    tags = ["B-X", "O", "B-X", "I-X", "B-Y", "I-Y", "I-Y", "I-Y"]
    assert from_bio(tags, "BMES") == ("S-X", "O", "B-X", "E-X", "B-Y", "M-Y", "M-Y", "E-Y")
    assert from_bio(tags, "IOBES") == ("S-X", "O", "B-X", "E-X", "B-Y", "I-Y", "I-Y", "E-Y")


def test_underscore_separates_like_a_hyphen():
    assert to_bio(["B_disease", "I_disease", "O"], "BIO") == ("B-disease", "I-disease", "O")


@pytest.mark.parametrize("tag", ["", "B", "B-", "X-PER", "PER-B", "b-PER", "o", "B PER"])
def test_a_tag_of_no_scheme_is_an_error(tag):
    with pytest.raises(DataError, match="is no tag"):
        to_bio([tag], "BIO")


def test_a_letter_of_another_scheme_is_an_error():
    with pytest.raises(DataError, match="'S-PER' does not belong to the scheme BIO"):
        to_bio(["S-PER"], "BIO")


def test_a_misspelt_scheme_names_the_right_one():
    with pytest.raises(ConfigError, match="did you mean BMES"):
        from_bio([], "BMSE")
