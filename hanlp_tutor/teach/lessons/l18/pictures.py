"""The pictures of notebook 18: a page with coloured boxes, and one line of it at several levels of noise."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hanlp_tutor.corpora.clinic import ENTITIES
from hanlp_tutor.data import Span
from hanlp_tutor.scans.lines import Line, boxes_of
from hanlp_tutor.scans.noise import scanned
from hanlp_tutor.scans.pages import MARGIN, Page, drawn
from hanlp_tutor.teach.plots import BLACK, BLUE, GREEN, GREY, PURPLE, SKY, VERMILION, YELLOW, Picture, new_figure

if TYPE_CHECKING:
    from PIL.Image import Image

_CHINESE = dict(zip(ENTITIES, ("疾病", "症状", "药物", "检查", "操作", "部位", "科室"), strict=True))
# no orange beside yellow: as light boxes the two look alike; the last type is an outline
_COLOURS = dict(zip(ENTITIES, (VERMILION, YELLOW, GREEN, BLUE, PURPLE, SKY, BLACK), strict=True))
_COLOURS_SHOWN = 96
_LEVELS_SHOWN = 130  # pixels of height


class ScanPicture(Picture):
    """A picture of a scan: speckles do not compress, so its file has few colours."""

    def png(self) -> bytes:
        from PIL import Image

        content = io.BytesIO()
        with Image.open(io.BytesIO(super().png())) as image:
            few = image.convert("RGB").quantize(
                _COLOURS_SHOWN, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
            )  # the default would spend all its colours on the greys, and none on the boxes
            few.save(content, format="png", optimize=True)
        return content.getvalue()


def page(image: Image, lines: Sequence[Line], spans: Sequence[Span] = (), *, title: str) -> Picture:
    """A page, a coloured box around each entity.

    Args:
        image: upright.
        lines: in its coordinates.
        spans: on the text that these lines make; a label that is no type of entity is drawn grey.
        title: what is seen.
    """
    from matplotlib.patches import Rectangle

    width, height = image.size
    figure, (axes,) = new_figure(1, height=9.0 * height / width + 0.6, width=9.0)
    axes.imshow(np.asarray(image.convert("RGB")))
    shown: dict[str, Rectangle] = {}
    for span in spans:
        colour = _COLOURS.get(span.label, GREY)
        fill = 0.0 if colour == BLACK else 0.35
        for left, top, right, bottom in boxes_of(span, lines, image.size):
            box = Rectangle((left, top - 3), right - left, bottom - top + 6)
            box.set(facecolor=(colour, fill), edgecolor=(colour, 0.8), linewidth=1.5)
            axes.add_patch(box)
            shown.setdefault(span.label, box)
    axes.set(xticks=[], yticks=[], title=title)
    if shown:
        names = [f"{label} {_CHINESE.get(label, '')}".strip() for label in shown]
        axes.legend(shown.values(), names, ncols=7, fontsize=8, frameon=False, loc="upper center",
                    bbox_to_anchor=(0.5, 0))  # fmt: skip
    counts = {label: sum(span.label == label for span in spans) for label in shown}
    told = ", ".join(f"{count} {label}" for label, count in counts.items()) or "none"
    return ScanPicture(figure, f"{title}. A page with {len(lines)} boxes of text; entities in coloured boxes: {told}.")


def levels(of: Page, noises: Sequence[float], seed: int) -> Picture:
    """The same stretch of a page at several levels of noise, one below the other."""
    figure, axes = new_figure(1, height=1.55 * len(noises), width=9.0)
    axes[0].remove()
    for row, noise in enumerate(noises):
        panel = figure.add_subplot(len(noises), 1, row + 1)
        image = np.asarray(scanned(drawn(of), noise, seed))
        panel.imshow(image[MARGIN + 55 : MARGIN + 55 + _LEVELS_SHOWN])
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"noise {noise:g}", fontsize=9, loc="left")
    named = ", ".join(f"{noise:g}" for noise in noises)
    return ScanPicture(figure, f"The head of the same page at noise {named}: ever more skewed, blurred and speckled.")
