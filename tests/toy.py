"""Made-up sentences that a very small model can learn, and that have ragged lengths."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from hanlp_tutor.data import LabelledText, Span, TaggedText, write_columns, write_labels
from hanlp_tutor.data.relations import RelationText, write_relations
from hanlp_tutor.data.words import TaggedWords

PLAIN = "今天的会议在下午开始大家都来了我们看书写字吃饭买菜做工很好不是有这那上下左右前后多少说话走路"
PEOPLE = ("张三", "李小明", "王五", "赵一")
PLACES = ("北京", "上海", "南京市", "大理")
VERBS = (("收购", "收购", "被收购"), ("起诉", "起诉", "被起诉"), ("和", "NA", "NA"))  # and the relation from each side
GOOD, BAD = "好喜欢棒赞", "坏讨厌差烂"


def tagged(count: int, *, seed: int = 0, shortest: int = 4, longest: int = 40) -> list[TaggedText]:
    """Sentences with a person, a place, both or neither among plain characters."""
    rng = random.Random(f"tagged-{seed}")
    examples = []
    for number in range(1, count + 1):
        length = rng.randint(shortest, longest)
        text, spans = "", []
        for names, label in ((PEOPLE, "PER"), (PLACES, "LOC")):
            text += "".join(rng.choices(PLAIN, k=rng.randint(0, max(0, length // 2 - 3))))
            name = rng.choice(names)
            if rng.random() < 0.7 and len(text) + len(name) <= length:
                spans.append(Span(len(text), len(text) + len(name), label))
                text += name
        text += "".join(rng.choices(PLAIN, k=length - len(text)))
        examples.append(TaggedText.from_spans(text, spans, source=f"toy-{seed}.tsv:{number}"))
    return examples


def labelled(count: int, *, seed: int = 0, longest: int = 40) -> list[LabelledText]:
    """Texts with one telling character among plain ones."""
    rng = random.Random(f"labelled-{seed}")
    examples = []
    for number in range(1, count + 1):
        label = rng.choice(("good", "bad"))
        characters = rng.choices(PLAIN, k=rng.randint(3, longest - 1))
        characters.insert(rng.randrange(len(characters)), rng.choice(GOOD if label == "good" else BAD))
        examples.append(LabelledText("".join(characters), label, source=f"toy-{seed}.txt:{number}"))
    return examples


def related(count: int, *, seed: int = 0) -> list[RelationText]:
    """One company buys another, sues it, or does something else; each sentence from both sides."""
    rng = random.Random(f"related-{seed}")
    companies = [f"{name}公司" for name in "甲乙丙丁戊己庚辛"]
    examples = []
    for number in range(1, count + 1, 2):
        one, other = rng.sample(companies, 2)
        verb, relation, reverse = rng.choice(VERBS)
        start, end = ("".join(rng.choices(PLAIN, k=rng.randint(0, 6))) for _ in range(2))
        text = f"{start}{one}{verb}{other}{end}"
        pairs = ((one, other, relation), (other, one, reverse))
        examples += [RelationText(text, *pair, f"toy-{seed}.txt:{number + i}") for i, pair in enumerate(pairs)]
    return examples


def write_related(folder: Path, sizes: Sequence[int] = (200, 40, 40)) -> dict[str, Path]:
    """train, dev and test as relation files."""
    paths = {name: folder / f"{name}.txt" for name in ("train", "dev", "test")}
    for seed, (path, size) in enumerate(zip(paths.values(), sizes, strict=True)):
        write_relations(path, related(size, seed=seed))
    return paths


def write_split(folder: Path, task: str = "ner", sizes: Sequence[int] = (60, 20, 20)) -> dict[str, Path]:
    """train, dev and test files in the task's format."""
    make, write, suffix = (tagged, write_columns, "tsv") if task == "ner" else (labelled, write_labels, "txt")
    paths = {}
    for seed, (name, size) in enumerate(zip(("train", "dev", "test"), sizes, strict=True)):
        paths[name] = folder / f"{name}.{suffix}"
        write(paths[name], make(size, seed=seed))
    return paths


def write_words(path: Path, examples: Iterable[TaggedWords]) -> None:
    """A file of one task of words: a sentence a line for ``tok``, else word and tag, a blank line behind a sentence."""
    sentences = []
    for example in examples:
        pairs = zip(example.words, example.tags, strict=True) if example.tags else ()
        sentences.append("".join(f"{word}\t{tag}\n" for word, tag in pairs) or " ".join(example.words))
    path.write_text("\n".join(sentences) + "\n", encoding="utf-8")
