"""The checks of notebook 13: hours of a desk, the threshold of a calibrated score, a typology that is new."""

from __future__ import annotations

from collections.abc import Callable

from hanlp_tutor.teach.declared import Answers, cases, predicted, value

_SCORES, _SUSPICIOUS = [0.9, 0.6, 0.4, 0.1], [True, False, True, False]


@cases(
    [(_SCORES, _SUSPICIOUS, threshold, missed) for threshold, missed in ((0.5, 20), (0.4, 20), (0.0, 5), (1.0, 5))],
    "First, which alerts are looked at: those whose score is at least the threshold.",
    "One hour for each alert that is looked at, suspicious or not.",
    "Then `missed` hours for each suspicious alert that is not looked at; add both.",
    otherwise="{given}: that costs {right} hours, your function gives {found}.",
    then="One number for both kinds of error: now thresholds can be compared, and so can models.",
)
def q13_1(scores: list[float], suspicious: list[bool], threshold: float, missed: float) -> Answers:
    """hours(scores, suspicious, threshold, missed) -> hours of analysts."""

    def total(looked: Callable[[float], bool], hour: Callable[[bool], float], miss: Callable[[bool], float]) -> float:
        pairs = zip(scores, suspicious, strict=True)
        return float(sum(hour(bad) if looked(score) else miss(bad) for score, bad in pairs))

    def reaches(score: float) -> bool:
        return score >= threshold

    wrong = {
        "an alert whose score equals the threshold is looked at: >=, not >.":
            total(lambda score: score > threshold, lambda bad: 1, lambda bad: missed * bad),
        "you count only false alarms. Looking at a suspicious alert takes an hour, too.":
            total(reaches, lambda bad: 1 - bad, lambda bad: missed * bad),
        "you charge every alert that is not looked at. Only a suspicious one is missed.":
            total(reaches, lambda bad: 1, lambda bad: missed),
        "each missed case costs `missed` hours, you count one.":
            total(reaches, lambda bad: 1, lambda bad: bad),
        "you left out the hours of looking.": total(reaches, lambda bad: 0, lambda bad: missed * bad),
    }  # fmt: skip
    return total(reaches, lambda bad: 1, lambda bad: missed * bad), wrong


q13_2 = value(
    "From which probability on to look, when looking takes half an hour and a missed case costs 40: 0.0125.",
    0.5 / 40,
    "Write down what an alert with probability p costs in each of the two cases.",
    "Looking costs half an hour, whatever p is. Not looking costs 40 hours with probability p.",
    "Both cost the same where p times 40 is 0.5. Solve for p.",
    wrong={
        "A half is right only where both errors cost the same.": 0.5,
        "The other way round: how much is one hour of looking worth in missed cases?": 80.0,
        "That is the probability below which you would close the alert as legitimate, from the other end.": 1
        - 0.5 / 40,
        "Looking takes half an hour here, not a whole one.": 1 / 40,
        "A probability lies between 0 and 1.": lambda found: not 0 <= found <= 1,
    },
    otherwise="Not {found}. At which p do looking and not looking cost the same?",
    then="Half an hour over forty. It holds for a score that is calibrated *in your queue*, for no other.",
)


def _left_out(seen: float) -> str:
    return (
        "The model has no class for what it never saw: each alert is pressed into one that it knows. Some share words "
        "with another typology and are flagged under its name; the others look most like an honest customer. "
        f"{1 - seen:.0%} would have been closed without a look."
    )


q13_3 = predicted(
    "Which share of the alerts of a left-out typology is flagged all the same.",
    "There is no class for them. What becomes of a text that has no class?",
    "Each gets the class whose words it shares. All alerts share words, with legitimate ones as well.",
    "Legitimate is by far the largest class, and the honest customers of this corpus give the same kind of figures.",
    because=_left_out,
    surprise=_left_out,
)
