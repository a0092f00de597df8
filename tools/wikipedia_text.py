"""More text to pre-train on: Wikipedia paragraphs of two reading-comprehension sets, in simplified characters.

``python tools/wikipedia_text.py OUT.txt`` writes one paragraph a line, and ``OUT.licence`` beside it. It needs
OpenCC (``pip install opencc``) and the four files: from ``HANLP_TUTOR_DATA`` (``cmrc2018/cmrc2018_dev.json`` ...) or
the network. Questions and answers are not taken. The text is not part of this project; the embedded encoders read it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path
from typing import Any

from hanlp_tutor.atomic import write_file
from hanlp_tutor.corpora.remote import RemoteFile, RemoteSet, fetch

_GITHUB = "https://raw.githubusercontent.com"


def paragraphs(path: Path) -> list[str]:
    """The paragraphs of a file in the layout of SQuAD (Rajpurkar et al. 2016)."""
    articles = json.loads(path.read_text(encoding="utf-8-sig"))["data"]
    return [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]


def _set(name: str, address: str, files: dict[str, str], licence: str, citation: str, provenance: str) -> RemoteSet:
    remote = tuple(RemoteFile("train", Path(file).name, file, sha256) for file, sha256 in files.items())
    return RemoteSet(name, "text", address, remote, "JSON", paragraphs, licence, citation, provenance)


SETS = (
    _set(
        "cmrc2018",
        f"{_GITHUB}/ymcui/cmrc2018/c0eb1b6ba219847457e6af3180da722bbeb656af/squad-style-data",
        {
            "cmrc2018_dev.json": "e9ff74231f05c230c6fa88b84441ee334d97234cbb610991cd94b82db00c7f1f",
            "cmrc2018_trial.json": "f3fae95b57da8e03afb2b57467dd221417060ef4d82db13bf22fc88589f3a6f3",
        },
        "CC BY-SA 4.0",
        "Cui Yiming et al. (2019): A Span-Extraction Dataset for Chinese Machine Reading Comprehension. EMNLP 2019.",
        "CMRC 2018, paragraphs of Wikipedia, its dev and trial files",
    ),
    _set(
        "drcd",
        f"{_GITHUB}/DRCKnowledgeTeam/DRCD/b944790de5af02c5fbb7cd9cb1473d27d169eebf",
        {
            "DRCD_dev.json": "e236df03861ba241bd7b29628cd48b3b8e339c60137e041a4358b5320ed61928",
            "DRCD_test.json": "d9de0b4d247a8391ac8daee6c02c2c8272b75562a1e2377b50ae04ecc09a7438",
        },
        "CC BY-SA 3.0",
        "Shao Chih Chieh et al. (2018): DRCD: a Chinese Machine Reading Comprehension Dataset. arXiv 1806.00920.",
        "Delta Reading Comprehension Dataset, paragraphs of Wikipedia, its dev and test files, turned from traditional "
        "into simplified characters by OpenCC",
    ),
)


def simplified() -> Iterator[str]:
    """Each paragraph once, on one line."""
    from opencc import OpenCC

    converter: Any = OpenCC("tw2s")
    seen = set()
    for remote_set in SETS:
        for path in fetch(remote_set):
            for paragraph in paragraphs(path):
                line = " ".join(converter.convert(paragraph).split())
                if line not in seen:
                    seen.add(line)
                    yield line


def licence() -> str:
    """What a card must say of the text."""
    sources = [f"{each.provenance} ({each.citation} {each.licence})" for each in SETS]
    return (
        f"{'; '.join(sources)}. The articles were written by the authors of the Chinese Wikipedia, whose licence "
        "allows any use that names them and passes the licence on. This project does not redistribute the text."
    )


if __name__ == "__main__":
    out = Path(sys.argv[1])
    lines = list(simplified())
    for path, content in ((out, "\n".join(lines)), (out.with_suffix(".licence"), licence())):
        write_file(path, methodcaller("write", f"{content}\n".encode()))
    print(f"{len(lines):,} paragraphs, {sum(map(len, lines)):,} characters: {out}")
