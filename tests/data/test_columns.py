from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hanlp_tutor.data import SCHEMES, Span, TaggedText, read_columns, read_examples, write_columns
from hanlp_tutor.errors import ConfigError, DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
# Tab, space, carriage return and all that `str.split` or `str.splitlines` would break at.
HOSTILE = "\t \r\u3000\u2028\u2029\x0b\x0c\x1c\x85\xa0\ufeff\u200d👨🏽é0号"


@st.composite
def sentences(draw):
    text = draw(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(HOSTILE), min_size=1, max_size=15))
    text = text.replace("\n", "。")
    cuts = sorted(draw(st.sets(st.integers(0, len(text)))))
    labels = [draw(st.sampled_from(["PER", "a-b", "有_下", ""])) for _ in cuts]
    spans = [Span(a, b, label) for a, b, label in zip(cuts, cuts[1:], labels, strict=False) if label]
    return TaggedText.from_spans(text, spans)


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def rows(text: str, *tags: str) -> list[TaggedText]:
    return [TaggedText(text, tags)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(sentences(), min_size=1, max_size=3), st.sampled_from(SCHEMES), st.sampled_from("\t "))
@example([TaggedText("\ufeff张", ("O", "O"))], "BIO", "\t")
@example([TaggedText("\t \r\t", ("O",) * 4)], "BIO", " ")
def test_round_trip_through_every_scheme_and_separator(tmp_path, examples, scheme, separator):
    path = tmp_path / "round.txt"
    write_columns(path, examples, scheme=scheme, separator=separator)
    assert read_columns(path, scheme=scheme) == examples
    read = read_columns(path)  # detected: as good as named
    assert read == examples
    write_columns(path, read)
    assert read_columns(path, scheme="BIO") == examples


@pytest.mark.parametrize(
    "content", ["张\tB-PER\r\n三\tI-PER\r\n\r\n", "\ufeff张 B-PER\n三 I-PER", "张  B-PER \n三\t\tI-PER\n\n\n"]
)
def test_line_ends_mark_and_blanks_do_not_matter(tmp_path, content):
    assert read_columns(write(tmp_path, content)) == rows("张三", "B-PER", "I-PER")


def test_white_space_tokens_are_text(tmp_path):
    path = write(tmp_path, "\u3000 O\n\u2028\tO\n \tO\n\t\tO\n  O\n\x0c O\n👍\tO\n")
    assert read_columns(path)[0].text == "\u3000\u2028 \t \x0c👍"


def test_a_token_of_several_characters_passes_its_tag_on(tmp_path):
    path = write(tmp_path, "iPhone\tS-ORG\nX\tO\nNew York\tS-LOC\n14\tO\n")
    assert read_columns(path)[0].text == "iPhoneXNew York14"
    assert read_columns(path)[0].spans == (Span(0, 6, "ORG"), Span(7, 15, "LOC"))


def test_sources_name_the_first_line_of_each_sentence(tmp_path):
    path = write(tmp_path, "-DOCSTART- -X- O\n\n张 O\n三 O\n\n\n李 O\n")
    assert [sentence.source for sentence in read_columns(path)] == [f"{path}:3", f"{path}:7"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("张\tO\n三\n", 2, "token or tag is missing"),
        ("张\tO\n\tO\n", 2, "token is missing"),
        ("张\tO\n\n三\tX-PER\n", 3, "'X-PER' is no tag"),
        ("张 B-PER\nYork NNP O\n", 2, "more than two columns"),
        ("York\tNNP\tO\n", 1, "more than two columns"),
        ("张\tB-PER\n三\tM-PER\n四\tI-PER\n", 3, "stand in one file"),
        ("张\tB-PER\r\n\u3000\r\n", 2, "token or tag is missing"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, content, line, message):
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_columns(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert caught.value.remedy


def test_a_tag_outside_the_named_scheme_is_named_with_its_line(tmp_path):
    with pytest.raises(DataError, match=r"train.txt:2: the tag 'E-PER' does not belong to the scheme BIO"):
        read_columns(write(tmp_path, "张 B-PER\n三 E-PER\n"), scheme="BIO")


def test_files_that_hold_nothing_or_are_not_there(tmp_path):
    for content in ("", "\n \n", "\ufeff"):
        with pytest.raises(DataError, match="holds no sentence"):
            read_columns(write(tmp_path, content))
    with pytest.raises(DataError, match="there is no such file"):
        read_columns(tmp_path / "absent.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_columns(tmp_path)


def test_gb18030_names_the_encoding_to_pass(tmp_path):
    path = write(tmp_path, "张\tB-PER\n三\tI-PER\n".encode("gb18030"))
    with pytest.raises(DataError, match=r"train.txt:1: is not utf-8. Pass --encoding gb18030 \(in Python: encoding='g"):
        read_columns(path)
    assert read_columns(path, encoding="gb18030") == rows("张三", "B-PER", "I-PER")


def test_other_encodings(tmp_path):
    with pytest.raises(DataError, match="encoding='utf-16'"):
        read_columns(write(tmp_path, "张\tO\n".encode("utf-16")))
    with pytest.raises(DataError, match="encoding='utf-8'"):
        read_columns(write(tmp_path, "张\tO\n"), encoding="ascii")
    with pytest.raises(ConfigError, match="no encoding 'utf-88'"):
        read_columns(write(tmp_path, "张\tO\n"), encoding="utf-88")


def test_segmentation_digits_are_stripped_on_request_and_noticed_without(tmp_path):
    path = write(tmp_path, "科0\tO\n技1\tO\n10\tO\n210\tO\n\n��0\tB-PER\n")
    with pytest.raises(DataError, match=r"train.txt:1: .*'科0'.*strip_segmentation_digits"):
        read_columns(path)
    stripped = read_columns(path, strip_segmentation_digits=True)
    assert [sentence.text for sentence in stripped] == ["科技12", "��"]
    assert stripped[1].tags == ("B-PER", "I-PER")


def test_text_with_digits_is_no_segmentation(tmp_path):
    path = write(tmp_path, "A0\tO\n座\tO\n")
    assert read_columns(path)[0].text == "A0座"
    with pytest.raises(DataError, match=r"train.txt:2: the token '座'"):
        read_columns(path, strip_segmentation_digits=True)


@pytest.mark.parametrize("text", ["", "一\n二"])
def test_what_a_column_file_cannot_hold_is_refused(tmp_path, text):
    with pytest.raises(DataError, match="line feed"):
        write_columns(tmp_path / "out.txt", [TaggedText(text, ("O",) * len(text))])
    assert not (tmp_path / "out.txt").exists()
    with pytest.raises(DataError, match="white space"):
        write_columns(tmp_path / "out.txt", [TaggedText("张", ("B-a b",))])
    with pytest.raises(DataError, match=r"out.txt:1: .*surrogate"):
        write_columns(tmp_path / "out.txt", [TaggedText("\ud800", ("O",))])
    with pytest.raises(ConfigError, match="separated by a tab or a space"):
        write_columns(tmp_path / "out.txt", [], separator=",")


def test_read_examples_dispatches_and_names_a_misspelt_option(tmp_path):
    path = write(tmp_path, "张\tO\n")
    assert read_examples("ner", path, scheme="BIO") == rows("张", "O")
    assert read_examples("classify", path)[0].label == "O"
    with pytest.raises(ConfigError, match="did you mean 'scheme'"):
        read_examples("ner", path, schema="BIO")
    with pytest.raises(ConfigError, match="no task 'nerd'"):
        read_examples("nerd", path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not part of the project")
class TestRealFiles:
    def test_weibo(self):
        path = SHARED / "weibo" / "train.conll"
        with pytest.raises(DataError, match="strip_segmentation_digits=True"):
            read_columns(path)
        examples = read_columns(path, strip_segmentation_digits=True)
        assert len(examples) == 1350
        assert examples[0].text.startswith("科技全方位资讯智能，快捷的汽车生活")
        assert len({span.label for sentence in examples for span in sentence.spans}) == 8

    @pytest.mark.parametrize(("name", "count"), [("train", 1673), ("dev", 175), ("test", 215)])
    def test_cmedqaner(self, tmp_path, name, count):
        examples = read_columns(SHARED / "cmedqaner" / f"{name}.txt")
        assert len(examples) == count
        assert len({span.label for sentence in examples for span in sentence.spans}) == 11
        if name == "train":
            assert any("\u3000" in sentence.text for sentence in examples)
        for scheme in SCHEMES:
            write_columns(tmp_path / "copy.txt", examples, scheme=scheme, separator=" ")
            assert read_columns(tmp_path / "copy.txt") == examples


def test_a_token_with_a_space_does_not_move_the_tag_column(tmp_path):
    """In four columns between spaces ``Last Name _ O I-PER`` has five, and the fourth is no tag of its."""
    path = tmp_path / "a.txt"
    path.write_text("张三 _ O B-PER\nLast Name _ O I-PER\n来 _ O O\n\n李 _ O O\n", encoding="utf-8")
    for options in ({"token_column": 1, "tag_column": 4}, {"token_column": 1}):
        with pytest.raises(DataError, match="5 columns in 'Last Name _ O I-PER', where the other lines") as caught:
            read_columns(path, **options)
        assert caught.value.line == 2
    path.write_text("New York\t_\tB-LOC\n在\t_\tO\n", encoding="utf-8")  # between tabs a space is text
    assert [span.label for span in read_columns(path, token_column=1)[0].spans] == ["LOC"]


def test_sentences_of_different_widths_as_in_conll_2012(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("a 0 张 B-PER x\na 1 来 O x\n\na 0 李 B-PER x x\na 1 去 O x x\n", encoding="utf-8")
    assert [each.text for each in read_columns(path, token_column=3, tag_column=4)] == ["张来", "李去"]


@pytest.mark.parametrize(
    ("tag", "remedy"), [("U-PER", "write S- for U-"), ("L-PER", "E- for L-"), ("0", "the capital letter O"),
                        ("o", "the capital letter O"), ("PER", "A tag is O")],
)  # fmt: skip
def test_tags_of_other_schemes_are_told_what_to_write(tmp_path, tag, remedy):
    path = tmp_path / "a.txt"
    path.write_text(f"张\tB-PER\n三\t{tag}\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"'{tag}' is no tag") as caught:
        read_columns(path)
    assert remedy in caught.value.remedy
