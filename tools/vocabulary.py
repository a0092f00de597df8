"""Choose the characters of the embedded encoders: ``python tools/vocabulary.py`` rewrites ``vocabulary.txt``.

All of printable ASCII (lower case), the common Chinese punctuation, and every character that occurs at least three
times in the training parts of the two corpora. Dev and test parts are not looked at.
"""

import unicodedata
from collections import Counter
from pathlib import Path

from hanlp_tutor import load_corpus
from hanlp_tutor.atomic import write_file

PUNCTUATION = "，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～￥"
LEAST_COUNT = 3
TARGET = Path(__file__).resolve().parents[1] / "hanlp_tutor" / "encoders" / "vocabulary.txt"

counts = Counter()
for name in ("peoples_daily", "reviews"):
    for example in load_corpus(name).train:
        counts.update(unicodedata.normalize("NFKC", example.text).lower())

ascii_part = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
frequent = {c for c, n in counts.items() if n >= LEAST_COUNT and c.isprintable() and not c.isspace()}
tokens = list(dict.fromkeys(ascii_part + sorted(frequent | set(PUNCTUATION))))
write_file(TARGET, lambda file: file.write(("\n".join(tokens) + "\n").encode("utf-8")))
covered = sum(n for c, n in counts.items() if c in set(tokens)) / sum(n for c, n in counts.items() if not c.isspace())
print(f"{len(tokens)} characters cover {covered:.4%} of the training text")
