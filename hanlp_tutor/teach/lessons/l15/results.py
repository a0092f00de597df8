"""``results/how_much_data.json`` as lesson 15 shows it, with the encoders' curves of ``results/encoders.json``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hanlp_tutor.encoders.mini import EMBEDDED
from hanlp_tutor.teach.encoder_results import MEASURES, of_all_sentences
from hanlp_tutor.teach.lessons.l15.curve import Curve, labels
from hanlp_tutor.teach.results import UNMEASURED, Measured, spread
from hanlp_tutor.workbench.significance import Comparison, paired_seeds

SVM, WHOLE, PRETRAINED, RANDOM = "SVM", "SVM, whole articles", "mini-bert", "random:mini-bert"
LABELS = 2000  # of the article's promise
PROMISE = 0.9
CRF = "feature CRF"
FIRST = f"{CRF}, first sentences"
PATIENT = ", until dev stops"  # how the encoders' lines end that are drawn as in lesson 03, not for some passes
CLASSICAL = {"reviews": "n-gram classifier", "peoples_daily": FIRST}
TOTALS = {
    "laws/articles": 17_600,
    "laws/statutes": 17_600,
    "reviews": 9763,
    "peoples_daily": 15_146,
}  # training sets; those of laws, which are drawn too, rounded
Scores = dict[int, list[float]]


class HowMuch(Measured):
    """Learning curves, the two splits of the statutes, active selection."""

    def __init__(self, folder: Path | None = None):
        super().__init__("how_much_data", folder)
        self._encoders = Measured("encoders", folder)
        self._all = of_all_sentences(folder)
        self._drawn = Measured("pretraining_lead", folder)

    def scores(self, corpus: str) -> dict[str, Scores]:
        """Per learner the test scores of every run, by number of labels.

        Args:
            corpus: ``laws/articles``, ``laws/statutes``, ``reviews`` or ``peoples_daily``.
        """
        found: dict[str, Scores] = {}
        measure = MEASURES["ner" if corpus == "peoples_daily" else "classify"]
        for name, row in self.under(f"{corpus}/").rows.items():
            size, learner = name.split("/", 1)
            runs = [run[measure] for run in row["seeds"].values()]
            found.setdefault(learner, {})[TOTALS[corpus] if size == "all" else int(size)] = runs
        if corpus == "peoples_daily":
            self._add_first_sentences(found, measure)
        if corpus == "reviews":
            for name, row in self._drawn.under("classify/").rows.items():
                size, learner = name.split("/", 1)
                if learner in (PRETRAINED, RANDOM):
                    runs = [run[measure] for run in row["seeds"].values()]
                    found.setdefault(learner + PATIENT, {})[int(size)] = runs
        return {learner: dict(sorted(some.items())) for learner, some in sorted(found.items())}

    def _add_first_sentences(self, found: dict[str, Scores], measure: str) -> None:
        """Lesson 03's runs: seeds on the first sentences of the newspaper, which are neighbours, not draws."""
        for name, row in self._encoders.under("ner/").rows.items():
            size, learner = name.split("/", 1)
            self._add(found, learner, size, row, measure)
        for learner, row in self._all.items():
            self._add(found, learner, "all", row, measure)

    def _add(self, found: dict[str, Scores], learner: str, size: str, row: dict[str, Any], measure: str) -> None:
        if learner in (PRETRAINED, RANDOM, CRF):
            name = FIRST if learner == CRF else learner
            n = TOTALS["peoples_daily"] if size == "all" else int(size)
            found.setdefault(name, {})[n] = [run[measure] for run in row["seeds"].values()]

    def lines(self, corpus: str, learners: Sequence[str] = ()) -> dict[str, list[tuple[float, float, float, float]]]:
        """For a picture: per learner ``(labels, median, least, greatest)``."""
        return {
            learner: [(float(n), float(np.median(runs)), min(runs), max(runs)) for n, runs in some.items()]
            for learner, some in self.scores(corpus).items()
            if not learners or learner in learners
        }

    def promise(self) -> list[dict[str, str]]:
        """A row a split and learner: the accuracy with the article's 2,000 labels, its spread over the draws."""
        rows = []
        for split, what in (("articles", "article by article"), ("statutes", "whole statutes apart")):
            for learner, some in self.scores(f"laws/{split}").items():
                runs = some.get(LABELS)
                if runs:
                    rows.append(
                        {
                            "dealt out": what,
                            "learner": learner,
                            "accuracy": f"{np.median(runs):.3f}",
                            "least and greatest": f"{min(runs):.3f} to {max(runs):.3f}",
                            "draws": str(len(runs)),
                        }
                    )
        return rows or self.missing("dealt out")

    def verdict(self) -> str:
        """The article's 90 % with 2,000 documents, said from the numbers."""
        best = {}
        for split in ("articles", "statutes"):
            at = {name: some[LABELS] for name, some in self.scores(f"laws/{split}").items() if LABELS in some}
            if not at:
                return f"{UNMEASURED}: {self.command}"
            name = max(at, key=lambda name: float(np.median(at[name])))
            best[split] = name, float(np.median(at[name])), max(at[name])
        reached = {split: most >= PROMISE for split, (_, _, most) in best.items()}
        (one, a, _), (two, b, _) = best["articles"], best["statutes"]
        said = (
            f"With {LABELS:,} labels the best learner reaches {a:.1%} ({one}) when articles are dealt out one by one, "
            f"and {b:.1%} ({two}) when whole statutes are kept apart."
        )
        if reached["articles"] and reached["statutes"]:
            return said + " The article's 90 % are reproduced."
        if reached["articles"]:
            return said + " The article's 90 % hold only where the model has read the neighbours of what it is asked."
        return said + " The article's 90 % are not reached on these documents, by either way of dealing them out."

    def mix(self) -> str:
        """How far the draws by statute differ, and what they do to the branches of law."""
        row = self.rows.get("mix/statutes")
        if row is None:
            return f"{UNMEASURED}: {self.command}"
        at = row["median"]
        return (
            f"A test set by statute has {at['statutes']:.0f} statutes; {at['statutes in every test']:.0f} of them are "
            f"in that of all {len(row['seeds'])} draws. Criminal law (刑法) is one statute, and can only be learnt: "
            f"{at['criminal, test']:.0%} of test, {at['criminal, training']:.0%} of training. The law of procedure "
            f"(诉讼法), a few long statutes, has {row['min']['procedure, test']:.0%} to "
            f"{row['max']['procedure, test']:.0%} of test and {at['procedure, training']:.0%} of training."
        )

    def compared(self, corpus: str, first: str, second: str) -> dict[int, Comparison]:
        """By number of labels that both have: the lead of the first, paired over the draws."""
        one, two = (self.scores(corpus).get(name, {}) for name in (first, second))
        pairs = {n: _paired(one[n], two[n]) for n in sorted(one.keys() & two.keys())}
        return {n: found for n, found in pairs.items() if found}

    def more_passes(self, other: str = PRETRAINED) -> dict[int, Comparison]:
        """By number of labels: mini-bert with more passes over the same draws of articles, against another learner."""
        scores = self.scores("laws/articles").get(other, {})
        more = {int(size): row["seeds"].values() for size, row in self.under("more passes/").rows.items()}
        both = sorted(more.keys() & scores.keys())
        pairs = {n: _paired([run["accuracy"] for run in more[n]], scores[n]) for n in both}
        return {n: found for n, found in pairs.items() if found}

    def worth(self, corpora: Sequence[str], learner: str = PRETRAINED) -> list[dict[str, str]]:
        """How many labels the others need for what a learner reaches with so many: read off their curves.

        Between two measured points the curve is a line over the logarithm of the number of labels.
        """
        rows = []
        for corpus in corpora:
            scores = self.scores(corpus)
            for n, runs in scores.get(learner, {}).items():
                row = {"corpus": corpus, f"{learner} with": f"{n:,}", "score": f"{np.median(runs):.3f}"}
                for other in (RANDOM, CLASSICAL.get(corpus, SVM)):
                    row[{RANDOM: "random weights need"}.get(other, "the classical learner needs")] = reads_off(
                        scores.get(other, {}), float(np.median(runs))
                    )
                rows.append(row)
        return rows or self.missing("corpus")

    def thousands(self, corpus: str, learner: str = PRETRAINED) -> str:
        """The article's thousands against ten thousands, said of the last measured point of a learner."""
        scores = self.scores(corpus)
        ours = scores.get(learner, {})
        points = [n for n in ours if n <= LABELS]
        others = {"random weights": scores.get(RANDOM, {}), "the classical learner": scores.get(CLASSICAL[corpus], {})}
        if not points or not all(others.values()):
            return f"{corpus}: {UNMEASURED}"
        n = max(points)
        wanted = float(np.median(ours[n]))
        need = {name: reads_off(some, wanted) for name, some in others.items()}
        told = ", ".join(f"{name} {count}" for name, count in need.items())
        return f"{corpus}: for the {wanted:.3f} that {learner} reaches with {n:,} labels, {told}."

    def until_dev_stops(self, size: int = 100) -> str:
        """What the encoders reached with so many reviews where dev, and not a number of passes, ended the training."""
        rows = self._drawn.under(f"classify/{size}/").rows
        if not rows.keys() >= {PRETRAINED, RANDOM}:
            return f"{UNMEASURED}: {self._drawn.command}"
        told = " and ".join(
            f"{name} {spread(rows[name], 'accuracy')} after {spread(rows[name], 'epochs', scale=1, form='.0f')} passes"
            for name in (RANDOM, PRETRAINED)
        )
        return f"With {size:,} reviews, trained until dev stopped: {told} (accuracy in points; lesson 03)."

    def level(self, size: int = LABELS) -> str:
        """The CRF on the newspaper beside mini-bert, and beside the encoder that dev has chosen."""
        rows = self._encoders.under(f"ner/{size}/").rows
        on_dev = {name: rows[name]["median"]["best_dev"] for name in EMBEDDED if name in rows}
        if CRF not in rows or PRETRAINED not in on_dev:
            return f"peoples_daily: {UNMEASURED}"
        chosen = max(on_dev, key=on_dev.get)
        crf = rows[CRF]["median"]["f1"]
        lead = {name: round(100 * (crf - rows[name]["median"]["f1"]), 1) + 0.0 for name in (PRETRAINED, chosen)}
        return (
            f"peoples_daily: with {size:,} labels the {CRF} has {crf:.3f}, {lead[PRETRAINED]:+.1f} points on "
            f"{PRETRAINED} and {lead[chosen]:+.1f} on {chosen}, the encoder that dev chose."
        )

    def forecasts(self, up_to: int = 1000, least: int = 0) -> list[dict[str, Any]]:
        """A row a point that a curve did not see: what it foretold, with both intervals, and what came.

        Args:
            up_to: labels; a curve is fitted to the points so far, where there are four sizes at least.
            least: labels; smaller sizes are left out.
        """
        rows = []
        for corpus in TOTALS:
            for learner, some in self.scores(corpus).items():
                seen = {n: runs for n, runs in some.items() if least <= n <= up_to}
                if len(seen) < 4 or max(some) <= up_to:
                    continue
                plain, honest = Curve(seen, misses=False), Curve(seen)
                for n in (n for n in some if n > up_to):
                    came, narrow, wide = float(np.mean(some[n])), plain.at(n), honest.at(n)
                    rows.append(
                        {
                            "corpus": corpus,
                            "learner": learner,
                            "labels": n,
                            "foretold": wide.value,
                            "draws alone": (narrow.low, narrow.high),
                            "with the misses": (wide.low, wide.high),
                            "came": came,
                            "in draws alone": came in narrow,
                            "in the wide one": came in wide,
                        }
                    )
        return rows

    def active(self) -> dict[int, Comparison]:
        """By number of labels: labels chosen by uncertainty against labels at random, paired over the draws."""
        runs = [self.rows.get(f"active/reviews/{how}", {}).get("seeds") for how in ("uncertain", "random")]
        if None in runs:
            return {}
        draws = sorted(runs[0].keys() & runs[1].keys())
        sizes = sorted({int(n) for run in runs[0].values() for n in run})
        return {n: _paired(*([one[draw][str(n)] for draw in draws] for one in runs)) for n in sizes[1:]}


def reads_off(scores: Mapping[int, Sequence[float]], wanted: float) -> str:
    """At how many labels a measured curve reaches a score, such as ``1,200``, ``under 50`` or ``over 9,763``."""
    points = sorted((n, float(np.median(runs))) for n, runs in scores.items())
    if not points:
        return UNMEASURED
    if points[0][1] >= wanted:
        return f"under {points[0][0]:,}"
    for (n, low), (m, high) in itertools.pairwise(points):
        if high >= wanted:
            share = (wanted - low) / (high - low)
            return labels(math.exp(math.log(n) + share * math.log(m / n)))
    return f"over {points[-1][0]:,}"


def _paired(a: Sequence[float], b: Sequence[float]) -> Comparison | None:
    """The first draws of both, where two have been measured; both take them in the same order."""
    draws = min(len(a), len(b))
    return paired_seeds(a[:draws], b[:draws]) if draws > 1 else None
