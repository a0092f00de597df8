"""What a threshold costs: hours of analysts who look at alerts, and cases that nobody looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hanlp_tutor.errors import ConfigError


def known_label(legitimate: str, labels: Iterable[str]) -> str:
    """The label of the alerts that are innocent.

    Raises:
        ConfigError: training has no such label; names those that it has.
    """
    if legitimate not in labels:
        raise ConfigError(
            f"legitimate={legitimate!r}: no alert of the training file has this label; they have "
            f"{', '.join(sorted(labels))}. Say which of these is the innocent one: -p legitimate NAME"
        )
    return legitimate


@dataclass(frozen=True)
class Desk:
    """The desk to which alerts are sent whose score reaches a threshold.

    Args:
        missed: what a suspicious alert costs that nobody looked at, in hours of an analyst; looking takes one.
        share: of the alerts in *your* queue that are suspicious, which need not be that of the labelled set.
    """

    missed: float = 20.0
    share: float = 0.1

    def hours(self, scores: Sequence[float], suspicious: Sequence[bool], threshold: float) -> float:
        """Hours that 1,000 alerts cost when those are looked at whose score is at least the threshold."""
        scores, suspicious = np.asarray(scores, float), np.asarray(suspicious, bool)
        looked = scores >= threshold
        caught, alarmed = looked[suspicious].mean(), looked[~suspicious].mean()
        return 1000 * (self.share * (caught + self.missed * (1 - caught)) + (1 - self.share) * alarmed)

    def best(self, scores: Sequence[float], suspicious: Sequence[bool]) -> float:
        """The threshold that costs least on these alerts, of equals the lowest; infinite: look at none."""
        candidates = [*np.unique(np.asarray(scores, float)), np.inf]
        return float(min(candidates, key=lambda threshold: self.hours(scores, suspicious, threshold)))

    @property
    def all(self) -> float:
        """Hours where all 1,000 are looked at."""
        return 1000.0

    @property
    def none(self) -> float:
        """Hours where none is."""
        return 1000 * self.share * self.missed
