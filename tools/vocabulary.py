"""Choose the characters of the embedded encoders: ``python tools/vocabulary.py`` rewrites ``vocabulary.txt``.

All of printable ASCII (lower case), the common Chinese punctuation, the 6,763 characters of the standard GB 2312, so
that text of any field finds its characters, and every character that occurs at least three times in the training parts
of the two corpora. Dev and test parts are not looked at.
"""

import unicodedata
from collections import Counter
from pathlib import Path

from hanlp_tutor import load_corpus
from hanlp_tutor.files import write_file

PUNCTUATION = "，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～￥"
LEAST_COUNT = 3
TARGET = Path(__file__).resolve().parents[1] / "hanlp_tutor" / "encoders" / "vocabulary.txt"

counts = Counter()
for name in ("peoples_daily", "reviews"):
    for example in load_corpus(name).train:
        counts.update(unicodedata.normalize("NFKC", example.text).lower())

ascii_part = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
frequent = {c for c, n in counts.items() if n >= LEAST_COUNT and c.isprintable() and not c.isspace()}
cells = ((row, cell) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
standard = {bytes(pair).decode("gb2312") for pair in cells if not (pair[0] == 0xD7 and pair[1] > 0xF9)}
tokens = list(dict.fromkeys(ascii_part + sorted(frequent | standard | set(PUNCTUATION))))
write_file(TARGET, lambda file: file.write(("\n".join(tokens) + "\n").encode("utf-8")))
covered = sum(n for c, n in counts.items() if c in set(tokens)) / sum(n for c, n in counts.items() if not c.isspace())
print(f"{len(tokens)} characters cover {covered:.4%} of the training text")
