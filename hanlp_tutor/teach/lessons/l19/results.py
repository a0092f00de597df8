"""What ``results/serving.json`` says, as tables of notebook 19."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.teach.results import UNMEASURED, read_results
from hanlp_tutor.teach.table import Table

CLIENTS = (1, 4, 16)
SERVERS = {
    "article": "the article's seven lines",
    "kit, one by one": "hanlp-tutor serve --batch 1",
    "kit": "hanlp-tutor serve",
    "onnx": "the same, ONNX",
    "int8": "the same, ONNX in 8 bits",
}


def rows(folder: Path | None = None) -> dict[str, dict[str, float]]:
    """Medians by row; empty where nothing was measured."""
    content = read_results("serving", folder)
    return {} if content is None else {name: row["median"] for name, row in content["rows"].items()}


def measured_on(folder: Path | None = None) -> str:
    """Device, versions and date of the file."""
    content = read_results("serving", folder)
    if content is None:
        return UNMEASURED
    return f"{content['device']}, torch {content['versions']['torch']}, {content['date'][:10]}"


def latency_table(folder: Path | None = None) -> Table:
    """A row a service: p50 and p99 in ms and requests a second, under 1, 4 and 16 clients."""
    known = rows(folder)
    return Table(
        [
            {
                "service": name,
                **{f"{n} client{'s' if n > 1 else ''}": _cell(known.get(f"latency/{key}/{n}")) for n in CLIENTS},
                "MiB": _number(known.get(f"latency/{key}/16"), "memory_mb", "{:.0f}"),
            }
            for key, name in SERVERS.items()
        ]
    )


def unlucky(clients: int = 16, folder: Path | None = None) -> str:
    """What the kit's service costs: its p99 beside that of the article's, and its rate where it computes one by one."""
    known = rows(folder)
    names = ("article", "kit", "kit, one by one")
    article, together, single = (known.get(f"latency/{name}/{clients}") for name in names)
    if not (article and together and single):
        return UNMEASURED
    tail, usual = together["p99_ms"], article["p99_ms"]
    return (
        f"Under {clients} clients half of the answers of `serve` take {together['p50_ms']:.0f} ms or less, where the "
        f"article's service takes {article['p50_ms']:.0f} ms; but one in a hundred takes more than {tail:.0f} ms, "
        f"where the article's takes {usual:.0f} ms: the tail is {'longer' if tail > usual else 'shorter'}. One by one "
        f"(`--batch 1`) `serve` answers {single['per_second']:.0f} requests a second and the article's service "
        f"{article['per_second']:.0f}: {'fewer' if single['per_second'] < article['per_second'] else 'more'}. "
        "(One run each.)"
    )


def memory_in_the_second_half(folder: Path | None = None) -> str:
    """Whether the memory of the overloaded service grew, and what that says."""
    row = rows(folder).get("overload")
    if row is None:
        return UNMEASURED
    growth = row["memory_growth"]
    if growth < 0.02:  # allocators breathe
        return f"The memory hardly changed in the second half ({growth:+.1%})."
    return f"The memory grew by {growth:.1%} in the second half; a minute does not say whether it goes on."


def overload_table(folder: Path | None = None) -> Table:
    """What happened at twice the capacity."""
    row = rows(folder).get("overload")
    shown = {
        "requests a second that it manages": ("capacity", "{:.0f}"),
        "requests a second that came": ("offered", "{:.0f}"),
        "answered": ("answered", "{:,.0f}"),
        "refused with 429": ("refused", "{:,.0f}"),
        "lost or wrong": (None, ""),
        "p50, ms": ("p50_ms", "{:.0f}"),
        "p99, ms": ("p99_ms", "{:.0f}"),
        "growth of memory in the second half": ("memory_growth", "{:.1%}"),
    }
    table = []
    for name, (key, form) in shown.items():
        value = _number(row, key, form) if key else UNMEASURED
        if key is None and row:
            value = f"{row['lost'] + row['wrong'] + row['failed']:,.0f}"
        table.append({"under twice of it": name, "measured": value})
    return Table(table)


def model_table(folder: Path | None = None) -> Table:
    """PyTorch and ONNX: one text on one core, a list of reviews, a fault log through HTTP."""
    known = rows(folder)
    names = {"hanlp": "HanLP", "kit": "kit, PyTorch", "onnx": "ONNX", "int8": "ONNX in 8 bits"}
    names["base"] = "BERT-base's shape"
    return Table(
        [
            {
                "model": name,
                "47 characters, p50 / p99 ms": _times(known.get(f"one text/{key}")),
                "reviews a second": _number(known.get(f"bulk/{key}"), "per_second", "{:,.0f}"),
                "a synthetic log through HTTP, p50 / p99 ms": _times(known.get(f"one log/{key}")),
            }
            for key, name in names.items()
        ]
    )


def _cell(row: dict[str, float] | None) -> str:
    return UNMEASURED if row is None else f"{_times(row)}; {row['per_second']:.0f}/s"


def _times(row: dict[str, float] | None) -> str:
    return "–" if row is None else f"{row['p50_ms']:.1f} / {row['p99_ms']:.1f}"


def _number(row: dict[str, Any] | None, key: str, form: str) -> str:
    return "–" if row is None or key not in row else form.format(row[key])
