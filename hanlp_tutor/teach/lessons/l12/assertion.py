"""Whose finding is it? Cue words say that an illness is denied (否认糖尿病) or somebody else's (父亲患糖尿病).

After NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009), in Chinese: a cue has a scope, and what stands in
the scope is denied, or of the family. Nothing is learnt; the cues are those of any Chinese record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hanlp_tutor.data import Span

PATIENT, DENIED, FAMILY = "patient", "denied", "family"
WHOSE = (PATIENT, DENIED, FAMILY)
ASSERTED = ("disease", "symptom")  # the types of which it is asked
STATUS = {"absent": DENIED, "family": FAMILY}  # of hanlp_tutor.corpora.clinic; all others are the patient's own

FAMILY_SECTION = 60  # characters behind 家族史： in which a finding is the family's, where no other heading ends it

# Sentences end at 。; a clause at the comma. 无明显诱因 and 无缓解 deny nothing that is a finding.
_SENTENCE = re.compile(r"[。；;！？\n]")
_NO_CUE = re.compile(
    r"无(?:明显|特殊)?诱因|无(?:明显)?(?:缓解|好转|改善|变化|效)|无创|无痛(?:性|分娩|人流)|无力|无症状|无排卵|无菌(?!痢)|"
    r"未(?:予|行|系统|规律|正规|治疗|重视|在意|监测|处理|服)|不(?:能|易|全|稳|明|良|适|详|足|规则|振|孕)|家属代?[述诉]"
)
_DENIAL = re.compile(r"否认|无|未见|未诉|未发现|未闻及|未触及|未及|不伴|没有|除外|已排除|排除")
# A denial does not reach across these.
_TURN = re.compile(r"但|而|仍|出现|诊断|患有|确诊|伴|行|予|因|另有|可见|素有|曾")
_MINUS = r"\s*[（(]\s*[-－—]\s*[）)]"
_AFTER = re.compile(
    rf"{_MINUS}|[^。；，、,]{{0,4}}(?:均|皆)?(?:否认|未见|未出现|从未出现|亦不明显|阴性|已排除)|(?:均|皆)无"
)
_LIST_AFTER = re.compile(r"(?:、[^，。；]{2,20}){1,5}(?:均|皆)(?:否认|无)")  # 肝炎、结核均否认
_RELATIVE = re.compile(r"父|母|祖|兄|弟|姐|妹|哥|叔|伯|姑|舅|姨|子女|儿子|女儿|亲属|家族|家人|(?<![A-Z])FH\b")
_NOT_A_RELATIVE = re.compile(r"母细胞|祖细胞|酵母|云母|母斑|家属")
_FAMILY_HEADING = r"家族史|(?<![A-Z])FH"
_OTHER_HEADINGS = r"[一-鿿]{1,6}(?:史|检查|诊断|计划|记录|小结|医嘱)|主诉|CC|HPI|PMH|PE|Rx|查体|化验|治疗|处理|诊断"
_SECTION = re.compile(rf"[■【]?(?:(?P<family>{_FAMILY_HEADING})|(?:{_OTHER_HEADINGS}))[】：: ]")


def whose(text: str, start: int, end: int) -> str:
    """Whose finding ``text[start:end]`` is: ``patient``, ``denied`` or ``family``. A denied family history is denied.

    >>> text = "否认高血压、糖尿病史，父亲患肺癌。"
    >>> [whose(text, *place) for place in ((2, 5), (6, 9), (14, 16))]
    ['denied', 'denied', 'family']
    """
    low, high = _sentence(text, start, end)
    if _denied(text, low, start, end, high):
        return DENIED
    return FAMILY if _of_family(text, low, start) or text.startswith("家族史", end) else PATIENT


def asserted(texts: Iterable[str], found: Iterable[Sequence[Span]], *, cues: bool = True) -> list[list[Span]]:
    """Found diseases and symptoms with whose they are, ``disease/denied``; without cues all are the patient's."""
    return [
        [
            Span(s.start, s.end, f"{s.label}/{whose(text, s.start, s.end) if cues else PATIENT}")
            for s in spans
            if s.label in ASSERTED
        ]
        for text, spans in zip(texts, found, strict=True)
    ]


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    breaks = [match.end() for match in _SENTENCE.finditer(text, 0, start)]
    following = _SENTENCE.search(text, end)
    return (breaks[-1] if breaks else 0, following.start() if following else len(text))


def _denied(text: str, low: int, start: int, end: int, high: int) -> bool:
    if _AFTER.match(text, end, high) or _LIST_AFTER.match(text, end, high):
        return True
    before = _NO_CUE.sub(lambda match: "□" * len(match.group()), text[low:start])
    clause = re.split(r"[，,]|[一-鿿]+史：", before)[-1]
    cues = [match.end() for match in _DENIAL.finditer(clause)]
    return bool(cues) and not _TURN.search(clause, cues[-1])


def _of_family(text: str, low: int, start: int) -> bool:
    sections = list(_SECTION.finditer(text, 0, start))
    if sections and sections[-1].group("family") and start - sections[-1].end() <= FAMILY_SECTION:
        return True
    if sections:
        low = max(low, sections[-1].end())
    return bool(_RELATIVE.search(_NOT_A_RELATIVE.sub("", text[low:start])))
