"""The result of the bench as tables: what the command prints, and what ``docs/speed.md`` shows."""

from __future__ import annotations

from typing import Any

# Of the roadmap: what, its name, whether more is better, the bound or the name of what it is held against
TARGETS = (
    ("training, tokens a second, of the Trainer's defaults", "train.small.vs_trainer_default", True, 4.5),
    ("of the Trainer with batches of like length", "train.small.vs_trainer_grouped", True, 1.3),
    ("of HanLP's loop with batches of like length", "train.small.vs_hanlp_bucketed", True, 1.3),
    ("share of the matrix-product peak", "train.small.roofline", True, 0.70),
    ("padding of an epoch of the newspaper", "padding_fraction", False, 0.03),
    ("bulk prediction, of HanLP's", "predict.small.vs_hanlp", True, 3.0),
    ("one text of 46 characters, ms", "latency.small.p50_ms", False, "latency.small.hanlp_p50_ms"),
    ("peak memory of a training run, MiB", "memory.small.peak_mb", False, 1e9 / 2**20),
)
PLACES = {
    "train.small": "training, embedded encoder, newspaper NER",
    "train.small_classify": "training, embedded encoder, classes of reviews",
    "train.base": "training, BERT-base's shape, random weights, NER",
    "predict.small": "bulk prediction, newspaper NER with a CRF",
    "predict.small_classify": "bulk prediction, classes of reviews",
}
RIVALS = {
    "trainer_default": "Trainer, defaults",
    "trainer_grouped": "Trainer, `group_by_length`, fused AdamW",
    "hanlp_default": "HanLP's loop, defaults",
    "hanlp_bucketed": "HanLP's loop, `SortingSamplerBuilder`",
    "hanlp": "the same model exported, `hanlp.load`",
    "ours": "ours",
}
LATENCIES = {"": "ours, torch", "onnx_": "ours, ONNX Runtime", "hanlp_": "HanLP"}
ROUNDS = 5  # for a median that may be quoted
BAR = 40  # characters for a whole


def at(content: dict[str, Any], name: str) -> dict[str, Any] | None:
    """``{"median", "spread"}`` by its dotted name; None where it was not measured."""
    place: Any = content
    for part in name.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    return place


def shown(value: dict[str, Any] | None) -> str:
    """Median and spread as text."""
    if value is None:
        return "not measured"
    middle, low, high = (_number(each) for each in (value["median"], *value["spread"]))
    return middle if low == high else f"{middle} ({low} to {high})"


def table(content: dict[str, Any]) -> str:
    """Every number with its spread, a line each, by dotted name."""
    lines = []

    def collect(name: str, value: Any) -> None:
        if isinstance(value, dict) and value.keys() == {"median", "spread"}:
            lines.append(f"{name:<45} {shown(value)}")
        elif isinstance(value, dict):
            for inner, each in value.items():
                collect(f"{name}.{inner}".lstrip("."), each)

    collect("", {name: value for name, value in content.items() if name not in ("rows", "settings")})
    return "\n".join(lines)


def page(content: dict[str, Any]) -> str:
    """The Markdown between the marks of ``docs/speed.md``."""
    parts = [_targets(content), _ratios(content), _others(content), _profile(content), _verdicts(content)]
    return "\n\n".join([_measured(content), *parts])


def _measured(content: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {content['versions'][name]}" for name in ("torch", "transformers", "hanlp"))
    sizes = content["settings"]
    return (
        f"Measured by `{content['command_line']}` on {content['device']}, {versions}, {content['date'][:10]}: "
        f"{_rounds(content['rounds'])}, medians of the ratios within a round, in brackets the least and the greatest. "
        f"{sizes['ner']:,} sentences and {sizes['classify']:,} reviews, {sizes['batch']} an update; who sorts by "
        f"length makes 1 in {sizes['part']} of the updates, who does not reads 1 in {sizes['thin']} of the sentences. "
        f"BERT-base's shape: {sizes['base']} short sentences, {sizes['base_batch']} an update, all by all. Predicted: "
        f"{sizes['predicted']} texts of each corpus. {_duration(content)}"
    )


def _duration(content: dict[str, Any]) -> str:
    took = content.get("seconds", {})
    if len(took) == content["rounds"]:
        return f"All of it took {sum(took.values()) / 60:.1f} minutes."
    runs = (run for row in content["rows"].values() for run in row["seeds"].values())
    minutes = sum(run.get("seconds", 0.0) for run in runs) / 60  # of a file from before the whole was recorded
    return f"The contestants computed for {minutes:.0f} minutes, all rounds together."


def _rounds(count: int) -> str:
    few = f" of the {ROUNDS} that are wanted; the same command measures the others" if count < ROUNDS else ""
    return f"{count} round{'s' * (count > 1)}{few}"


def _targets(content: dict[str, Any]) -> str:
    rows = []
    for what, name, more, bound in TARGETS:
        value = at(content, name)
        against = at(content, bound) if isinstance(bound, str) else {"median": bound}
        if value is None or against is None:
            verdict, wanted = "not measured", ""
        else:
            better = value["median"] >= against["median"] if more else value["median"] <= against["median"]
            verdict = ("" if content["rounds"] >= ROUNDS else "so far ") + ("met" if better else "**not met**")
            wanted = f"{'at least' if more else 'at most'} {_number(against['median'])}"
        rows.append((what, wanted, shown(value), verdict, _at_peak(content, name)))
    explained = "*At the peak*: what it would be if the same products ran at the full peak and nothing else took time."
    head = ("median of", "wanted", "measured", "", "at the peak")
    return f"## Targets\n\n{_table(head, rows)}\n\n{explained}"


def _at_peak(content: dict[str, Any], name: str) -> str:
    """The bound of a ratio, by the share of the peak that ours reaches."""
    place, _, measure = name.rpartition(".")
    share, value = at(content, f"{place}.roofline"), at(content, name)
    if not measure.startswith("vs_") or share is None or value is None:
        return ""
    return _number(value["median"] / share["median"])


def _ratios(content: dict[str, Any]) -> str:
    rows = []
    for place, title in PLACES.items():
        for rival, name in RIVALS.items():
            value = at(content, f"{place}.vs_{rival}")
            if value is not None:
                padding = content["rows"][f"{place}/{rival}"]["median"].get("padding")
                rows.append((title, name, shown(value), "" if padding is None else f"{padding:.0%}"))
        own = content["rows"].get(f"{place}/ours", {}).get("median", {})
        if "padding" in own:
            rate = f"{shown(at(content, f'{place}.tokens_per_second'))} tokens a second"
            rows.append((title, RIVALS["ours"], rate, f"{own['padding']:.0%}"))
    return "## How many times as fast\n\n" + _table(("", "against", "so many times as fast is ours", "padding"), rows)


def _others(content: dict[str, Any]) -> str:
    latency = [
        (name, *(shown(at(content, f"latency.small.{prefix}{each}_ms")) for each in ("p50", "p99")))
        for prefix, name in LATENCIES.items()
    ]
    peaks = [
        (title, shown(at(content, f"{place}.roofline")), shown(at(content, f"{place}.reachable")) if trained else "")
        for place, title in PLACES.items()
        for trained in (place.startswith("train"),)
    ]
    padding = [
        (name, shown(at(content, "padding_fraction" if who == "ours" else f"padding_fraction_of.{who}")))
        for who, name in RIVALS.items()
        if who in ("trainer_default", "trainer_grouped", "hanlp_bucketed", "ours")
    ]
    return "\n\n".join([
        "One text of 46 characters, NER with a CRF, ms:", _table(("", "p50", "p99"), latency),
        "Share of what plain matrix products reach in the same run, of useful operations, padding none: "
        "`3·(L·(2n·(4H²+2HI)+4n²H)+2nHC)` for a text of n tokens in training, a third of it in prediction "
        "(`workbench/bench/roofline.py`). Beside it the share that the products of the encoder reach when they are "
        "computed alone, in the shapes of a batch of texts of median length, with no norm, activation, optimiser or "
        "Python between them: more is not to be had with this PyTorch on this machine.",
        _table(("", "share", "of its products alone"), peaks),
        "Padding of a whole epoch over all sentences of the newspaper's training set, by who makes the batches:",
        _table(("", "share of the computed tokens"), padding),
    ])  # fmt: skip


def _profile(content: dict[str, Any]) -> str:
    shares = sorted(content["profile"].items(), key=lambda item: -item[1])
    rows = [(name, f"{share:.1%}", "█" * round(BAR * share)) for name, share in shares]
    return "## Where the time goes\n\nOf our training of the embedded encoder, by `torch.profiler`:\n\n" + _table(
        ("", "share", ""), rows
    )


def _verdicts(content: dict[str, Any]) -> str:
    if content["rounds"] < ROUNDS:
        return "## Faster at what, and at what not\n\nToo few rounds to say: see the ratios above."
    sides: dict[str, list[str]] = {"Faster": [], "Slower": [], "No difference outside the spread": []}
    for place, title in PLACES.items():
        for rival, name in RIVALS.items():
            value = at(content, f"{place}.vs_{rival}")
            if value is not None:
                low, high = value["spread"]
                side = "Faster" if low > 1 else "Slower" if high < 1 else "No difference outside the spread"
                sides[side].append(f"- {title}, against {name}: {shown(value)}")
    lines = [f"{side}:\n\n" + ("\n".join(found) or "- nowhere") for side, found in sides.items()]
    return "## Faster at what, and at what not\n\n" + "\n\n".join(lines)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"
