"""Synthetic clinical records, composed of sections as a hospital writes them, with what is marked in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from hanlp_tutor.corpora.clinic_lexicon import SCENARIO, Words
from hanlp_tutor.corpora.clinic_words import Patient
from hanlp_tutor.corpora.composing import Draw, Mention, Part, Slot, Template, join, mistype, read_templates
from hanlp_tutor.corpora.dealing import Options, deal_templates

SHORTEST, LONGEST = 8, 900  # characters
# By the types of head and tail. The sentence must say it; that a drug is known to help is not enough.
RELATIONS = {("drug", "disease"): "treats", ("test", "disease"): "finds", ("symptom", "disease"): "symptom_of"}
NO_RELATION = "unknown"  # as in FinRE

_ANY, _ANY_RELATION = "任一", "关系"
_SECTIONS = ("起病", "阴性", "诊治", "既往", "过敏", "家族", "查体", "化验", "影像", "诊断", "医嘱", "病程")
_REST = "既往 过敏 家族 查体 化验 影像 诊断 医嘱"
_STAY = "病程 病程 [病程] [病程] [病程] [病程] [病程] [会诊] [小结] [护理]"
# Kinds of records: how many of a hundred, and their sections; one in brackets is left out every second time.
_KINDS = {
    "chief complaint": (10, "主诉"),
    "section": (21, _ANY),
    "relations": (24, _ANY_RELATION),
    "progress": (12, "病程 [病程]"),
    "nursing": (5, "护理"),
    "consultation": (6, "会诊 [影像]"),
    "outpatient": (9, "主诉 [起病] [阴性] [既往] [化验] 诊断 医嘱"),
    "discharge": (4, "小结 小结 [医嘱]"),
    "history": (6, "主诉 起病 [诊治] 阴性 [一般] 既往 [过敏] [家族]"),
    "full": (3, f"主诉 起病 诊治 [诊治] 阴性 一般 {_REST} {_STAY}"),
}
# What is known before there is a diagnosis; of a hundred as above.
_COMPLAINTS = {
    "主诉": 5,
    "起病": 20,
    "起病 阴性": 18,
    "主诉 起病": 16,
    "起病 查体": 16,
    "主诉 起病 阴性 一般 查体": 15,
    "起病 一般 既往 查体": 10,
}
_HEADINGS = {
    "主诉": ("主诉", "主诉", "CC"),
    "起病": ("现病史", "现病史", "HPI"),
    "既往": ("既往史", "既往", "PMH"),
    "过敏": ("过敏史",),
    "家族": ("家族史", "家族史", "FH"),
    "查体": ("体格检查", "查体", "PE"),
    "化验": ("辅助检查", "化验", "实验室检查"),
    "影像": ("影像学检查", "检查", "特殊检查"),
    "诊断": ("初步诊断", "诊断", "入院诊断"),
    "医嘱": ("处理", "治疗", "诊疗计划"),
    "病程": ("病程记录", "病程", "查房记录"),
    "小结": ("出院小结",),
}
_OWN_HEADING = re.compile(r"\w{2,6}：")
_HEADING_STYLES = ("{}：", "{}：", "【{}】", "{}:", "{}： ", "■{} ")
_SLOTS_OF_ADULTS = ("{旧", "{手术", "b}")


@dataclass(frozen=True)
class Record:
    """A text about one patient.

    Args:
        text: 8 to 900 characters.
        kind: such as ``outpatient``.
        department: in whose care the patient is, one of 25.
        mentions: the entities; their status is present, absent, suspected, past, family or allergy.
        templates: the names of those that were used.
    """

    text: str
    kind: str
    department: str
    mentions: tuple[Mention, ...]
    templates: tuple[str, ...]

    @cached_property
    def pairs(self) -> tuple[tuple[Mention, Mention, str], ...]:
        """Head, tail and relation for the pairs of a record of kind ``relations``; ``unknown`` where none is stated.

        All pairs whose types allow a relation are here, and of every third record one pair more, of other types. A
        relation file names head and tail by their strings: a pair that these would not find again is left out.
        """
        found, others = [], []
        for one in self.mentions:
            for two in self.mentions:
                if one == two or not found_again(self.text, one, two):
                    continue
                relation = RELATIONS.get((one.label, two.label))
                if relation:
                    stated = one.link == two.link and one.link in ("a", "b")
                    found.append((one, two, relation if stated else NO_RELATION))
                else:
                    others.append((one, two, NO_RELATION))
        draw = Draw(SCENARIO, "pair", self.text)
        if found and others and draw.chance(0.35):
            found.append(draw.pick(others))
        return tuple(found)


class Writer:
    """Writes the records of one set.

    Args:
        subset: ``train``, ``dev`` or ``test``.
        options: of the corpus.
        purpose: has draws of its own, so that the texts of one task do not hang on those of another.
    """

    def __init__(self, subset: str, options: Options, purpose: str):
        hard = options.difficulty
        # a complaint of unknown symptoms could not be judged by anybody
        familiar = 1 - 0.3 * hard if purpose == "classify" else 0.76 - 0.24 * hard
        self.words = Words(subset, options.seed, familiar, short=0.05 + 0.2 * hard)
        sections = {**read_templates(SCENARIO), **read_templates(SCENARIO, "relations.txt")}
        self.templates = deal_templates(sections, Draw(SCENARIO, options.seed, "templates"))[subset]
        self.draw = Draw(SCENARIO, options.seed, options.difficulty, subset, purpose)
        self.typing = 0.012 * hard
        self.vague = 0.3 * hard

    def record(self, kind: str = "") -> Record | None:
        """A record of a kind, or of any; None where it came out too short or too long."""
        kind = kind or self.draw.weighted(list(_KINDS), [share for share, _ in _KINDS.values()])
        sections = [name for name in _KINDS[kind][1].split() if not name.startswith("[") or self.draw.chance(0.5)]
        return self._compose(kind, [name.strip("[]") for name in sections])

    def complaint(self) -> Record | None:
        """What is known before a department is: complaint and history, without the name of the illness."""
        return self._compose("complaint", self.draw.weighted(list(_COMPLAINTS), _COMPLAINTS.values()).split())

    def related(self) -> Record | None:
        """A sentence with relations, and at least one pair of entities to judge."""
        record = self.record("relations")
        return record if record and record.pairs else None

    def _compose(self, kind: str, sections: list[str]) -> Record | None:
        draw = self.draw
        patient = Patient(self.words, draw, draw.pick(list(self.words.lexicon.groups.values())), self.vague)
        headed = draw.chance(0.8 if len(sections) > 2 else 0.15)
        style = draw.pick(_HEADING_STYLES)
        parts, used = [], []
        if kind not in ("chief complaint", "relations") and draw.chance(0.15):
            form = draw.pick(("{}，{}岁。", "患者{}，{}岁，", "{} {}岁 "))
            parts.append(Part(form.format(patient.sex, patient.age)))
        for section in sections:
            section = draw.pick({_ANY: _SECTIONS, _ANY_RELATION: ("检查", "用药")}.get(section, (section,)))
            template = self._template(section, patient, used)
            if template is None:
                continue
            sentence = list(filled(template, draw, patient))
            if headed and section in _HEADINGS and not _OWN_HEADING.match(join(sentence)[0]):
                parts.append(Part(style.format(draw.pick(_HEADINGS[section]))))
            parts += sentence
            used.append(template.name)
            if not parts[-1].text.endswith(("。", "！", "？")):
                parts.append(Part(draw.pick(("。", "。", "；", " "))))
        if used and parts[-1].text in ("；", " "):
            parts[-1] = Part(draw.pick(("。", "")))
        text, mentions = join(mistype(parts, draw, self.words.lexicon.confusions, self.typing))
        if not SHORTEST <= len(text) <= LONGEST:
            return None
        return Record(text, kind, patient.group.department, mentions, tuple(used))

    def _template(self, section: str, patient: Patient, used: list[str]) -> Template | None:
        if section in ("主诉", "起病"):
            section += "急" if patient.group.course in "hd" else "慢"
        templates = [each for each in self.templates[section] if each.name not in used]
        if not patient.adult:
            templates = [each for each in templates if not any(slot in each.pattern for slot in _SLOTS_OF_ADULTS)]
        return self.draw.pick(templates) if templates else None


def filled(template: Template, draw: Draw, patient: Patient) -> Iterable[Part]:
    """A reading of the template with its slots filled; what a slot's letter is, its first entity is linked by."""
    for sign in template.expand(draw):
        if not isinstance(sign, Slot):
            yield Part(sign)
            continue
        first, *more = patient.fill(sign.name)
        letter = sign.name.rstrip("0123456789")[-1]
        yield replace(first, link=letter) if first.label and letter in "abx" else first
        yield from more


def found_again(text: str, one: Mention, two: Mention) -> bool:
    """Whether the strings of two entities, looked up as ``RelationText.document`` does, are these two."""
    places = [[i for i in range(len(text)) if text.startswith(each.text(text), i)] for each in (one, two)]
    lengths = [each.end - each.start for each in (one, two)]
    apart = [
        (head + tail, head, tail)
        for head in places[0]
        for tail in places[1]
        if head + lengths[0] <= tail or tail + lengths[1] <= head
    ]
    return bool(apart) and min(apart)[1:] == (one.start, two.start)
