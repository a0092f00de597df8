"""The course's pictures: one function each, Okabe and Ito's colours, alt text made from the very numbers drawn.

Chinese in a picture is drawn with the font that the kit brings (:mod:`hanlp_tutor.fonts`). A picture is an object that
a notebook shows as the last line of a cell; no global state of pyplot is touched.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanlp_tutor.fonts import FAMILY, FONT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart with any kind of colour vision.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#999999"
# Those of Linux, Windows and macOS, for pictures that a browser draws.
CHINESE_FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei")


class Picture:
    """A figure with its alt text: shown as a PNG in a notebook, as the alt text where there are no pictures."""

    def __init__(self, figure: Figure, alt: str):
        self.figure, self.alt = figure, alt

    def png(self) -> bytes:
        """The picture as a PNG file."""
        from matplotlib import rc_context

        content = io.BytesIO()
        with rc_context({"font.family": _with_chinese(self.figure)}):  # labels of ticks are made only now
            self.figure.savefig(content, format="png", dpi=100)
        return content.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the PNG."""
        Path(path).write_bytes(self.png())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        image = base64.b64encode(self.png()).decode("ascii")
        # nbconvert reads the alt text under the type, others beside it
        return {"image/png": image, "text/plain": self.alt}, {"alt": self.alt, "image/png": {"alt": self.alt}}

    def __repr__(self) -> str:
        return self.alt


def _with_chinese(figure: Figure) -> list[str]:
    """Let the texts of a figure draw with the kit's font what their own font lacks; the families for those to come."""
    from matplotlib import rcParams
    from matplotlib.font_manager import fontManager, get_font_names
    from matplotlib.text import Text

    if FAMILY not in get_font_names():
        fontManager.addfont(FONT)
        fontManager.ttflist.append(replace(fontManager.ttflist[-1], weight=700))  # there is no other cut for bold
    for text in figure.findobj(Text):
        family = text.get_fontfamily()
        if FAMILY not in family:
            text.set_fontfamily([*family, FAMILY])
    return [*rcParams["font.family"], FAMILY]


def training_curves(history: Sequence[Mapping[str, Any]], *, score: str = "F1") -> Picture:
    """Two panels over the updates: loss (train, dev) and score (dev, a sample of train).

    Args:
        history: rows as in ``Result.history`` or from :func:`hanlp_tutor.core.history.read_history`.
        score: the name of the score.
    """
    from matplotlib.ticker import MaxNLocator

    figure, (left, right) = new_figure(2)
    evaluated = [row for row in history if row.get("dev_score") is not None]
    steps = [row["step"] for row in evaluated]
    left.plot([r["step"] for r in history], [r["loss"] for r in history], color=BLUE, label="train, running")
    left.plot(steps, [row["dev_loss"] for row in evaluated], color=ORANGE, marker="o", ls="--", label="dev")
    highest = max([r["loss"] for r in history] + [row["dev_loss"] for row in evaluated])
    left.set(xlabel="update", ylabel="loss", title="Loss", ylim=(0, 1.05 * highest))
    right.plot(steps, [row["train_score"] for row in evaluated], color=BLUE, marker="s", label="train, a sample")
    right.plot(steps, [row["dev_score"] for row in evaluated], color=ORANGE, marker="o", ls="--", label="dev")
    right.set(xlabel="update", ylabel=score, title=score, ylim=(0, 1))
    for axes in (left, right):
        axes.set_xlim(0, 1.03 * history[-1]["step"])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    alt = f"Two panels over {history[-1]['step']:.0f} updates. The training loss goes from {history[0]['loss']:.3f} to "
    alt += f"{history[-1]['loss']:.3f}."
    if evaluated:
        alt += f" After the last evaluation dev {score} is {evaluated[-1]['dev_score']:.3f}"
        alt += f" and that on a sample of the training set {evaluated[-1]['train_score']:.3f}."
    return Picture(figure, alt)


def bars(
    values: Mapping[str, float],
    *,
    title: str,
    highlight: str | None = None,
    reference: tuple[str, float] | None = None,
    limit: float | None = 1.0,
) -> Picture:
    """One horizontal bar a name, longest where the number is largest, in the order given.

    Args:
        values: a number for each name.
        title: what is measured.
        highlight: the name in another colour.
        reference: a name and a number for a dashed line.
        limit: the right end of the axis; None: what the numbers need.
    """
    figure, (axes,) = new_figure(1, height=1.3 + 0.45 * len(values))
    names = list(values)
    colours = [VERMILION if name == highlight else SKY for name in names]
    drawn = axes.barh(names, [values[name] for name in names], color=colours, height=0.65)
    number = "{:.3f}" if limit else "{:,.0f}"
    label = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # legible on a reference line too
    axes.bar_label(drawn, labels=[number.format(values[name]) for name in names], padding=4, bbox=label, zorder=5)
    axes.invert_yaxis()
    axes.set_title(title)
    axes.set_xlim(0, limit * 1.08 if limit else max(values.values(), default=1) * 1.15 or 1)
    axes.spines[["top", "right"]].set_visible(False)
    lengths = ", ".join(f"{name} {number.format(value)}" for name, value in values.items())
    alt = f"Bar chart, {title}: {lengths}."
    if reference:
        axes.axvline(reference[1], color=BLACK, ls="--", label=reference[0])
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1))
        alt += f" A dashed line: {reference[0]}, {number.format(reference[1])}."
    return Picture(figure, alt)


INSIDE = 6  # lines of a panel; the legend of more covers some of them, and stands below the panel


def curves(
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, float, float, float]]]],
    *,
    xlabel: str,
    ylabel: str,
    log: bool = False,
) -> Picture:
    """A panel a title, a line a name: medians as points, least and greatest as a bar through each.

    Args:
        panels: per title and name ``(x, median, least, greatest)``, ascending in x. A name keeps its colour and mark.
        xlabel, ylabel: of every panel.
        log: a logarithmic horizontal axis, labelled at the points.
    """
    figure, axes = new_figure(len(panels), height=3.8, width=9.0 if len(panels) > 1 else 7.0)
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    colours = (BLUE, ORANGE, GREEN, PURPLE, BLACK, VERMILION, SKY, GREY)
    styles = dict(zip(names, zip(colours, "osD^vXP*", strict=True)))  # noqa: B905
    medians = []
    for panel, (title, lines) in zip(axes, panels.items(), strict=True):
        for name, points in lines.items():
            colour, mark = styles[name]
            x, middle, low, high = zip(*points, strict=True)
            reach = [[m - least for m, least in zip(middle, low, strict=True)],
                     [most - m for m, most in zip(middle, high, strict=True)]]  # fmt: skip
            panel.errorbar(x, middle, reach, color=colour, marker=mark, ms=5, capsize=3, label=name)
            medians.append(f"{title}, {name}: " + ", ".join(f"{m:.3f} at {at:,.0f}" for at, m, _, _ in points))
        if log:
            ticks = sorted({point[0] for points in lines.values() for point in points})
            panel.set_xscale("log")
            panel.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
            panel.minorticks_off()
        panel.set(xlabel=xlabel, ylabel=ylabel, title=title)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    same = len({tuple(lines) for lines in panels.values()}) == 1
    few = max(map(len, panels.values()), default=0) <= INSIDE
    place = {} if few else {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17), "ncols": 2}
    for panel in axes[-1:] if same else axes:  # the same lines in every panel need one legend
        panel.legend(frameon=False, fontsize=9, **place)
    return Picture(figure, f"Lines of {ylabel} over {xlabel}. " + "; ".join(medians) + ".")


def confusion(gold: Sequence[str], predicted: Sequence[str]) -> Picture:
    """Counts by gold class (rows) and predicted class (columns); darker is more."""
    labels = sorted({*gold, *predicted})
    pairs = list(zip(gold, predicted, strict=True))
    counts = [[pairs.count((row, column)) for column in labels] for row in labels]
    side = 2.6 + 0.7 * len(labels)
    figure, (axes,) = new_figure(1, height=side, width=side + 0.6)
    axes.imshow(counts, cmap="Blues", vmin=0)
    darkest = max(max(row) for row in counts)
    for i, row in enumerate(counts):
        for k, count in enumerate(row):
            axes.text(k, i, f"{count:,}", ha="center", va="center", color="white" if 2 * count > darkest else "black")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="gold", title="Confusion matrix")
    rows = (
        f"{row}: " + ", ".join(f"{n} as {column}" for column, n in zip(labels, counts[i], strict=True))
        for i, row in enumerate(labels)
    )
    return Picture(figure, "Confusion matrix. Gold " + "; gold ".join(rows) + ".")


def new_figure(panels: int, *, height: float = 3.4, width: float = 8.0) -> tuple[Figure, Sequence[Any]]:
    """A figure with a row of panels, without pyplot, so that nothing is shown twice or kept alive."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, panels, squeeze=False)[0]
