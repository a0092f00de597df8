import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hanlp_tutor.data import LabelledText, read_labels, write_labels
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import DataError

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\t\u2028\x0c\r 好👍"), min_size=1, max_size=20
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(TEXT, st.sampled_from(["positive", "负 面", "1"])), min_size=1))
def test_round_trip(tmp_path, pairs):
    assume(all(text.strip() and "\n" not in text for text, _ in pairs))
    examples = [LabelledText(text, label) for text, label in pairs]
    path = tmp_path / "round.txt"
    write_labels(path, examples)
    assert read_labels(path) == examples


def test_the_last_tab_separates(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff很\t好\tpositive \r\n\r\n差\tnegative".encode())
    examples = read_labels(path)
    assert examples == [LabelledText("很\t好", "positive"), LabelledText("差", "negative")]
    assert [each.source for each in examples] == [f"{path}:1", f"{path}:3"]


@pytest.mark.parametrize(
    ("line", "message"),
    [("差 negative", "no tab"), ("\tnegative", "text is missing"), ("差\t", "label is missing"), (" \t ", None)],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    path = tmp_path / "a.txt"
    path.write_text(f"好\tpositive\n{line}\n", encoding="utf-8", newline="")
    if message is None:  # white space only is a blank line
        assert len(read_labels(path)) == 1
        return
    with pytest.raises(DataError, match=message) as caught:
        read_labels(path)
    assert (caught.value.path, caught.value.line) == (path, 2)


def test_empty_file_and_other_encoding(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"")
    with pytest.raises(DataError, match="holds no example"):
        read_labels(path)
    path.write_bytes("好\tpositive\n差\tnegative\n".encode("gb18030"))
    with pytest.raises(DataError, match="encoding='gb18030'"):
        read_labels(path)
    assert [each.text for each in read_labels(path, encoding="gb18030")] == ["好", "差"]


@pytest.mark.parametrize("example", [("一\n二", "x"), (" ", "x"), ("好", ""), ("好", "a\tb"), ("好", " x")])
def test_what_one_line_cannot_hold_is_refused(tmp_path, example):
    with pytest.raises(DataError):
        write_labels(tmp_path / "out.txt", [LabelledText(*example)])
    assert not (tmp_path / "out.txt").exists()


def test_columns_that_are_read_as_one_text_are_noted(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"花呗怎么还{n}\t怎么还花呗\t{n % 2}\n" for n in range(12)), encoding="utf-8")
    notes = []
    with notes_to(notes.append):
        examples = read_labels(path)
    assert examples[0].text == "花呗怎么还0\t怎么还花呗"
    assert len(notes) == 1 and "every line holds 3 columns" in notes[0]
    assert "-r header false -r text_column N -r label_column 3" in notes[0]
