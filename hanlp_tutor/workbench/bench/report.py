"""The result of the bench as tables: what the command prints, and what ``docs/speed.md`` shows."""

from __future__ import annotations

from typing import Any

TARGETS = (  # of the roadmap: name, sense, bound, in words
    ("train.small.vs_trainer_default", ">=", 4.5, "training against the Trainer's defaults"),
    ("train.small.vs_trainer_grouped", ">=", 1.3, "against its batches of like length"),
    ("train.small.vs_hanlp_bucketed", ">=", 1.3, "against HanLP's batches of like length"),
    ("train.small.roofline", ">=", 0.70, "share of the matrix-product peak"),
    ("padding_fraction", "<=", 0.03, "padding of an epoch over all sentences"),
    ("predict.small.vs_hanlp", ">=", 3.0, "bulk prediction against HanLP's"),
    ("latency.small.p50_ms", "<=", "latency.small.hanlp_p50_ms", "one text of 46 characters, ms, against HanLP's"),
    ("memory.small.peak_mb", "<=", 1000.0, "peak memory of a training run, MB"),
)


def at(content: dict[str, Any], name: str) -> dict[str, Any] | None:
    """``{"median", "spread"}`` by its dotted name; None where it was not measured."""
    place: Any = content
    for part in name.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    return place


def numbers(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that was measured, by dotted name, in the order of the file."""
    found: dict[str, dict[str, Any]] = {}

    def collect(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value.keys() == {"median", "spread"}:
            found[prefix] = value
        elif isinstance(value, dict):
            for name, inner in value.items():
                collect(f"{prefix}.{name}" if prefix else name, inner)

    collect("", {name: value for name, value in content.items() if name not in ("rows", "settings", "profile")})
    return found


def shown(value: dict[str, Any]) -> str:
    """Median and spread as text."""
    middle, low, high = (_number(each) for each in (value["median"], *value["spread"]))
    return middle if low == high else f"{middle} ({low} to {high})"


def table(content: dict[str, Any]) -> str:
    """Every number with its spread, a line each."""
    return "\n".join(f"{name:<45} {shown(value)}" for name, value in numbers(content).items())


def _number(value: float) -> str:
    return (
        f"{value:,.0f}"
        if value >= 100
        else f"{value:.1f}"
        if value >= 10
        else f"{value:.2f}"
        if value >= 1
        else f"{value:.3f}"
    )
