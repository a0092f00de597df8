"""``results/relation_extraction.json`` as lesson 16 shows it."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.results import UNMEASURED, Measured, paired, spread
from hanlp_tutor.workbench.significance import Comparison

END_TO_END = "end to end"


class RelationStudy(Measured):
    """Rules, n-grams and the encoder on pairs; the encoder end to end; FinRE."""

    def __init__(self, folder: Path | None = None):
        super().__init__("relation_extraction", folder)

    def table(self, corpus: str) -> list[dict[str, str]]:
        """A row a learner: micro F1 and accuracy on the test set, in points, with the spread over draws."""
        rows = [
            {
                "learner": name,
                "micro F1": spread(row, "micro_f1"),
                "accuracy": spread(row, "accuracy"),
                "draws": str(len(row["seeds"])),
            }
            for name, row in self.under(f"{corpus}/").rows.items()
            if name != END_TO_END
        ]
        return rows or self.missing("learner")

    def compared(self, corpus: str, first: str, *others: str) -> dict[str, Comparison]:
        """The lead of one learner in micro F1 over each of the others, paired over draws; a rule has no draws."""
        rows = self.under(f"{corpus}/").rows
        found = {}
        for other in others:
            if first in rows and other in rows:
                one, two = rows[first], rows[other]
                if other.startswith("rules"):
                    two = {"seeds": dict.fromkeys(one["seeds"], next(iter(two["seeds"].values())))}
                comparison = paired(one, two, "micro_f1")
                if comparison:
                    found[f"{first} in the place of {other}"] = comparison
        return found

    def best_rule(self) -> str:
        """The rule with the best score on dev; empty where none was measured."""
        rules = {n: r for n, r in self.under("clinic/").rows.items() if n.startswith("rules")}
        return max(rules, key=lambda name: rules[name]["median"]["best_dev"], default="")

    def pipeline(self) -> list[dict[str, str]]:
        """What is lost on the way from gold entities to the whole pipeline, in points."""
        row = self.rows.get(f"clinic/{END_TO_END}")
        if row is None:
            return self.missing("step")
        steps = {
            "entities alone, F1": "entity_f1",
            "triples between gold entities, F1": "f1_gold_entities",
            "gold triples with both entities found": "reachable",
            "triples end to end, F1": "f1",
        }
        return [{"step": step, "points": spread(row, measure)} for step, measure in steps.items()]

    def lines(self) -> str:
        """How many lines of FinRE contradict each other, and what one answer a pair can reach at most."""
        row = self.rows.get("lines/finre")
        if row is None:
            return f"{UNMEASURED}: {self.command}"
        found = row["median"]
        return (
            f"{found['contradicting']:,.0f} of {found['lines']:,.0f} training lines give a pair of a sentence another "
            "relation than a second line does; whoever answers once a pair is right for "
            f"{found['accuracy_at_most']:.1%} of the test lines at most."
        )

    def learnt(self, corpus: str) -> list[dict[str, str]]:
        """How well the encoder knows pairs that it was trained on; a low score says that it was stopped too early."""
        rows = [
            {
                "learner": name,
                "micro F1 on its training pairs": spread(row, "on_training_pairs"),
                "on the test set": spread(row, "micro_f1"),
            }
            for name, row in self.under(f"{corpus}/").rows.items()
            if "on_training_pairs" in row["median"]
        ]
        return rows or self.missing("learner")
