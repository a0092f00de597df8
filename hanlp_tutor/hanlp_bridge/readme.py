"""The README inside an exported folder, for whoever opens it with nothing but HanLP at hand."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.data.edges import SHAPELESS, UNSEEN
from hanlp_tutor.data.marking import clean

_HEAD = """\
# A model for HanLP

Fine-tuned with hanlp_tutor; plain HanLP (`pip install hanlp==2.1.5`) opens it, offline. {what}

```python
import hanlp

{use}
```

- Give `hanlp.load` the **absolute** path of this folder.
- After moving or copying the folder: `hanlp-tutor relocate FOLDER`, or without the kit write the new absolute path of
  `transformer/` into `config.json`.
"""

_NER = """\
- Pass `list(text)`, never `text`: a plain string is read as a list of one-character sentences.
- Entities are `(text, label, start, end)`; offsets count characters (Unicode code points), half-open.
- Texts of any length are read, by overlapping windows of 512. `batch_size` in `config.json` is 1 because HanLP mixes
  up the windows of texts of different length in one batch: characters after the 382nd get the tags of others. When all
  your texts have at most 510 characters, `ner(texts, batch_size=32)` is right and faster.
- The kit cuts white space and invisible characters off the edges of an entity. HanLP leaves out an entity that is blank
  (`dict_blacklist` in `config.json`) and cannot cut; `[*cut(entities)]` of one text's entities is what the kit finds:

```python
import unicodedata


def blank(c):
    return unicodedata.category(c) in {unseen} or c in "{shapeless}"


def cut(entities):
    for text, label, start, end in entities:
        while text and blank(text[0]):
            text, start = text[1:], start + 1
        while text and blank(text[-1]):
            text, end = text[:-1], end - 1
        if text:
            yield text, label, start, end
```
""".format(unseen=tuple(sorted(UNSEEN)), shapeless=ascii("".join(sorted(SHAPELESS)))[1:-1])

_CLASSIFY = """\
- Texts of any length are read, by overlapping windows of 512. `batch_size` in `config.json` is 8: HanLP computes
  as many windows for each text of a batch as its longest text has. When all your texts have at most 510 characters,
  `classify(texts, batch_size=32)` is faster.
- The empty string gets `[]` as a result; in a list it gets a label.
"""

_RELATION = """\
- It reads a text with four markers, {markers}: two around the head, two around the tail. `mark` puts them there; head
  and tail are the first places where they stand and do not overlap. Such characters of the text itself are
  replaced.
- {negative}{types}
- A text of more than 510 characters is read by windows, each by itself: cut it around head and tail first, as the kit
  does, or the two may never be read together.

```python
import unicodedata

HEAD, TAIL = "{head}", "{tail}"


def mark(text, head, tail):
    starts = [(h, t) for h in places(text, head) for t in places(text, tail)]
    apart = [(h, t) for h, t in starts if h + len(head) <= t or t + len(tail) <= h]
    h, t = min(apart or starts, key=lambda pair: (sum(pair), pair[0]))
    for c in {{c for c in text if set(HEAD + TAIL) & set(c + unicodedata.normalize("NFKC", c))}}:
        text = text.replace(c, instead(c))
    inner_first = sorted([((h, h + len(head)), HEAD), ((t, t + len(tail)), TAIL)], key=lambda e: e[0][1] - e[0][0])
    begins, ends = [""] * (len(text) + 1), [""] * (len(text) + 1)
    for (start, end), (opening, closing) in inner_first:
        begins[start], ends[end] = opening + begins[start], ends[end] + closing
    return "".join(e + b + c for e, b, c in zip(ends, begins, text + " "))[:-1]


def places(text, part):
    return [i for i in range(len(text)) if text.startswith(part, i)]


def instead(c):
    known = {instead}
    return next(known[m] for m in c + unicodedata.normalize("NFKC", c) if m in known)
```
"""

_MULTITASK = """\
- Pass a plain string, or a list of strings. The result holds `tok`, and `pos` and `ner` of the words in it; the offsets
  of an entity count words, not characters.
- Texts of any length are read, by overlapping windows of 512, one text at a time: HanLP mixes up the windows of texts
  of different length in one batch.
- HanLP leaves out an entity that is blank, and cannot cut white space or invisible characters off an entity's edges, as
  the kit does.
- With a CRF (`crf` in `config.json`) HanLP cannot read a text of white space alone.
- After moving the folder, it is `encoder` / `transformer` in `config.json` that names the path.
"""


def of_entities(labels: Sequence[str]) -> str:
    """For a recogniser of entities with these BIO labels."""
    types = sorted({label[2:] for label in labels if label != "O"})
    use = 'ner = hanlp.load("/the/absolute/path/of/this/folder")\nprint(ner(list("张三在北京大学读书。")))'
    return _HEAD.format(what=f"It finds entities: {', '.join(types)}.", use=use) + _NER


def of_classes(labels: Sequence[str]) -> str:
    """For a classifier of texts with these classes."""
    use = 'classify = hanlp.load("/the/absolute/path/of/this/folder")\nprint(classify(["房间很干净。", "书有缺页。"]))'
    return _HEAD.format(what=f"It classifies texts: {', '.join(labels)}.", use=use) + _CLASSIFY


def of_tasks(labels: Sequence[str]) -> str:
    """For a multi-task model with these labels, ``task/tag``."""
    tasks = ", ".join(dict.fromkeys(label.partition("/")[0] for label in labels))
    use = 'hanlp_model = hanlp.load("/the/absolute/path/of/this/folder")\nprint(hanlp_model("今日北京天气如何"))'
    return _HEAD.format(what=f"Its tasks: {tasks}.", use=use) + _MULTITASK


def of_relations(
    labels: Sequence[str], *, markers: str, negative: str | None, type_pairs: Sequence[Sequence[str]] | None
) -> str:
    """For a classifier of marked texts with these relations."""
    use = (
        'classify = hanlp.load("/the/absolute/path/of/this/folder")\n'
        'marked = mark("甲公司宣布收购乙公司。", "甲公司", "乙公司")  # below\n'
        "print(classify(marked))"
    )
    said = f"`{negative}` means that there is no relation." if negative else "No class of these means no relation."
    types = ", ".join(f"{head} to {tail}" for head, tail in type_pairs or ())
    more = f" It learnt relations between these types alone, and knows nothing of others: {types}." if types else ""
    body = _RELATION.format(
        markers=" ".join(markers),
        negative=said,
        types=more,
        head=markers[:2],
        tail=markers[2:],
        instead={marker: clean(marker, markers) for marker in markers},
    )
    what = f"It says which relation holds from one entity of a text to another: {', '.join(labels)}."
    return _HEAD.format(what=what, use=use) + body
