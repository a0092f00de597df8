"""Readers against damaged files: whatever the bytes, the outcome is documents or an error that a user can mend.

``fuzz`` takes a seed and a number of files. The test runs a few thousand; a long run is a loop over seeds by hand.
"""

import json
import random
from pathlib import Path

from test_broken_files import CASES

from hanlp_tutor.data import FORMATS, Document, Span, convert, read_documents, write_documents
from hanlp_tutor.data.notes import notes_to
from hanlp_tutor.errors import ConfigError, DataError

NEWS = Document("张三👍到北京 U.N. 大学。", (Span(0, 2, "PER"), Span(4, 6, "LOC"), Span(4, 13, "ORG")), "新闻")
FRAGMENTS = [
    *("\t", " ", "\n", "\r", "\r\n", "\ufeff", "\u3000", "\x00", '"', "'", ",", "[", "]", "{", "}", ":", "-", "_", "O"),
    *("B-PER", "I-PER", "M-PER", "S-", "-DOCSTART- -X- O", " -X- _ ", "T1\t", "R1", "0 2;3 4", "-1", "1e999", "NaN"),
    *("null", "true", '"text"', '"label"', '"start"', "👍", "é", "\u2028", "999999999999999999999", "text,label"),
]
VALUES = [
    None,
    True,
    0,
    -1,
    1,
    10**30,
    0.5,
    "",
    "张",
    "text",
    "👍",
    [],
    [[]],
    {},
    [0, 2, "A"],
    {"start": 0, "labels": []},
]
KEYS = [
    "text",
    "data",
    "label",
    "labels",
    "annotations",
    "result",
    "value",
    "start",
    "end",
    "entities",
    "cats",
    "choices",
]


def _seeds(folder: Path) -> list[tuple[str, bytes, bytes]]:
    """Format, its file, and the file beside it: from our writers and from the broken files."""
    seeds = []
    for name, form in FORMATS.items():
        spans = NEWS.spans if "overlaps" in form.carries else NEWS.spans[:2] if "spans" in form.carries else ()
        document = Document(NEWS.text, spans, NEWS.label if "label" in form.carries else None)
        if name == "relation":
            document = Document(NEWS.text, (Span(0, 2, "head"), Span(4, 6, "tail")), "在")
        path = folder / name / ("seed.ann" if name == "brat" else "seed.x")
        write_documents(path, [document] * (1 if name == "brat" else 2), name)
        beside = path.with_suffix(".txt")
        seeds.append((name, path.read_bytes(), beside.read_bytes() if beside.exists() else b""))
    seeds *= 4
    for number, (case, files, options, *_) in enumerate(CASES):
        if case == "too deep":  # too much for our own damage, too
            continue
        contents = [each if isinstance(each, bytes) else each.encode() for each in files.values()] or [b""]
        name = options[options.index("--from") + 1] if "--from" in options else list(FORMATS)[number % len(FORMATS)]
        seeds.append((name, contents[0], contents[-1]))
    return seeds


def _damage(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """A few cuts, repeats, strange bytes and fragments."""
    for _ in range(chance.randint(1, 4)):
        a, b = sorted((chance.randint(0, len(content)), chance.randint(0, len(content))))
        piece = chance.choice(
            [
                b"",
                content[a:b] * 2,
                bytes([chance.randrange(256)]),
                chance.choice(FRAGMENTS).encode(),
                other[: chance.randint(0, len(other))],
            ]
        )
        content = content[:a] + piece + content[a if chance.random() < 0.6 else b :]
    if chance.random() < 0.1:
        encoding = chance.choice(["gb18030", "utf-16", "utf-16-le", "big5"])
        content = content.decode("utf-8", "replace").encode(encoding, "replace")
    return content


def _damage_json(chance: random.Random, content: bytes) -> bytes:
    """Valid JSON whose values have other types, keys other names."""

    def damage(value):
        if chance.random() < 0.12:
            return chance.choice(VALUES)
        if isinstance(value, list):
            return [damage(each) for each in value for _ in range(chance.choice([1, 1, 1, 1, 0, 2]))]
        if isinstance(value, dict):
            return {
                (chance.choice(KEYS) if chance.random() < 0.1 else key): damage(each) for key, each in value.items()
            }
        return value

    text = content.decode("utf-8", "replace")
    try:
        return json.dumps(damage(json.loads(text)), ensure_ascii=False).encode("utf-8", "replace")
    except ValueError:
        lines = []
        for line in text.splitlines():
            try:
                lines.append(json.dumps(damage(json.loads(line)), ensure_ascii=False))
            except ValueError:
                lines.append(line)
        return "\n".join(lines).encode("utf-8", "replace")


def fuzz(seed: int, count: int, folder: Path) -> dict[str, int]:
    """Read ``count`` damaged files; how many were read, and how many refused.

    Raises:
        Exception: any that is neither DataError nor ConfigError; the files that did it stay in ``folder``.
    """
    chance = random.Random(seed)
    seeds = _seeds(folder)
    outcome = {"read": 0, "refused": 0, "converted": 0}
    for number in range(count):
        name, content, beside = chance.choice(seeds)
        other = chance.choice(seeds)[1]
        content = _damage_json(chance, content) if chance.random() < 0.5 else _damage(chance, content, other)
        beside = _damage(chance, beside, other) if chance.random() < 0.2 else beside
        path = folder / ("fuzz.ann" if name == "brat" else "fuzz.x")
        path.write_bytes(content)
        path.with_suffix(".txt").write_bytes(beside)
        with notes_to(lambda note: None):
            try:
                documents = read_documents(path, name if chance.random() < 0.8 else None)
                outcome["read"] += 1
                if number % 4 == 0:
                    (folder / "out.txt").unlink(missing_ok=True)
                    to = chance.choice(list(FORMATS))
                    drop = "entities" if "spans" not in FORMATS[to].carries else "labels"
                    drop = None if "label" in FORMATS[to].carries else drop
                    convert(path, folder / "out.a", from_=name, to=to, overlaps="longest", drop=drop, split_lines=True)
                    outcome["converted"] += 1
                elif number % 4 == 1:  # what was read is sound: it survives a format that holds everything
                    write_documents(folder / "whole.json", documents, "label-studio")
                    assert read_documents(folder / "whole.json", "label-studio") == documents
            except (DataError, ConfigError) as error:
                assert str(error)
                outcome["refused"] += 1
    return outcome


def test_damaged_files_are_read_or_refused(tmp_path):
    outcome = fuzz(1, 1500, tmp_path)
    assert outcome["refused"] > 500 and outcome["read"] > 200 and outcome["converted"] > 20, outcome
