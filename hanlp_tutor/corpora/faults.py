"""Synthetic maintenance logs (设备故障日志): what failed, and how, of some 270 types of faults.

Nothing broke: every log is composed from the word lists in ``lexicons/faults``, which were written for this kit. What
a model scores here says how it copes with the traps that were built in, not how well it would sort your plant's logs.

One task, ``classify``. A label is ``component/mode``, such as ``驱动端轴承/过热``; :func:`parts_of` takes it apart. The
traps:

* types that differ in one word: 驱动端轴承 and 非驱动端轴承, 上限位开关 and 下限位开关, 内漏 and 外漏;
* a component has several names on the shop floor (DE轴承, 驱动侧轴承), a mode many (测温95℃, 烫手);
* logs name other components in passing, that are sound, and what is *not* the case;
* a long tail: the most frequent type is about thirty times as frequent as the rarest;
* codes of controllers, which a quarter of the time report something that follows from the fault.

Difficulty 0 to 1 moves: how often another component is named, how often a name is one of training and the official one,
typing errors. Difficulty 0.5 is calibrated on dev (``tests/corpora/test_faults.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hanlp_tutor.corpora.composing import Draw, Mention, Part, Slot, join, mistype, read_table, read_templates
from hanlp_tutor.corpora.dealing import NOISE, Options, deal_templates, in_sets, labelled
from hanlp_tutor.corpora.faults_words import SCENARIO, Fault, Words, components, parts_of, types
from hanlp_tutor.corpora.package import Corpus

__all__ = ["NAME", "TASKS", "Log", "components", "load", "parts_of", "records", "types"]

NAME = SCENARIO
TASKS = ("classify",)
SIZE = 8000
HELD_OUT = {"dev": 1000, "test": 2000}
SHORTEST, LONGEST = 8, 900  # characters
LICENCE = "Apache License 2.0, that of this kit: text, words and sentences were written for it."
CITATION = "hanlp_tutor.corpora.faults, a synthetic corpus of this kit."

_HEAD = 8  # the frequency of the type of rank r, from 0, is 1 / (r + _HEAD)


@dataclass(frozen=True)
class Log:
    """A log as it was composed.

    Args:
        text: 8 to 900 characters.
        label: ``component/mode``.
        mentions: components, symptoms, machines and people; the status of a component or symptom that is not the
            fault's is ``other``.
        templates: the names of those that were used.
    """

    text: str
    label: str
    mentions: tuple[Mention, ...]
    templates: tuple[str, ...]


class Writer:
    """Writes the logs of one set."""

    def __init__(self, subset: str, options: Options):
        hard = options.difficulty
        self.draw = Draw(NAME, options.seed, options.difficulty, subset)
        self.words = Words(subset, options.seed, familiar=0.97 - 0.2 * hard)
        self.templates = deal_templates(read_templates(NAME), Draw(NAME, options.seed, "templates"))[subset]
        # all sets share the order of frequency
        self.types = Draw(NAME, options.seed, "frequency").shuffled(types())
        self.weights = [1 / (rank + _HEAD) for rank in range(len(self.types))]
        self.official = 0.75 - 0.4 * hard
        self.passing = 0.2 + 0.5 * hard
        self.typing = 0.02 * hard
        self.confusions = dict(read_table(NAME, "confusions.txt"))

    def log(self) -> Log | None:
        """A log; None where it came out too short or too long."""
        draw = self.draw
        label = draw.weighted(self.types, self.weights)
        fault = Fault(self.words, draw, label, self.official)
        parts: list[Part] = []
        used: list[str] = []
        for section in self._sections():
            left = [each for each in self.templates[section] if each.name not in used]
            if not left:
                continue
            template = draw.pick(left)
            used.append(template.name)
            for sign in template.expand(draw):
                parts += fault.fill(sign.name) if isinstance(sign, Slot) else [Part(sign)]
            if not parts[-1].text.endswith(("。", "！", "；")):
                parts.append(Part(draw.pick(("。", "，", "；", " "))))
        if parts[-1].text in ("，", "；", " "):
            parts.pop()
        text, mentions = join(mistype(parts, draw, self.confusions, self.typing))
        return Log(text, label, mentions, tuple(used)) if SHORTEST <= len(text) <= LONGEST else None

    def _sections(self) -> Iterator[str]:
        draw = self.draw
        before = draw.chance(0.3)
        if before and draw.chance(self.passing):
            yield "旁及"
        yield "现象"
        if not before and draw.chance(self.passing):
            yield "旁及"
        if draw.chance(0.06):  # the long story of a night
            for _ in range(draw.between(6, 36)):
                yield draw.pick(("检查", "处理", "结果", "旁及"))
            return
        for section, share in (("检查", 0.25), ("处理", 0.35), ("结果", 0.15)):
            if draw.chance(share):
                yield section


@lru_cache(maxsize=4)
def records(options: Options) -> dict[str, list[Log]]:
    """The logs by set, with all that is known of them and without label noise."""
    counts = {**HELD_OUT, "train": options.size}
    return in_sets(lambda subset: Writer(subset, options).log, counts)


@lru_cache(maxsize=4)
def load(task: str, options: Options) -> Corpus:
    """The corpus, composed once per process; 2 % of the training labels are wrong."""
    subsets = labelled(NAME, records(options), types(), Draw(NAME, options.seed, "noise"))
    counts = " / ".join(f"{len(subset):,}" for subset in subsets.values())
    return Corpus(
        name=NAME,
        task=task,
        **subsets,
        licence=LICENCE,
        citation=CITATION,
        provenance=(
            "Synthetic: logs of no plant, composed of templates and word lists written for this kit "
            f"(hanlp_tutor/corpora/lexicons/faults). {len(types())} types of faults, seed {options.seed}, "
            f"difficulty {options.difficulty}. No template of one set occurs in another; some of the names belong to "
            f"one set alone. Of the training labels {NOISE:.0%} are wrong on purpose, none in dev and test. "
            f"{counts} examples."
        ),
    )
