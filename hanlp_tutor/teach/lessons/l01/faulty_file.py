"""The file of exercise 01.4: some made-up sentences, and three faults in them that only an audit tells."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from hanlp_tutor.data.lines import write_lines

_PEOPLE = ("王芳", "李强", "赵敏", "陈建国", "刘洋")
_PLACES = ("北京", "上海", "广州", "成都")
_BODIES = ("新华社", "清华大学", "交通银行")
_SHIFTED, _MISSPELT, _CONTRADICTED = 5, 31, 44  # numbers of sentences


def faulty_file(path: str | Path) -> Path:
    """Write the file of exercise 01.4: some made-up sentences, and three faults in them."""
    lines = []
    for rows in _faulty():
        lines += [f"{character}\t{tag}" for character, tag in rows]
        lines.append("")
    write_lines(path, lines)
    return Path(path)


def _sentences() -> list[list[tuple[str, str]]]:
    """Rows of character and tag, a list a sentence, without any fault; none occurs twice."""
    parts = [
        *([(who, "PER"), "昨天从", (where, "LOC"), "回来。"] for who, where in product(_PEOPLE, _PLACES)),
        *([(body, "ORG"), "请", (who, "PER"), "介绍经验。"] for body, who in product(_BODIES, _PEOPLE)),
        *([(where, "LOC"), "的天气比", (other, "LOC"), "好。"] for where, other in product(_PLACES, _PLACES[:2])),
        *([(who, "PER"), "在", (body, "ORG"), "工作了十年。"] for who, body in product(_PEOPLE, _BODIES)),
    ]
    sentences = []
    for sentence in parts:
        rows = []
        for part in sentence:
            text, label = (part, "") if isinstance(part, str) else part
            tags = ["O"] * len(text) if not label else [f"B-{label}"] + [f"I-{label}"] * (len(text) - 1)
            rows += zip(text, tags, strict=True)
        sentences.append(rows)
    return sentences[::2] + sentences[1::2]


def _faulty() -> list[list[tuple[str, str]]]:
    sentences = _sentences()
    sentences[_SHIFTED] = [(character, tag.replace("B-LOC", "I-LOC")) for character, tag in sentences[_SHIFTED]]
    sentences[_MISSPELT] = [(character, tag.replace("PER", "PRE")) for character, tag in sentences[_MISSPELT]]
    twin = next(rows for rows in sentences if any(tag == "B-ORG" for _, tag in rows))
    untagged = [(character, "O" if tag.endswith("ORG") else tag) for character, tag in twin]
    return [*sentences[:_CONTRADICTED], untagged, *sentences[_CONTRADICTED:]]


def places() -> dict[int, tuple[str, str]]:
    """Of each line that is part of a fault or of the contradicted sentence's twin: its kind, and the line's text."""
    sentences, clean = _faulty(), _sentences()
    clean.insert(_CONTRADICTED, sentences[_CONTRADICTED])
    text = ["".join(character for character, _ in rows) for rows in sentences]
    found, line = {}, 1
    for number, rows in enumerate(sentences):
        for at, (character, tag) in enumerate(rows):
            shown = f"{character}\\t{tag}"
            if number == _CONTRADICTED:
                found[line] = ("conflict", shown)
            elif text[number] == text[_CONTRADICTED]:
                found[line] = ("twin", shown)
            elif (character, tag) != clean[number][at]:
                found[line] = ("label" if number == _MISSPELT else "transition", shown)
            line += 1
        line += 1
    return found


def mends() -> dict[int, str]:
    """Of each line with a wrong tag the right one. Of the two sentences that differ, the tagged one is right."""
    clean = _sentences()
    sentences = _faulty()
    twin = next(rows for rows in clean if [c for c, _ in rows] == [c for c, _ in sentences[_CONTRADICTED]])
    clean.insert(_CONTRADICTED, twin)
    right, line = {}, 1
    for before, after in zip(sentences, clean, strict=True):
        for (_, wrong), (_, tag) in zip(before, after, strict=True):
            if wrong != tag:
                right[line] = tag
            line += 1
        line += 1
    return right


def mended_file(path: str | Path, tags: dict[int, str], faulty: str | Path) -> Path:
    """Write the faulty file with other tags on some of its lines, counted from 1."""
    lines = Path(faulty).read_text(encoding="utf-8").split("\n")
    for number, tag in tags.items():
        lines[number - 1] = f"{lines[number - 1].split(chr(9))[0]}\t{tag}"
    Path(path).write_text("\n".join(lines), encoding="utf-8")
    return Path(path)
