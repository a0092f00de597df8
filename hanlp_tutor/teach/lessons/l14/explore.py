"""Which components are taken for which: a confusion matrix (混淆矩阵), and the very logs behind each of its cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from hanlp_tutor.corpora.faults import parts_of
from hanlp_tutor.teach.plots import BLACK, VERMILION, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

CLASSES = 8  # of a matrix: more names cannot be read
SHOWN = 4  # logs
_LINE = re.compile(r".{1,26}[，。；：、！？]?")  # as many Chinese characters; no line begins with a stop
# Of the lesson's programs those that have learnt something; two more in its dictionary have not
LEARNERS = ("linear SVM", "fine-tuned", "two SVMs")


def most_confused(gold: Sequence[str], predicted: Sequence[str], count: int = CLASSES) -> list[str]:
    """The classes of the pairs that are confused most often; frequent classes where there are too few such pairs.

    Args:
        gold, predicted: a class a text.
        count: of the classes.
    """
    wrong = Counter(pair for pair in zip(gold, predicted, strict=True) if pair[0] != pair[1])
    in_pairs = [name for pair, _ in wrong.most_common() for name in pair]
    return list(dict.fromkeys([*in_pairs, *(name for name, _ in Counter(gold).most_common())]))[:count]


def draw_confusion(
    texts: Sequence[str],
    gold: Sequence[str],
    found: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    model: str,
    wanted: str,
    taken_for: str,
) -> Picture:
    """The matrix of some components, one of its cells framed, and the logs that it counts.

    Args:
        texts, gold: the test logs with their components.
        found: by model, the components that it gave.
        classes: rows and columns of the matrix.
        model: whose answers.
        wanted, taken_for: the gold component and the given one.
    """
    counts = Counter(zip(gold, found[model], strict=True))
    logs = [text for text, *pair in zip(texts, gold, found[model], strict=True) if pair == [wanted, taken_for]]
    figure, (axes, beside) = new_figure(2, height=4.6, width=10.0)
    wrong = [[counts[row, column] * (row != column) for column in classes] for row in classes]
    axes.imshow(wrong, cmap="Blues", vmin=0, vmax=1.6 * max(1, *map(max, wrong)))
    for i, row in enumerate(classes):
        for k, column in enumerate(classes):
            if counts[row, column]:
                axes.text(k, i, counts[row, column], ha="center", va="center", alpha=0.4 if row == column else 1.0)
    axes.plot([classes.index(taken_for)], [classes.index(wanted)], "s", ms=24, mec=VERMILION, mew=2, mfc="none")
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="the model's component", ylabel="gold component", title=model)
    of = sum(component == wanted for component in gold)
    named = sum(taken_for in text for text in logs)
    beside.axis("off")
    lines = [line for text in logs[:SHOWN] for line in (*_LINE.findall(text), "")]
    beside.set_title(f"{wanted}, given as {taken_for}: {len(logs)} of {of}", color=VERMILION, loc="left")
    beside.text(0, 1, "\n".join(lines), va="top", color=BLACK, transform=beside.transAxes)
    says = f"{model}: of {of} logs of {wanted}, {len(logs)} are given as {taken_for}"
    if logs and wanted != taken_for:
        says += f"; {named} of them name {taken_for} in just these words"
    return Picture(figure, f"{says}." + "".join(f" {text}" for text in logs[:SHOWN]))


def explorer(texts: Sequence[str], gold: Sequence[str], found: Mapping[str, Sequence[str]]) -> Explorer:
    """The picture with its controls; the last model is the first to be shown, and its confusions give the classes.

    Args:
        texts: the test logs.
        gold: their labels, ``component/mode``.
        found: by model, the labels that it gave; of :data:`LEARNERS` one at least.
    """
    wanted = [parts_of(label)[0] for label in gold]
    models = tuple(name for name in LEARNERS if name in found)
    component = {name: [parts_of(label)[0] for label in found[name]] for name in models}
    classes = most_confused(wanted, component[models[-1]])
    draw = partial(
        draw_confusion, texts, wanted, component, classes,
        model=models[-1], wanted=classes[0], taken_for=classes[min(1, len(classes) - 1)],
    )  # fmt: skip
    return Explorer(draw, model=models, wanted=tuple(classes), taken_for=tuple(classes))
