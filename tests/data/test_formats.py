"""Each format as its own tool writes it: samples from the tools' documentation and from their own converters."""

import json

import pandas
import pytest
from read_back import entities, read

from hanlp_tutor.data import (
    FORMATS,
    Document,
    LabelledText,
    Span,
    detect_format,
    read_documents,
    read_examples,
    write_documents,
)
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import ConfigError, DataError

PER, LOC = "PER", "LOC"
NEWS = Document("张三到北京大学。", (Span(0, 2, PER), Span(3, 7, LOC)))


# --- Label Studio: what label-studio-sdk 2.1.2's own converter makes of four tasks -----------------------------------

TASKS = [
    Document(NEWS.text, NEWS.spans, "good"),
    Document(
        '"Hello, Li Lei," said 👍王五 (in Beijing).', (Span(8, 14, PER), Span(23, 25, PER), Span(30, 37, LOC)), "bad"
    ),
    Document("李四。 王五", (Span(0, 2, PER), Span(4, 6, PER))),
    Document("没有 实体", (), "bad"),
]
JSON_MIN = """[
{"text": "张三到北京大学。", "id": 1, "label": [{"start": 0, "end": 2, "text": "张三", "labels": ["PER"]},
  {"start": 3, "end": 7, "text": "北京大学", "labels": ["LOC"]}], "class": "good", "annotator": null,
  "annotation_id": null, "created_at": null, "updated_at": null, "lead_time": null},
{"text": "\\"Hello, Li Lei,\\" said 👍王五 (in Beijing).", "id": 2, "label": [
  {"start": 8, "end": 14, "text": "Li Lei", "labels": ["PER"]},
  {"start": 23, "end": 25, "text": "王五", "labels": ["PER"]},
  {"start": 30, "end": 37, "text": "Beijing", "labels": ["LOC"]}], "class": "bad", "annotator": null,
  "annotation_id": null, "created_at": null, "updated_at": null, "lead_time": null},
{"text": "李四。 王五", "id": 3, "label": [{"start": 0, "end": 2, "text": "李四", "labels": ["PER"]},
  {"start": 4, "end": 6, "text": "王五", "labels": ["PER"]}], "annotator": null,
  "annotation_id": null, "created_at": null, "updated_at": null, "lead_time": null},
{"text": "没有 实体", "id": 4, "class": "bad", "annotator": null, "annotation_id": null, "created_at": null}
]"""
CONLL = """-DOCSTART- -X- O
" -X- _ O
Hello -X- _ O
, -X- _ O
Li -X- _ B-PER
Lei -X- _ I-PER
, -X- _ O
" -X- _ O
said -X- _ O
"""


def test_label_studios_own_converter_reads_our_json_as_we_meant_it(write, tmp_path):
    path = write(JSON_MIN, "min.json")
    assert detect_format(path).name == "label-studio-min"
    assert read_documents(path) == TASKS
    write_documents(tmp_path / "tasks.json", TASKS, "label-studio")
    assert detect_format(tmp_path / "tasks.json").name == "label-studio"
    assert read_documents(tmp_path / "tasks.json") == TASKS


def test_label_studios_conll_is_read_where_it_says_where_entities_lie(write):
    path = write(CONLL)
    assert detect_format(path).name == "label-studio-conll"
    (document,), notes = read(path, None)
    assert (document.text, entities(document)) == ('" Hello , Li Lei , " said', [("Li Lei", PER)])
    assert "joined with a space" in notes[0]
    whole_sentence = write(CONLL + "\n张三到北京大学。 -X- _ B-PER\n")
    with pytest.raises(DataError, match=r"a.x:11: .*where in it the entity lies is not said.*as JSON"):
        read(whole_sentence, "label-studio-conll")
    (_, document), _ = read(whole_sentence, "label-studio-conll", words=True, joiner="")
    assert entities(document) == [("张三到北京大学。", PER)]


def _task(result, **more):
    return {"id": 7, "data": {"text": NEWS.text}, "annotations": [{"completed_by": 1, "result": result, **more}]}


def _region(start, end, text, label=PER):
    return {"type": "labels", "value": {"start": start, "end": end, "text": text, "labels": [label]}}


def test_label_studio_annotators_who_disagree_need_a_decision(write):
    task = _task([_region(0, 2, "张三")])
    task["annotations"].append({"completed_by": 2, "result": [_region(0, 3, "张三到")]})
    path = write(json.dumps([task]))
    with pytest.raises(DataError, match=r"task 7: 2 annotations \(1, 2\) disagree"):
        read(path, "label-studio")
    for annotator, text in ((1, "张三"), (2, "张三到"), ("first", "张三")):
        (document,), notes = read(path, "label-studio", annotator=annotator)
        assert entities(document) == [(text, PER)] and notes
    with pytest.raises(DataError, match="annotator 3 did not"):
        read(path, "label-studio", annotator=3)


def test_label_studio_counts_what_it_leaves_out(write):
    relation = {"type": "relation", "from_id": "a", "to_id": "b"}
    tasks = [
        _task([_region(0, 2, "张三"), relation]),
        _task([], was_cancelled=True),
        {"data": {"text": "x"}, "annotations": []},
    ]
    documents, notes = read(write(json.dumps(tasks)), "label-studio")
    assert len(documents) == 1
    assert sorted(note.split(": ")[1] for note in notes) == [
        "cancelled annotations ignored",
        "results of type 'relation' ignored",
        "tasks without an annotation left out",
    ]


def test_offsets_in_utf16_units_are_converted_only_where_the_texts_prove_it(write):
    task = _task([_region(4, 6, "王五")])
    task["data"]["text"] = "👍👍王五"
    (document,), notes = read(write(json.dumps([task])), "label-studio")
    assert entities(document) == [("王五", PER)] and "UTF-16" in notes[0]
    task["annotations"][0]["result"] = [_region(0, 1, "王五")]
    with pytest.raises(DataError, match=r"covers '👍', not '王五'.*emoji"):
        read(write(json.dumps([task])), "label-studio")


# --- doccano -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        {"id": 1, "text": NEWS.text, "labels": [[0, 2, PER], [3, 7, LOC]]},
        {"id": 1, "text": NEWS.text, "label": [[3, 7, LOC], [0, 2, PER]]},
        {"id": 1, "data": NEWS.text, "label": [[0, 2, PER], [3, 7, LOC]]},
        {"text": NEWS.text, "annotation_approver": None, "entities": [[0, 2, PER], [3, 7, LOC]]},
        {
            "id": 1,
            "text": NEWS.text,
            "Comments": [],
            "entities": [
                {"id": 5, "label": PER, "start_offset": 0, "end_offset": 2},
                {"id": 6, "label": LOC, "start_offset": 3, "end_offset": 7},
            ],
            "relations": [{"id": 2, "from_id": 5, "to_id": 6, "type": "在"}],
        },
    ],
)
def test_doccano_in_its_spellings(write, entry):
    path = write(json.dumps(entry) + "\n")
    assert detect_format(path).name == "doccano"
    documents, notes = read(path, None)
    assert documents == [NEWS]
    assert [note for note in notes if "relations ignored: 1" in note] == notes
    assert len(notes) == ("relations" in entry)


@pytest.mark.parametrize("key", ["label", "labels", "cats"])
def test_doccano_classes(write, key):
    path = write(json.dumps({"id": 1, "text": "好", key: ["正"]}))
    assert read_documents(path) == [Document("好", (), "正")]
    assert read_examples("classify", path, format="doccano")[0].label == "正"


# --- BRAT ----------------------------------------------------------------------------------------------------------


def test_brat_ignores_what_it_cannot_hold_and_counts_it(write):
    text = "张三到北京、\n上海大学。\n"
    lines = [
        "T1\tPER 0 2\t张三",
        "T2\tORG 3 5;9 11\t北京 大学",  # discontinuous
        "T3\tLOC 3 6;7 9\t北京、 上海",  # cut at the line end only
        "R1\tin Arg1:T1 Arg2:T3",
        "E1\tMove:T3 Who:T1",
        "E2\tMove:T3",
        "*\tEquiv T1 T2",
        "A1\tNegation E1",
        "N1\tReference T1 Wikipedia:1\t张三",
        "#1\tAnnotatorNotes T1\t?",
    ]
    write(text, "a.txt")
    path = write("\n".join(lines), "a.ann")
    assert detect_format(path).name == detect_format(path.parent).name == "brat"
    (document,), notes = read(path, None)
    assert document.text == text
    assert entities(document) == [("张三", PER), ("北京、\n上海", LOC)]
    assert [note.removeprefix(f"{path}:") for note in notes] == [
        "2: discontinuous entities ignored: 1 in this file, the first in this line.",
        "4: relations ignored: 1 in this file, the first in this line.",
        "5: events ignored: 2 in this file, the first in this line.",
        "7: equivalences ignored: 1 in this file, the first in this line.",
        "8: attributes ignored: 1 in this file, the first in this line.",
        "9: normalisations ignored: 1 in this file, the first in this line.",
        "10: comments ignored: 1 in this file, the first in this line.",
    ]


def test_a_folder_of_brat_is_never_overwritten(tmp_path):
    write_documents(tmp_path / "out", [NEWS] * 3, "brat")
    assert sorted(path.name for path in (tmp_path / "out").iterdir())[:2] == ["00001.ann", "00001.txt"]
    with pytest.raises(DataError, match="is there already"):
        write_documents(tmp_path / "out", [NEWS], "brat")


# --- CLUE, tables, parallel files -------------------------------------------------------------------------------------


def test_clue_ends_are_inclusive(write):
    path = write(
        '{"text": "浙商银行企业信贷部叶老桂博士则从另一个角度", "label": {"name": {"叶老桂": [[9, 11]]}, '
        '"company": {"浙商银行": [[0, 3]]}}}\n'
    )
    assert detect_format(path).name == "clue"
    assert entities(read_documents(path)[0]) == [("浙商银行", "company"), ("叶老桂", "name")]


ROWS = [("很好,\n真的", "正"), ('他说"好"', "负"), (" 空 ", "a,b"), ("", "正")]


@pytest.mark.parametrize(("name", "separator"), [("csv", ","), ("tsv", "\t")])
def test_pandas_and_we_read_each_others_tables(tmp_path, name, separator):
    path = tmp_path / f"a.{name}"
    pandas.DataFrame(ROWS, columns=["text", "label"]).to_csv(path, sep=separator, index=False)
    documents = [Document(text, (), label) for text, label in ROWS]
    assert detect_format(path).name == name
    assert read_documents(path) == documents
    assert [each.source.rsplit(":")[-1] for each in read_documents(path)] == ["2", "4", "5", "6"]
    write_documents(path, documents, name)
    frame = pandas.read_csv(path, sep=separator, keep_default_na=False, dtype=str)
    assert list(frame.itertuples(index=False, name=None)) == ROWS


def test_columns_by_usual_name_by_name_and_by_number(write):
    path = write("label,评论\r\n1,好\r\n0,坏\r\n", "a.csv")
    assert [(each.text, each.label) for each in read_documents(path)] == [("好", "1"), ("坏", "0")]
    path = write("id,a,b\n1,好,正\n", "a.csv")
    with pytest.raises(DataError, match=r"no columns could be the text.*'id', 'a', 'b'"):
        read_documents(path, "csv")
    documents, notes = read(path, "csv", text_column="a", label_column="b")
    assert documents == [Document("好", (), "正")] and "columns left out: id" in notes[0]
    assert len(read(path, "csv", header=False, text_column=2, label_column=3)[0]) == 2
    with pytest.raises(ConfigError, match=r"text_column is 4, but .* has 3 columns"):
        read(path, "csv", text_column=4, label_column=3)


def test_the_articles_two_samples(write):
    tags = "O O B-PER I-PER O B-ORG O\n"  # as the article prints it
    path = write(tags * 3, "ner.tags")
    write("他是张三找腾讯\n他 是张三 找腾讯\nhe is John Smith at Acme .\n", "ner.txt")
    assert detect_format(path).name == "tag-lines"
    documents = read_documents(path)
    expected = [[("张三", PER), ("腾", "ORG")]] * 2 + [[("John Smith", PER), ("Acme", "ORG")]]
    assert [entities(each) for each in documents] == expected
    assert documents[2].text == "he is John Smith at Acme ."
    write("他是张三\n" * 3, "ner.txt")
    with pytest.raises(DataError, match=r"ner.tags:1: 7 tags for 4 characters \(1 words\)"):
        read_documents(path)
    write("很好\n\n太差\n", "reviews.txt")
    path = write("positive\n\nnegative\n", "reviews.labels")
    assert detect_format(path).name == "label-lines"
    assert read_documents(path) == [Document("很好", (), "positive"), Document("太差", (), "negative")]


@pytest.mark.parametrize(
    ("content", "name", "line"),
    [
        ("张\tB-PER\n三\tX-PER\n李\tO\n", "columns", 2),
        ("甲\t乙\t在\t甲在乙\n丙\t乙\t在\t甲在乙\n", "relation", 2),
        ("-DOCSTART- -X- O\na -X- _ O\nb O\n", "label-studio-conll", 3),
        ("O O\nO O-\n", "tag-lines", 2),
    ],
)
def test_a_broken_line_does_not_hide_the_format(write, content, name, line):
    path = write(content)
    write("ab\nab\n", "a.txt")
    assert detect_format(path).name == name
    with pytest.raises(DataError) as caught:
        read_documents(path)
    assert caught.value.line == line or str(caught.value).startswith(f"{path}:{line}: ")


# --- every format --------------------------------------------------------------------------------------------------


def _one(name):
    """A document that the format can hold, of Chinese that GB18030 and GB2312 have."""
    carries = FORMATS[name].carries
    if name == "relation":
        return Document(NEWS.text, (Span(0, 2, "head"), Span(3, 7, "tail")), "在")
    return Document(NEWS.text, NEWS.spans if "spans" in carries else (), "好评" if "label" in carries else None)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "brat"])
@pytest.mark.parametrize("change", ["crlf", "mark", "gb18030", "utf-16"])
def test_line_ends_marks_and_encodings_do_not_matter(tmp_path, name, change):
    path = tmp_path / "a.x"
    write_documents(path, [_one(name)] * 3, name)
    for file in tmp_path.iterdir():
        text = file.read_bytes().decode("utf-8")
        if change == "crlf":
            file.write_bytes(text.replace("\r\n", "\n").replace("\n", "\r\n").encode())
        elif change == "mark":
            file.write_bytes(b"\xef\xbb\xbf" + text.encode())
        else:
            file.write_bytes(text.encode(change))
    documents, notes = read(path, name)
    assert documents == [_one(name)] * 3
    assert bool(notes) == (change in ("gb18030", "utf-16"))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_recognised(tmp_path, name):
    path = tmp_path / f"a{FORMATS[name].suffixes[0]}"
    write_documents(path, [_one(name)], name)
    expected = "columns" if name in ("bio", "iob1", "bmes", "iobes") else name
    assert detect_format(path).name == expected
    assert read_documents(path) == [_one(name)]


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("doccano", "ner"),
        ("clue", "ner"),
        ("brat", "ner"),
        ("csv", "classify"),
        ("tsv", "classify"),
        ("doccano", "classify"),
    ],
)
def test_training_reads_other_formats_without_being_told(tmp_path, name, task):
    path = tmp_path / f"a{FORMATS[name].suffixes[0]}"
    document = _one(name)
    write_documents(path, [document], name)
    (example,) = read_examples(task, path)
    assert example.label == document.label if task == "classify" else example.spans == document.spans
    assert read_examples(task, path, format=name) == [example]


def test_names_and_options_that_do_not_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"no format 'docano'; did you mean 'doccano'"):
        read_documents(tmp_path, "docano")
    with pytest.raises(ConfigError, match=r"'textkey' is no option.*did you mean 'text_key'"):
        read_documents(tmp_path, "label-studio", textkey="a")
    with pytest.raises(ConfigError, match="separator is 3 for writing bio files; it takes str"):
        write_documents(tmp_path / "a", [], "bio", separator=3)
    with pytest.raises(ConfigError, match=r"words is 'yes'.*takes bool"):
        read_documents(tmp_path, "label-studio-conll", words="yes")


@pytest.mark.parametrize(
    "lines, place",
    [
        ("张\tI-PER\n三\tI-PER\n在\tO\n北\tB-LOC\n京\tI-ORG\n", "1: I- that continues nothing"),
        ("张\tB-PER\n三\tI-PER\n在\tO\n", None),
        ("张\tB-PER\n三\tE-PER\n在\tI-PER\n", None),  # IOBES has its own ways to be incomplete
    ],
)
def test_strays_of_a_bio_file_are_named_with_their_line(write, lines, place):
    path = write(lines)
    documents, notes = read(path, "columns")
    assert documents
    if place is None:
        assert notes == []
    else:
        (only,) = notes
        assert only.startswith(f"{path}:{place}") and ": 2 in this file" in only


@pytest.mark.parametrize("heads", ["sentence1{}sentence2{}label", "Text_A{}text_b{}Label", "文本1{}文本2{}标签"])
@pytest.mark.parametrize(("name", "tab"), [("a.tsv", "\t"), ("a.csv", ","), ("a.txt", "\t")])
def test_a_table_of_pairs_is_refused_until_one_text_is_asked_for(tmp_path, heads, name, tab):
    """As JSON with the same keys: the first text without the second is another task."""
    path = tmp_path / name
    rows = "".join(f"花呗怎么还{n}{tab}怎么还花呗{n}{tab}{n % 2}\n" for n in range(8))
    path.write_text(heads.format(tab, tab) + "\n" + rows, encoding="utf-8")
    with pytest.raises(DataError, match=r"holds pairs of texts \(.*No task of the kit reads pairs") as error:
        read_examples("classify", path)
    first = heads.partition("{")[0]
    assert f"text_column={first!r}) to read {first} alone." in str(error.value)
    examples = read_examples("classify", path, text_column=first)
    assert examples[0] == LabelledText("花呗怎么还0", "0")


def test_a_quote_of_a_text_does_not_swallow_the_rows_up_to_the_next(write):
    """``"好<TAB>正`` and, later, ``好"<TAB>正`` would be one cell, and one row of all between them."""
    path = write('text\tlabel\n"好，他说\t正\n差\t负\n一般"\t正\n', "a.tsv")
    with pytest.raises(DataError, match="closes in line 4 only") as caught:
        read_documents(path)
    assert caught.value.line == 2
    assert [each.text for each in read_documents(path, quotes=False)] == ['"好，他说', "差", '一般"']
    assert [each.text for each in read_documents(path, quotes=True)] == ["好，他说\t正\n差\t负\n一般"]
    path = write('text,label\n"好,正\n差,负\n一般",正\n坏,负\n', "a.csv")
    with pytest.raises(DataError, match="closes in line 4 only"):
        read_documents(path)


def test_quoted_cells_over_several_lines_are_read(write):
    """A comma stands in texts too: what follows it is no class here."""
    path = write('text,label\n"你好,世界\n再见,朋友",正\n"一\n\n二",负\n', "a.csv")
    assert [each.text for each in read_documents(path)] == ["你好,世界\n再见,朋友", "一\n\n二"]
    path = write('label\ttext\n正\t"第一行\n第二行"\n', "a.tsv")
    assert [each.text for each in read_documents(path)] == ["第一行\n第二行"]


def test_the_index_of_pandas_is_named_among_the_columns_left_out(write):
    notes = []
    path = write(",text,label\n0,好,正\n", "a.csv")
    with notes_to(notes.append):
        read_documents(path)
    assert notes == [f"{path}:1: columns left out: one without a name."]
