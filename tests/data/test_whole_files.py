"""What a file as a whole says: objects one after another, markers of documents, repeats, texts nobody has annotated."""

import json
import re

import pytest
from read_back import entities, read
from remedies import chosen, options_in

from hanlp_tutor.data import read_columns, read_documents, read_examples
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.data.refusals import refusals_to
from hanlp_tutor.data.words import read_words
from hanlp_tutor.errors import ConfigError, DataError

# --- objects one after another --------------------------------------------------------------------

CLUE = [
    {"text": "周文海说", "label": {"name": {"周文海": [[0, 2]]}}},
    {"text": "在东湖剧院", "label": {"scene": {"东湖剧院": [[1, 4]]}}},
    {"text": "好", "label": {}},
]
DOCCANO = [
    {"text": "周文海说", "label": [[0, 3, "PER"]]},
    {"text": "好的", "label": [[0, 2, "X"]]},
    {"text": "好", "label": []},
]
MIN = [
    {"text": "周文海说", "label": [{"start": 0, "end": 3, "labels": ["PER"]}], "annotation_id": 1},
    {"text": "好", "annotation_id": 2},
]
FULL = [{"id": n, "data": {"text": "周文海"}, "annotations": [{"result": []}]} for n in range(3)]
FILES = {"clue": CLUE, "doccano": DOCCANO, "label-studio-min": MIN, "label-studio": FULL}
LAYOUTS = {
    "one under another": lambda entries: "\n".join(json.dumps(e, ensure_ascii=False, indent=2) for e in entries),
    "closed up": lambda entries: "".join(json.dumps(e, ensure_ascii=False, indent=4) for e in entries),
    "with blank lines and CR LF": lambda entries: "\r\n\r\n".join(
        json.dumps(e, ensure_ascii=False, indent=1).replace("\n", "\r\n") for e in entries
    ),
    "lines and paragraphs": lambda entries: "\n".join(
        json.dumps(e, ensure_ascii=False, indent=n % 2 * 2 or None) for n, e in enumerate(entries)
    ),
    "in one line": lambda entries: " ".join(json.dumps(e, ensure_ascii=False) for e in entries) + "\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_objects_in_any_layout_are_read_as_json_lines_are(write, name, layout):
    plain, _ = read(write("\n".join(json.dumps(e) for e in FILES[name]), "plain.json"), name)
    path = write(LAYOUTS[layout](FILES[name]))
    documents, _ = read(path, name)
    assert documents == plain
    lines = path.read_bytes().decode().split("\n")
    for document in documents:
        assert "{" in lines[int(document.source.rpartition(":")[2]) - 1]


@pytest.mark.parametrize("name", FILES)
def test_joined_exports_are_read(write, name):
    """Lists one after another, and objects behind the byte-order mark of a second file."""
    entries = FILES[name]
    plain, _ = read(write("\n".join(json.dumps(e) for e in entries), "plain.json"), name)
    lists = "\n".join(json.dumps(part, ensure_ascii=False, indent=1) for part in (entries[:1], [], entries[1:]))
    documents, _ = read(write(lists), name)
    assert documents == plain
    assert int(documents[-1].source.rpartition(":")[2]) > lists[: lists.rindex("]\n[")].count("\n")
    marked = "".join("\ufeff" + json.dumps(e, ensure_ascii=False) + "\n" for e in entries)
    assert read(write(marked), name)[0] == plain
    with pytest.raises(DataError, match=rf"a\.x:{lists.count(chr(10)) + 1}: more follows behind the end of the list"):
        read(write(lists + "}"), name)


def test_errors_in_such_a_file_name_their_own_line(write):
    text = json.dumps(CLUE[0], ensure_ascii=False, indent=2) + "\n"
    lines = text.count("\n")
    wrong = {"text": "在东湖", "label": {"scene": {"东湖剧院": [[1, 4]]}}}
    with pytest.raises(DataError, match=rf"a\.x:{lines + 1}: the entity scene 1-5 does not fit"):
        read(write(text + json.dumps(wrong, ensure_ascii=False, indent=2)), "clue")
    with pytest.raises(DataError, match=rf"a\.x:{lines + 3}: is no JSON: Expecting ',' delimiter"):
        read(write(text + '{\n  "text": "好"\n  "label": {}\n}\n'), "clue")
    with pytest.raises(DataError, match=rf"a\.x:{lines}: more follows behind the object: ','.*Put \[ before"):
        read(write(text.rstrip("\n") + ",\n" + text), "clue")
    with pytest.raises(DataError, match=r"a\.x:2: is no JSON"):  # JSON Lines with a broken line
        read(write('{"text": "好", "label": {}}\n{"text": "坏", "label": {\n{"text": "好", "label": {}}\n'), "clue")


def test_who_collects_faults_reads_the_objects_behind(write):
    good = json.dumps(CLUE[0], ensure_ascii=False, indent=2) + "\n"
    broken = '{\n  "text": "好"\n  "label": {}\n}\n'
    refused = []
    with refusals_to(refused.append), notes_to(lambda note: None):
        documents = read_documents(write(good + broken + good), "clue")
    start = good.count("\n") + 1
    assert [document.source.rpartition(":")[2] for document in documents] == ["1", str(start + broken.count("\n"))]
    assert [error.line for error in refused] == [start + 2]


# --- markers of documents -------------------------------------------------------------------------

COLUMNS_OF_A_MARKER = ["", " O", "\tO", " -X- O O", " -X- -X- O", "\t-X-\tO"]
MARKERS = [*(f"-DOCSTART-{columns}" for columns in COLUMNS_OF_A_MARKER), " -DOCSTART- O", "0 -DOCSTART- O"]


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("space", ["", "\n"])
def test_a_marker_ends_a_sentence_and_is_no_token(write, marker, space):
    sentence = "张 B-PER\n三 I-PER\n"
    path = write(f"{marker}\n{space}{sentence}{space}{marker}\n{space}李 B-PER\n到 O\n{marker}\n")
    for examples in (read_columns(path), read_documents(path, "bio"), read_documents(path)):
        assert [example.text for example in examples] == ["张三", "李到"]
        assert [len(example.spans) for example in examples] == [1, 1]
    lines = path.read_text(encoding="utf-8").split("\n")
    assert [lines[int(example.source.rpartition(":")[2]) - 1][0] for example in read_columns(path)] == ["张", "李"]


def test_so_it_is_in_files_of_words_and_in_parallel_files(write):
    path = write("-DOCSTART-\t-X-\tO\n张三\tB-PER\n到\tO\n-DOCSTART-\tO\n北京\tB-LOC\n大学\tI-LOC\n")
    assert [example.words for example in read_words("ner", path)] == [("张三", "到"), ("北京", "大学")]
    assert [example.words for example in read_words("tok", path)] == [("张三", "到"), ("北京", "大学")]
    path = write("-DOCSTART-\n张三 到\n-DOCSTART-\n北京 大学\n")
    assert [example.words for example in read_words("tok", path)] == [("张三", "到"), ("北京", "大学")]
    write("-DOCSTART-\n张三\n", "a.txt")
    assert [each.text for each in read_documents(write("O\nB-PER I-PER\n", "a.tags"), "tag-lines")] == ["张三"]


def test_label_studios_conll_without_blank_lines(write):
    content = "-DOCSTART- -X- O\n张 -X- _ B-PER\n三 -X- _ I-PER\n-DOCSTART- -X- O\n李 -X- _ B-PER\n"
    documents, _ = read(write(content, "a.conll"), "label-studio-conll")
    assert [entities(document) for document in documents] == [[("张三", "PER")], [("李", "PER")]]


# --- the same annotation twice --------------------------------------------------------------------

TWICE = {
    "doccano": {"a.x": '{"text": "张三到北京", "label": [[0, 2, "PER"], [0, 2, "PER"], [3, 5, "LOC"]]}'},
    "clue": {"a.x": '{"text": "张三到北京", "label": {"PER": {"张三": [[0, 1], [0, 1]]}, "LOC": {"北京": [[3, 4]]}}}'},
    "brat": {"a.ann": "T1\tPER 0 2\t张三\nT2\tLOC 3 5\t北京\nT3\tPER 0 2\t张三\n", "a.txt": "张三到北京"},
    "label-studio-min": {
        "a.x": '[{"text": "张三到北京", "label": [{"start": 0, "end": 2, "labels": ["PER"]}, '
        '{"start": 0, "end": 2, "labels": ["PER"]}, {"start": 3, "end": 5, "labels": ["LOC"]}]}]'
    },
}


@pytest.mark.parametrize("name", TWICE)
def test_the_same_annotation_twice_is_read_once_with_a_note(write, name):
    paths = [write(content, file) for file, content in TWICE[name].items()]
    (document,), notes = read(paths[0], name)
    assert entities(document) == [("张三", "PER"), ("北京", "LOC")]
    assert len(notes) == 1 and "annotations that stand twice, read once: 1" in notes[0]
    with notes_to(lambda note: None):
        assert len(read_examples("ner", paths[0], format=name)) == 1


# --- texts nobody has annotated -------------------------------------------------------------------

HALF = [{"text": "张三", "label": [[0, 2, "PER"]]}, {"text": "好", "label": []}, {"text": "坏", "label": []}]


def test_unlabelled_texts_among_others_are_noted_with_their_number(write):
    path = write("\n".join(map(json.dumps, HALF)))
    documents, notes = read(path, "doccano")
    assert len(documents) == 3
    assert len(notes) == 1 and notes[0].startswith(f"{path}:2: 2 of 3 texts have no annotation")
    documents, notes = read(path, "doccano", **options_in(notes[0]))
    assert [document.text for document in documents] == ["张三"]
    assert "left out as asked" in notes[0]
    none, notes = read(write("\n".join(map(json.dumps, HALF[1:]))), "doccano")  # nothing to tell them from
    assert (len(none), notes) == (2, [])
    with pytest.raises(DataError, match="no text is annotated"):
        read(path, "doccano", unlabelled="drop")
    with pytest.raises(ConfigError, match="unlabelled is one of keep, drop"):
        read(path, "doccano", unlabelled="skip")


def test_an_export_that_says_what_is_not_approved_yet(write):
    entries = [{**entry, "annotation_approver": "admin" if entry["label"] else None} for entry in HALF]
    _, notes = read(write("\n".join(map(json.dumps, entries))), "doccano")
    assert "2 of 3 texts have no annotation (2 of them not approved yet" in notes[0]


def test_lines_without_the_key_of_labels_can_be_left_out(write):
    path = write('{"text": "张三", "label": [[0, 2, "PER"]]}\n{"text": "好"}\n')
    with pytest.raises(DataError, match=r"a\.x:2: there is none of 'label'") as caught:
        read(path, "doccano")
    documents, _ = read(path, "doccano", **options_in(str(caught.value)))
    assert [document.text for document in documents] == ["张三"]


def test_other_formats_note_them_too(write, tmp_path):
    _, notes = read(
        write('{"text": "张三", "label": {"PER": {"张三": [[0, 1]]}}}\n{"text": "好", "label": {}}\n'), "clue"
    )
    assert "1 of 2 texts have no annotation" in notes[0]
    folder = tmp_path / "brat"
    folder.mkdir()
    for name, text, line in (("a", "张三", "T1\tPER 0 2\t张三\n"), ("b", "好", "")):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        (folder / f"{name}.ann").write_text(line, encoding="utf-8")
    _, notes = read(folder, "brat")
    assert "1 of 2 texts have no annotation" in notes[0] and "b.txt:1" in notes[0]


def test_rows_without_a_class_can_be_left_out(write):
    path = write("text,label\n好,正\n坏,\n")
    with pytest.raises(DataError, match=r"a\.x:3: the label is missing") as caught:
        read(path, "csv")
    documents, notes = read(path, "csv", **options_in(str(caught.value)))
    assert [document.text for document in documents] == ["好"] and "1 of 2 rows have no class" in notes[0]
    with pytest.raises(ConfigError, match="unlabelled is one of"):
        read(path, "csv", unlabelled="skip")


# --- classes in tables ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        "id,text,label,Comments\n0,很差,负面#物流,\n1,好,正面,\n",  # doccano's own head says so
        "text,label\n很差,负面#物流\n好,负面\n慢,物流\n",
        "text,label\n很差,负面|物流\n好,负面\n慢,物流\n",
        'text,label\n很差,"负面,物流"\n好,负面\n慢,物流\n',
        "text\tlabel\n很差\t负面、物流\n好\t负面\n慢\t物流\n",
    ],
)
def test_several_classes_in_a_cell_are_refused_as_in_jsonl(write, rows):
    name = "tsv" if "\t" in rows else "csv"
    path = write(rows)
    with pytest.raises(DataError, match=r"a\.x:2: the text has 2 classes: 负面, 物流\.") as caught:
        read(path, name)
    documents, _ = read(path, name, **options_in(str(caught.value)))
    assert re.fullmatch("负面.物流", documents[0].label)
    jsonl = write('{"text": "很差", "label": ["负面", "物流"]}\n')
    with pytest.raises(DataError, match=r"a\.x:1: the text has 2 classes: 负面, 物流\.") as same:
        read(jsonl, "doccano")
    assert same.value.remedy == caught.value.remedy
    assert read(jsonl, "doccano", joint=True)[0][0].label == "负面#物流"


def test_names_with_such_signs_are_names(write):
    labels = ["C#", "C++", "A/B", "R&D", "F#", "C", "好, 坏"]
    rows = "".join(f'{number},"{label}"\n' for number, label in enumerate(labels))
    documents, notes = read(write("text,label\n" + rows), "csv")
    assert ([document.label for document in documents], notes) == (labels, [])


@pytest.mark.parametrize("separator", [",", "\t"])
def test_cells_are_taken_as_they_stand(write, separator):
    cells = ["nan", "NA", "NULL", "1.0", "1", "１", "None", "true", "1e3"]
    rows = "".join(f"{cell}{separator}{cell}\n" for cell in cells)
    documents, _ = read(write(f"text{separator}label\n{rows}"), "csv" if separator == "," else "tsv")
    assert [(document.text, document.label) for document in documents] == [(cell, cell) for cell in cells]


def test_empty_texts_are_noted_with_their_line(write):
    documents, notes = read(write('text,label\n好,正\n"",负\n" ",正\n'), "csv")
    assert len(documents) == 3 and "a.x:3: texts that are empty or blank: 2" in notes[0]
    _, notes = read(write('{"text": "好", "label": ["正"]}\n{"text": " ", "label": ["负"]}\n'), "doccano")
    assert "a.x:2: texts that are empty or blank: 1" in notes[0]


# --- what messages tell people to pass ------------------------------------------------------------


def _refused(path, name, **options):
    with pytest.raises((DataError, ConfigError)) as caught:
        read(path, name, **options)
    return str(caught.value)


def test_remedies_that_name_an_option_work(write):
    path = write("张\tB-PER\n三\tI-PER\n".encode("gb18030"))
    assert read(path, "bio", **options_in(_refused(path, "bio", encoding="utf-8")))[0][0].text == "张三"
    path = write("张\tB-PER\n".encode("utf-16"))
    assert read(path, "bio", **options_in(_refused(path, "bio", encoding="utf-8")))[0][0].text == "张"
    path = write("张\tB-PER\n三\tI-PER\n".encode("utf-16-le"))
    assert read(path, "bio", **options_in(_refused(path, "bio")))[0][0].text == "张三"
    path = write("科0\tO\n技1\tO\n")
    assert read(path, "bio", **options_in(_refused(path, "bio")))[0][0].text == "科技"
    path = write("-DOCSTART- -X- O\n张三到 -X- _ B-PER\n")
    given = options_in(_refused(path, "label-studio-conll"))
    assert entities(read(path, "label-studio-conll", **given)[0][0]) == [("张三到", "PER")]
    path = write("a,b\n好,正\n")
    given = chosen(_refused(path, "csv"), text_column="a") | {"label_column": "b"}
    assert read(path, "csv", **{name: value for name, value in given.items() if name != "header"})[0][0].text == "好"
    path = write("好,正\n坏,负\n")
    given = chosen(_refused(path, "csv"), text_column="a") | {"text_column": 1, "label_column": 2}
    assert given["header"] is False and len(read(path, "csv", **given)[0]) == 2
    nested = write('{"text": "北京大学", "label": [[0, 4, "ORG"], [0, 2, "LOC"]]}')
    with pytest.raises(DataError, match="overlaps") as caught:
        read_examples("ner", nested, format="doccano")
    with notes_to(lambda note: None):
        assert read_examples("ner", nested, format="doccano", **options_in(str(caught.value)))[0].text == "北京大学"
    mixed = write("张 B-A\n三 M-A\n\n李 B-A\n四 I-A\n")
    with pytest.raises(DataError, match="stand in one file") as caught:
        read_columns(mixed)
    assert len(read_columns(mixed, **options_in(str(caught.value)))) == 2
    texts = write("张三\n", "texts.txt")
    path = write("O O\n", "a.txt")
    with pytest.raises(ConfigError, match="holds tags or labels") as caught:
        read(path, "tag-lines")
    assert list(chosen(str(caught.value).replace(" FILE ", " NAME ").replace("=FILE", "=NAME"), texts=str(texts))) == [
        "texts"
    ]
    assert read(path, "tag-lines", texts=str(texts))[0][0].text == "张三"
