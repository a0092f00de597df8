"""JSON of sets that many people have: CLUE's classes, CMeEE, Prodigy, Hugging Face's tokens, W2NER."""

import json

import pytest

from hanlp_tutor.data import Document, Span, detect_format, read_documents, read_examples
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import ConfigError, DataError


@pytest.fixture
def write(tmp_path):
    def make(*objects, as_list=False):
        path = tmp_path / "a.json"
        lines = [json.dumps(each, ensure_ascii=False) for each in objects]
        path.write_text("[" + ",\n".join(lines) + "]" if as_list else "\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make


def test_clue_classes(write):
    path = write(
        {"label": "104", "label_desc": "news_finance", "sentence": "股市上涨", "keywords": ""},
        {"label": "108", "label_desc": "news_edu", "sentence": "学校开学", "keywords": ""},
    )
    notes = []
    with notes_to(notes.append):
        examples = read_examples("classify", path)
    assert [(each.text, each.label) for each in examples] == [("股市上涨", "news_finance"), ("学校开学", "news_edu")]
    assert notes == [f"{path}: text and label are read from 'sentence' and 'label_desc'; left out: label, keywords."]
    with notes_to(notes.append):
        assert read_examples("classify", path, label_column="label")[0].label == "104"
    with notes_to(notes.append):
        iflytek = write({"label": "1", "label_des": "打车", "sentence": "叫车"}, as_list=True)
        assert read_documents(iflytek)[0].label == "打车"


@pytest.mark.parametrize(
    ("entry", "options", "message"),
    [
        ({"sentence": "好", "label": None}, {}, "there is no 'label'"),
        ({"sentence": 3, "label": "a"}, {}, "'sentence' is a number"),
        ({"sentence": "好", "review": "好", "label": "a"}, {}, "2 keys could be the text"),
        ({"x": "好", "label": "a"}, {}, "no keys could be the text; .* -r text_column KEY"),
        ({"sentence": "好", "label": ["a"]}, {}, "'label' is a list"),
        ({"sentence": "好", "label": "a"}, {"text_column": "title"}, "there is no 'title'"),
        ({"sentence1": "好", "sentence2": "好", "label": "a"}, {}, "holds pairs of texts"),
    ],
)
def test_classes_that_cannot_be_read(write, entry, options, message):
    with pytest.raises(DataError, match=message):
        read_documents(write(entry), "json-labels", **options)


TEXT = "王建国去了上海。"
NAMES = (Span(0, 3, "per"), Span(5, 7, "loc"))


def cmeee(*places, covered=True):
    spans = [dict(zip(("start_idx", "end_idx", "type", "entity"), place, strict=False)) for place in places]
    return {"text": TEXT, "entities": spans if covered else [{k: e[k] for k in e if k != "entity"} for e in spans]}


INCLUSIVE = [(0, 2, "per", "王建国"), (5, 6, "loc", "上海")]
EXCLUSIVE = [(0, 3, "per", "王建国"), (5, 7, "loc", "上海")]


@pytest.mark.parametrize("places", [INCLUSIVE, EXCLUSIVE])
def test_the_covered_text_says_how_ends_count(write, places):
    path = write({"text": "空", "entities": []}, cmeee(*places), as_list=True)
    assert detect_format(path).name == "json-spans"
    assert [document.spans for document in read_documents(path)] == [(), NAMES]


def test_ends_that_nothing_proves_are_asked_for(write):
    path = write(cmeee(*INCLUSIVE, covered=False))
    with pytest.raises(DataError, match=r"-r ends inclusive .* -r ends exclusive"):
        read_documents(path)
    assert read_documents(path, ends="inclusive")[0].spans == NAMES
    assert read_documents(path, ends="exclusive")[0].spans == (Span(0, 2, "per"), Span(5, 6, "loc"))
    with pytest.raises(ConfigError, match="inclusive, exclusive"):
        read_documents(path, ends="open")


def test_an_entity_that_is_not_what_it_says_is_refused(write):
    with pytest.raises(DataError, match="json:1"):
        read_documents(write(cmeee(*INCLUSIVE, (3, 4, "org", "上海"))))


def test_prodigy(write):
    spans = [{"start": 0, "end": 3, "label": "per", "token_start": 0}, {"start": 5, "end": 7, "label": "loc"}]
    answers = [{"text": f"{TEXT}{n}", "spans": spans, "answer": "accept" if n else "reject"} for n in range(3)]
    notes = []
    with notes_to(notes.append):
        documents = read_documents(write(*answers))
    assert [document.spans for document in documents] == [NAMES, NAMES]
    assert any("rejected or ignored, left out: 1" in note for note in notes)


def test_tokens_of_hugging_face(write):
    tokens, tags = list(TEXT), ["B-per", "I-per", "I-per", "O", "O", "B-loc", "I-loc", "O"]
    expected = Document(TEXT, NAMES)
    assert read_documents(write({"id": "0", "tokens": tokens, "ner_tags": tags})) == [expected]
    numbers = write({"id": "0", "tokens": tokens, "ner_tags": [1, 2, 2, 0, 0, 3, 4, 0]})
    with pytest.raises(DataError, match="the tags are numbers"):
        read_documents(numbers)
    assert read_documents(numbers, tag_names="O,B-per,I-per,B-loc,I-loc") == [expected]
    with pytest.raises(DataError, match="the tag 3 is none of the 3 tag_names"):
        read_documents(numbers, tag_names="O,B-per,I-per")
    with pytest.raises(DataError, match="8 tokens have 1 tags"):
        read_documents(write({"tokens": tokens, "ner_tags": ["O"]}))
    bmes = write({"tokens": ["王建国", "去", "了"], "tags": ["S-per", "O", "O"]})
    assert read_documents(bmes) == [Document("王建国去了", (Span(0, 3, "per"),))]


def test_w2ner(write):
    entities = [{"index": [0, 1, 2], "type": "per"}, {"index": [5, 6], "type": "loc"}]
    assert read_documents(write({"sentence": list(TEXT), "ner": entities}, as_list=True)) == [Document(TEXT, NAMES)]
    for index in ([0, 2], [7, 8], []):
        with pytest.raises(DataError, match="is no run of tokens"):
            read_documents(write({"sentence": list(TEXT), "ner": [{"index": index, "type": "per"}]}))
