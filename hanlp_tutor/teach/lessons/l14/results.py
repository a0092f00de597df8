"""``results/industrial_faults.json`` as lesson 14 shows it: three draws of 4,000 logs of a synthetic corpus."""

from __future__ import annotations

from pathlib import Path

from hanlp_tutor.teach.lessons.l14.tail import group_names
from hanlp_tutor.teach.results import Measured, paired, spread
from hanlp_tutor.teach.verdict import lead
from hanlp_tutor.workbench.significance import Comparison

SVM, FINE_TUNED, TWO, LATENCY = "linear SVM", "fine-tuned", ", component and mode", "latency/"
MODELS = (SVM, SVM + TWO, FINE_TUNED, FINE_TUNED + TWO)
ARTICLE_MS = 50.0


class Study(Measured):
    """Models by row; a median with least and greatest over the draws that are there."""

    def __init__(self, folder: Path | None = None):
        super().__init__("industrial_faults", folder)

    def scores(self) -> list[dict[str, str]]:
        """A row a model: accuracy and macro F1, and which half of the label is wrong, in points."""
        columns = {"accuracy": "accuracy", "macro F1": "macro_f1", "only the mode wrong": "mode wrong",
                   "only the component wrong": "component wrong", "both wrong": "both wrong"}  # fmt: skip
        return self._table(MODELS, columns)

    def tail(self) -> list[dict[str, str]]:
        """A row a group of types by number of training examples, a column a model: the mean of their F1."""
        rows = []
        for group in group_names()[1:]:
            there = {name: self.rows[name] for name in MODELS if name in self.rows}
            there = {name: row for name, row in there.items() if f"f1, {group}" in row.get("median", {})}
            if there:
                types = next(iter(there.values()))["median"][f"types, {group}"]
                scores = {name: spread(row, f"f1, {group}") for name, row in there.items()}
                rows.append({"training examples": group, "types": f"{types:.0f}", **scores})
        return rows or self.missing("training examples")

    def cut(self) -> list[dict[str, str]]:
        """The same types of the SVM with all their examples, and with few: whether it is the number that counts."""
        few = next((name for name in self.rows if name.startswith(f"{SVM}, at most")), None)
        if few is None or SVM not in self.rows:
            return self.missing("training examples")
        return [
            {"training examples": group, "F1 with all": spread(self.rows[SVM], f"f1, {group}"),
             few.removeprefix(f"{SVM}, "): spread(self.rows[few], f"f1, {group}")}
            for group in group_names()[1:]
            if all(f"f1, {group}" in self.rows[name]["median"] for name in (SVM, few))
        ]  # fmt: skip

    def passing(self) -> list[dict[str, str]]:
        """A row a model: accuracy where one component is named, and where a second one is."""
        columns = {"one component named": "accuracy, one component named",
                   "a second one in passing": "accuracy, a second one in passing"}  # fmt: skip
        return self._table(MODELS, columns)

    def helped(self) -> str:
        """What splitting the label is worth where one component is named and where two are, and if reading helps."""
        gains = {
            what: self.compared(SVM + TWO, SVM, measure=f"accuracy, {what}")
            for what in ("a second one in passing", "one component named")
        }
        if not all(gains.values()):
            return self.missing("helped")[0]["helped"]
        two, one = (100 * found.difference for found in gains.values())
        said = [f"Where a second one is named, splitting the label is worth {two:+.1f} points, with one {one:+.1f}."]
        for first, second in ((FINE_TUNED, SVM), (FINE_TUNED + TWO, SVM + TWO)):
            found = self.compared(first, second, measure="accuracy, a second one in passing")
            if found:
                said.append(lead(first, second, found, of="accuracy where a second one is named"))
        return "\n".join(said)

    def unknown(self) -> list[dict[str, str]]:
        """A row a model: what the threshold from dev does with known and unknown types."""
        columns = {"known kept": "known kept", "unknown rejected": "unknown rejected",
                   "right without a threshold": "right without a threshold", "right of the kept": "right of the kept",
                   "AUROC": "auroc"}  # fmt: skip
        return self._table([name for name in self.rows if ", without " in name], columns)

    def tells_apart(self) -> str:
        """Which learner's score tells unknown types from known ones better, by AUROC over the draws that both have."""
        names = [name for name in self.rows if ", without " in name]
        pair = [next((name for name in names if name.startswith(model)), "") for model in (FINE_TUNED, SVM)]
        found = self.compared(*pair, measure="auroc")
        return lead(*pair, found, of="AUROC") if found else self.missing("said")[0]["said"]

    def listed(self) -> str:
        """What two models do with types of which they saw no log, but whose names stand in the plant's list."""
        row = next((row for name, row in self.rows.items() if name.endswith("types only listed")), None)
        if row is None:
            return self.missing("listed")[0]["listed"]
        return (
            f"Types without a log, named by two models: {spread(row, 'accuracy of the listed')} points of accuracy; "
            f"types with logs: {spread(row, 'accuracy of the known')}."
        )

    def gap(self) -> str:
        """What a cut of the frequent types leaves of the gap to the rare, who moved, and what the cut cannot level."""
        few = next((row for name, row in self.rows.items() if name.startswith(f"{SVM}, at most")), None)
        left = next((row for name, row in self.rows.items() if name.startswith("logs, at most")), None)
        if few is None or left is None or SVM not in self.rows:
            return self.missing("gap")[0]["gap"]
        rare, frequent = group_names()[1], group_names()[-1]
        (rare_before, before), (rare_after, after) = (
            [100 * row["median"][f"f1, {group}"] for group in (rare, frequent)] for row in (self.rows[SVM], few)
        )
        logs, wrong = (
            [left["median"].get(f"{what}, {group}", 0.0) for group in (rare, frequent)]
            for what in ("logs a type", "mislabelled")
        )
        return (
            f"The gap between types with {frequent} logs and those with {rare} closes from {before - rare_before:.0f} "
            f"to {after - rare_after:.0f} points of F1: the frequent move by {after - before:+.0f}, the rare by "
            f'{rare_after - rare_before:+.0f}. What is left is not all "harder": the rare still have fewer logs '
            f"({logs[0]:.1f} a type against {logs[1]:.1f}), and of these {wrong[0]:.1%} are wrongly labelled on "
            f"purpose, of the frequent {wrong[1]:.1%} (medians of the draws)."
        )

    def latencies(self) -> list[dict[str, str]]:
        """A row a model: milliseconds of one log, and whether 99 of 100 are computed within the article's 50."""
        rows = []
        for name, row in self.under(LATENCY).rows.items():
            middle = row["median"]
            rows.append(
                {
                    "model": name,
                    **{share: f"{middle[share]:.1f}" for share in ("p50", "p99", "cpu p50", "cpu p99")},
                    "cpu p99 below 50 ms": middle["cpu p99"] < ARTICLE_MS,
                    "labels kept": f"{middle['labels kept']:.2%}" if "labels kept" in middle else "",
                    "refused": bool(middle.get("refused")),
                    "MB": f"{middle['megabytes']:.0f}" if "megabytes" in middle else "",
                }
            )
        return rows or self.missing("model")

    def measured_on(self) -> str:
        """The machine of the latencies, and how busy it was."""
        rows = self.under(LATENCY).rows
        if not rows:
            return self.missing("device")[0]["device"]
        first = next(iter(rows.values()))
        device = next(iter(first["measured"].values()))["device"]
        busy = max(row["median"]["load"] for row in rows.values())
        return f"{device}, one thread; up to {busy:.1f} programs wanted the machine at a time"

    def compared(self, first: str, second: str, measure: str = "macro_f1") -> Comparison | None:
        """Two models on the draws that both have."""
        if first not in self.rows or second not in self.rows:
            return None
        return paired(self.rows[first], self.rows[second], measure)

    def leads(self) -> str:
        """What follows for one head against two models, and for fine-tuning against the SVM, a line each."""
        lines = []
        pairs = ((SVM + TWO, SVM), (FINE_TUNED + TWO, FINE_TUNED), (FINE_TUNED, SVM), (FINE_TUNED + TWO, SVM + TWO))
        for first, second in pairs:
            found = self.compared(first, second)
            if found:
                lines.append(lead(first, second, found, of="macro F1"))
        return "\n".join(lines) or self.missing("leads")[0]["leads"]

    def _table(self, names, columns: dict[str, str]) -> list[dict[str, str]]:
        return [
            {"model": name, **{title: spread(self.rows[name], m) for title, m in columns.items()}}
            for name in names
            if name in self.rows
        ] or self.missing("model")
