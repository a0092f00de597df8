"""The article's claims beside what was measured (``claims.json``): every number counted, or read from a result file."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from hanlp_tutor.teach.results import UNMEASURED, current_rows, read_results


def read_claims() -> dict[str, Any]:
    """The article's measurable claims: ``source`` and ``claims``.

    What a claim has under ``measured`` is the ``experiment`` whose file is read, what to ``say`` (a format string),
    what it was measured ``on`` if that is not the experiment's number of sentences, and its ``values`` by name: the
    median of a ``measure`` in a ``row``; with ``minus``, points more than another row has; with ``over``, by which
    fraction it is more than another row's. Or it is only ``counted``, from the shape of a model: a name in ``COUNTED``.
    """
    return json.loads(files("hanlp_tutor").joinpath("claims.json").read_text(encoding="utf-8"))


def claims(results: Path | None = None) -> list[dict[str, str]]:
    """A row a claim: ``claim`` in Chinese, ``in English``, ``the article says``, ``lesson``, ``measured``.

    ``measured`` comes from the result files, with what it was measured on, or says that nothing was.
    """
    return [
        {
            "claim": claim["zh"],
            "in English": claim["en"],
            "the article says": claim["article"],
            "lesson": claim["lesson"],
            "measured": _measured(claim["measured"], results),
        }
        for claim in read_claims()["claims"]
    ]


def _head() -> str:
    from hanlp_tutor.teach.article_model import BASE_SHAPE, article_model

    whole = sum(p.numel() for p in article_model().parameters())
    head = (BASE_SHAPE["hidden_size"] + 1) * TAGS
    return (
        f"a head of {TAGS} tags has {head:,} parameters, {head / whole:.3%} of BERT-base's; unless it is frozen, the "
        "whole encoder is trained too (counted)"
    )


def _sizes() -> str:
    from hanlp_tutor.teach.article_model import article_model

    whole = sum(p.numel() for p in article_model().parameters())
    return f"{whole / 1e6:.0f} M for each of the three (counted from the configuration, which is the same)"


TAGS = 7  # BIO tags of three types
COUNTED = {"head": _head, "sizes": _sizes}


def _measured(where: dict[str, Any] | None, results: Path | None) -> str:
    if where and "counted" in where:
        return COUNTED[where["counted"]]()
    content = read_results(where["experiment"], results) if where else None
    if not where or not content:
        return UNMEASURED
    rows = current_rows(content)
    names = {wanted[part] for wanted in where["values"].values() for part in ("row", "minus", "over") if part in wanted}
    if not names <= rows.keys():
        return UNMEASURED
    values = where["say"].format(**{name: _value(rows, wanted) for name, wanted in where["values"].items()})
    seeds = min(len(rows[name]["seeds"]) for name in names)
    counted = f"median of {seeds} seeds" if seeds > 1 else "one seed"
    encoder = where.get("encoder") or content["settings"]["encoder"]
    on = where.get("on") or f"{content['settings']['sentences']:,} sentences"
    return f"{values} ({encoder}, {on}; {counted})"


def _value(rows: dict[str, Any], wanted: dict[str, str]) -> float:
    def median(row: str) -> float:
        return rows[wanted[row]]["median"][wanted["measure"]]

    if "minus" in wanted:
        return 100 * (median("row") - median("minus"))
    return median("row") / median("over") - 1 if "over" in wanted else median("row")
