"""The kit's Chinese font: what it covers, its size, its licence; and pictures draw with it on a bare machine."""

import json
from pathlib import Path

import pytest
from matplotlib.ft2font import FT2Font

from hanlp_tutor.fonts import FAMILY, FONT
from hanlp_tutor.teach import plots

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def covered() -> set[str]:
    return set(map(chr, FT2Font(str(FONT)).get_charmap()))


def printable(text: str) -> set[str]:
    return {sign for sign in text if sign.isprintable()}


def test_it_covers_the_words_of_the_synthetic_corpora_the_vocabulary_and_common_characters(covered):
    lexicons = sorted((ROOT / "hanlp_tutor" / "corpora" / "lexicons").rglob("*.txt"))
    for path in [*lexicons, ROOT / "hanlp_tutor" / "encoders" / "vocabulary.txt"]:
        missing = printable(path.read_text(encoding="utf-8")) - covered
        assert not missing, f"{path.name}: {sorted(missing)[:20]}; python tools/subset_font.py makes the font anew"
    gb2312 = "".join(bytes([a, b]).decode("gb2312", "ignore") for a in range(0xA1, 0xF8) for b in range(0xA1, 0xFF))
    assert len(gb2312) > 7000 and not printable(gb2312) - covered
    assert not {chr(code) for code in range(0x20, 0x7F)} - covered


def test_it_covers_every_chinese_character_of_the_notebooks(covered):
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        said = json.dumps(json.loads(path.read_text(encoding="utf-8"))["cells"], ensure_ascii=False)
        chinese = {sign for sign in said if "\u4e00" <= sign <= "\u9fff"}
        assert not chinese - covered, f"{path.name}: {sorted(chinese - covered)[:20]}"


def test_it_is_small_and_its_licence_stands_beside_it():
    assert FONT.stat().st_size <= 3_000_000
    licence = FONT.with_name("OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence and "Reserved Font Name" in licence and FONT.name in licence
    assert "Source" not in FT2Font(str(FONT)).family_name and FT2Font(str(FONT)).family_name == FAMILY


def test_chinese_is_drawn_whatever_fonts_the_machine_has(recwarn, monkeypatch, caplog):
    from matplotlib import font_manager

    ours = [each for each in font_manager.fontManager.ttflist if each.name in ("DejaVu Sans", FAMILY)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", ours)
    picture = plots.bars({"糖尿病": 0.5, "高血压": 0.7}, title="科室 departments", reference=("基线", 0.6))
    picture.figure.axes[0].text(0.2, 0.5, "噁璟矇 θ → ≤")
    picture.figure.axes[0].text(0.2, 0.2, "粗 bold", weight="bold")
    assert picture.png().startswith(b"\x89PNG")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
    assert "findfont" not in caplog.text
