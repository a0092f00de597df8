"""The checks of notebook 21: a forecast, a rule for verdicts, a claim of one's own."""

from __future__ import annotations

import re
from typing import Any

from hanlp_tutor.errors import TutorError, nearest
from hanlp_tutor.teach.check import Exercise, require
from hanlp_tutor.teach.course.claims import JUDGE_AGAIN, NOT_HERE, PARTLY, REFUTED, REPRODUCED, VERDICTS, judged
from hanlp_tutor.teach.course.evidence import Evidence
from hanlp_tutor.teach.declared import Answers, cases, predicted

q21_1 = predicted(
    "Of eight seeds, how many does dropout of 0.3 help?",
    "The course has measured it: look at lesson 20 once more.",
    "A remedy that helps in the median need not help with every seed.",
    "Forty sentences and few updates: the seeds differ widely. Expect one or two that go the other way.",
    within=0.13,
    because=lambda seen: "One seed would have told you yes or no with great confidence, and not every one rightly.",
    surprise=lambda seen: "The seeds differ more than one thinks: that is why a verdict here rests on several.",
)


@cases(
    {
        "claimed +18.7, measured +17 to +20": (18.7, 17.0, 20.0, False),
        "claimed +3.2, measured +4 to +6": (3.2, 4.0, 6.0, False),
        "claimed +23, measured +5 to +9": (23.0, 5.0, 9.0, False),
        "claimed +17, measured -12 to -9": (17.0, -12.0, -9.0, False),
        "claimed +10, measured -2 to +4": (10.0, -2.0, 4.0, False),
        "claimed +3, measured -2 to +8": (3.0, -2.0, 8.0, False),
        "claimed +17, measured +16 to +19, on synthetic data": (17.0, 16.0, 19.0, True),
    },
    "First ask what the data allow: on synthetic data alone nothing is confirmed, and nothing refuted.",
    "Then look at the interval: does all of it lie above 0? Does it reach the claimed lead?",
    "Above 0 and reaching: reproduced. Above 0: partly. Not reaching: refuted. Both inside: not testable here.",
    otherwise="{given}: {right}, yours says {found}.",
    then="An interval that holds both 0 and the claim is no verdict at all, only a reason to measure more.",
    read=str,
)
def q21_2(claimed: float, low: float, high: float, synthetic: bool) -> Answers:
    """verdict(claimed, low, high, synthetic) -> one of the four verdicts on a claimed lead, in points."""
    right = (
        NOT_HERE if synthetic
        else REPRODUCED if low > 0 and high >= claimed
        else PARTLY if low > 0
        else REFUTED if high < claimed
        else NOT_HERE
    )  # fmt: skip
    wrong = {}
    if synthetic:
        wrong["synthetic data can say nothing of a claim about real ones, however well the numbers agree."] = REPRODUCED
    elif low <= 0 and high >= claimed:
        wrong["0 lies inside the interval too: as far as this measurement goes there may be no lead."] = REPRODUCED
        wrong["the claimed lead lies inside the interval: this measurement does not contradict it."] = REFUTED
    elif low > claimed:
        wrong["the lead is larger than claimed. That is more than reproduced, not less."] = PARTLY
    elif right == PARTLY:
        wrong["there is a lead, all of the interval is above 0: only its size is refuted."] = REFUTED
    elif right == REFUTED and low < 0 < high:
        wrong["the interval does not reach the claimed lead: enough to refute it."] = NOT_HERE
    return right, wrong


def _own_claim(claim: Any) -> str:
    """A claim of your own: its values, what to say of them, a verdict and what that rests on."""
    require(isinstance(claim, dict), "A claim is a dictionary, like the one above.")
    missing = [name for name in ("experiment", "values", "say", "verdict", "because", "rests_on") if name not in claim]
    require(not missing, f"Your claim lacks {', '.join(missing)}.")
    require(claim["values"] and isinstance(claim["values"], dict), "A claim without values has no evidence.")
    guess = nearest(str(claim["verdict"]), VERDICTS)
    meant = f" Did you mean {guess!r}?" if guess else ""
    require(claim["verdict"] in VERDICTS, f"{claim['verdict']!r} is no verdict of the ledger.{meant}")
    typed = re.findall(r"\d+\.\d+", re.sub(r"\{[^}]*\}", "", str(claim["say"])))
    require(not typed, f"{typed[:1]} is typed by hand: write the value's name in braces, and the file fills it in.")
    evidence = Evidence()
    try:
        content = evidence.content(claim["experiment"])
    except TutorError as error:
        content, why = None, str(error)
    else:
        why = f"there is no result file {claim['experiment']}.json."
    require(content, f"The experiment: {why}")
    for name, where in claim["values"].items():
        for part in ("row", "minus", "over"):
            row = where.get(part)
            near = nearest(str(row), content["rows"]) if row else None
            meant = f" Did you mean {near!r}?" if near else ""
            require(row is None or row in content["rows"], f"{name}: {claim['experiment']} has no row {row!r}.{meant}")
        known = content["rows"][where["row"]]["median"] if "row" in where else {}
        require(
            where.get("measure") in known,
            f"{name}: no measure {where.get('measure')!r} there, only {', '.join(known)}.",
        )
    require(
        any("minus" in where for where in claim["values"].values()),
        "A single row is no comparison: name another row with `minus`, and the value is the difference in points.",
    )
    if content["settings"].get("synthetic"):
        require(claim["verdict"] == NOT_HERE, "These data are synthetic: the honest verdict is 'not testable here'.")
    elif claim["verdict"] != NOT_HERE:
        require(claim["rests_on"], "What does it rest on? A verdict that no number can overturn is an opinion.")
    try:
        found = judged(claim, evidence)
    except (TutorError, KeyError, ValueError) as error:
        require(False, f"It cannot be read: {error}")
    require(found["verdict"] != JUDGE_AGAIN, f"The numbers do not bear it out; {found['because']}.")
    require(
        claim["verdict"] == NOT_HERE or judged(_exchanged(claim), evidence)["verdict"] == JUDGE_AGAIN,
        f"Exchange the two rows, and {', '.join(claim['rests_on'])} still holds: it does not say which is ahead.",
    )
    return f"{found['verdict'].capitalize()}: {found['measured']}. And it falls when the numbers do."


def _exchanged(claim: dict[str, Any]) -> dict[str, Any]:
    """The claim with the two rows of each difference the other way round."""
    values = {
        name: {**where, "row": where["minus"], "minus": where["row"]} if "minus" in where else where
        for name, where in claim["values"].items()
    }
    return {**claim, "values": values}


q21_3 = Exercise(
    _own_claim,
    (
        "Take the dictionary above, and change the row.",
        "`list(Evidence().content('encoders')['rows'])` shows the rows; each has the measures of its `median`.",
        "With `minus` a value is the difference to another row, in points; `rests_on` then is a list such as "
        "['gain > 0'], which falls when you exchange the rows.",
    ),
)
