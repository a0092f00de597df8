"""Small labelled files such as a user brings: other domains, other labels than any corpus of the kit."""

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path

OPENINGS = ("", "今天", "上午", "据反映，", "客户来电说", "记录：", "补充说明：", "昨晚")
PARTIES = ("长江贸易公司", "黄河建设集团", "东海渔业社", "南岭木材厂", "西山茶叶行", "北原粮油公司")
SUMS = ("三万元", "5000元", "12万元", "八百元", "40万元", "两千元")
GOODS = ("螺纹钢", "水泥", "玉米", "胶合板", "冻虾", "绿茶", "电缆", "玻璃")
CLASSES = {
    "退款": ("要求退款", "钱还没有退回来", "申请退货退钱", "退款三天没有到账"),
    "物流": ("快递一直没有送到", "包裹在路上丢了", "配送员没有打电话", "物流信息不更新"),
    "普通咨询": ("想问问营业时间", "请问怎样开发票", "想知道有没有优惠", "询问会员怎样办理"),
}
FAULTS = {
    "电梯": {"异响": ("咔咔响", "有怪声"), "困人": ("有人被关在里面", "门打不开，里面有人")},
    "空调": {"异响": ("嗡嗡响", "声音很大"), "不制冷": ("吹出来是热风", "温度降不下去")},
    "门禁": {"刷卡无效": ("刷卡没有反应", "卡不认"), "不制冷": ("控制箱过热", "柜内风扇停转")},
}
RELATIONS = {
    "供货": "{head}向{tail}供应{goods}",
    "欠款": "{head}拖欠{tail}{sum}",
    "无关": "{head}和{tail}都参加了{goods}展览会",
}


def entities(path: Path, count: int, seed: int) -> Path:
    """Contracts, in BIO: 甲方, 标的 and 金额, one character and its tag a line."""
    draw, lines = random.Random(seed), []
    for _ in range(count):
        parts = [(draw.choice(OPENINGS), ""), (draw.choice(PARTIES), "甲方"), (draw.choice(("购买", "订购")), "")]
        parts += [(draw.choice(GOODS), "标的"), ("，共计", ""), (draw.choice(SUMS), "金额"), ("。", "")]
        for text, label in parts:
            lines += [f"{c}\t{('I-' if i else 'B-') + label if label else 'O'}" for i, c in enumerate(text)]
        lines.append("")
    return _written(path, lines)


def classes(path: Path, count: int, seed: int) -> Path:
    """What customers say, in three classes: ``text<TAB>label``."""
    said = [(text, label) for label, texts in CLASSES.items() for text in texts]
    return _written(path, (f"{text}\t{label}" for text, label in _distinct(said, count, seed)))


def faults(path: Path, count: int, seed: int) -> Path:
    """What a building's caretaker writes down, ``text<TAB>component/mode``: six types."""
    said = [
        (f"{component}{text}", f"{component}/{mode}")
        for component, modes in FAULTS.items()
        for mode, texts in modes.items()
        for text in texts
    ]
    return _written(path, (f"{text}\t{label}" for text, label in _distinct(said, count, seed)))


def relations(path: Path, count: int, seed: int) -> Path:
    """Who supplies whom and who owes whom, ``head<TAB>tail<TAB>relation<TAB>sentence``; the entities bring no types."""
    draw, lines = random.Random(seed), []
    for number in range(count):
        relation = list(RELATIONS)[number % len(RELATIONS)]
        head, tail = draw.sample(PARTIES, 2)
        said = RELATIONS[relation].format(head=head, tail=tail, goods=draw.choice(GOODS), sum=draw.choice(SUMS))
        lines.append("\t".join((head, tail, relation, f"{draw.choice(OPENINGS)}{said}，第{number}号。")))
    return _written(path, lines)


def _distinct(said: Sequence[tuple[str, str]], count: int, seed: int) -> list[tuple[str, str]]:
    """``count`` texts, no two alike, of all labels in turn as far as chance deals them."""
    whole = [
        (f"{opening}{goods}的{text}" if goods else f"{opening}{text}", label)
        for (text, label), opening, goods in product(said, OPENINGS, ("", *GOODS))
    ]
    return random.Random(seed).sample(whole, count)


def _written(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# by the number of the lesson: who writes its files, and what its user says beside them
LESSONS: dict[str, tuple[Callable[[Path, int, int], Path], dict[str, object]]] = {
    "12": (entities, {}),
    "13": (classes, {"legitimate": "普通咨询"}),
    "14": (faults, {}),
    "15": (classes, {"sizes": [20, 40, 80], "later": [120]}),
    "16": (relations, {}),
}
LABELS = {
    "12": ("甲方", "标的", "金额"),
    "13": tuple(CLASSES),
    "14": tuple(FAULTS),
    "15": GOODS,  # it names no label, and shows texts that the model is least sure of
    "16": tuple(RELATIONS),
}
