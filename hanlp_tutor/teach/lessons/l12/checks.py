"""The checks of notebook 12: where a lead in recall comes from, which set has the largest, a denial and its scope."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hanlp_tutor.teach.declared import Answers, cases, predicted, value
from hanlp_tutor.teach.lessons.l12.results import SETS

q12_1 = value(
    "The share of new names at which the lead in recall is 23 points: -5 points on seen names, +55 on new ones.",
    28 / 60,
    "Recall is a mean over all names. Names are seen or new, so it is a weighted mean of two recalls; so is the lead.",
    "With a share u of new names the lead is (1 - u) times the lead on seen names plus u times that on new ones.",
    "-5 (1 - u) + 55 u = 23: bring all that has u to one side.",
    wrong={
        "That looks like per cent. A share is between 0 and 1.": lambda share: share > 1,
        "A share is not negative.": lambda share: share < 0,
        "You left out the seen names. The model loses some of them, and that has to be made up too.": 23 / 55,
        "The seen names count only as far as there are any: they weigh 1 - u.": 28 / 55,
        "The sign: on seen names the model is *behind*.": 18 / 50,
    },
    otherwise="With a share of {found} the lead is not 23 points: put it into (1 - u) · (-5) + u · 55.",
    then="So a lead in recall says as much of the data as of the model: who chooses training and test set chooses u.",
)


def _why(seen: Mapping[str, float]) -> str:
    clinic, few = seen[SETS["clinic"]], seen[SETS["cmedqaner/200"]]
    return (
        f"The lead is largest on {max(seen, key=seen.get)} and smallest on {min(seen, key=seen.get)}. Rules miss what "
        f"is new, but the share of new names does not decide alone: {SETS['clinic']} and {SETS['cmedqaner/200']} have "
        f"nearly the same share, and their leads are {100 * abs(clinic - few):.0f} points apart. What the model could "
        "learn from its sentences decides as well."
    )


q12_2 = predicted(
    "The sets by the lead in recall of the fine-tuned model over the rules, the largest first.",
    "Which names do rules miss? Look at the column of new names above.",
    "With fewer training sentences more of the test names are new, for both; but the model has less to learn from too.",
    "The output above the exercise gives you the share of new names in each set.",
    because=_why,
    surprise=lambda seen: f"{_why(seen)} But the model has to learn from the same sentences: did you think of that?",
    tie=0.02,
)

_TEXTS = {
    "no cue at all": ("患糖尿病5年", "糖尿病"),
    "the first of a list": ("否认高血压、糖尿病", "高血压"),
    "the last of a list": ("否认高血压、糖尿病", "糖尿病"),
    "behind a comma": ("无发热，咳嗽3天", "咳嗽"),
    "behind a full stop": ("无药物过敏。高血压3年", "高血压"),
    "无明显诱因 denies no finding": ("无明显诱因出现胸闷", "胸闷"),
    "behind the subject of the clause": ("患者否认糖尿病", "糖尿病"),
    "both in one sentence": ("无明显诱因出现胸闷，无心悸、发热", "发热"),
}


@cases(
    {what: (text, text.index(name)) for what, (text, name) in _TEXTS.items()},
    "Look only at what stands before the name, and there only at the clause that the name is in.",
    "A clause ends at ， and 。, a list goes on at 、. Take 无明显诱因 out before you look for 无.",
    "clause = re.split('[，。]', text[:start])[-1].replace(...); then ask whether 否认 or 无 is in it.",
    then="NegEx, a list of cues with a scope, is from 2001, and hospitals use it to this day.",
)
def q12_3(text: str, start: int) -> Answers:
    """denied(text, start) -> whether the finding that begins there is denied by 否认 or 无 in its own clause."""
    clause = re.split("[，。]", text[:start])[-1]
    right = bool(re.search("否认|无", clause.replace("无明显诱因", "")))
    if right:
        reason = ""
        if not re.search("(?:否认|无)$", clause):
            reason = "a denial holds for the whole list: 、 does not end it."
        elif not re.match("否认|无", clause):
            reason = "the cue need not be what the clause begins with: look for it anywhere in it."
    elif re.search("否认|无", clause):
        reason = "无明显诱因 (without an obvious cause) says nothing of the finding: take it out first."
    elif re.search("否认|无", text[:start]):
        reason = "a denial ends with its clause, and this name stands in the next one."
    else:
        reason = "without a cue nothing is denied."
    return right, {reason: not right} if reason else {}
