"""From each format to each other that can hold the data, and back: the same texts, entities and labels."""

import itertools

import pytest
from format_documents import CLASS_ONLY, documents, related
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanlp_tutor.data import FORMATS, convert, read_documents, write_documents

CAREFUL = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def _holds_the_same(one: str, other: str) -> bool:
    """Whether what one can hold, the other can, for some documents."""
    need = {
        name: {"label"} if name in CLASS_ONLY else {"spans", "label"} if name == "relation" else {"spans"}
        for name in (one, other)
    }
    if "relation" in (one, other) and {one, other} & CLASS_ONLY:
        return False
    shared = FORMATS[one].carries & FORMATS[other].carries
    return all(need[name] <= shared for name in (one, other))


PAIRS = [pair for pair in itertools.permutations(FORMATS, 2) if _holds_the_same(*pair)]


@pytest.fixture
def number():
    """Numbers for files: one folder serves all examples of a test."""
    return itertools.count()


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_there_and_back(tmp_path, number, one, other):
    @settings(CAREFUL, max_examples=6)
    @given(st.lists(documents(one, other), min_size=1, max_size=3))
    def check(examples):
        folder = tmp_path / str(next(number))
        folder.mkdir()
        first, there, back = (folder / name for name in ("first.x", "there.y", "back.z"))
        write_documents(first, examples, one)
        convert(first, there, from_=one, to=other, overlaps="keep")
        assert read_documents(there, other) == examples
        convert(there, back, from_=other, to=one, overlaps="keep")
        assert read_documents(back, one) == examples

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_reads_what_it_writes(tmp_path, number, name):
    @settings(CAREFUL, max_examples=60)
    @given(st.lists(documents(name), min_size=1, max_size=3))
    def check(examples):
        path = tmp_path / f"{next(number)}.x"
        write_documents(path, examples, name)
        assert read_documents(path, name) == examples

    check()


def test_the_pairs_are_many():
    assert len(PAIRS) > 120


@pytest.mark.parametrize(("one", "other"), itertools.permutations(("brat", "doccano", "label-studio"), 2))
def test_relations_there_and_back(tmp_path, number, one, other):
    @settings(CAREFUL, max_examples=20)
    @given(st.lists(related(), min_size=1, max_size=3))
    def check(examples):
        folder = tmp_path / str(next(number))
        folder.mkdir()
        first, there, back = (folder / name for name in ("first", "there", "back"))
        write_documents(first, examples, one)
        assert convert(first, there, from_=one, to=other).relations == sum(len(each.relations) for each in examples)
        assert read_documents(there, other, relations=True) == examples
        convert(there, back, from_=other, to=one)
        assert read_documents(back, one, relations=True) == examples

    check()
