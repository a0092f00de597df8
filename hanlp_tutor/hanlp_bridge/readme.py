"""The README inside an exported folder, for whoever opens it with nothing but HanLP at hand."""

from __future__ import annotations

from collections.abc import Sequence

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
"""

_CLASSIFY = """\
- Texts of any length are read, by overlapping windows of 512. `batch_size` in `config.json` is 8: HanLP computes
  as many windows for each text of a batch as its longest text has. When all your texts have at most 510 characters,
  `classify(texts, batch_size=32)` is faster.
- The empty string gets `[]` as a result; in a list it gets a label.
"""

_MULTITASK = """\
- Pass a plain string, or a list of strings. The result holds `tok`, and `pos` and `ner` of the words in it; the offsets
  of an entity count words, not characters.
- Texts of any length are read, by overlapping windows of 512, one text at a time: HanLP mixes up the windows of texts
  of different length in one batch.
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
