"""Pages of synthetic records: drawn, spoilt, read back, aligned with gold."""

import random

import numpy as np
import pytest

from hanlp_tutor.data import Span
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.scans import reading
from hanlp_tutor.scans.aligning import error_rate, land, split_errors
from hanlp_tutor.scans.lines import Line, boxes_of, in_reading_order, placed
from hanlp_tutor.scans.noise import scanned
from hanlp_tutor.scans.pages import FORMS, MARGIN, WIDTH, drawn, pages
from hanlp_tutor.scans.reading import open_scan, read_scan, skew_of


@pytest.fixture(scope="module")
def page():
    return pages("dev", 1)[0]


def test_a_page_holds_its_record_and_the_entities_of_all_its_parts(page):
    text = placed(page.lines, page.size)
    assert {text.parts[span.start] for span in text.spans} == {"header", "text", "table"}
    assert len(text.x) == len(text.y) == len(text.text)
    assert all(line.box[2] <= WIDTH - MARGIN + 25 and line.box[3] < page.size[1] for line in page.lines)
    (department,) = [span for span in text.spans if text.parts[span.start] == "header"]
    assert text.text[: department.start].endswith("科别：")


def test_the_other_form_has_the_same_cells_in_other_columns(page):
    other = pages("dev", 1, form="other")[0]
    cells = [sorted(line.text for line in each.lines) for each in (page, other)]
    assert cells[0] == cells[1]
    left = [{line.text: line.box[0] for line in each.lines if line.text in FORMS["usual"]} for each in (page, other)]
    assert left[0]["用药"] > left[0]["诊断"] and left[1]["用药"] < left[1]["诊断"]


def test_equal_seeds_give_equal_scans_and_noise_is_seen(page):
    clean = drawn(page)
    one, two, worse = scanned(clean, 1, 3), scanned(clean, 1, 3), scanned(clean, 2, 3)
    assert one.tobytes() == two.tobytes() and one.size == page.size
    assert one.tobytes() != scanned(clean, 1, 4).tobytes()
    away = [np.abs(np.asarray(each.convert("L"), float) - np.asarray(clean)).mean() for each in (one, worse)]
    assert away[0] < away[1]
    changed = (np.asarray(one) != np.asarray(scanned(clean, 1, 3, stamp=False))).any(-1)
    assert 0 < changed.mean() < 0.05  # the stamp is gone, all the rest is as it was


def test_the_order_of_reading_is_that_of_rows_however_the_boxes_come():
    words = [("甲", 0, 0), ("乙", 300, 4), ("丙", 0, 40), ("丁", 300, 36)]
    lines = [Line(text, (x, y, x + 100, y + 26)) for text, x, y in words]
    random.Random(1).shuffle(lines)
    assert "".join(line.text for line in in_reading_order(lines)) == "甲乙丙丁"
    assert placed(lines, (1000, 100)).text == "甲\n乙\n丙\n丁\n"


def test_a_line_that_reaches_the_margin_goes_on_and_its_entity_with_it():
    tags = [("O", "B-drug"), ("I-drug", "O")]
    lines = [Line("用阿", (60, 0, 980, 26), tags[0]), Line("司。", (60, 36, 120, 62), tags[1])]
    text = placed(lines, (1040, 100))
    assert text.text == "用阿司。\n" and text.spans == (Span(1, 3, "drug"),)
    boxes = boxes_of(Span(1, 3, "drug"), lines, (1040, 100))
    assert boxes == [(520, 0, 980, 26), (60, 36, 90, 62)]


def test_gold_spans_land_where_they_were_read():
    printed, read = "予阿司匹林片，查血糖。", "予阿可匹林片,查\n血糖。"
    drug, test = land([Span(1, 6, "drug"), Span(8, 10, "test")], printed, read)
    assert (drug.span, drug.intact) == (Span(1, 6, "drug"), False)
    assert (test.span, test.intact) == (Span(9, 11, "test"), True)
    assert land([Span(1, 6, "drug")], printed, "予，查血糖。")[0] == (Span(1, 6, "drug"), None, False)
    # 可; neither the line break nor the width of the comma counts, but what a stamp adds does
    assert error_rate(printed, read) == pytest.approx(1 / 11)
    assert error_rate(printed, read + "合成样本") == pytest.approx(5 / 11)
    assert split_errors([drug, test], [Span(9, 11, "test"), Span(0, 1, "drug")]) == {
        "right": 1, "misread": 1, "missed": 0, "invented": 1,
    }  # fmt: skip
    assert split_errors([test], [Span(9, 11, "disease")])["missed"] == 1


def test_the_skew_is_that_of_the_wide_boxes():
    wide = [[0, 0], [400, 14], [400, 40], [0, 26]]
    short = [[0, 0], [40, 20], [40, 40], [0, 26]]
    stamp = [[0, 0], [200, 60], [190, 90], [-10, 30]]
    assert skew_of([wide, short, stamp]) == pytest.approx(2.0, abs=0.01)
    assert skew_of([short]) == 0


def test_what_was_printed_is_read_back_upright_without_a_download(page, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *a: pytest.fail("the OCR asked the network"))
    read = read_scan(scanned(drawn(page), 1, 0))
    gold, text = placed(page.lines, page.size), placed(read.lines, page.size)
    assert error_rate(gold.text, text.text) < 0.1
    assert 0.1 < -read.skew < 0.6
    intact = [each.intact for each in land(gold.spans, gold.text, text.text)]
    assert sum(intact) / len(intact) > 0.8
    columns = {line.text: line.box[0] for line in page.lines if line.text in FORMS["usual"]}
    found = {line.text: line.box[0] for line in read.lines if line.text in columns}
    assert len(found) >= 4 and all(abs(columns[name] - left) < 12 for name, left in found.items())


@pytest.mark.parametrize("name, content, says", [
    ("page.txt", b"no picture", "is no picture"), ("page.png", b"\x89PNG\r\n\x1a\n", "is no picture"),
    (None, b"", "no such file"),
])  # fmt: skip
def test_what_is_no_picture_is_refused_with_name_and_remedy(tmp_path, name, content, says):
    path = tmp_path / (name or "missing.png")
    if name:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path.name}.*{says}") as caught:
        open_scan(path)
    assert caught.value.remedy


def test_what_is_too_large_is_refused_and_its_remedy_works(tmp_path, page, monkeypatch):
    path = tmp_path / "page.png"
    drawn(page).save(path)
    monkeypatch.setattr(reading, "LARGEST", 100_000)
    with pytest.raises(DataError, match=r"1040 × .* more than 100,000 pixels.*150 to 300 dots"):
        open_scan(path)
    image = drawn(page)
    image.resize((image.width // 4, image.height // 4)).save(path)  # scanned with fewer dots
    assert open_scan(path).mode == "RGB"


def test_without_the_ocr_its_extra_is_named(page, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rapidocr", None)
    reading._engine.cache_clear()
    with pytest.raises(ConfigError, match=r'pip install "hanlp-tutor\[ocr\]"'):
        read_scan(scanned(drawn(page), 0, 0))
    reading._engine.cache_clear()
