"""``results/medical.json`` as lesson 12 shows it: names, who has the finding, departments, and the article's +23."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection
from pathlib import Path
from typing import Any

from hanlp_tutor.teach.results import UNMEASURED, Measured, paired, spread
from hanlp_tutor.teach.verdict import lead
from hanlp_tutor.workbench.significance import Comparison

ARTICLE = 0.23  # of recall, over rule matching
_ENDS = {"left": "", "low": "_low", "high": "_high"}
SETS = {"clinic": "clinic (synthetic)", "cmedqaner": "cMedQANER", "cmedqaner/200": "cMedQANER, 200 sentences"}
FINDERS = ("dictionary", "rules, as written", "rules", "feature CRF", "fine-tuned", "fine-tuned and rules")
_NAME_MEASURES = ("precision", "recall", "f1", "recall_seen", "recall_unseen")
_DEPARTMENTS = ("TF-IDF and linear SVM", "mini-bert", "mini-macbert")
# Why the encoders are behind: what was tried against it, one thing at a time
_TRIED_DEPARTMENTS = (
    "TF-IDF and linear SVM, C not tuned",
    "TF-IDF and linear SVM, single characters",
    "TF-IDF and linear SVM, 3,000 complaints",
    "mini-bert, 3,000 complaints",
)
_TRIED = {"fine-tuned, 12 passes": "gain by passes", "fine-tuned, rate by dev": "gain by rate"}


class Medical(Measured):
    """The rows of ``python -m experiments.medical``."""

    def __init__(self, folder: Path | None = None):
        super().__init__("medical", folder)

    def names(self, corpus: str) -> list[dict[str, str]]:
        """A row a finder, in points: precision, recall, F1, recall of seen and of new names."""
        rows = []
        for finder in FINDERS:
            row = self.rows.get(f"{corpus}: {finder}")
            if row:
                rows.append({"finder": finder, **{m.replace("_", " of "): spread(row, m) for m in _NAME_MEASURES}})
        return rows or self.missing("finder")

    def share_unseen(self, corpus: str) -> float | None:
        """Of the test names of a corpus, those that training did not show."""
        row = self.rows.get(f"{corpus}: rules")
        return row["median"]["share_unseen"] if row else None

    def leads(self, finder: str = "fine-tuned") -> dict[str, list[Comparison]]:
        """By set the recall of a finder less that of the rules, a comparison a seed."""
        found = {}
        for corpus, shown in SETS.items():
            row = self.rows.get(f"{corpus}: {finder}")
            if row:
                found[shown] = [_lead(run) for run in row["seeds"].values()]
        return found

    def points(self) -> dict[str, tuple[float, list[Comparison]]]:
        """By set the share of new names, and the leads in recall: what the picture shows."""
        shares = {shown: self.share_unseen(corpus) for corpus, shown in SETS.items()}
        return {shown: (shares[shown], leads) for shown, leads in self.leads().items() if shares[shown] is not None}

    def parts(self, corpus: str) -> dict[str, float] | None:
        """The lead in recall taken apart: on seen names, on new ones, and the share of new ones; medians."""
        ours, theirs = (self.rows.get(f"{corpus}: {finder}") for finder in ("fine-tuned", "rules"))
        if not (ours and theirs):
            return None
        gaps = {m: ours["median"][f"recall_{m}"] - theirs["median"][f"recall_{m}"] for m in ("seen", "unseen")}
        return {**gaps, "share_unseen": theirs["median"]["share_unseen"]}

    def apart(self) -> list[dict[str, str]]:
        """A row a set: share of new names; lead in recall on seen, on new and on all names, in points; updates."""
        rows = []
        for corpus, shown in SETS.items():
            parts = self.parts(corpus)
            if parts:
                u = parts["share_unseen"]
                rows.append(
                    {
                        "set": shown,
                        "share of new names": f"{u:.2f}",
                        "lead on seen names": f"{100 * parts['seen']:+.1f}",
                        "lead on new names": f"{100 * parts['unseen']:+.1f}",
                        "lead on all": f"{100 * ((1 - u) * parts['seen'] + u * parts['unseen']):+.1f}",
                        "updates of the model": self._updates(corpus),
                    }
                )
        return rows or self.missing("set")

    def _updates(self, corpus: str) -> str:
        room = self.rows.get(f"{corpus}: room")
        return f"{room['median']['updates']:,.0f}" if room else ""

    def room(self, corpus: str = "cmedqaner") -> dict[str, float]:
        """What the kept rules leave to any model, in points of recall, with its 95 % interval over test texts.

        Returns:
            ``left``; ``low`` and ``high`` where the interval is measured; nothing where the rules are not.
        """
        rules, room = (self.rows.get(f"{corpus}: {name}") for name in ("rules", "room"))
        if room:
            return {name: 100 * room["median"][f"left{end}"] for name, end in _ENDS.items()}
        return {"left": 100 * (1 - rules["median"]["recall"])} if rules else {}

    def verdict(self, corpus: str = "cmedqaner") -> str:
        """What the measurement says of the article's +23 points of recall; a synthetic set can say nothing of it."""
        found = self.leads().get(SETS[corpus])
        if not found:
            return f"{UNMEASURED}: {self.command}"
        seen = f"On {SETS[corpus]} {_behind(found)}."
        if corpus == "clinic":
            return f"{seen} The set is synthetic: the article's {100 * ARTICLE:+.0f} is not testable here."
        low, high = 100 * min(pair.low for pair in found), 100 * max(pair.high for pair in found)
        within = low <= 100 * ARTICLE <= high
        where = f"{'within' if within else 'outside'} the interval{'s' if len(found) > 1 else ''}"
        judged = "not confirmed" if within else "not refuted"
        return (
            f"{seen} The article's {100 * ARTICLE:+.0f} lies {where}. {self._left(corpus)} These are patients' "
            f"questions and no records, and the encoder is small: the article is {judged}."
        )

    def _left(self, corpus: str) -> str:
        """How far any model could get ahead: of the kept rules, of the rules as written, and if 23 % is relative."""
        room, claim = self.room(corpus), 100 * ARTICLE
        said = f"No model can be more than {room['left']:.1f} points ahead of the kept rules here"
        if "low" in room:
            inside = room["low"] <= claim <= room["high"]
            said += (
                f" (95 % over texts {room['low']:.1f} to {room['high']:.1f}: {claim:.0f} lies "
                f"{'inside' if inside else 'outside'})"
            )
        said += "."
        written = self.rows.get(f"{corpus}: rules, as written")
        if written:
            said += f" The rules as written leave {100 * (1 - written['median']['recall']):.1f}."
        relative = (100 - room["left"]) * (1 + ARTICLE)
        possible = "could be reached" if relative <= 100 else "is more than all there is"
        return (
            f"{said} And if {claim:.0f} % is relative, {100 - room['left']:.1f} × {1 + ARTICLE:.2f} = {relative:.1f} "
            f"{possible}."
        )

    def tried(self, corpus: str = "cmedqaner") -> list[dict[str, str]]:
        """A row a thing tried because the tagger is behind: its scores, what it gained, and its lead over the rules.

        The intervals are over the test texts, the widest of the seeds.
        """
        rows = []
        for finder, gain in (("fine-tuned", ""), *_TRIED.items()):
            row, gained = self.rows.get(f"{corpus}: {finder}"), self.rows.get(f"{corpus}: {gain}")
            if row:
                rows.append(
                    {
                        "finder": finder,
                        "f1": spread(row, "f1"),
                        "gain in f1": f"{spread(gained, 'f1_difference')}{_within(gained, 'f1')}" if gained else "",
                        "recall": spread(row, "recall"),
                        "lead over the rules": f"{spread(row, 'lead_difference')}{_within(row, 'lead')}",
                        "seeds": str(len(row["seeds"])),
                    }
                )
        return rows or self.missing("finder")

    def whose(self) -> list[dict[str, str]]:
        """A row a way to tell whose a finding is: F1 of the three answers, and what is taken for the patient's."""
        rows = [
            {"whose by": name, **{m: spread(row, m) for m in row["median"]}}
            for name, row in self.under("whose: ").rows.items()
        ]
        return rows or self.missing("whose by")

    def taken(self) -> str:
        """How many findings of others are reported as the patient's, by each way to tell."""
        some = self.under("whose: ").rows
        shares = {name: row["median"]["taken for the patient's"] for name, row in some.items() if "gold" not in name}
        if not shares:
            return f"{UNMEASURED}: {self.command}"
        listed = "; ".join(f"{name}: {share:.1%}" for name, share in shares.items())
        return f"Of the denied and family findings, reported as the patient's own: {listed}."

    def departments(self) -> list[dict[str, str]]:
        """A row a classifier: accuracy and macro F1 in points."""
        return self._classifiers(_DEPARTMENTS)

    def tried_departments(self) -> list[dict[str, str]]:
        """The same for what tests why the encoders are behind: the SVM made weaker, and all with more labels."""
        return self._classifiers((*_DEPARTMENTS[:1], *_TRIED_DEPARTMENTS[:3], _DEPARTMENTS[1], *_TRIED_DEPARTMENTS[3:]))

    def rates(self) -> dict[float, float]:
        """By learning rate the accuracy on dev of the departments' mini-bert, one seed."""
        tried = self.under("grid/departments/lr=").rows
        return {float(rate): row["median"]["dev"] for rate, row in tried.items()}

    def more_complaints(self) -> dict[str, float]:
        """What five times the labels bring each learner, in accuracy: of the encoder the mean of the seeds."""
        found = {}
        for learner in (_DEPARTMENTS[0], _DEPARTMENTS[1]):
            fewer, more = (self.rows.get(f"departments: {learner}{how}") for how in ("", ", 3,000 complaints"))
            if fewer and more:
                gains = [more["seeds"][s]["accuracy"] - fewer["seeds"][s]["accuracy"] for s in more["seeds"]]
                found[learner] = statistics.mean(gains)
        return found

    def _classifiers(self, names: Collection[str]) -> list[dict[str, str]]:
        some = self.under("departments: ").rows
        shown = {"accuracy": "accuracy", "macro_f1": "macro F1", "accuracy_known": "known symptom",
                 "accuracy_new": "only new symptoms"}  # fmt: skip
        rows = [
            {
                "classifier": name,
                **{column: spread(some[name], m) if m in some[name]["median"] else "" for m, column in shown.items()},
                "seeds": str(len(some[name]["seeds"])),
            }
            for name in names
            if name in some
        ]
        return rows or self.missing("classifier")

    def share_of_new_complaints(self) -> float:
        """The test complaints without a symptom that training has shown for their department; NaN unmeasured."""
        row = self.rows.get(f"departments: {_DEPARTMENTS[0]}")
        return row["median"]["share_new"] if row else math.nan

    def macbert(self) -> str:
        """Whether MacBERT's recipe is ahead of BERT's on the departments: over seeds, and over test texts."""
        some = self.under("departments: ").rows
        both = [some.get(name) for name in ("mini-macbert", "mini-bert")]
        pair = paired(*both, "accuracy") if all(both) else None
        by_seed = some.get("mini-macbert against mini-bert")
        if pair:
            said = lead("mini-macbert", "mini-bert", pair, of="accuracy")
            return f"{said} {_over_texts(by_seed['seeds'].values())}" if by_seed else said
        if by_seed:
            found = _lead({f"lead_{name}": value for name, value in by_seed["median"].items()})
            said = lead("mini-macbert", "mini-bert", found, of="accuracy")
            return f"{said} (One seed so far: the interval knows of other test texts, and of no other seed.)"
        return f"{UNMEASURED}: {self.command}"


def _over_texts(runs: Collection[dict[str, float]]) -> str:
    """What the intervals over test texts, one a seed, add to an interval that knows of seeds alone."""
    holding = sum(run["low"] <= 0 <= run["high"] for run in runs)
    said = (
        f"That interval knows of seeds alone. Over test texts, seed by seed, {holding} of {len(runs)} intervals hold "
        "zero"
    )
    return f"{said}: the difference is not shown." if holding else f"{said}."


def _within(row: dict[str, Any], measure: str) -> str:
    """The interval over test texts in points, the widest of the seeds."""
    low, high = 100 * row["min"][f"{measure}_low"], 100 * row["max"][f"{measure}_high"]
    return f" [{low:+.1f} to {high:+.1f}]"


def _lead(run: dict[str, Any]) -> Comparison:
    low, high = run["lead_low"], run["lead_high"]
    return Comparison(run["lead_difference"], low, high, (high - low) / 3.92, run["lead_p"])


def _behind(found: list[Comparison]) -> str:
    """``the fine-tuned model is 9.1 points of recall behind the rules``, with the intervals over test texts."""
    points = [100 * pair.difference for pair in found]
    low, high = 100 * min(pair.low for pair in found), 100 * max(pair.high for pair in found)
    interval = f"{low:+.1f} to {high:+.1f}"
    if len({point > 0 for point in points}) > 1:  # the seeds do not agree: with their signs
        listed = ", ".join(f"{point:+.1f}" for point in points)
        said = f"the fine-tuned model differs from the rules by {listed} points of recall"
    else:
        listed = ", ".join(f"{abs(point):.1f}" for point in points)
        place = "ahead of" if points[0] > 0 else "behind"
        said = f"the fine-tuned model is {listed} points of recall {place} the rules"
        if high < 0:
            interval = f"{-high:.1f} to {-low:.1f}"
    seeds = f"{len(points)} seeds" if len(points) > 1 else "one seed"
    return f"{said} ({seeds}; 95 % over test texts {interval})"
