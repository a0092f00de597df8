"""From the scores of five characters to entities: forbidden steps that cost something, and a threshold."""

from __future__ import annotations

from collections.abc import Sequence

from hanlp_tutor.data import Span
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.teach.plots import BLACK, ORANGE, VERMILION, Picture, new_figure
from hanlp_tutor.teach.widgets import Explorer

TEXT, TAGS = "李明在北京", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
LOGITS = (  # made up: the second character of each name is in doubt
    (0.4, 3.2, -0.5, 0.3, -1.0),
    (-0.6, -0.7, 1.8, -0.9, 2.1),
    (3.0, -0.8, 0.0, -0.3, 0.2),
    (0.6, 0.2, -0.6, 2.4, 0.5),
    (-0.4, -0.9, 2.0, -0.8, 1.3),
)


def forbidden(before: str | None, tag: str) -> bool:
    """Whether BIO does not allow a tag behind another, or (None) at the begin: I-X follows B-X and I-X alone."""
    return tag.startswith("I-") and (before or "O")[2:] != tag[2:]


def decoded(penalty: float) -> tuple[list[str], list[list[float]]]:
    """The best sequence of tags (Viterbi) and the probability of each tag at each place (L, C).

    Args:
        penalty: what a forbidden step costs, in units of the logits; with 0 each character decides alone.
    """
    import torch
    from torchcrf import CRF

    from hanlp_tutor.core.crf import best_tags, marginals

    crf, logits = CRF(len(TAGS), batch_first=True), torch.tensor([LOGITS])
    with torch.no_grad():
        crf.start_transitions[:] = torch.tensor([-penalty * forbidden(None, tag) for tag in TAGS])
        crf.transitions[:] = torch.tensor([[-penalty * forbidden(a, b) for b in TAGS] for a in TAGS])
        crf.end_transitions.zero_()
        path = best_tags(crf, logits, [len(TEXT)])[0]
        return [TAGS[tag] for tag in path], marginals(crf, logits, [len(TEXT)])[0].tolist()


def entities(tags: Sequence[str], probabilities: Sequence[Sequence[float]]) -> list[tuple[Span, float]]:
    """The spans that tags spell, each with its least sure tag's probability: a name is as sure as its weakest part."""
    return [
        (span, min(probabilities[i][TAGS.index(tags[i])] for i in range(span.start, span.end)))
        for span in spans_from_bio(tags)
    ]


def draw_decoding(penalty: float = 0.0, threshold: float = 0.0) -> Picture:
    """Made-up logits of characters and tags, the chosen path through them, and the entities that it spells.

    Args:
        penalty: what a forbidden step costs.
        threshold: an entity that is less sure is left out.
    """
    tags, probabilities = decoded(penalty)
    path = [TAGS.index(tag) - 0.12 for tag in tags]  # a little above the numbers
    figure, (axes,) = new_figure(1, height=3.6, width=6.4)
    axes.imshow(list(zip(*LOGITS, strict=True)), cmap="Blues", vmin=-1.5, vmax=5, aspect="auto")
    for i, row in enumerate(LOGITS):
        for k, logit in enumerate(row):
            axes.text(i, k + 0.3, f"{logit:.1f}", ha="center", va="center", color=BLACK)
    for i, (before, tag) in enumerate(zip([None, *tags[:-1]], tags, strict=True)):
        step = {"color": VERMILION, "ls": ":"} if forbidden(before, tag) else {"color": BLACK, "ls": "-"}
        if i:
            axes.plot([i - 1, i], path[i - 1 : i + 1], lw=2, **step)
    axes.plot(range(len(path)), path, ls="none", marker="o", color=ORANGE, markeredgecolor=BLACK, markersize=9)
    axes.set_xticks(range(len(TEXT)), list(TEXT))
    axes.set_yticks(range(len(TAGS)), TAGS)
    said = [
        (f"{TEXT[span.start : span.end]} {span.label} {sure:.2f}", sure >= threshold)
        for span, sure in entities(tags, probabilities)
    ]
    broken = sum(map(forbidden, [None, *tags[:-1]], tags))
    kept, out = ([text for text, stays in said if stays is which] for which in (True, False))
    title = f"A forbidden step (dotted) costs {penalty:g}; entities from {threshold:g} on"
    axes.set(title=title, xlabel=", ".join(kept))
    alt = f"{TEXT}, a forbidden step costs {penalty:g}: {' '.join(tags)}, {broken} forbidden. Entities from "
    alt += f"{threshold:g} on: {', '.join(kept) or 'none'}{'; left out: ' + ', '.join(out) if out else ''}."
    return Picture(figure, alt)


def explorer() -> Explorer:
    """The picture with its controls."""
    return Explorer(
        draw_decoding, penalty=(0.0, 0.2, 0.5, 1.0, 2.0, 5.0), threshold=(0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    )
