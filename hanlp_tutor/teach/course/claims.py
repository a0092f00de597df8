"""The ledger: the article's claims beside what was measured, and a verdict that the numbers have to bear out.

``claims.json`` holds the claims. Their order is the article's. A verdict is written by hand, and rests on conditions
over measured values; when a condition no longer holds, the ledger says so in place of the verdict.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

from hanlp_tutor.teach.course.evidence import Evidence, fails
from hanlp_tutor.teach.results import UNMEASURED

REPRODUCED, PARTLY, REFUTED, NOT_HERE = VERDICTS = ("reproduced", "partly", "refuted", "not testable here")
# The article's seven parts, which it numbers 一 to 七
PARTS = ("what it is for", "principles", "practice", "evaluation and use", "applications", "troubles", "trends")
JUDGE_AGAIN = "to be judged again"


def read_claims() -> dict[str, Any]:
    """The article's ``source`` and its ``claims``, as ``claims.json`` has them.

    A claim has the ``part`` of the article that it stands in, its sentence (``zh``, ``en``), what the article says in
    short (``article``), its ``lesson``, ``values`` by name (:meth:`Evidence.value`; the ``experiment`` of all of them
    may stand beside), what to ``say`` of them (a format string), the conditions that they were measured under
    (``on``), a ``verdict``, ``because`` of what (a format string), and what it ``rests_on`` (:func:`fails`).
    ``synthetic`` says that all its data are; ``command`` is what a machine that can test it runs.
    """
    return json.loads(files("hanlp_tutor").joinpath("claims.json").read_text(encoding="utf-8"))


def claims(results: Path | None = None) -> list[dict[str, str]]:
    """A row a claim: ``part``, ``claim`` in Chinese, ``in English``, ``the article says``, ``lesson``, ``measured``,
    ``verdict``, ``because``, ``command``.

    ``measured`` comes from the result files, with what it was measured on, or says that nothing was.
    """
    evidence = Evidence(results)
    return [
        {
            "part": PARTS[claim["part"] - 1],
            "claim": claim["zh"],
            "in English": claim["en"],
            "the article says": claim["article"],
            "lesson": claim["lesson"],
            **judged(claim, evidence),
            "command": claim.get("command", ""),
        }
        for claim in read_claims()["claims"]
    ]


def judged(claim: dict[str, Any], evidence: Evidence) -> dict[str, str]:
    """``measured``, ``verdict`` and ``because`` of one claim."""
    values = evidence.values(claim)
    if not values:
        return {"measured": UNMEASURED, "verdict": claim["verdict"], "because": claim["because"]}
    if None in values.values():
        return {"measured": UNMEASURED, "verdict": UNMEASURED, "because": ""}
    behind = "; ".join(filter(None, (claim.get("on"), evidence.counted(claim))))
    measured = f"{claim['say'].format(**values)} ({behind})"
    broken = fails(claim["rests_on"], values)
    if broken:
        return {"measured": measured, "verdict": JUDGE_AGAIN, "because": f"no longer so: {'; '.join(broken)}"}
    return {"measured": measured, "verdict": claim["verdict"], "because": claim["because"].format(**values)}


def tally(rows: list[dict[str, str]]) -> dict[str, int]:
    """How many claims got each verdict, in the order of :data:`VERDICTS`, what else is said behind them."""
    counts = Counter(row["verdict"] for row in rows)
    return {verdict: counts[verdict] for verdict in (*VERDICTS, *sorted(counts.keys() - set(VERDICTS)))}


def render_page(results: Path | None = None) -> str:
    """``docs/claims.md``: the ledger as a page."""
    rows, source = claims(results), read_claims()["source"]
    counted = ", ".join(f"{count} {verdict}" for verdict, count in tally(rows).items())
    lines = [
        "# The article's claims, and what was measured",
        "",
        f"{source['author']}, 《{source['title']}》, published {source['published']}. {len(rows)} claims: {counted}.",
        "",
        "Written by `python -m hanlp_tutor.teach.course.claims`; every number is read from `results/` or counted.",
        "A verdict holds at the scale that stands beside it: what a small encoder does not show, a large one may.",
        "",
        "Brackets hold the least and the greatest seed, or behind *95 %* the interval of the mean. The conditions use",
        "the least and the greatest seed, which is stricter the more seeds there are: three may all lie on one side of",
        "zero while the interval holds it. Where a text speaks of an interval, or of what is not shown, it is that.",
    ]
    for number, row in enumerate(rows, start=1):
        lines += ["", f"## {number}. {row['in English']}", "", f"> {row['claim']}", "",
                  f"**{row['verdict'].capitalize()}.** {row['because']}".rstrip(), "",
                  f"- the article: {row['the article says']} (lesson {row['lesson']})",
                  f"- measured: {row['measured']}"]  # fmt: skip
        if row["command"]:
            lines.append(f"- on a machine that can: `{row['command']}`")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from hanlp_tutor.files import write_file

    text = render_page().encode("utf-8")
    write_file(Path(__file__).resolve().parents[3] / "docs" / "claims.md", lambda file: file.write(text))
