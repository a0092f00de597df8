"""Exports of Label Studio: which text results are about, whose they are, and texts that lie elsewhere."""

import json

import pytest
from read_back import entities
from remedies import chosen, options_in

from hanlp_tutor.data import read_documents, read_examples
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import DataError

TITLE, BODY = "李小红去北京", "王建国去了上海。"


@pytest.fixture
def write(tmp_path):
    def write(*tasks, name="a.json"):
        path = tmp_path / name
        path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
        return path

    return write


def read(path, name="label-studio", **options):
    notes = []
    with notes_to(notes.append):
        return read_documents(path, name, **options), notes


def region(start, end, text=None, *, label="PER", to_name="text", from_name="label"):
    value = {"start": start, "end": end, "labels": [label], **({} if text is None else {"text": text})}
    return {"type": "labels", "to_name": to_name, "from_name": from_name, "value": value}


def classes(*names, to_name="text", from_name="class"):
    return {"type": "choices", "to_name": to_name, "from_name": from_name, "value": {"choices": list(names)}}


def task(data, *results, **more):
    return {"id": 7, "data": data, "annotations": [{"completed_by": 1, "result": list(results), **more}]}


# --- which text -----------------------------------------------------------------------------------


def test_results_are_about_the_text_that_they_name(write):
    """Offsets of a title put onto the body are other entities: to_name says which."""
    data = {"text": BODY, "title": TITLE}
    (document,), _ = read(write(task(data, region(0, 3, to_name="title"))))
    assert (document.text, entities(document)) == (TITLE, [("李小红", "PER")])
    both = write(task(data, region(0, 3, to_name="title"), region(0, 3), region(5, 7, label="LOC")))
    with pytest.raises(DataError, match=r"task 7: its results are about several texts: 'title', 'text'") as caught:
        read(both)
    assert options_in(str(caught.value)) == {"text_key": "title"}
    (document,), notes = read(both, text_key="title")
    assert (document.text, entities(document)) == (TITLE, [("李小红", "PER")])
    assert any("results about another text ('text') ignored: 2" in note for note in notes)
    (document,), _ = read(both, text_key="text")
    assert (document.text, entities(document)) == (BODY, [("王建国", "PER"), ("上海", "LOC")])


def test_object_tags_that_are_called_otherwise_than_their_keys(write):
    data = {"title": TITLE, "body": BODY}
    path = write(task(data, region(0, 3, "李小红", to_name="t1"), region(5, 7, "上海", label="LOC", to_name="t2")))
    with pytest.raises(DataError, match="about several texts: 't1', 't2'") as caught:
        read(path)
    assert options_in(str(caught.value)) == {"to_name": "t1"}
    with pytest.raises(DataError, match="its data hold several strings; there are: 'title', 'body'") as caught:
        read(path, to_name="t2")
    (document,), notes = read(path, to_name="t2", **options_in(str(caught.value)))
    assert (document.text, entities(document)) == (BODY, [("上海", "LOC")])
    assert any("results of other texts than 't2' ignored: 1" in note for note in notes)


def test_of_several_strings_that_which_the_entities_cover_is_named(write):
    path = write(task({"title": "x", "body": BODY}, region(0, 3, "王建国", to_name="t")))
    with pytest.raises(DataError, match="several strings") as caught:
        read(path)
    assert options_in(str(caught.value)) == {"text_key": "body"}
    assert entities(read(path, text_key="body")[0][0]) == [("王建国", "PER")]
    with pytest.raises(DataError, match="no string 'bodi'; there are: 'title', 'body'") as caught:
        read(path, text_key="bodi")
    assert options_in(str(caught.value)) == {"text_key": "body"}


def test_entities_that_are_in_another_string_than_text(write):
    path = write(task({"text": BODY, "title": TITLE}, region(0, 3, "李小红", to_name="t")))
    with pytest.raises(DataError, match="its entities are places in 'title', not in 'text'") as caught:
        read(path)
    assert entities(read(path, **options_in(str(caught.value)))[0][0]) == [("李小红", "PER")]


def test_a_task_without_results_has_the_text_of_the_others(write):
    data = {"title": "x", "body": BODY}
    (first, second), _ = read(write(task(data, region(0, 3, to_name="body")), task(data)))
    assert (first.text, second.text) == (BODY, BODY)


def test_json_min_with_entities_of_another_text(write):
    regions = [{"start": 0, "end": 3, "text": "李小红", "labels": ["PER"]}]
    path = write({"text": BODY, "title": TITLE, "label": regions, "annotation_id": 1})
    with pytest.raises(DataError, match="its entities are places in 'title', not in 'text'") as caught:
        read(path)
    (document,), _ = read(path, **options_in(str(caught.value)), from_name="label")
    assert (document.text, entities(document), document.label) == (TITLE, [("李小红", "PER")], None)


def test_json_min_with_another_string_of_the_data(write):
    """It would become the class of each text."""
    regions = [{"start": 0, "end": 3, "labels": ["PER"]}]
    path = write(*({"text": BODY, "title": f"第{number}条", "label": regions} for number in range(6)))
    documents, notes = read(path)
    (only,) = [note for note in notes if "each text has a class of its own, such as '第0条'" in note]
    documents, notes = read(path, **chosen(only, from_name="label"))
    assert {document.label for document in documents} == {None}
    path = write(*({"text": BODY, "label": regions, "class": "好" if number % 2 else "坏"} for number in range(6)))
    assert not any("of its own" in note for note in read(path)[1])


# --- whose, and how often -------------------------------------------------------------------------


def test_the_remedy_for_people_who_disagree_works(write):
    entry = task({"text": BODY}, region(0, 3))
    entry["annotations"].append({"completed_by": 2, "result": [region(0, 2)]})
    path = write(entry)
    with pytest.raises(DataError, match=r"2 annotations \(1, 2\) disagree") as caught:
        read(path)
    (document,), _ = read(path, **options_in(str(caught.value)))
    assert entities(document) == [("王建国", "PER")]


def test_people_who_are_not_named(write):
    entry = {"id": 7, "data": {"text": BODY}, "completions": [{"result": [region(0, 3)]}, {"result": [region(0, 2)]}]}
    path = write(entry)
    with pytest.raises(DataError, match=r"2 annotations \(None, None\) disagree") as caught:
        read(path)
    assert entities(read(path, **options_in(str(caught.value)))[0][0]) == [("王建国", "PER")]


def test_the_same_region_twice_is_one(write):
    (document,), notes = read(write(task({"text": BODY}, region(0, 3), region(0, 3), region(5, 7, label="LOC"))))
    assert entities(document) == [("王建国", "PER"), ("上海", "LOC")]
    assert [note for note in notes if "annotations that stand twice, read once: 1" in note] == notes
    with notes_to(lambda note: None):
        assert len(read_examples("ner", write(task({"text": BODY}, region(0, 3), region(0, 3))))[0].spans) == 1
    (document,), notes = read(write(task({"text": BODY}, classes("好"), classes("好"))))
    assert document.label == "好" and "classes that stand twice" in notes[0]


@pytest.mark.parametrize("short", [False, True])
def test_several_classes_are_refused_and_can_be_joined(write, short):
    entry = {"text": BODY, "annotation_id": 1, "class": {"choices": ["好", "快"]}}
    path = write(entry if short else task({"text": BODY}, classes("好", "快")))
    with pytest.raises(DataError, match=r"there are 2 choices.*: 好, 快") as caught:
        read(path)
    message = str(caught.value)
    (document,), _ = read(path, joint=True)
    assert document.label == "好#快"
    given = chosen(message, from_name="class") if not short else options_in(message)
    assert given.pop("joint") is True and given in ({}, {"from_name": "class"})


def test_empty_annotations_among_others_are_noted_and_can_be_left_out(write):
    path = write(task({"text": BODY}, region(0, 3)), task({"text": "好"}), task({"text": "坏"}))
    documents, notes = read(path)
    assert len(documents) == 3
    (only,) = [note for note in notes if "2 of 3 texts have no annotation" in note]
    documents, _ = read(path, **options_in(only))
    assert [document.text for document in documents] == [BODY]
    draft = {"id": 8, "data": {"text": "好"}, "annotations": [], "drafts": [{"result": [region(0, 1)]}]}
    _, notes = read(write(task({"text": BODY}, region(0, 3)), draft))
    assert any("a draft is not submitted yet" in note and "left out: 1" in note for note in notes)


# --- texts that lie elsewhere ---------------------------------------------------------------------

PLACES = [
    "/data/upload/3/9f0a-合同正文.txt",
    "/data/local-files/?d=文件夹/a b.txt",
    "http://localhost:8080/data/upload/1/a.html",
    "s3://bucket/texts/1.txt",
    "https://example.cn/texts/1.txt",
    "合同正文.txt",
    "C:\\texts\\合同.docx",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("short", [False, True])
def test_a_text_that_is_the_name_of_a_file_is_refused(write, place, short):
    regions = [{"start": 1, "end": 3, "labels": ["PER"]}]
    entry = {"text": place, "label": regions, "annotation_id": 1} if short else task({"text": place}, region(1, 3))
    for path in (write(entry, entry), write(entry)):
        with pytest.raises(DataError, match=r"a\.json:1: .*the text is the name of a file") as caught:
            read(path)
        assert caught.value.remedy


@pytest.mark.parametrize("place", PLACES[:5])
def test_so_is_one_of_doccano(tmp_path, place):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": place, "label": [[1, 3, "PER"]]}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl:1: the text is the name of a file"):
        read(path, "doccano")


def test_an_upload_is_refused_in_tables_and_of_classes_too(write, tmp_path):
    with pytest.raises(DataError, match="the text is the name of a file"):
        read(write(task({"text": PLACES[0]}, classes("好"))))
    path = tmp_path / "a.csv"
    path.write_text(f"text,label\n{PLACES[0]},好\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv:2: the text is the name of a file"):
        read(path, "csv")


def test_texts_that_only_mention_files_are_texts(write):
    link = "https://example.cn/a.txt"
    path = write(
        task({"text": link}, region(0, len(link), label="URL")),  # all of it
        task({"text": f"说明见{link}"}, region(3, 3 + len(link), link, label="URL")),  # covered, as it says
        task({"text": "请看 readme.txt"}, region(0, 2, label="X")),
        task({"text": "王建国把合同.docx发给我。"}, region(0, 3)),
        task({"text": BODY}, region(0, 3)),
        task({"text": "https://example.cn/"}, classes("垃圾")),
    )
    assert len(read(path)[0]) == 6
