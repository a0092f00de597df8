"""The three questions at the end of a lesson: ``quiz("05")`` shows them, to be clicked at, without a network.

A lesson's questions stand in ``lessons/lNN/quiz.yaml``, each with one right answer and some wrong ones, and a ``why``
for each: what is shown when it is clicked. jupyterquiz draws them. Where no script runs (a page of GitHub, a notebook
that is not trusted yet, print), the same questions stand as a list, their answers folded away below.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hanlp_tutor.errors import ConfigError, first_line
from hanlp_tutor.extras import needs

QUESTIONS = 3
FILE = "quiz.yaml"
_ROOMS = Path(__file__).parent / "lessons"
# The blue, the green and the vermilion of plots.py's palette, darkened until white text on them can be read
_COLOURS = {"--jq-multiple-choice-bg": "#1d3f5e", "--jq-correct-color": "#00664b", "--jq-incorrect-color": "#a33c00"}
_WIDTH = 800  # pixels
# The list gives way to the buttons; what they say is read like text, on a dark page too
_STYLE = """
#NAME:has(.Quiz) > .as-list { display: none; }
#NAME .Quiz, #NAME .Feedback { font-size: 16px; line-height: 1.4; }
#NAME .MCButton { justify-content: flex-start; text-align: left; }
#NAME .Feedback { text-align: left; background: #ffffff; padding: 0 10px; }
"""
_REMOTE = re.compile(r"(?<=['\"])https?://[^'\"]*(?=['\"])")


@dataclass(frozen=True)
class Answer:
    """One answer, and what to say to whoever chooses it."""

    text: str
    why: str
    right: bool


@dataclass(frozen=True)
class Question:
    """One question with its answers, in the order in which they are listed: by chance, and always the same."""

    text: str
    answers: tuple[Answer, ...]

    @property
    def right(self) -> Answer:
        return next(answer for answer in self.answers if answer.right)


def read_quiz(lesson: str, folder: Path | None = None) -> list[Question]:
    """A lesson's questions.

    Args:
        lesson: its number, such as ``"05"`` or ``"01b"``.
        folder: holds ``lNN/quiz.yaml``; None: the lessons' rooms.

    Raises:
        ConfigError: there is no such file, or it breaks a rule; names the file, the question and what to write.
    """
    path = (folder or _ROOMS) / f"l{lesson}" / FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        there = ", ".join(lessons_with_quiz(folder))
        raise ConfigError(f"lesson {lesson!r} has no quiz ({path.parent.name}/{FILE}). One have {there}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        hint = "put a text that holds ': ' or begins with ` between quotes"
        raise ConfigError(f"{path}{line}: no YAML ({first_line(error)}): {hint}.") from None
    where = f"{path.parent.name}/{FILE}"
    if not isinstance(content, list) or len(content) != QUESTIONS:
        raise ConfigError(f"{where}: expected a list of {QUESTIONS} questions, each with `ask`, `right` and `wrong`.")
    return [_question(f"{where}, question {number}", item) for number, item in enumerate(content, start=1)]


def lessons_with_quiz(folder: Path | None = None) -> list[str]:
    """The numbers of the lessons that have one, in order."""
    return sorted(path.parent.name.removeprefix("l") for path in (folder or _ROOMS).glob(f"l*/{FILE}"))


def quiz(lesson: str) -> None:
    """Show a lesson's questions; outside of a notebook print them.

    Args:
        lesson: its number, such as ``"05"``.

    Raises:
        ConfigError: as :func:`read_quiz`, or jupyterquiz is not installed.
    """
    from IPython import get_ipython
    from IPython.display import publish_display_data

    questions = read_quiz(lesson)
    if get_ipython() is None:
        print("\n\n".join(_as_text(number, each) for number, each in enumerate(questions, start=1)))
        return
    for data in outputs(lesson, questions):
        publish_display_data(data)


def outputs(lesson: str, questions: list[Question]) -> list[dict[str, str]]:
    """What the cell shows, by MIME type: the list with its style, then the script that makes buttons of it.

    The same for the same questions: jupyterquiz would give the page's element another random name each time. It would
    also fetch MathJax from a CDN where a page has an odd one; that address is taken out.
    """
    from unittest.mock import patch

    display_quiz = needs("jupyterquiz", "a quiz").display_quiz
    shown: list[Any] = []
    with patch.dict(display_quiz.__globals__, display=shown.append):
        display_quiz([_for_jupyterquiz(each) for each in questions], max_width=_WIDTH, colors=_COLOURS)
    page, script = (each.data for each in shown)
    random_name = re.search(r'<div id="(\w+)"', page)[1]
    name = f"quiz{lesson}"
    page = f"{page}{_list(name, questions)}</div>".replace(random_name, name)
    script = _REMOTE.sub("", script.replace(random_name, name))
    text = "\n\n".join(_as_text(number, each) for number, each in enumerate(questions, start=1))
    return [{"text/html": page, "text/plain": text}, {"application/javascript": script, "text/plain": ""}]


def _question(where: str, item: Any) -> Question:
    if not isinstance(item, dict) or set(item) != {"ask", "right", "wrong"} or not isinstance(item["wrong"], list):
        raise ConfigError(f"{where}: expected `ask: ...`, `right: {{answer, why}}`, `wrong: [{{answer, why}}, ...]`.")
    given = [(item["right"], True), *((wrong, False) for wrong in item["wrong"])]
    for answer, _ in given:
        if not isinstance(answer, dict) or set(answer) != {"answer", "why"}:
            raise ConfigError(f"{where}: each answer needs `answer: ...` and `why: ...`, and nothing else: {answer!r}.")
    texts = [item["ask"], *(text for answer, _ in given for text in answer.values())]
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{where}: {text!r} is no text; put it between quotes.")
        if "$" in text:
            raise ConfigError(f"{where}: {text!r} has a $, which is shown as it is: write formulas in Unicode.")
    if len({answer["answer"] for answer, _ in given}) < len(given) or len(given) < 3:
        raise ConfigError(f"{where}: expected at least two wrong answers, and no answer twice.")
    answers = [Answer(answer["answer"].strip(), answer["why"].strip(), right) for answer, right in given]
    by_chance = sorted(answers, key=lambda answer: hashlib.sha256((item["ask"] + answer.text).encode()).hexdigest())
    return Question(item["ask"].strip(), tuple(by_chance))


def _for_jupyterquiz(question: Question) -> dict[str, Any]:
    """As jupyterquiz reads it. Colour alone does not tell right from wrong: the first word of the reason does."""
    answers = [
        {
            "answer": _as_html(answer.text),
            "correct": answer.right,
            "feedback": f"<b>{'Right' if answer.right else 'No'}.</b> {_as_html(answer.why)}",
        }
        for answer in question.answers
    ]
    return {"question": _as_html(question.text), "type": "multiple_choice", "answer_cols": 1, "answers": answers}


def _as_html(text: str) -> str:
    """Escaped; what stands between backticks as code, between asterisks emphasised."""
    text = re.sub(r"(?<!\w)\*([^*`]+)\*(?!\w)", r"<em>\1</em>", html.escape(text, quote=False))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def _list(name: str, questions: list[Question]) -> str:
    """For where no script runs; hidden as soon as one has."""
    rows = []
    for question in questions:
        answers = "".join(f"<li>{_as_html(answer.text)}</li>" for answer in question.answers)
        letter = "ABCDEFGH"[question.answers.index(question.right)]
        right = f"<b>{letter}</b>. {_as_html(question.right.why)}"
        folded = f"<details><summary>Answer 答案</summary>{right}</details>"
        rows.append(f'<li>{_as_html(question.text)}<ol type="A">{answers}</ol>{folded}</li>')
    style = _STYLE.replace("NAME", name)
    return f'<style>{style}</style><ol class="as-list">{"".join(rows)}</ol>'


def _as_text(number: int, question: Question) -> str:
    answers = [f"   {letter}. {answer.text}" for letter, answer in zip("ABCDEFGH", question.answers, strict=False)]
    return "\n".join([f"{number}. {question.text}", *answers])
