"""Times, numbers and doses of the synthetic records, as they are written."""

from __future__ import annotations

from hanlp_tutor.corpora.composing import Draw

_NUMERALS = "零一两三四五六七八九"
_UNITS = {"h": "小时", "d": "天", "w": "周", "m": "个月", "y": "年"}
_SHORT_UNITS = {"h": "h", "d": "日", "w": "周余", "m": "月"}
_SPOKEN = {"qd": "每日1次", "bid": "每日2次", "tid": "每日3次", "qid": "每日4次", "qn": "每晚1次", "qw": "每周1次"}


def duration(course: str, age: int, draw: Draw) -> str:
    """How long an illness has lasted, by its course: hours, days, months (weeks too) or years."""
    low, high, unit = {
        "h": (2, 20, "h"),
        "d": (2, 9, "d"),
        "m": draw.pick(((2, 7, "w"), (1, 10, "m"))),
        "y": (1, min(20, max(1, age - 12)), "y"),
    }[course]
    return _time(draw.between(low, high), unit, draw)


def recently(course: str, draw: Draw) -> str:
    """How long it has been worse: shorter than its duration."""
    low, high, unit = {"h": (1, 1, "h"), "d": (1, 1, "d"), "m": (2, 6, "d"), "y": (2, 14, "d")}[course]
    return _time(draw.between(low, high), unit, draw)


def _time(number: int, unit: str, draw: Draw) -> str:
    if 0 < number < 10 and draw.chance(0.12):
        return _NUMERALS[number] + _UNITS[unit]
    return f"{number}{_SHORT_UNITS[unit] if unit in _SHORT_UNITS and draw.chance(0.1) else _UNITS[unit]}"


def years(age: int, draw: Draw) -> str:
    """How long an adult has had an earlier illness."""
    number = draw.between(2, max(2, min(25, age - 20)))
    return f"{number}{'余年' if number % 10 == 0 else '年'}"


def date(draw: Draw) -> str:
    """A day of the year."""
    return draw.pick(("{}月{}日", "{}-{}", "{}.{}")).format(draw.between(1, 12), draw.between(1, 28))


def number_in(interval: str, draw: Draw) -> str:
    """A number of an interval such as ``0.35-9.80``, with as many decimals."""
    low, high = interval.split("-")
    decimals = len(low.partition(".")[2])
    digits = str(draw.between(int(low.replace(".", "")), int(high.replace(".", "")))).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def spoken_dose(dose: str, draw: Draw) -> str:
    """``20mg qd`` as it stands, or with the words for ``qd``."""
    amount, _, often = dose.partition(" ")
    if often in _SPOKEN and draw.chance(0.4):
        return f"{amount}{draw.pick(('，', ' ', ' '))}{_SPOKEN[often]}"
    return dose if draw.chance(0.7) else dose.replace(" ", "")
