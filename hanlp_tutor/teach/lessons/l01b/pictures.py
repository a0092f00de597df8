"""What one head of an encoder looks at, as a picture with the characters of the sentence on both axes.

It is an SVG, unlike the course's other pictures: the browser that shows it draws the characters, so the machine that
computes needs no Chinese font. Colab, Binder and most servers have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from torch import Tensor

from hanlp_tutor.teach.plots import CHINESE_FONTS

_CELL, _LEFT, _TOP = 34, 88, 74  # pixels
_WRITTEN = 0.095  # smaller weights have their colour only
_LIGHT, _DARK = (247, 251, 255), (8, 48, 107)  # of matplotlib's Blues


class AttentionPicture:
    """The weights of one head: a row for each token that asks, a column for each that is asked; darker is more.

    Args:
        weights: (T, T), each row sums to 1.
        tokens: T of them.
        title: which head.
    """

    def __init__(self, weights: Tensor, tokens: Sequence[str], title: str):
        if tuple(weights.shape) != (len(tokens), len(tokens)):
            raise ValueError(f"{len(tokens)} tokens need ({len(tokens)}, {len(tokens)}), got {tuple(weights.shape)}")
        self.rows, self.tokens, self.title = weights.tolist(), list(tokens), title

    @property
    def alt(self) -> str:
        """What the picture shows: for each token the one that it looks at most."""
        most = (max(range(len(row)), key=row.__getitem__) for row in self.rows)
        looks = (
            f"{token} at {self.tokens[k]} {row[k]:.2f}"
            for token, row, k in zip(self.tokens, self.rows, most, strict=True)
        )
        return f"Attention weights, {self.title}. Each token looks most: {', '.join(looks)}."

    def svg(self) -> str:
        """The picture as SVG."""
        size = _CELL * len(self.tokens)
        width, height = _LEFT + size + 16, _TOP + size + 16
        turn = f"{_TOP + size / 2:g}"
        fonts = escape(", ".join(["DejaVu Sans", *(f"'{name}'" for name in CHINESE_FONTS), "sans-serif"]))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="{fonts}" font-size="15" text-anchor="middle">',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            _text(_LEFT + size / 2, 20, self.title, 'font-weight="bold"'),
            _text(_LEFT + size / 2, 42, "looks at (key) →", 'font-size="12"'),
            _text(18, _TOP + size / 2, "← who looks (query)", f'font-size="12" transform="rotate(-90 18 {turn})"'),
        ]
        for i, token in enumerate(self.tokens):
            middle = (i + 0.5) * _CELL
            small = 'font-size="11"' if len(token) > 1 else ""
            parts.append(_text(_LEFT + middle, _TOP - 9, token, small))
            parts.append(_text(_LEFT - 24, _TOP + middle + 5, token, small))
            parts += (self._cell(i, k, weight) for k, weight in enumerate(self.rows[i]))
        return "\n".join([*parts, "</svg>"])

    def _cell(self, i: int, k: int, weight: float) -> str:
        share = min(max(weight, 0.0), 1.0)
        colour = "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(_LIGHT, _DARK, strict=True))
        x, y = _LEFT + k * _CELL, _TOP + i * _CELL
        drawn = f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{colour}" stroke="#ddd"/>'
        if share < _WRITTEN:
            return drawn
        ink = "#fff" if share > 0.5 else "#000"
        return drawn + _text(x + _CELL / 2, y + _CELL / 2 + 4, f"{weight:.2f}", f'font-size="11" fill="{ink}"')

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        # nbconvert reads the alt text under the type, others beside it
        data = {"image/svg+xml": self.svg(), "text/plain": self.alt}
        return data, {"alt": self.alt, "image/svg+xml": {"alt": self.alt}}

    def __repr__(self) -> str:
        return self.alt


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {attributes}>{escape(text)}</text>'
