"""A synthetic patient: one illness of a group, an earlier one, and what fills the slots of the sentences from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from hanlp_tutor.corpora.clinic_figures import date, duration, number_in, recently, spoken_dose, years
from hanlp_tutor.corpora.clinic_lexicon import Group, Words
from hanlp_tutor.corpora.composing import Draw, Part, listed

ADULT = 14  # years; children have no earlier illness here, whose drugs and doses would be those of adults

_RELATIVES = ("父亲", "母亲", "祖父", "祖母", "外祖父", "外祖母", "哥哥", "姐姐", "叔叔", "舅舅", "姨妈", "大伯")
_CAUSES = ("劳累后", "情绪波动后", "活动后", "进食后", "受凉后", "休息不佳后", "夜间")
_REACTIONS = ("皮疹", "面部潮红", "全身皮疹", "恶心", "呼吸困难", "皮肤瘙痒")
_ORAL = re.compile("(片|胶囊|颗粒|丸|散|口服液|口服溶液)$")
_OPERATION = re.compile("(?<!穿刺)(?<!活检)(?<!造影)术$")
_SLOT = re.compile(r"(\D+?)([abx]?)(\d*)")


class Patient:
    """One patient: fills slots so that what is said twice agrees.

    A slot is a kind (``药``), in sentences with relations a letter (``a`` this illness, ``b`` the earlier one, ``x``
    neither), and a number where several are told apart.

    Args:
        words: of the set.
        draw: of the record.
        group: of the illness.
        vague: how often a further symptom is one that any illness may have.
    """

    def __init__(self, words: Words, draw: Draw, group: Group, vague: float):
        self.words, self.draw, self.group, self.vague = words, draw, group, vague
        self.sex = group.sex if group.sex != "-" else draw.pick(("男", "女"))
        self.age = draw.between(group.youngest, group.oldest)
        self.adult = self.age >= ADULT
        self._used: set[str] = set()
        self._filled: dict[str, list[Part]] = {}
        chronic = {
            name: where
            for name, where in words.lexicon.chronic.items()
            if where != group.name and words.may_say(Part(name, "disease"))
        }
        first = draw.pick(list(chronic))
        second = draw.pick([name for name, where in chronic.items() if where != chronic[first]])
        self.past = (first, second)
        self.past_group = chronic[first]

    def fill(self, slot: str) -> list[Part]:
        """The parts for a slot: each time the same ones, but for what is listed anew at each place, such as ``阴``."""
        if slot in self._filled:
            return self._filled[slot]
        kind, letter, number = _SLOT.fullmatch(slot).groups()
        parts = _FILL[kind](self, letter, number)
        if kind not in _ALWAYS_NEW:
            self._filled[slot] = parts
        return parts

    def pick(self, kind: str, group: str | None = None, but: Iterable[str] = ()) -> str:
        """A name of a kind that this text has not used yet."""
        name = self.words.pick(kind, group or self.group.name, self.draw, {*self._used, *but})
        self._used.add(name)
        return name

    def entity(self, label: str, name: str, status: str = "present") -> Part:
        """A name as an entity, at times in one of its other names."""
        others = self.words.lexicon.other_names.get(name, ())
        text = self.draw.pick(others) if others and self.draw.chance(self.words.short) else name
        return Part(text, label, status, name)

    def several(self, slot: str, low: int, high: int, last: tuple[str, ...]) -> list[Part]:
        """A list of two or more fillings of a slot."""
        items: list[list[Part]] = []
        for number in range(91, 91 + self.draw.between(low, high)):
            item = self.fill(f"{slot}{number}")
            if item[0].name not in [known[0].name for known in items]:
                items.append(item)
        return listed(items, "、", self.draw.pick(last))

    # What the patient has, has not, and had

    def symptom(self, letter: str, number: str) -> list[Part]:
        if letter == "x":
            return self.absent(letter, number)
        group = self.past_group if letter == "b" else None
        if number and not letter and self.group.course != "h" and self.draw.chance(self.vague):
            group = "general"
        lexicon = self.words.lexicon
        signs = [] if number else [name for where, name in lexicon.signs if where == self.group.name]
        known = set(self._used)
        name = self.pick("symptom", group, signs)
        if name in known:  # all that this set may say of the illness is said
            name = self.pick("symptom", "general")
        return [Part(name, "symptom", "present")]

    def absent(self, letter: str, number: str) -> list[Part]:
        """A symptom that the patient has not, in whole or in part."""
        for _ in range(6):
            group = self.group.name if self.draw.chance(0.6) else "general"
            name = self.words.pick("symptom", group, self.draw, self._used)
            if not any(name in known or known in name for known in self._used):
                self._used.add(name)
                return [Part(name, "symptom", "absent")]
        return [Part("其他不适")]

    def disease(self, letter: str, number: str) -> list[Part]:
        if letter == "b":
            return self.earlier(letter, number)
        return [self.entity("disease", self.pick("disease"), "suspected" if letter == "x" else "present")]

    def earlier(self, letter: str, number: str) -> list[Part]:
        return [self.entity("disease", self.past[1 if number else 0], "past")]

    def denied(self, letter: str, number: str) -> list[Part]:
        had = {self.group.name, *(self.words.lexicon.chronic[name] for name in self.past)}
        has = [name for name, groups in self.words.lexicon.denied.items() if groups & had]
        return [self.entity("disease", self.pick("disease", "denied", has), "absent")]

    def operation(self, letter: str, number: str) -> list[Part]:
        """``因`` a disease ``行`` an operation, of earlier years."""
        said = [
            (self.entity("procedure", operation, "past"), self.entity("disease", reason, "past"))
            for operation, reason, sex in self.words.lexicon.operations
            if sex in ("-", self.sex)
        ]
        allowed = [pair for pair in said if all(map(self.words.may_say, pair))]
        operation, reason = self.draw.pick(allowed)
        return [Part("因"), reason, Part("行"), operation]

    def reaction(self, letter: str, number: str) -> list[Part]:
        said = [Part(name, "symptom", "past") for name in _REACTIONS]
        return [self.draw.pick([part for part in said if self.words.may_say(part)])]

    # Drugs and tests

    def drug(self, letter: str, number: str) -> list[Part]:
        if letter == "b":
            return self.earlier_drug(letter, number)
        group = "allergy" if letter == "x" and self.draw.chance(0.5) else None
        return [self.entity("drug", self.pick("drug", group), "present" if letter != "x" else "absent")]

    def oral_drug(self, letter: str, number: str) -> list[Part]:
        """One that is swallowed; where this set knows none for the illness, whatever it was."""
        but = self._without("drug", self.group.name, _ORAL)
        if not {name for names in self.words.usable("drug", self.group.name) for name in names} - {*but}:
            return [Part("药物")]
        return [self.entity("drug", self.pick("drug", but=but))]

    def _without(self, kind: str, group: str, pattern: re.Pattern[str]) -> list[str]:
        return [name for name in self.words.lexicon.names[kind][group] if not pattern.search(name)]

    def dose(self, letter: str, number: str) -> list[Part]:
        return self.dose_of(f"药{letter}{number}")

    def dose_of(self, slot: str) -> list[Part]:
        drug = self.fill(slot)[0]
        return [Part(spoken_dose(self.words.lexicon.doses[drug.name], self.draw) if drug.label else "具体不详")]

    def earlier_drug(self, letter: str, number: str) -> list[Part]:
        """One to take at home."""
        but = self._without("drug", self.past_group, _ORAL)
        return [self.entity("drug", self.pick("drug", self.past_group, but), "past")]

    def operated(self, letter: str, number: str) -> list[Part]:
        """A procedure that is an operation, where the illness knows one."""
        but = self._without("procedure", self.group.name, _OPERATION)
        return [self.entity("procedure", self.pick("procedure", but=but))]

    def lab(self, letter: str, number: str) -> list[Part]:
        name = self.pick("lab")
        direction = self.words.lexicon.directions[name, self.group.name]
        return self._value(name, 4 if direction == "↑" else 5, direction if self.draw.chance(0.35) else "")

    def normal_lab(self, letter: str, number: str) -> list[Part]:
        return self._value(self.pick("lab", "any"), 3, "")

    def _value(self, name: str, column: int, arrow: str) -> list[Part]:
        row = self.words.lexicon.labs[name]
        link = self.draw.pick(("", " ", " ", "：", "为"))
        return [self.entity("test", name), Part(f"{link}{number_in(row[column], self.draw)}{row[2]}{arrow}")]

    def lab_name(self, letter: str, number: str) -> list[Part]:
        return [self.entity("test", self.pick("lab"))]

    def imaging(self, letter: str, number: str) -> list[Part]:
        """A test with its finding; nothing remarkable where this set has no words for what it found."""
        test, *finding = self.fill(f"影像{letter}{number}")
        return [test, Part(self.draw.pick(("：", "示", "提示", " ", "："))), *finding]

    def imaging_parts(self, letter: str, number: str) -> list[Part]:
        name = self.pick("imaging")
        usable = self.words.findings(name, self.group.name)
        if letter:  # a finding that is itself a disease would be one more relation
            usable = [each for each in usable if not any(part.label in ("disease", "symptom") for part in each)]
        finding = self.draw.pick(usable) if usable else [Part("有异常发现" if letter else "未见明显异常")]
        return [self.entity("test", name), *finding]

    def test(self, letter: str, number: str) -> list[Part]:
        """A test of a sentence with relations: with what it found, or its name alone for ``x``."""
        if letter == "x":
            return self.lab_name(letter, number) if self.draw.chance(0.5) else self.fill("影名9")
        return self.fill(f"检值{number}") if self.draw.chance(0.4) else self.fill(f"影{letter}{number}")

    def department(self, letter: str, number: str) -> list[Part]:
        return [self.entity("department", self.pick("department", self.group.department))]

    def other_department(self, letter: str, number: str) -> list[Part]:
        """One that is asked for advice: often for the earlier illness."""
        care = self.words.lexicon.groups[self.past_group].department
        known = self.adult and care != self.group.department and self.draw.chance(0.6)
        return [self.entity("department", self.pick("department", care if known else "-"))]

    def outside(self, letter: str, number: str) -> list[Part]:
        return [Part(self.pick("body", f"{self.group.name} outside"), "body", "present")]

    def inside(self, letter: str, number: str) -> list[Part]:
        return [Part(self.pick("body", f"{self.group.name} inside"), "body", "present")]

    def who(self) -> str:
        return self.draw.pick(("患者", "患者", "病人", "病员")) if self.adult else "患儿"


Filler = Callable[[Patient, str, str], list[Part]]


def _plain(make: Callable[[Patient], str]) -> Filler:
    return lambda patient, letter, number: [Part(make(patient))]


def _named(kind: str, label: str, status: str = "present", group: str | None = None) -> Filler:
    return lambda patient, letter, number: [patient.entity(label, patient.pick(kind, group), status)]


def _list_of(slot: str, low: int, high: int, *last: str) -> Filler:
    return lambda patient, letter, number: patient.several(slot, low, high, last)


_ALWAYS_NEW = frozenset(("阴", "阴列", "否病", "否病列", "家病", "亲", "时刻", "月日", "数", "常值", "检值"))

_FILL: dict[str, Filler] = {
    "人": _plain(Patient.who),
    "男女": _plain(lambda patient: patient.sex),
    "岁": _plain(lambda patient: f"{patient.age}岁"),
    "症": Patient.symptom,
    "症列": _list_of("症", 2, 3, "", "", "及"),
    "阴": Patient.absent,
    "阴列": _list_of("阴", 2, 4, "", "", "及", "或"),
    "病": Patient.disease,
    "病别": _named("disease", "disease", "suspected"),
    "旧病": Patient.earlier,
    "旧药": Patient.earlier_drug,
    "旧用法": lambda patient, letter, number: patient.dose_of("旧药"),
    "手术": Patient.operation,
    "否病": Patient.denied,
    "否病列": _list_of("否病", 2, 4, "", "", "及"),
    "家病": _named("disease", "disease", "family", "family"),
    "亲": _plain(lambda patient: patient.draw.pick(_RELATIVES)),
    "敏药": _named("drug", "drug", "allergy", "allergy"),
    "敏症": Patient.reaction,
    "药": Patient.drug,
    "口药": Patient.oral_drug,
    "口法": lambda patient, letter, number: patient.dose_of("口药"),
    "药列": _list_of("药", 2, 3, "", "及", "联合"),
    "用法": Patient.dose,
    "检": Patient.test,
    "检值": Patient.lab,
    "检值列": _list_of("检值", 2, 3, "", "，"),
    "常值": Patient.normal_lab,
    "检名": Patient.lab_name,
    "影像": Patient.imaging_parts,
    "影": Patient.imaging,
    "影名": lambda patient, letter, number: patient.fill(f"影像{number}")[:1],
    "所见": lambda patient, letter, number: patient.fill(f"影像{number}")[1:],
    "操作": _named("procedure", "procedure"),
    "术": Patient.operated,
    "位": Patient.outside,
    "处": Patient.inside,
    "科": Patient.department,
    "会科": Patient.other_department,
    "技科": _named("department", "department", group="service"),
    "久": _plain(lambda patient: duration(patient.group.course, patient.age, patient.draw)),
    "近": _plain(lambda patient: recently(patient.group.course, patient.draw)),
    "旧久": _plain(lambda patient: years(patient.age, patient.draw)),
    "诱因": _plain(lambda patient: patient.draw.pick(_CAUSES)),
    "数": _plain(lambda patient: str(patient.draw.between(1, 9))),
    "月日": _plain(lambda patient: date(patient.draw)),
    "时刻": _plain(lambda patient: f"{patient.draw.between(0, 23):02d}:{patient.draw.between(0, 11) * 5:02d}"),
    "体温": _plain(lambda patient: number_in("36.2-37.2", patient.draw)),
    "脉": _plain(lambda patient: str(patient.draw.between(64, 98))),
    "呼": _plain(lambda patient: str(patient.draw.between(16, 22))),
    "压": _plain(lambda patient: f"{patient.draw.between(108, 158)}/{patient.draw.between(64, 94)}"),
}
