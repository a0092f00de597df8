"""p(tag | text) of a linear-chain CRF by forward and backward sums (前向后向算法; Rabiner 1989)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchcrf import CRF


@torch.no_grad()
def marginals(crf: CRF, emissions: Tensor, lengths: Sequence[int], temperature: float = 1.0) -> Tensor:
    """The probability of each tag at each place, over all sequences of tags: (B, L, C), no graph behind it.

    The backward sums are the forward sums of the text read from its end, with the transitions turned round. So both run
    in one loop over L, and padding, which comes last in either direction, is never met on the way.

    Args:
        crf: its scores stay as they are.
        emissions: (B, L, C).
        lengths: places of each text, the largest of them L; what stands behind a text's end means nothing.
        temperature: by which all scores, those of the CRF too, are divided.
    """
    places = torch.arange(emissions.size(1), device=emissions.device)
    ends = torch.tensor(lengths, device=emissions.device).unsqueeze(1)
    mirrored = (ends - 1 - places).clamp(min=0).unsqueeze(-1).expand_as(emissions)
    emissions = emissions / temperature
    both_ways = torch.stack([emissions, emissions.gather(1, mirrored)]).transpose(1, 2).transpose(0, 1)  # (L, 2, B, C)
    transitions = torch.stack([crf.transitions, crf.transitions.T]).unsqueeze(1) / temperature  # (2, 1, from, to)
    score = torch.stack([crf.start_transitions, crf.end_transitions]).unsqueeze(1) / temperature + both_ways[0]
    scores = [score]
    for emission in both_ways[1:].unbind():  # normalised, as only differences count: exact to the end of a long text
        score = ((score.unsqueeze(-1) + transitions).logsumexp(-2) + emission).log_softmax(-1)
        scores.append(score)
    forward, backward = torch.stack(scores, 2)
    return (forward + backward.gather(1, mirrored) - emissions).softmax(-1)
