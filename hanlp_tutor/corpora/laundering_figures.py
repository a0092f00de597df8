"""Alerts whose figures alone decide: amounts, dates and accounts that mean something only in how they fit together.

For each typology two kinds of figures are drawn: suspicious ones, and those of a customer who shares a part of them. A
deposit below the limit is innocent once a month; deposits day after day are innocent where some are above it. The
sentences around them are the same (``lexicons/laundering/figures.txt``), so that no word and no single figure tells.
:data:`RULES` says what does: it is right every time, where n-grams with a linear model add up what they see of both
parts and are right on 67 to 73 of a hundred (59 of a hundred are suspicious).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanlp_tutor.corpora.composing import Draw, read_table

REPORTED = 50_000  # yuan in cash; from here on a bank reports
_MINUTE, _HOUR, _DAY = 1, 60, 24 * 60


@dataclass(frozen=True)
class Figures:
    """Drawn figures: as the slots of a sentence show them, and as numbers that :data:`RULES` judge."""

    slots: dict[str, str]
    facts: dict[str, int]


def money(amount: int, draw: Draw) -> str:
    """Yuan as people write them: 49,500元, 49500元, 4.95万元."""
    if amount >= 10_000 and amount % 100 == 0 and draw.chance(0.4):
        return f"{amount // 10_000}.{amount % 10_000 // 100:02d}".rstrip("0").rstrip(".") + "万元"
    return f"{amount:,}元" if draw.chance(0.5) else f"{amount}元"


def apart(minutes: int) -> str:
    """A span of time in the largest unit that fits."""
    if minutes < _HOUR:
        return f"{minutes}分钟"
    return f"{minutes // _HOUR}小时" if minutes < _DAY else f"{minutes // _DAY}天"


def _days(start: int, steps: list[int]) -> list[str]:
    """Dates of a year of twelve months of 28 days each, so that no calendar is needed."""
    days = []
    for step in steps:
        start += step
        days.append(f"{start // 28 % 12 + 1}月{start % 28 + 1}日")
    return days


def structuring(draw: Draw, suspicious: bool) -> Figures:
    """Cash in several parts; suspicious: all just below the limit, and within three days."""
    count = draw.between(4, 7)
    monthly = not suspicious and draw.chance(0.5)
    if suspicious or monthly:
        amounts = [draw.between(450, 499) * 100 for _ in range(count)]
    else:
        amounts = [draw.between(120, 480) * 100 for _ in range(count - 2)] + [draw.between(520, 960) * 100] * 2
        amounts = draw.shuffled(amounts)
    steps = [0] + [draw.between(26, 31) if monthly else draw.below(2) for _ in range(count - 1)]
    while not monthly and sum(steps) > 2:
        steps[steps.index(1)] = 0
    dates = _days(28 * draw.below(12) + draw.below(28 if monthly else 25), steps)
    listed = "、".join(f"{date}{money(amount, draw)}" for date, amount in zip(dates, amounts, strict=True))
    return Figures(
        {"明细": listed, "笔": str(count), "合计": money(sum(amounts), draw)},
        {"below": int(all(45_000 <= amount < REPORTED for amount in amounts)), "days": sum(steps) + 1},
    )


def mules(draw: Draw, suspicious: bool) -> Figures:
    """Money in and out; suspicious: from many, nearly all of it gone within the hour."""
    many, quick = {0: (True, True), 1: (True, False), 2: (False, True)}[0 if suspicious else draw.between(1, 2)]
    payers = draw.between(15, 60) if many else draw.between(1, 2)
    received = draw.between(300, 4800) * 100
    minutes = draw.between(2, 50) if quick else draw.between(2, 12) * _DAY
    left = draw.between(3, 95)
    return Figures(
        {
            "方数": str(payers),
            "笔": str(payers + draw.between(0, 9)),
            "入": money(received, draw),
            "出": money(received - left, draw),
            "剩": money(left, draw),
            "隔": apart(minutes),
        },
        {"payers": payers, "minutes": minutes},
    )


_GOODS = {name: (unit, *map(int, price.split("-"))) for name, unit, price in read_table("laundering", "goods.txt")}


def trade(draw: Draw, suspicious: bool, goods: str) -> Figures:
    """A purchase abroad; suspicious: a price far from the market's, or a sum that is not quantity by price."""
    unit, low, high = _GOODS[goods]
    market = draw.between(low, high)
    dear = suspicious and draw.chance(0.5)
    price = market * draw.between(4, 9) if dear else max(1, market * draw.between(90, 110) // 100)
    quantity = draw.between(12, 480) * 10
    total = quantity * price * (draw.between(3, 8) if suspicious and not dear else 1)
    return Figures(
        {
            "货": goods,
            "单位": unit,
            "数量": str(quantity),
            "单价": f"{price:,}",
            "总额": f"{total:,}",
            "市价": f"{market:,}",
        },
        {"market": market, "price": price, "quantity": quantity, "total": total},
    )


def shells(draw: Draw, suspicious: bool) -> Figures:
    """A company; suspicious: millions a month, without staff and taxes."""
    small, idle = {0: (True, False), 1: (True, True), 2: (False, False)}[0 if suspicious else draw.between(1, 2)]
    staff = draw.between(0, 2) if small else draw.between(60, 380)
    turnover = draw.between(3, 18) * 10_000 if idle else draw.between(600, 5200) * 10_000
    tax = draw.between(0, 90) * 100 if small else turnover // 100 * draw.between(12, 40)
    return Figures(
        {"人数": str(staff), "流水": money(turnover, draw), "税": money(tax, draw)},
        {"staff": staff, "turnover": turnover, "tax": tax},
    )


def gambling(draw: Draw, suspicious: bool) -> Figures:
    """Payments in and out; suspicious: at night, and with the same people both ways."""
    night, both = {0: (True, True), 1: (True, False), 2: (False, True)}[0 if suspicious else draw.between(1, 2)]
    received = draw.between(60, 260)
    paid = draw.between(40, received - 10)
    shared = draw.between(25, 39) if both else draw.between(0, 2)
    begin = draw.between(20, 23) if night else draw.between(8, 11)
    end = draw.between(3, 5) if night else draw.between(15, 18)
    return Figures(
        {
            "时段": f"{begin:02d}:{draw.below(6)}0至{'次日' if night else ''}{end:02d}:{draw.below(6)}0",
            "笔": str(received),
            "笔2": str(paid),
            "重合": str(shared),
        },
        {"night": int(night), "shared": shared},
    )


def underground_bank(draw: Draw, suspicious: bool) -> Figures:
    """Yuan here and dollars there; suspicious: worth the same, on the same day."""
    same, quick = {0: (True, True), 1: (True, False), 2: (False, True)}[0 if suspicious else draw.between(1, 2)]
    dollars = draw.between(60, 900) * 100
    rate = draw.between(708, 728) if same else draw.pick((draw.between(160, 420), draw.between(1200, 3600)))
    minutes = draw.between(12, 20 * _HOUR) if quick else draw.between(35, 160) * _DAY
    return Figures(
        {"人民币": money(dollars * rate // 100, draw), "外币": f"{dollars:,}", "隔": apart(minutes)},
        {"yuan": dollars * rate // 100, "dollars": dollars, "minutes": minutes},
    )


def virtual_assets(draw: Draw, suspicious: bool) -> Figures:
    """Payments with a number as purpose; suspicious: each payment is its number times one price."""
    price = draw.between(706, 739)
    numbers = [draw.between(5, 60) * 100 for _ in range(draw.between(3, 5))]
    rates = [price if suspicious else draw.between(120, 2600) for _ in numbers]
    payments = [number * rate // 100 for number, rate in zip(numbers, rates, strict=True)]
    listed = "；".join(f"{pay:,}元，附言{number}" for pay, number in zip(payments, numbers, strict=True))
    spread = max(rates) - min(rates)
    return Figures({"明细": listed}, {"spread": spread, "rate": rates[0]})


def fraud(draw: Draw, suspicious: bool) -> Figures:
    """Payers from many provinces; suspicious: taken out in cash within the hour."""
    many, cash = {0: (True, True), 1: (True, False), 2: (False, True)}[0 if suspicious else draw.between(1, 2)]
    provinces = draw.between(7, 19) if many else 1
    payers = provinces + draw.between(2, 18) if many else draw.between(1, 2)
    minutes = draw.between(4, 45) if cash else draw.between(2, 9) * _DAY
    way = draw.pick(("ATM取现", "柜台取现", "自助机取现")) if cash else draw.pick(("转供应商", "还贷款", "转定期"))
    return Figures(
        {
            "省数": str(provinces),
            "方数": str(payers),
            "入": money(draw.between(200, 3600) * 100, draw),
            "隔": apart(minutes),
            "去向": way,
        },
        {"provinces": provinces, "cash": int(cash), "minutes": minutes},
    )


def fundraising(draw: Draw, suspicious: bool) -> Figures:
    """Money in, and some back each month; suspicious: from many, as an interest of one to three per cent."""
    many, interest = {0: (True, True), 1: (True, False), 2: (False, True)}[0 if suspicious else draw.between(1, 2)]
    people = draw.between(22, 160) if many else draw.between(1, 3)
    paid_in = draw.between(2, 40) * 5000
    months = draw.between(3, 11)
    back = paid_in * draw.between(12, 30) // 1000 if interest else paid_in // months
    return Figures(
        {
            "方数": str(people),
            "本金": money(paid_in, draw),
            "返还": money(back, draw),
            "期": str(months),
        },
        {"people": people, "paid_in": paid_in, "back": back, "months": months},
    )


def insurance(draw: Draw, suspicious: bool) -> Figures:
    """A premium and what comes back; suspicious: soon, at a loss, and to somebody else."""
    variant = 0 if suspicious else draw.between(1, 2)
    own, early = {0: (False, True), 1: (True, True), 2: (False, False)}[variant]
    premium = draw.between(20, 300) * 10_000
    days = draw.between(18, 90) if early else draw.between(1500, 3600)
    back = premium * (draw.between(85, 97) if early else draw.between(104, 128)) // 100
    return Figures(
        {
            "保费": money(premium, draw),
            "退": money(back, draw),
            "隔": apart(days * _DAY),
            "户": draw.pick(("本人", "原缴费", "投保人")) if own else draw.pick(("其侄", "其妹", "他人")),
            "事由": draw.pick(("退保", "解除合同", "申请给付")),
        },
        {"days": days, "own": int(own), "premium": premium, "back": back},
    )


FIGURES: dict[str, Callable[..., Figures]] = {
    "structuring": structuring,
    "mules": mules,
    "trade": trade,
    "shells": shells,
    "gambling": gambling,
    "underground_bank": underground_bank,
    "virtual_assets": virtual_assets,
    "fraud": fraud,
    "fundraising": fundraising,
    "insurance": insurance,
}

# What makes figures suspicious; each part alone is found among the innocent as well.
RULES: dict[str, Callable[[dict[str, int]], bool]] = {
    "structuring": lambda facts: bool(facts["below"]) and facts["days"] <= 3,
    "mules": lambda facts: facts["payers"] >= 15 and facts["minutes"] < _HOUR,
    "trade": lambda facts: (
        facts["price"] >= 3 * facts["market"] or facts["total"] >= 3 * facts["quantity"] * facts["price"]
    ),
    "shells": lambda facts: facts["staff"] <= 2 and facts["turnover"] >= 6_000_000 and facts["tax"] < 10_000,
    "gambling": lambda facts: bool(facts["night"]) and facts["shared"] >= 25,
    "underground_bank": lambda facts: (
        700 <= 100 * facts["yuan"] // facts["dollars"] <= 740 and facts["minutes"] <= _DAY
    ),
    "virtual_assets": lambda facts: facts["spread"] == 0 and 700 <= facts["rate"] <= 740,
    "fraud": lambda facts: facts["provinces"] >= 7 and bool(facts["cash"]) and facts["minutes"] < _HOUR,
    "fundraising": lambda facts: facts["people"] >= 20 and 12 <= 1000 * facts["back"] // facts["paid_in"] <= 30,
    "insurance": lambda facts: not facts["own"] and facts["days"] <= 90 and facts["back"] < facts["premium"],
}
