"""Synthetic alerts of a bank against money laundering (反洗钱预警): ten typologies, and customers who have a reason.

Nobody is named: people, companies and payments are composed from the word lists in ``lexicons/laundering``, which were
written for this kit; a company that bears such a name has nothing to do with it. What a model scores here says how it
copes with the traps that were built in, not how well it would judge the alerts of your bank.

One task, ``classify``: the typology of an alert, or ``legitimate`` (two of five). The traps:

* all classes share their words: an alert quotes the rule that raised it, often that of another typology, and says what
  it is *not*;
* three of ten are **figures alone** (:mod:`hanlp_tutor.corpora.laundering_figures`): amounts, dates and accounts of
  which each is innocent by itself. The same sentences are used for the innocent;
* ``insurance`` is rare: 1.5 % of each set;
* others are lines of a statement, with nothing but what payer and payee wrote.

Difficulty 0 to 1 moves: the share of figures alone, how often the rule is right, how much is said that all alerts say,
how many names are those of training. Difficulty 0.5 is calibrated on dev (``tests/corpora/test_laundering.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from hanlp_tutor.corpora.composing import Draw, Mention, Part, Slot, Template, join, read_templates
from hanlp_tutor.corpora.dealing import NOISE, Options, deal_templates, in_sets, labelled
from hanlp_tutor.corpora.laundering_figures import FIGURES
from hanlp_tutor.corpora.laundering_words import LEGITIMATE, SCENARIO, TYPOLOGIES, Case, Words
from hanlp_tutor.corpora.package import Corpus

NAME = SCENARIO
TASKS = ("classify",)
SIZE = 5000
HELD_OUT = {"dev": 1000, "test": 2000}
LABELS = (LEGITIMATE, *TYPOLOGIES)
SHORTEST, LONGEST = 8, 900  # characters
LICENCE = "Apache License 2.0, that of this kit: text, words and sentences were written for it."
CITATION = "hanlp_tutor.corpora.laundering, a synthetic corpus of this kit."

# Of each 200 alerts; the order among them is drawn.
_SHARES = {
    LEGITIMATE: 80,
    "structuring": 16,
    "mules": 18,
    "trade": 13,
    "shells": 14,
    "gambling": 15,
    "underground_bank": 12,
    "virtual_assets": 12,
    "fraud": 10,
    "fundraising": 7,
    "insurance": 3,
}
_COMPANIES = ("trade", "shells")  # whose alerts are about a company


@dataclass(frozen=True)
class Alert:
    """An alert as it was composed.

    Args:
        text: 8 to 900 characters.
        label: its typology, or ``legitimate``.
        kind: ``narrative``, ``figures`` or ``notes``.
        mentions: people, companies, banks, places, goods, purposes and findings in it.
        templates: the names of those that were used.
        figures: whose figures they are, for the kind ``figures``.
        facts: what :data:`~hanlp_tutor.corpora.laundering_figures.RULES` judges.
    """

    text: str
    label: str
    kind: str
    mentions: tuple[Mention, ...]
    templates: tuple[str, ...]
    figures: str = ""
    facts: dict[str, int] = field(default_factory=dict)


class Writer:
    """Writes the alerts of one set."""

    def __init__(self, subset: str, options: Options):
        hard = options.difficulty
        self.draw = Draw(NAME, options.seed, options.difficulty, subset)
        self.words = Words(subset, options.seed, familiar=0.8 - 0.4 * hard)
        sections = {
            **read_templates(NAME),
            **{f"figures {name}": each for name, each in read_templates(NAME, "figures.txt").items()},
            **read_templates(NAME, "notes.txt"),
        }
        self.templates = deal_templates(sections, Draw(NAME, options.seed, "templates"))[subset]
        self.figures = 0.1 + 0.4 * hard
        self.telling = 0.9 - 0.5 * hard
        self.chatter = round(1 + 3 * hard)
        self.deck: list[str] = []

    def alert(self) -> Alert | None:
        """The next alert; None where it came out too short or too long."""
        if not self.deck:
            self.deck = self.draw.shuffled(label for label, count in _SHARES.items() for _ in range(count))
        label = self.deck[-1]
        if self.draw.chance(self.figures):
            made = self._figures(label)
        else:
            made = self._notes(label) if self.draw.chance(0.22) else self._narrative(label)
        if not SHORTEST <= len(made.text) <= LONGEST:
            return None
        self.deck.pop()
        return made

    def _figures(self, label: str) -> Alert:
        draw = self.draw
        names = list(TYPOLOGIES)
        # the innocent share the figures of each typology in proportion to its alerts
        typology = label if label != LEGITIMATE else draw.weighted(names, [_SHARES[name] for name in names])
        arguments = (self.words.pick("goods", draw),) if typology == "trade" else ()
        drawn = FIGURES[typology](draw, label != LEGITIMATE, *arguments)
        case = Case(self.words, draw, label, 0.0, drawn.slots)
        sections = ["企业" if typology in _COMPANIES else "开头"] if draw.chance(0.6) else []
        sections += [f"figures {typology}"]
        sections += [draw.pick(("共用", "核实")) for _ in range(draw.below(self.chatter))]
        return self._compose(label, "figures", case, sections, typology, drawn.facts)

    def _narrative(self, label: str) -> Alert:
        draw = self.draw
        case = Case(self.words, draw, label, self.telling, {})
        sections = draw.pick(([label], ["要点"], [label, "要点"], [label, label], [label, label, "要点"]))
        if label == LEGITIMATE and sections.count(label) == 2:  # nobody has two such reasons
            sections = sections[1:]
        if draw.chance(0.8):
            sections += ["共用"] * draw.below(self.chatter) + ["核实"] * draw.below(2)
            sections += [draw.pick(("排除", "反面"))] * draw.below(2)
            sections = draw.shuffled(sections)
            company = label in _COMPANIES if draw.chance(0.8) else draw.chance(0.3)
            sections.insert(0, "企业" if company else "开头")
        if draw.chance(0.12):
            sections += ["要点"] + [draw.pick(("共用", "核实", "排除", "反面")) for _ in range(draw.between(3, 26))]
        return self._compose(label, "narrative", case, sections)

    def _notes(self, label: str) -> Alert:
        draw = self.draw
        case = Case(self.words, draw, label, 0.0, {})
        return self._compose(label, "notes", case, ["单行" if draw.chance(0.45) else "多行"])

    def _compose(
        self,
        label: str,
        kind: str,
        case: Case,
        sections: list[str],
        figures: str = "",
        facts: dict[str, int] | None = None,
    ) -> Alert:
        parts: list[Part] = []
        used: list[str] = []
        for section in sections:
            left = [template for template in self.templates[section] if template.name not in used]
            if not left:
                continue
            template = self.draw.pick(left)
            parts += filled(template, self.draw, case)
            used.append(template.name)
            if not parts[-1].text.endswith(("。", "；")) and kind != "notes":
                parts.append(Part(self.draw.pick(("。", "。", "；"))))
        text, mentions = join(parts)
        return Alert(text, label, kind, mentions, tuple(used), figures, facts or {})


def filled(template: Template, draw: Draw, case: Case) -> Iterator[Part]:
    """A reading of the template with its slots filled."""
    for sign in template.expand(draw):
        if isinstance(sign, Slot):
            yield from case.fill(sign.name)
        else:
            yield Part(sign)


@lru_cache(maxsize=4)
def records(options: Options) -> dict[str, list[Alert]]:
    """The alerts by set, with all that is known of them and without label noise."""
    counts = {**HELD_OUT, "train": options.size}
    return in_sets(lambda subset: Writer(subset, options).alert, counts)


@lru_cache(maxsize=4)
def load(task: str, options: Options) -> Corpus:
    """The corpus, composed once per process; 2 % of the training labels are wrong."""
    subsets = labelled(NAME, records(options), LABELS, Draw(NAME, options.seed, "noise"))
    counts = " / ".join(f"{len(subset):,}" for subset in subsets.values())
    return Corpus(
        name=NAME,
        task=task,
        **subsets,
        licence=LICENCE,
        citation=CITATION,
        provenance=(
            "Synthetic: alerts about nobody, composed of templates and word lists written for this kit "
            f"(hanlp_tutor/corpora/lexicons/laundering). Seed {options.seed}, difficulty {options.difficulty}. "
            "No template of one set occurs in another; some of the names belong to one set alone. "
            f"Of the training labels {NOISE:.0%} are wrong on purpose, none in dev and test. {counts} examples."
        ),
    )
