"""What the heads of columns and the keys of JSON objects are usually called, in sets that people pass around."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# ChnSentiCorp's and Kaggle's among them.
TEXTS = ("text", "text_a", "sentence", "sentence1", "content", "review", "comment", "文本", "内容", "句子", "评论")
LABELS = ("label", "labels", "class", "category", "sentiment", "target", "标签", "类别", "分类", "情感")
# Too vague to choose a column by, and still no class of any text where they stand once, in the first line.
_ALSO_LABELS = {"tag", "type", "intent", "polarity", "rating", "score", "类型", "意图", "标注", "情感倾向", "评分"}
_PAIRS = (
    ("sentence1", "sentence2"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("premise", "hypothesis"),
    ("query1", "query2"),
    ("question1", "question2"),
    ("句子1", "句子2"),
    ("文本1", "文本2"),
)
# Of a column or key of groups: a set would be left without the labels that another has.
NO_GROUP = "{!r} holds the labels, and cannot say which texts belong together."
NO_PAIRS = "No task of the kit reads pairs; take a set with one text an example."


def pair_in(names: Iterable[str]) -> tuple[str, str] | None:
    """The two names that hold a pair of texts; None where there is none."""
    names = set(names)
    return next((pair for pair in _PAIRS if names.issuperset(pair)), None)


def begins_with_head(labels: Sequence[str]) -> bool:
    """Whether the first of a column's cells is its head: what such a column is called, and no class of another row."""
    first = labels[0].strip() if labels else ""
    return first.lower() in {*LABELS, *_ALSO_LABELS} and len(labels) > 1 and first not in labels[1:]
