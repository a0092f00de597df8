"""Make the kit's Chinese font anew: ``python tools/subset_font.py NotoSansCJK-Regular.ttc`` (needs fonttools).

The font that matplotlib and Pillow draw with on a machine without Chinese fonts: a subset of Noto Sans CJK SC (SIL Open
Font License 1.1; on Debian and Ubuntu in the package ``fonts-noto-cjk``), without hinting and without layout features.
Equal input gives equal bytes. It bears another name, as a changed font should.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hanlp_tutor.fonts import FAMILY, FONT  # noqa: E402

SOURCE = "Noto Sans CJK SC"
LIMIT = 3_000_000  # bytes; who makes it larger asks what each download is worth
VERSION, COPYRIGHT = 5, 0  # numbers of a font's names that stay as they are; so do 13 and 14, its licence


def characters() -> set[str]:
    """ASCII, GB 2312, the encoders' vocabulary, and whatever else the lexicons hold."""
    known = {chr(code) for code in range(0x20, 0x7F)}
    for high in range(0xA1, 0xF8):
        known |= {_decoded(bytes([high, low])) for low in range(0xA1, 0xFF)}
    texts = [ROOT / "hanlp_tutor" / "encoders" / "vocabulary.txt"]
    texts += sorted((ROOT / "hanlp_tutor" / "corpora" / "lexicons").rglob("*.txt"))
    for path in texts:
        known |= set(path.read_text(encoding="utf-8"))
    return {sign for sign in known if sign.isprintable()}


def _decoded(code: bytes) -> str:
    return code.decode("gb2312", "ignore") or " "


def made(collection: Path) -> bytes:
    """The subset as a file."""
    names = [font["name"].getDebugName(4) for font in TTCollection(collection, lazy=True).fonts]
    font = TTFont(collection, fontNumber=names.index(SOURCE), recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, name_IDs=["*"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted(map(ord, characters())))
    subsetter.subset(font)
    postscript = FAMILY.replace(" ", "") + "-Regular"
    new = {1: FAMILY, 2: "Regular", 3: f"{postscript}, a subset of {SOURCE}", 4: FAMILY, 6: postscript}
    for record in list(font["name"].names):
        if record.nameID in new:
            record.string = new[record.nameID]
        elif record.nameID not in (COPYRIGHT, VERSION, 13, 14):
            font["name"].names.remove(record)
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    cff.topDictIndex[0].FullName, cff.topDictIndex[0].FamilyName = FAMILY, FAMILY
    content = io.BytesIO()
    font.save(content)
    return content.getvalue()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    content = made(Path(sys.argv[1]))
    if len(content) > LIMIT:
        sys.exit(f"{len(content):,} bytes are more than {LIMIT:,}: leave characters out.")
    FONT.write_bytes(content)
    print(f"{FONT.relative_to(ROOT)}: {len(content):,} bytes")
