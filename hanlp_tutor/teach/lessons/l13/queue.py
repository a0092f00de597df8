"""The queue of alerts as an analyst sees it: how suspicious, which typology if any, and which characters mattered."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

UNCLEAR = "a person decides"
_MARKED = 0.5  # of the highest importance: what is marked where there are no colours


def occlusion(suspicion: Callable[[Sequence[str]], np.ndarray], text: str, *, width: int = 4) -> np.ndarray:
    """How much the suspicion falls, on average, when a run of characters around each one is taken away.

    Zeiler and Fergus (2014) covered parts of a picture; here a run is cut out. It asks the model, not the world: what
    it marks is what this model went by.

    Args:
        suspicion: from texts to numbers.
        text: one alert.
        width: characters in a run.

    Returns:
        One number a character; below 0 where the suspicion rises without it.
    """
    width = min(width, len(text))
    starts = range(len(text) - width + 1)
    before, *after = suspicion([text, *(text[:start] + text[start + width :] for start in starts)])
    falls, covered = np.zeros(len(text)), np.zeros(len(text))
    for start, value in zip(starts, after, strict=True):
        falls[start : start + width] += before - value
        covered[start : start + width] += 1
    return falls / covered


@dataclass(frozen=True)
class Alert:
    """One line of the queue."""

    text: str
    score: float
    label: str
    importance: np.ndarray


class Queue:
    """Alerts in the order in which they should be looked at.

    Args:
        alerts: texts.
        scores: how suspicious each is, between 0 and 1.
        labels: the typology of each, None where the model had better not name one.
        suspicion: from texts to scores, for what mattered.
        count: alerts shown, the most suspicious first.
    """

    def __init__(
        self,
        alerts: Sequence[str],
        scores: Sequence[float],
        labels: Sequence[str | None],
        suspicion: Callable[[Sequence[str]], np.ndarray],
        *,
        count: int = 5,
    ):
        order = sorted(range(len(alerts)), key=lambda number: -scores[number])[:count]
        self.rows = [
            Alert(alerts[n], float(scores[n]), labels[n] or UNCLEAR, occlusion(suspicion, alerts[n])) for n in order
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{row.score:.3f}  {row.label}\n  {_marked(row)}" for row in self.rows)

    def _repr_html_(self) -> str:
        cell = '<td style="text-align: left; vertical-align: top; line-height: 1.8">'
        rows = "".join(
            f"<tr>{cell}{row.score:.3f}</td>{cell}{html.escape(row.label)}</td>{cell}{_coloured(row)}</td></tr>"
            for row in self.rows
        )
        head = "".join(f'<th style="text-align: left">{name}</th>' for name in ("score", "typology", "alert"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _shares(row: Alert) -> np.ndarray:
    """Importance between 0 and 1, the highest is 1."""
    positive = np.clip(row.importance, 0, None)
    return positive / positive.max() if positive.any() else positive


def _marked(row: Alert) -> str:
    """The text with 【】 around what mattered most."""
    text, inside = "", False
    for sign, share in zip(row.text, _shares(row), strict=True):
        if (share >= _MARKED) != inside:
            text += "】" if inside else "【"
            inside = not inside
        text += sign
    return text + ("】" if inside else "")


def _coloured(row: Alert) -> str:
    """The text on a ground of Okabe and Ito's orange, the stronger the more a character mattered."""
    return "".join(
        f'<span style="background: rgba(230, 159, 0, {share:.2f})">{html.escape(sign)}</span>'
        if share > 0.1
        else html.escape(sign)
        for sign, share in zip(row.text, _shares(row), strict=True)
    )
