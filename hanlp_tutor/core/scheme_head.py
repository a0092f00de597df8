"""A tagging head whose classes are of another scheme than BIO, as those of many HanLP models are (BMES, IOBES).

The rest of the kit speaks BIO; this head translates at its border, so that such a model goes on from the very weights
it was trained with: its scores are those of its own classes, gold labels come in as BIO and predictions go out as BIO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from hanlp_tutor.core.batching import IGNORED, Batch
from hanlp_tutor.core.heads import TaggingHead
from hanlp_tutor.data.schemes import class_table, each_alone, missing, scheme_of, to_bio
from hanlp_tutor.errors import ModelError


class SchemeHead(TaggingHead):
    """As :class:`~hanlp_tutor.core.heads.TaggingHead`, for a text's BIO classes read from other classes.

    Args:
        labels: the model's BIO tags, C of them, with B and I of each type.
        native: the classes of the linear layer, N tags of the other scheme.
    """

    def __init__(self, hidden_size: int, labels: Sequence[str], native: Sequence[str], *, dropout: float, crf: bool):
        super().__init__(hidden_size, len(native), dropout=dropout, crf=crf)
        self.native, self.scheme = tuple(native), scheme_of(native)
        self._bio = {label: i for i, label in enumerate(labels)}
        self._kinds = sorted({label[2:] for label in labels if label != "O"})
        self._tables: dict[torch.device, tuple[Tensor, Tensor, Tensor]] = {}

    def loss_sum(self, logits: Tensor, batch: Batch, class_weights: Tensor | None) -> Tensor:
        """As the base class, for gold labels and class weights of the BIO tags.

        Raises:
            ModelError: in training, a class that gold labels may need is missing;
                :func:`hanlp_tutor.workbench.add_labels.add_labels` adds it. In evaluation another class of the type
                stands in for it.
        """
        absent = missing(self.native) if self.training else []
        if absent:
            raise ModelError(
                f"The model has no class {absent[0]!r} ({len(absent)} such), which training needs. "
                "Complete it first: model = add_labels(model, [])."
            )
        if class_weights is not None:
            class_weights = class_weights[[self._bio[tag] for tag in each_alone(self.native)]]
        return super().loss_sum(logits, replace(batch, labels=self.to_native(batch.labels)), class_weights)

    def decode(self, logits: Tensor, batch: Batch) -> list[list[int]]:
        """The BIO classes that the best classes of the other scheme mean."""
        rows = super().decode(logits, batch)
        return [[self._bio[tag] for tag in to_bio([self.native[i] for i in row], "BMES")] for row in rows]

    def probabilities(self, logits: Tensor, batch: Batch, temperature: float = 1.0) -> Tensor:
        """p(BIO class), (B, L, C): p(B-X) is that of beginning X, be it one character long or longer."""
        p = super().probabilities(logits, batch, temperature)
        into = torch.tensor([self._bio[tag] for tag in each_alone(self.native)], device=p.device).expand(p.shape)
        return p.new_zeros(*p.shape[:2], len(self._bio)).scatter_add(2, into, p)

    def to_native(self, labels: Tensor) -> Tensor:
        """BIO classes (B, L) to classes of the other scheme; padding stays padding."""
        kind, begins_always, table = self._on(labels.device)
        known = labels.clamp(min=0)
        kinds = kind[known].masked_fill(labels == IGNORED, 0)  # 0: outside
        edge = kinds.new_zeros(len(kinds), 1)
        same_as_before = kinds == torch.cat([edge, kinds[:, :-1]], 1)
        begins = begins_always[known] | ~same_as_before
        begins_next = torch.cat([begins[:, 1:], edge.bool()], 1)
        goes_on = (kinds == torch.cat([kinds[:, 1:], edge], 1)) & ~begins_next
        return table[kinds, begins.long(), goes_on.long()].masked_fill(labels == IGNORED, IGNORED)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Of each BIO class its kind (0: outside) and whether it is a B; and kind, begins, goes on -> class."""
        if device not in self._tables:
            table = torch.tensor(class_table(self.native, self._kinds))
            kinds = torch.tensor([self._kinds.index(label[2:]) + 1 if label != "O" else 0 for label in self._bio])
            begins = torch.tensor([label.startswith("B-") for label in self._bio])
            self._tables[device] = kinds.to(device), begins.to(device), table.to(device)
        return self._tables[device]
