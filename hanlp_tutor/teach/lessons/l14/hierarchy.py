"""From a model of components and one of modes to a type: the pair that is most probable of those that exist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hanlp_tutor.corpora.faults import parts_of


def joint(
    of_component: np.ndarray,
    components: Sequence[str],
    of_mode: np.ndarray,
    modes: Sequence[str],
    types: Sequence[str],
) -> np.ndarray:
    """A score for each type: log p(component) + log p(mode), or the sum of two margins.

    Args:
        of_component: (texts, components), scores that add up: logarithms of probabilities, or margins.
        of_mode: (texts, modes).
        components, modes: the names of the columns.
        types: ``component/mode``; no pair but these is ever predicted.

    Returns:
        (texts, types).
    """
    places = [(list(components).index(c), list(modes).index(m)) for c, m in map(parts_of, types)]
    first, second = (list(column) for column in zip(*places, strict=True))
    return of_component[:, first] + of_mode[:, second]
