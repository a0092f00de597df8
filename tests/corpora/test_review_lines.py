import pytest

from hanlp_tutor.corpora import review_lines


def joined(*lines: str) -> str:
    """The lines as letters, one group a word: ``AB C``."""
    groups = review_lines.groups("pos.txt", lines)
    words = {}
    for letter, group in zip("ABCDEFGHIJ", groups, strict=False):
        words.setdefault(group, []).append(letter)
    return " ".join("".join(word) for word in words.values())


@pytest.mark.parametrize(
    "lines",
    [
        ("这家店问题不少，主要有：", "走廊里味道很重。"),
        ("房间挺大，", "就是有点旧。"),
        ("1、走廊里味道很重。", "2、房间太小。"),
        ("一．早餐品种少。", "二．卫生不干净。"),
        ("①外观好看。", "②键盘舒服。"),
        ("1。环境不错。", "2。早餐很好。"),
        ("2真的很容易留手印啊", "3机子有吱吱声"),
        ("第一，电梯太慢。", "第二，没有保险箱。"),
        ("酒店很好，下次再来。", "宾馆反馈 2008年4月14日 ： 感谢您的光临。"),
        ("酒店很好，下次再来。", "补充点评 2008年1月24日 ： 门童很亲切。"),
        ("床很大，睡得很香", "，就是隔音差。"),
        ("房间比别家大多了，服务也还可以。", "此外，装修的细节有待改进。"),
    ],
)
def test_marks_join(lines):
    assert joined(*lines) == "AB"


@pytest.mark.parametrize(
    "lines",
    [
        ("这本书写得很好，值得一看。", "孩子拿到以后爱不释手。"),
        ("这本书写得很好，值得一看。", "1、印刷清楚。"),  # an item that opens a list may open a review
        ("屏幕很好", "16：9的画面看电影很爽。"),
        ("价格不错", "3.5寸的硬盘。"),
    ],
)
def test_without_a_mark_a_line_is_a_review(lines):
    assert joined(*lines) == "A B"


def test_what_stands_between_two_items_and_before_the_conclusion_belongs_to_the_list():
    assert (
        joined("1、走廊里味道很重。", "前台也闻到了。", "2、房间太小。", "被褥很干净。", "总体评价还可以。") == "ABCDE"
    )


def test_a_conclusion_without_a_list_stands_alone():
    assert joined("这本书写得很好。", "总之值得一看。") == "A B"


def test_another_place_parts_neighbours_that_only_seem_to_go_on():
    first, second, third = "房间比别家大多了，服务也还可以。", "此外，装修的细节有待改进。", "交通很方便，离车站不远。"
    assert joined(first, second, third) == "AB C"
    assert joined(first, second, "", first, third) == "AD B C E"  # a line in two places is one review


def test_hotels_stay_together_unless_parted(monkeypatch):
    monkeypatch.setattr(review_lines, "HOTELS", {"pos.txt": ((1, 4),)})
    a, b, c, d = (
        "酒店离车站不远，走路就到。",
        "卫生间的水有点小，别的都好。",
        "入住的时候前台很热情。",
        "早餐品种很多，味道也好。",
    )
    assert joined(a, b, c, d) == "ABCD"
    assert joined(a, b, c, d, "", b, d) == "ABF C DG E"


def test_short_neighbours_about_computers_stay_together(monkeypatch):
    monkeypatch.setattr(review_lines, "HOTELS", {"pos.txt": ((1, 1),)})
    assert (
        joined(
            "酒店很好。", "电池很耐用。", "键盘很舒服。", "这台机器买来已经三个星期了，一直在用，没有发现什么大的毛病。"
        )
        == "A BC D"
    )
