"""What notebook 02 shows of the penalty λ‖θ‖²: how far it moves θ, paths of optimisers, the experiment's table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from hanlp_tutor.core.model import Model
from hanlp_tutor.teach import verdict
from hanlp_tutor.teach.plots import BLACK, BLUE, GREY, ORANGE, Picture, new_figure
from hanlp_tutor.teach.results import GRID, UNMEASURED, Measured, paired, spread

EMBEDDINGS = "encoder.embeddings.word_embeddings.weight"


def moved(before: Mapping[str, Tensor], model: Model, seen: Tensor) -> dict[str, float]:
    """How far θ went from θ₀, each relative to ‖θ₀‖.

    Args:
        before: the model's state at the start.
        model: after training.
        seen: ids of the tokens that the training sentences have, with or without [CLS], [SEP] and [PAD].

    Returns:
        ``size`` ‖θ‖/‖θ₀‖; ``distance`` ‖θ - θ₀‖/‖θ₀‖; ``unseen`` the same as ``size``, but of the embeddings of tokens
        that no training sentence has: the task's gradient on them is 0, so that only a penalty can move them.
    """
    theta = {name: p for name, p in model.named_parameters() if name.startswith("encoder.") and p.requires_grad}
    now = {name: p.detach().cpu() for name, p in theta.items()}
    start = {name: before[name].cpu() for name in now}
    absent = torch.ones(len(now[EMBEDDINGS]), dtype=torch.bool)
    special = [model.text_encoder.cls_id, model.text_encoder.sep_id, model.text_encoder.pad_id]
    absent[torch.cat([seen, torch.tensor(special)])] = False
    return {
        "size": _norm(now.values()) / _norm(start.values()),
        "distance": _norm(now[n] - start[n] for n in now) / _norm(start.values()),
        "unseen": _norm([now[EMBEDDINGS][absent]]) / _norm([start[EMBEDDINGS][absent]]),
    }


def path(
    optimizer: type[torch.optim.Optimizer],
    loss: Callable[[Tensor], Tensor],
    start: Sequence[float],
    steps: int,
    *,
    lr: float,
    decay: float = 0.0,
) -> list[list[float]]:
    """Where an optimiser takes a weight vector: its place before each of ``steps`` updates, and after the last.

    ``decay`` is decoupled: each update shrinks the weights by the factor 1 - lr · decay, outside of the gradient
    (Loshchilov and Hutter 2019); ``Adam`` becomes AdamW by it.
    """
    weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    rule, places = optimizer([weights], lr=lr), [weights.tolist()]
    for _ in range(steps):
        rule.zero_grad()
        loss(weights).backward()
        with torch.no_grad():
            weights *= 1 - lr * decay
        rule.step()
        places.append(weights.tolist())
    return places


def draw_paths(
    panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], loss: Callable[[Tensor], Tensor]
) -> Picture:
    """A panel a title, a path a name, over the contours of the task's loss on two weights.

    The first path of a panel is drawn broad and light, the second thin and dark upon it: equal paths show as one.
    """
    figure, axes = new_figure(len(panels), height=4.0, width=9.0)
    places = [place for paths in panels.values() for points in paths.values() for place in points]
    low, high = ([f(place[i] for place in places) for i in (0, 1)] for f in (min, max))
    xs, ys = (torch.linspace(low[i] - 0.15, high[i] + 0.15, 60, dtype=torch.float64) for i in (0, 1))
    heights = [[float(loss(torch.stack([x, y]))) for x in xs] for y in ys]
    styles = ({"color": ORANGE, "lw": 5, "alpha": 0.8}, {"color": BLUE, "lw": 1.6, "ls": "--"})
    ends = []
    for panel, (title, paths) in zip(axes, panels.items(), strict=True):
        panel.contour(xs.tolist(), ys.tolist(), heights, levels=12, colors=GREY, linewidths=0.7)
        for (name, points), style in zip(paths.items(), styles, strict=True):
            x, y = zip(*points, strict=True)
            panel.plot(x, y, label=name, **style)
            panel.plot(x[-1], y[-1], color=style["color"], marker="o", ms=7)
            ends.append(f"{title}, {name}: ends at ({x[-1]:.2f}, {y[-1]:.2f})")
        panel.plot(*places[0], color=BLACK, marker="s", ms=7)
        panel.set(xlabel="a weight with a large gradient", ylabel="a weight with a small gradient", title=title)
        panel.legend(frameon=True, fontsize=9, loc="lower right")
    return Picture(figure, "Paths on two weights from a common start. " + "; ".join(ends) + ".")


class Regularisation(Measured):
    """``results/loss_terms.json`` as a table."""

    def __init__(self, folder: Path | None = None):
        super().__init__("loss_terms", folder)
        self.grid = self.under(f"{GRID}sgd/lr=").rows
        self.rows = {name: row for name, row in self.rows.items() if not name.startswith(GRID)}

    @property
    def sgd_lr(self) -> float:
        """The learning rate of SGD without regularisation that was best on dev; 0.1 while nobody has measured."""
        return float(max(self.grid, key=lambda lr: self.grid[lr]["median"]["dev"], default=0.1))

    def of_the_article(self) -> list[str]:
        """The rows with its two numbers, 0.01 and 0.1, in each of the places where a λ can stand."""
        return [name for name in self.rows if name.endswith(("0.01", "0.1", "on the sum", "on the mean"))]

    def table(self) -> list[dict[str, str]]:
        """A row a kind of regularisation: medians, and the spread of F1 over the seeds; without rows, what to do."""
        columns = {
            "dev loss": "dev_loss",
            "‖θ‖ / ‖θ₀‖": "size",
            "‖θ-θ₀‖ / ‖θ₀‖": "distance",
            "unseen characters": "unseen",
        }
        rows = [
            {
                "regularisation": name,
                "dev F1": spread(row, "dev_f1"),
                "train F1": spread(row, "train_f1"),
                **{title: f"{row['median'][measure]:.3f}" for title, measure in columns.items()},
            }
            for name, row in self.rows.items()
        ]
        return rows or self.missing("regularisation")

    def lead(self, row: str, over: str = "nothing") -> str:
        """Who is ahead in dev F1, with an interval of the differences seed by seed: what both share cancels out."""
        if row not in self.rows or over not in self.rows:
            return UNMEASURED
        found = paired(self.rows[row], self.rows[over], "dev_f1")
        if found is None:
            return UNMEASURED
        against = "no regularisation" if over == "nothing" else over
        return verdict.lead(row, against, found, of="dev F1")


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(sum(tensor.double().square().sum() for tensor in tensors)) ** 0.5
