"""Who and what occurs in a synthetic alert: people, companies, banks, places, amounts, dates, and what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from hanlp_tutor.corpora.composing import Draw, Part, read_table
from hanlp_tutor.corpora.dealing import Names
from hanlp_tutor.corpora.laundering_figures import money

SCENARIO = "laundering"
LEGITIMATE = "legitimate"
TYPOLOGIES = {
    "structuring": "化整为零",
    "mules": "人头账户与跑分",
    "trade": "贸易洗钱",
    "shells": "空壳公司",
    "gambling": "网络赌博",
    "underground_bank": "地下钱庄",
    "virtual_assets": "虚拟货币",
    "fraud": "电信诈骗资金",
    "fundraising": "非法集资",
    "insurance": "保险退保洗钱",
}
_LISTS = ("given_names", "trade_names", "places", "banks", "trades", "goods", "purposes", "occupations")


@lru_cache(maxsize=1)
def lexicon() -> dict[str, dict[str, list[str]]]:
    """The word lists by file and group; most have the one group ``any``."""
    lists = {name: {"any": [row[0] for row in read_table(SCENARIO, f"{name}.txt")]} for name in _LISTS}
    for name in ("memos", "words", "indicators"):
        groups: dict[str, list[str]] = {}
        for typology, word in read_table(SCENARIO, f"{name}.txt"):
            groups.setdefault(typology, []).append(word)
        lists[name] = groups
    lists["surnames"] = {"any": [row[0] for row in read_table(SCENARIO, "surnames.txt")]}
    lists["forms"] = {"any": [row[0] for row in read_table(SCENARIO, "forms.txt")]}
    return lists


class Words:
    """The words that one of the sets may use; see :class:`~hanlp_tutor.corpora.dealing.Names`."""

    def __init__(self, subset: str, seed: int, familiar: float):
        self.subset, self.familiar, self.lists = subset, familiar, lexicon()
        self._names = {
            # words of analysts, surnames and forms of companies are language, not names: all sets share them
            name: Names(groups, Draw(SCENARIO, seed, "names", name))
            for name, groups in self.lists.items()
            if name not in ("words", "surnames", "forms")
        }

    def pick(self, name: str, draw: Draw, group: str = "any", used: Iterable[str] = ()) -> str:
        """A word of a list, one that is not used yet where there is such."""
        if name not in self._names:
            return draw.pick(self.lists[name][group])
        return self._names[name].pick(group, self.subset, draw, self.familiar, used)


class Case:
    """One alert: its people and figures, the same at each place that names them.

    Args:
        words: of the set.
        draw: of the alert.
        label: a typology or ``legitimate``.
        telling: how often the rule that raised it is one of its typology.
        slots: figures that are drawn already.
    """

    def __init__(self, words: Words, draw: Draw, label: str, telling: float, slots: dict[str, str]):
        self.words, self.draw, self.label, self.telling = words, draw, label, telling
        self._filled = {slot: [Part(text, "goods" if slot == "货" else "")] for slot, text in slots.items()}
        self._used: set[str] = set()
        self.home = words.pick("places", draw)
        self.month, self.day = draw.between(1, 9), draw.between(1, 28)

    def fill(self, slot: str) -> list[Part]:
        if slot not in self._filled:
            kind = slot.rstrip("0123456789")
            parts = _FILL[kind](self)
            if kind in _ALWAYS_NEW:
                return parts
            self._filled[slot] = parts
        return self._filled[slot]

    def person(self) -> list[Part]:
        surname = self.words.pick("surnames", self.draw)
        if self.draw.chance(0.35):
            return [Part(surname + self.draw.pick(("某", "某某", "某某", "**")))]
        return [Part(surname + self.words.pick("given_names", self.draw), "person")]

    def place(self, at_home: float) -> str:
        return self.home if self.draw.chance(at_home) else self.words.pick("places", self.draw)

    def company(self) -> list[Part]:
        pick, draw = self.words.pick, self.draw
        place = self.place(0.7)
        return [Part(place + pick("trade_names", draw) + pick("trades", draw) + pick("forms", draw), "company")]

    def branch(self) -> list[Part]:
        return [Part(self.place(0.85) + self.draw.pick(("支行", "分理处", "营业部")), "branch")]

    def rule(self) -> str:
        """The name of the rule that raised the alert: rather often that of another typology."""
        own = self.label != LEGITIMATE and self.draw.chance(self.telling)
        return self.words.pick("words", self.draw, self.label if own else self.draw.pick(list(TYPOLOGIES)))

    def other_word(self) -> str:
        """A word for what this is not."""
        return self.words.pick("words", self.draw, self.draw.pick([name for name in TYPOLOGIES if name != self.label]))

    def finding(self) -> str:
        """What speaks for its typology."""
        return self._new("indicators", self.label)

    def other_finding(self) -> str:
        """What would speak for another one."""
        return self._new("indicators", self.draw.pick([name for name in TYPOLOGIES if name != self.label]))

    def memo(self) -> str:
        """What was written as the purpose."""
        return self._new("memos", self.label)

    def _new(self, name: str, group: str) -> str:
        word = self.words.pick(name, self.draw, group, self._used)
        self._used.add(word)
        return word

    def amount(self, low: int, high: int, step: int) -> str:
        return money(self.draw.between(low, high) * step, self.draw)

    def clock(self) -> str:
        return f"{self.draw.below(24):02d}:{self.draw.below(60):02d}"

    def any_day(self) -> str:
        form = self.draw.pick(("{}月{}日", "{}月{}日", "{:02d}-{:02d}"))
        return form.format(self.draw.between(1, 12), self.draw.between(1, 28))

    def last_day(self) -> str:
        """The end of what begins on the case's day."""
        return f"{self.month + self.draw.between(1, 3)}月{self.draw.between(1, 28)}日"


Filler = Callable[[Case], list[Part]]


def _plain(make: Callable[[Case], str]) -> Filler:
    return lambda case: [Part(make(case))]


def _number(low: int, high: int) -> Filler:
    return lambda case: [Part(str(case.draw.between(low, high)))]


def _amount(low: int, high: int, step: int) -> Filler:
    return lambda case: [Part(case.amount(low, high, step))]


def _listed(name: str, label: str) -> Filler:
    return lambda case: [Part(case.words.pick(name, case.draw), label)]


_ALWAYS_NEW = frozenset(("月日", "时", "收付", "小额", "次大额", "附"))

_FILL: dict[str, Filler] = {
    "人": Case.person,
    "公司": Case.company,
    "网点": Case.branch,
    "行": _listed("banks", "bank"),
    "地": lambda case: [Part(case.home, "place")],
    "外地": _listed("places", "place"),
    "货": _listed("goods", "goods"),
    "业": _listed("occupations", "occupation"),
    "业务": _listed("trades", "trade"),
    "用途": _listed("purposes", "purpose"),
    "附": lambda case: [Part(case.memo(), "memo")],
    "点": lambda case: [Part(case.finding(), "finding")],
    "他点": lambda case: [Part(case.other_finding(), "finding")],
    "规则": _plain(Case.rule),
    "别词": _plain(Case.other_word),
    "岁": _number(19, 71),
    "年": _number(3, 15),
    "账户数": _number(3, 9),
    "笔": _number(6, 180),
    "天": _number(15, 90),
    "少天": _number(2, 6),
    "倍": _number(3, 40),
    "成": _number(6, 9),
    "分": _number(61, 98),
    "尾号": _plain(lambda case: "".join(str(case.draw.below(10)) for _ in range(4))),
    "年月": _plain(lambda case: f"20{case.draw.between(16, 24)}年{case.draw.between(1, 12)}月"),
    "日": _plain(lambda case: f"{case.month}月{case.day}日"),
    "止日": _plain(Case.last_day),
    "月日": _plain(Case.any_day),
    "时": _plain(Case.clock),
    "收付": _plain(lambda case: case.draw.pick(("转入", "收到", "转出", "付出", "存入", "支取"))),
    "余": _amount(1, 980, 1),
    "小额": _amount(2, 96, 50),
    "次大额": _amount(80, 490, 100),
    "大额": _amount(200, 9200, 1000),
}
