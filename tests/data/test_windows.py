"""What of a long text is read."""

from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.data.windows import around, window_of, windows


@given(st.integers(0, 3000), st.integers(8, 510))
def test_windows_cover_a_text_and_every_token_is_read_once(length, size):
    spans = windows(length, size)
    assert spans[0][0] == 0 and spans[-1][1] == length and all(end - start <= size for start, end in spans)
    for token in range(length):
        start, end = spans[window_of(token, len(spans), size)]
        assert start <= token < end


@given(st.data(), st.integers(1, 800), st.integers(8, 100))
def test_the_kept_part_holds_the_places_where_it_can(data, length, size):
    places = data.draw(st.lists(st.integers(0, length - 1), min_size=4, max_size=4))
    parts = around(places, length, size)
    kept = [i for start, end in parts for i in range(start, end)]
    assert len(kept) == min(length, size) == len(set(kept)) and kept == sorted(kept)
    assert {min(places), max(places)} <= set(kept)
    if max(places) - min(places) < size:
        assert len(parts) == 1 and set(places) <= set(kept)


def test_as_much_on_both_sides():
    assert around([50, 51], 100, 12) == [(45, 57)]
    assert around([0, 3], 100, 10) == [(0, 10)]
    assert around([99], 100, 10) == [(90, 100)]
