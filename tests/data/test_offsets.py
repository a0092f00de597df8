"""How offsets count: code points, UTF-16 units, CR LF as one, a byte-order mark; proved, or refused with a way out."""

import json

import pytest
from read_back import entities, read
from remedies import options_in

from hanlp_tutor.data import Document, Span, write_documents
from hanlp_tutor.data.formats.counting import Counting, told
from hanlp_tutor.errors import ConfigError, DataError

PER, LOC = "PER", "LOC"
NAMES = {"𠮷田": PER, "王建国": PER, "李小红": PER, "陈美丽": PER, "上海": LOC, "成都": LOC, "天津": LOC}


def seen_by_tool(text, change):
    """The text as the tool saw it that counted."""
    return {"lf": text.replace("\r\n", "\n"), "crlf": text.replace("\n", "\r\n"), "mark": "\ufeff" + text}.get(
        change, text.removeprefix("\ufeff") if change == "nomark" else text
    )


def claims(text, unit, change=""):
    """Each name of the text as ``(start, end, label, name)`` as a tool counts."""
    shown = seen_by_tool(text, change)
    width = {
        "codepoints": len,
        "utf16": lambda part: len(part.encode("utf-16-le")) // 2,
        "bytes": lambda part: len(part.encode("utf-8")),
    }[unit]
    found = []
    for name, label in NAMES.items():
        if name in shown:
            before = shown[: shown.index(name)]
            found.append((width(before), width(before) + width(name), label, name))
    return sorted(found)


def expected(text):
    return [(name, label) for _, _, label, name in claims(text, "codepoints")]


@pytest.fixture
def doccano(tmp_path):
    def write(*entries):
        path = tmp_path / "a.jsonl"
        lines = [
            json.dumps({"text": text, "label": [claim[:3] for claim in found]}, ensure_ascii=False)
            for text, found in entries
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


# --- doccano says nothing about what entities cover -----------------------------------------------

RARE = ["𠮷田昨天去了上海。", "😀王建国去了成都。", "今天😀很好，王建国在上海。", "好👍，陈美丽说天津很美"]


@pytest.mark.parametrize("unit", ["codepoints", "utf16"])
def test_texts_beyond_the_basic_plane_are_decided_by_the_borders_of_their_entities(doccano, unit):
    documents, notes = read(doccano(*((text, claims(text, unit)) for text in RARE)), "doccano")
    assert [entities(document) for document in documents] == [expected(text) for text in RARE]
    assert unit == "codepoints" or any("UTF-16" in note and ":1: " in note for note in notes)


def test_an_end_beyond_the_text_or_within_a_character_is_a_proof(doccano):
    text = "👍👍去了上海"  # the end lies beyond the text in code points
    (document,), notes = read(doccano((text, claims(text, "utf16"))), "doccano")
    assert entities(document) == [("上海", LOC)] and "UTF-16" in notes[0]
    text = "😀王建国在家里"  # in UTF-16 units the entity would begin within the emoji
    (document,), notes = read(doccano((text, claims(text, "codepoints"))), "doccano")
    assert (entities(document), notes) == ([("王建国", PER)], [])


def test_entities_that_other_texts_have_too_decide(doccano):
    text = "说𠮷田在上海工作"
    plain = "王建国在上海工作"
    for unit in ("codepoints", "utf16"):
        path = doccano((text, claims(text, unit)), (plain, claims(plain, unit)), ("𠮷田在", [(0, 2, PER)]))
        documents, _ = read(path, "doccano", offsets=unit)
        assert entities(documents[0]) == expected(text)
    shifted = "这里👍了陈美丽在天津工作"
    known = [("陈美丽在", [(0, 3, PER)]), ("去天津的路", [(1, 3, LOC)])]
    for unit in ("codepoints", "utf16"):
        documents, notes = read(doccano((shifted, claims(shifted, unit)), *known), "doccano")
        assert entities(documents[0]) == expected(shifted)
        assert len(notes) == 1 and "-r offsets" in notes[0]


def test_what_nothing_decides_is_refused_and_the_option_in_the_message_works(doccano):
    text = "这里👍了陈美丽在家工作"
    for unit in ("codepoints", "utf16"):
        path = doccano(("好", []), (text, claims(text, unit)))
        with pytest.raises(DataError, match=r"a\.jsonl:2: how its offsets count cannot be told") as caught:
            read(path, "doccano")
        assert "'陈美丽'" in str(caught.value) and options_in(str(caught.value)) == {"offsets": "utf16"}
        documents, notes = read(path, "doccano", offsets=unit)
        assert (entities(documents[1]), notes[1:]) == ([("陈美丽", PER)], [])


@pytest.mark.parametrize("text", ["上海的天气很好👍", "😀", "王建国。😀😀"])
def test_where_all_ways_of_counting_agree_nothing_is_asked(doccano, text):
    (document,), notes = read(doccano((text, claims(text, "codepoints"))), "doccano")
    assert (entities(document), notes) == (expected(text), [])


LINES = ["王建国去了上海。\r\n李小红在成都。\r\n", "第一行\r\n陈美丽\r\n天津"]


@pytest.mark.parametrize("change", ["", "lf"])
def test_cr_lf_in_doccano(doccano, change):
    documents, _ = read(doccano(*((text, claims(text, "codepoints", change)) for text in LINES)), "doccano")
    assert [entities(document) for document in documents] == [expected(text) for text in LINES]


def test_a_mark_that_was_not_counted_in_doccano(doccano):
    text = "\ufeff王建国去了上海。"
    (document,), notes = read(doccano((text, claims(text, "codepoints", "nomark"))), "doccano")
    assert entities(document) == [("王建国", PER), ("上海", LOC)] and "byte-order mark" in notes[0]


def test_a_unit_alone_leaves_line_ends_open(doccano):
    text = "好的👍，说\r\n李小红\r\n陈美丽"
    path = doccano((text, claims(text, "utf16", "lf")))
    for offsets in ("utf16", "utf16+lf", "lf+UTF16"):
        (document,), _ = read(path, "doccano", offsets=offsets)
        assert entities(document) == expected(text)
    (document,), _ = read(path, "doccano", offsets="utf16+asis")
    assert entities(document) != expected(text)


def test_grapheme_clusters_of_doccano(doccano):
    text = "👨🏻\u200d🚒王建国去了上海。"
    path = doccano((text, [(1, 4, PER), (6, 8, LOC)]))
    with pytest.raises(DataError, match="grapheme clusters") as caught:
        read(path, "doccano")
    (document,), _ = read(path, "doccano", **options_in(str(caught.value)))
    assert entities(document) == expected(text)
    heart = "❤️王建国去了上海"  # two code points, and nothing strange about the borders: nobody is asked
    (document,), notes = read(doccano((heart, claims(heart, "codepoints"))), "doccano")
    assert (entities(document), notes) == (expected(heart), [])


def test_a_misspelt_way_of_counting_is_refused(doccano):
    with pytest.raises(ConfigError, match=r"no way of counting offsets 'utf8'; there are codepoints, utf16"):
        read(doccano(("好", [])), "doccano", offsets="utf8")


def test_an_option_that_contradicts_the_file_says_so(doccano):
    path = doccano(("上海👍王", [(0, 2, LOC), (3, 4, PER)]))
    with pytest.raises(DataError, match=r"PER 3-4 does not fit .* leave out -r offsets"):
        read(path, "doccano", offsets="utf16")


def test_our_own_doccano_files_can_be_read_back_whatever_they_hold(tmp_path):
    documents = [Document("这里👍了陈美丽\r\n在家", (Span(4, 7, PER),)), Document("上海", (Span(0, 2, LOC),))]
    write_documents(tmp_path / "a.jsonl", documents, "doccano")
    assert read(tmp_path / "a.jsonl", "doccano") == (documents, [])
    plain = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()[1])
    assert plain == {"text": "上海", "label": [[0, 2, LOC]]}


# --- texts that say what entities cover: a proof --------------------------------------------------

MIXED = ["王建国去了上海。\r\n李小红👍在成都。", "𠮷田。\r\n\r\n陈美丽说天津"]


@pytest.mark.parametrize("unit", ["codepoints", "utf16", "bytes"])
@pytest.mark.parametrize("change", ["", "lf"])
def test_label_studio(tmp_path, unit, change):
    tasks = []
    for text in MIXED:
        regions = [
            {"type": "labels", "value": {"start": start, "end": end, "text": name, "labels": [label]}}
            for start, end, label, name in claims(text, unit, change)
        ]
        tasks.append({"id": 1, "data": {"text": text}, "annotations": [{"result": regions}]})
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    documents, notes = read(path, "label-studio")
    assert [entities(document) for document in documents] == [expected(text) for text in MIXED]
    assert bool(notes) == ((unit, change) != ("codepoints", ""))


def test_what_one_text_proves_holds_for_another_that_says_nothing(tmp_path):
    silent = "这里👍了陈美丽在家工作"
    tasks = []
    for text, said in (("👍王建国去了上海", True), (silent, False)):
        values = [
            {"start": start, "end": end, "labels": [label], **({"text": name} if said else {})}
            for start, end, label, name in claims(text, "utf16")
        ]
        result = [{"type": "labels", "value": value} for value in values]
        tasks.append({"data": {"text": text}, "annotations": [{"result": result}]})
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    documents, _ = read(path, "label-studio")
    assert entities(documents[1]) == [("陈美丽", PER)]


@pytest.mark.parametrize("unit", ["codepoints", "utf16", "bytes"])
@pytest.mark.parametrize("change", ["", "lf", "crlf", "mark"])
def test_brat(tmp_path, unit, change):
    text = "王建国👍去了上海。\n李小红在成都。\n"
    text = text.replace("\n", "\r\n") if change == "lf" else text
    found = claims(text, unit, change)
    content = text.encode("utf-8")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + content if change == "mark" else content)
    lines = [f"T{number}\t{label} {start} {end}\t{name}\n" for number, (start, end, label, name) in enumerate(found, 1)]
    (tmp_path / "a.ann").write_text("".join(lines), encoding="utf-8")
    (document,), notes = read(tmp_path, "brat")
    assert entities(document) == expected(text)
    assert bool(notes) == ((unit, change) != ("codepoints", ""))
    assert document.text == text


def test_brat_parts_at_a_line_end_where_cr_lf_is_one(tmp_path):
    (tmp_path / "a.txt").write_bytes("去了\r\n北京、\r\n上海大学。".encode())
    lines = ["T1\tLOC 3 6;7 9\t北京、 上海", "T2\tORG 9 11\t大学", "T3\tX 3 5;9 11\t北京 大学"]
    (tmp_path / "a.ann").write_text("\n".join(lines), encoding="utf-8")
    (document,), notes = read(tmp_path, "brat")
    assert entities(document) == [("北京、\r\n上海", LOC), ("大学", "ORG")]
    assert any("discontinuous" in note and ":3: " in note for note in notes)


def test_clue_in_utf16_units(tmp_path):
    text = "👍王建国去了上海"
    label = {PER: {"王建国": [[2, 4]]}, LOC: {"上海": [[7, 8]]}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"text": text, "label": label}, ensure_ascii=False), encoding="utf-8")
    (document,), notes = read(path, "clue")
    assert entities(document) == expected(text) and "UTF-16" in notes[0]


def test_clue_with_ends_behind_the_entity(tmp_path):
    label = {PER: {"王建国": [[0, 3]]}, LOC: {"上海": [[5, 7]]}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"text": "王建国去了上海", "label": label}, ensure_ascii=False), encoding="utf-8")
    (document,), notes = read(path, "clue")
    assert entities(document) == [("王建国", PER), ("上海", LOC)]
    assert len(notes) == 1 and "ends are excluded" in notes[0] and ": 2 in this file" in notes[0]


# --- covered texts whose white space differs ------------------------------------------------------


@pytest.mark.parametrize(
    ("between", "written"),
    [("  ", " "), ("\n", " "), ("\xa0", " "), ("\u3000", " "), (" ", "\xa0"), ("\r\n", " "), (" ", ""), ("\t ", " ")],
)
@pytest.mark.parametrize("name", ["label-studio", "label-studio-min"])
def test_white_space_that_a_tool_shows_in_another_way(tmp_path, name, between, written):
    text = f"住址：上海市{between}浦东新区，联系人王建国。"
    covered = f"上海市{between}浦东新区"
    value = {"start": 3, "end": 3 + len(covered), "text": f"上海市{written}浦东新区", "labels": [LOC]}
    task = {"data": {"text": text}, "annotations": [{"result": [{"type": "labels", "value": value}]}]}
    path = tmp_path / "a.json"
    entry = task if name == "label-studio" else {"text": text, "label": [value], "annotation_id": 1}
    path.write_text(json.dumps([entry], ensure_ascii=False), encoding="utf-8")
    (document,), notes = read(path, name)
    assert entities(document) == [(covered, LOC)]
    assert len(notes) == 1 and "white space only: 1" in notes[0]


def test_another_text_is_still_refused(tmp_path):
    value = {"start": 0, "end": 3, "text": "上 海", "labels": [LOC]}
    task = {"id": 4, "data": {"text": "上海市"}, "annotations": [{"result": [{"type": "labels", "value": value}]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([task], ensure_ascii=False), encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.json:1: task 4: the entity LOC 0-3 covers '上海市', not '上 海'"):
        read(path, "label-studio")


# --- the countings themselves ---------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["codepoints", "utf16", "bytes"])
@pytest.mark.parametrize("change", ["", "lf", "crlf", "mark", "nomark"])
def test_places_are_those_of_the_text_that_the_tool_saw(unit, change):
    text = "\ufeffa𠮷\r\nb👍c" if change != "crlf" else "a𠮷\nb👍c"
    line_end, mark = (change if change in parts else "" for parts in (("lf", "crlf"), ("mark", "nomark")))
    found = Counting(unit, line_end, mark).places(text)
    shown = seen_by_tool(text, change)
    size = {"codepoints": len, "utf16": lambda t: len(t.encode("utf-16-le")) // 2, "bytes": lambda t: len(t.encode())}
    for character in "a𠮷b👍c":
        assert found[size[unit](shown[: shown.index(character)])] == text.index(character)


def test_the_names_of_countings_come_back():
    for name in ("codepoints+asis", "utf16+lf", "bytes+crlf+mark", "graphemes+nomark"):
        (counting,) = told(name)
        assert counting.name() == name
