"""An audit at a glance: how much of each kind was found, and how the labels lie in train, dev and test."""

from __future__ import annotations

from typing import Any

from hanlp_tutor.teach.plots import BLUE, GREY, ORANGE, SKY, VERMILION, Picture
from hanlp_tutor.workbench.audit import Report

# Told apart by hatching too, where there is no colour.
_SEVERITIES = {"error": (VERMILION, "///"), "warning": (ORANGE, ".."), "note": (GREY, "")}
_SETS = {"train": BLUE, "dev": SKY, "test": ORANGE}
_MOST_LABELS = 12


def audit_picture(report: Report) -> Picture:
    """Two panels: findings by kind and severity, on a logarithmic axis; the share of each label in train, dev and test.

    Of more than a dozen labels the most frequent are drawn.
    """
    from matplotlib.figure import Figure

    kinds = report.kinds()
    shares = _shares(report)
    rows = max(len(kinds), len(next(iter(shares.values()), [])) * len(shares) * 0.55, 3)
    figure = Figure(figsize=(10, 1.8 + 0.36 * rows), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_findings(left, report)
    _draw_shares(right, report.task, shares)
    for axes in (left, right):
        axes.invert_yaxis()
        axes.spines[["top", "right"]].set_visible(False)
    found = ", ".join(f"{kind} {number:,}" for kind, number in kinds.items()) or "none"
    alt = f"Two panels. Findings of the audit: {found}. Share of each label by set: "
    return Picture(figure, alt + "; ".join(f"{name}: {_percent(row)}" for name, row in shares.items()) + ".")


def _draw_findings(axes: Any, report: Report) -> None:
    kinds = list(report.kinds())
    axes.set_title("Findings", pad=26)
    axes.set_xlabel("number (logarithmic axis)")
    if not kinds:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", fontsize=14)
        return
    width = 0.8
    for severity, (colour, hatch) in _SEVERITIES.items():
        numbers = {kind: sum(f.severity == severity for f in report.of(kind)) for kind in kinds}
        mixed = {kind: len({f.severity for f in report.of(kind)}) > 1 for kind in kinds}
        drawn = [kind for kind in kinds if numbers[kind]]
        if not drawn:
            continue
        # a kind of two severities has two thinner bars: on a logarithmic axis a stack would lie
        places = [kinds.index(k) + (0 if not mixed[k] else -0.2 if severity == "error" else 0.2) for k in drawn]
        heights = [width / 2 if mixed[k] else width for k in drawn]
        bars = axes.barh(
            places, [numbers[k] for k in drawn], heights, color=colour, hatch=hatch, edgecolor="white", label=severity
        )
        axes.bar_label(bars, labels=[f"{numbers[k]:,}" for k in drawn], padding=3)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_xscale("log")
    axes.set_xlim(0.7, max(40, 4 * max(report.kinds().values())))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def _draw_shares(axes: Any, task: str, shares: dict[str, dict[str, float]]) -> None:
    labels = list(next(iter(shares.values()), {}))
    unit = "entities" if task == "ner" else "texts"
    axes.set_title("Labels", pad=26)
    axes.set_xlabel(f"share of the {unit} of a set")
    height = 0.8 / max(len(shares), 1)
    for number, (name, row) in enumerate(shares.items()):
        places = [k + (number - (len(shares) - 1) / 2) * height for k in range(len(labels))]
        axes.barh(places, list(row.values()), height * 0.9, color=_SETS[name], label=name)
    axes.set_yticks(range(len(labels)), labels)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def _shares(report: Report) -> dict[str, dict[str, float]]:
    total: dict[str, int] = {}
    for subset in report.subsets.values():
        for label, number in subset["labels"].items():
            total[label] = total.get(label, 0) + number
    labels = sorted(total, key=lambda label: (-total[label], label))[:_MOST_LABELS]
    return {
        name: {label: subset["labels"].get(label, 0) / max(sum(subset["labels"].values()), 1) for label in labels}
        for name, subset in report.subsets.items()
    }


def _percent(row: dict[str, float]) -> str:
    return ", ".join(f"{label} {share:.0%}" for label, share in row.items())
