"""Rules that find names in records, as a hospital keeps them: a dictionary, patterns, longest match, a keeper on dev.

The dictionary holds the entities of the training set. A pattern knows a name that no dictionary holds: by its last
characters (支气管镜检查), or by what follows it (a dose behind a drug, a value with its unit behind a test). A name
begins where a border ends: a punctuation mark, a figure, or one of the words that a record puts before names. The
keeper (:meth:`RuleBook.kept_by`) decides on dev which entries are crossed out and which patterns stay.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.workbench.baselines import DictionaryMatcher

NUMBER = r"\d+(?:\.\d+)?(?:[×*]10\^?\d+)?"
DOSE = re.compile(rf"\s*{NUMBER}\s*(?:mg|g|μg|ug|ml|mL|IU|万U|U|片|粒|支|袋|丸|滴|喷|贴)(?![A-Za-z/])")
VALUE = re.compile(
    rf"\s*[：:为]?\s*{NUMBER}\s*(?:%|℃|[munpμ]?mol/L|[munpμ]?g/(?:L|ml|mL|dl)|[mk]?I?U/(?:L|ml|mL)|mm/h|mmHg|"
    r"×10|/μl|/L|AU/ml|S/CO|fl|pg|s\b|秒|↑|↓)"
)
# What stands before a name: words of a record, and every sign that no name holds.
_BEFORE = """
诊断为 确诊为 诊断 确诊 考虑 提示 建议 复查 随访 结合 关注 行急诊 拟行 急诊行 急诊 床旁 床边 继续 给予 予以 改为
改用 加用 停用 口服 服用 使用 应用 静滴 静注 静脉滴注 皮下注射 肌注 外用 联合 首选 对症 患有 患者 病人 患儿 病员
家属 出现 突发 伴有 合并 表现为 既往 因 行 予 有 无 及 和 或 与 并 伴 查 服 用 示 见 请 转 转入 收住 收入 入住
入 由 至 为 在 后 再 的 了 是 得 患 做 吃 治疗 检查 检查示 报告 回报 明确 依据 排除 加 减 停 拒绝 暂拒绝 必要时
明日 今日 近日 昨日 当日 次日 目前 现 于 系 经 待 未 我院 来
"""
_SIGNS = (
    r"[^\w\-+αβγ]",
    r"\d+[.、)]",
    r"\d+(?:天|日|周|月|年)前?",
    r"(?<=[\u4e00-\u9fff])(?=\d)",  # 白细胞 ends before its 12.3
)
SHORTEST, LONGEST = 2, 16  # characters of a name that a pattern may find
OFTEN, LONGEST_BORDER = 2, 4  # how often a word has to stand before a name to become a border, and its characters


@dataclass(frozen=True)
class Pattern:
    """A kind of name that is known without a dictionary.

    Args:
        name: of the pattern.
        labels: the type that it finds; the first of these that the training set has.
        ends: what the name ends with.
        before: what follows the name, instead of an end.
    """

    name: str
    labels: tuple[str, ...]
    ends: str = ""
    before: re.Pattern[str] | None = None

    @cached_property
    def _end(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self.ends})")

    def last(self, text: str, start: int, end: int) -> int:
        """The end of the longest such name from ``start``, no further than ``end``; 0 where there is none."""
        if self.before:
            return end if self.before.match(text, end) else 0
        found = [match.end() for match in self._end.finditer(text, start, end)]
        return found[-1] if found else 0


PATTERNS = (
    Pattern("a drug before its dose", ("drug",), before=DOSE),
    Pattern("a test before its value", ("test",), before=VALUE),
    Pattern(
        "form of a drug",
        ("drug",),
        "片|胶囊|颗粒|注射液|口服液|滴眼液|混悬液|溶液|乳膏|软膏|凝胶|滴丸|丸|喷雾剂|单抗",
    ),
    Pattern(
        "kind of a test",
        ("test",),
        "CT|MRI|X线|彩超|B超|超声|镜检查|胃镜|肠镜|喉镜|心电图|脑电图|肌电图|造影|抗体|抗原",
    ),
    Pattern("an operation", ("procedure", "treatment"), "术|置管|穿刺|疗法|化疗|放疗"),
    Pattern("a department", ("department",), "科(?:门诊|病房)?|ICU"),
    Pattern(
        "kind of a disease",
        ("disease",),
        "综合征|[^状]症|病|炎|癌|瘤|结石|骨折|衰竭|梗死|硬化|溃疡|囊肿|息肉|血栓",
    ),
    Pattern(
        "kind of a symptom",
        ("symptom",),
        "痛|无力|困难|肿胀|麻木|头晕|发热|咳嗽|水肿|瘙痒|出血|不适|乏力|呕吐|腹泻",
    ),
)


class RuleBook:
    """A dictionary and patterns; at each place the longest name wins, and of equally long ones the dictionary's.

    Args:
        train: the entities of these examples are the dictionary.
        patterns: that are in force.
        crossed_out: entries that are not.
        borders: words that stand before names, besides those that everybody knows.
        exceptions: what a pattern finds and is no name, such as 手术 or 起病.

    Attributes:
        entries: from a name to its type.
        patterns: those whose type the training set has.
        borders, exceptions: as given.
    """

    def __init__(
        self,
        train: Sequence[TaggedText],
        *,
        patterns: Iterable[Pattern] = PATTERNS,
        crossed_out: Collection[str] = (),
        borders: Collection[str] = (),
        exceptions: Collection[str] = (),
    ):
        self._train, self.borders, self.exceptions = train, frozenset(borders), frozenset(exceptions)
        self._matcher = _without(DictionaryMatcher(train), crossed_out)
        self.entries: Mapping[str, str] = self._matcher.entries
        known = {span.label for example in train for span in example.spans}
        self.patterns = tuple(pattern for pattern in patterns if known & {*pattern.labels})
        self._label = {p.name: next(label for label in p.labels if label in known) for p in self.patterns}
        self._border = _borders(self.borders)

    def predict(self, texts: Iterable[str]) -> list[list[Span]]:
        """The names in each text, in order, without overlap."""
        texts = list(texts)
        looked_up = self._matcher.predict(texts)
        return [_longest([*known, *self.by_pattern(text)]) for text, known in zip(texts, looked_up, strict=True)]

    def by_pattern(self, text: str) -> list[Span]:
        """What the patterns find, whatever the dictionary says; the same place may stand twice."""
        found = []
        for start, end in pieces(text, self._border):
            for pattern in self.patterns:
                last = pattern.last(text, start, end)
                if last and SHORTEST <= last - start <= LONGEST and text[start:last] not in self.exceptions:
                    found.append(Span(start, last, self._label[pattern.name]))
        return found

    def kept_by(self, dev: Sequence[TaggedText], *, least: Sequence[float] = (0.0, 0.25, 0.5, 0.75)) -> RuleBook:
        """The book that a keeper makes of this one.

        The keeper reads what the patterns find wrongly in the *training* texts: what stands before a name becomes a
        border, what is no name an exception. Then an entry is crossed out when fewer than ``least`` of its matches in
        the training texts are right; which ``least`` is best, and after that which pattern stays, dev decides.
        """
        borders, exceptions = self.wrong_finds()
        read = {"borders": self.borders | borders, "exceptions": self.exceptions | exceptions}
        shares = self.right_shares()

        def book(patterns: Sequence[Pattern], limit: float) -> RuleBook:
            out = {entry for entry, share in shares.items() if share < limit}
            return RuleBook(self._train, patterns=patterns, crossed_out=out, **read)

        limit = max(least, key=lambda one: f1_of(book((), one), dev))
        best = book((), limit)
        for pattern in self.patterns:
            wider = book([*best.patterns, pattern], limit)
            if f1_of(wider, dev) > f1_of(best, dev):
                best = wider
        return best

    def wrong_finds(self) -> tuple[set[str], set[str]]:
        """Borders and exceptions that the training texts teach: each pass sees what the last one's borders changed."""
        borders: set[str] = set()
        for _ in range(3):
            book = RuleBook(self._train, patterns=self.patterns, borders=self.borders | borders)
            more, exceptions = book._wrong_finds()
            if more <= borders:
                break
            borders |= more
        return borders, exceptions

    def _wrong_finds(self) -> tuple[set[str], set[str]]:
        before, never, gold_names = Counter(), Counter(), {*self._matcher.entries}
        for example in self._train:
            gold = set(example.spans)
            for span in set(self.by_pattern(example.text)) - gold:
                inside = [g for g in gold if g.end == span.end and span.start < g.start]
                if inside:
                    before[example.text[span.start : inside[0].start]] += 1
                elif not any(g.start < span.end and span.start < g.end for g in gold):
                    never[example.text[span.start : span.end]] += 1
        borders = {word for word, times in before.items() if times >= OFTEN and len(word) <= LONGEST_BORDER}
        borders = {word for word in borders if not any(word in name for name in gold_names)}
        return borders, {name for name in never if name not in gold_names}

    def right_shares(self) -> dict[str, float]:
        """Of each entry the share of its matches in the training texts that annotators marked so."""
        found, right = Counter(), Counter()
        texts = [example.text for example in self._train]
        for example, spans in zip(self._train, self._matcher.predict(texts), strict=True):
            gold = set(example.spans)
            for span in spans:
                found[example.text[span.start : span.end]] += 1
                right[example.text[span.start : span.end]] += span in gold
        return {entry: right[entry] / found[entry] for entry in found}


def pieces(text: str, border: re.Pattern[str]) -> list[tuple[int, int]]:
    """The stretches between two borders; a name that a pattern finds begins where one begins."""
    found, start = [], 0
    for match in border.finditer(text):
        if match.start() > start:
            found.append((start, match.start()))
        start = match.end()
    return [*found, (start, len(text))] if start < len(text) else found


def f1_of(book: RuleBook, examples: Sequence[TaggedText]) -> float:
    """F1 of the names that a book finds."""
    return span_scores([e.spans for e in examples], book.predict([e.text for e in examples]))["f1"]


def _longest(spans: Sequence[Span]) -> list[Span]:
    """Without overlap: from left to right, at each place the longest, of equals the first."""
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not chosen or span.start >= chosen[-1].end:
            chosen.append(span)
    return chosen


@lru_cache(maxsize=32)
def _borders(more: frozenset[str]) -> re.Pattern[str]:
    words = sorted({*_BEFORE.split(), *more}, key=lambda word: (-len(word), word))
    return re.compile("|".join([*map(re.escape, words), *_SIGNS]))


def _without(matcher: DictionaryMatcher, entries: Collection[str]) -> DictionaryMatcher:
    if not entries:
        return matcher
    by_label = defaultdict(list)
    for name, label in matcher.entries.items():
        if name not in entries:
            by_label[label].append(name)
    return DictionaryMatcher(
        TaggedText.from_spans(name, [Span(0, len(name), label)]) for label, names in by_label.items() for name in names
    )
