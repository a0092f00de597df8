"""The quizzes: each is sound, gives nothing away, says why, and fetches nothing."""

import json
import re
from pathlib import Path

import pytest

from hanlp_tutor import ConfigError
from hanlp_tutor.teach.quiz import lessons_with_quiz, outputs, quiz, read_quiz

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = lessons_with_quiz()
CHINESE = re.compile(r"[\u4e00-\u9fff]")
GOOD = """
- {ask: "Why?", right: {answer: So., why: It is.}, wrong: [{answer: No., why: Not so.}, {answer: Never., why: Once.}]}
- {ask: "How?", right: {answer: So., why: It is.}, wrong: [{answer: No., why: Not so.}, {answer: Never., why: Once.}]}
- {ask: "Who?", right: {answer: Me., why: It is.}, wrong: [{answer: You., why: Not so.}, {answer: We., why: Once.}]}
"""


@pytest.fixture
def room(tmp_path):
    """Write a quiz of lesson 99, read it."""

    def read(text: str):
        (tmp_path / "l99").mkdir(exist_ok=True)
        (tmp_path / "l99" / "quiz.yaml").write_text(text, encoding="utf-8")
        return read_quiz("99", tmp_path)

    return read


def test_every_lesson_has_one():
    lessons = {path.stem.partition("_")[0] for path in NOTEBOOKS.glob("[0-9]*.ipynb")}
    assert set(LESSONS) == lessons


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_quiz_is_sound(lesson):
    questions = read_quiz(lesson)
    assert len({question.text for question in questions}) == 3
    for question in questions:
        assert sum(answer.right for answer in question.answers) == 1 and len(question.answers) == 4
        whys = [answer.why for answer in question.answers]
        assert len(set(whys)) == 4 and all(len(why) > 25 for why in whys), question.text
        assert not any(re.match(r"(Right|Correct|Wrong|No)\b", why) for why in whys), "the page says it already"
    said = " ".join([question.text + answer.why for question in questions for answer in question.answers])
    assert CHINESE.search(said), "a term's Chinese stands beside it"


@pytest.mark.parametrize("lesson", LESSONS)
def test_an_answer_is_not_given_away_by_its_length(lesson):
    for question in read_quiz(lesson):
        wrong = [len(answer.text) for answer in question.answers if not answer.right]
        assert 0.8 * min(wrong) <= len(question.right.text) <= 1.2 * max(wrong), question.text


def test_neither_the_longest_nor_any_place_is_the_right_one_more_often_than_not():
    questions = [question for lesson in LESSONS for question in read_quiz(lesson)]
    longest = [max(question.answers, key=lambda answer: len(answer.text)).right for question in questions]
    shortest = [min(question.answers, key=lambda answer: len(answer.text)).right for question in questions]
    places = [question.answers.index(question.right) for question in questions]
    assert max(sum(longest), sum(shortest), *map(places.count, range(4))) < 0.4 * len(questions)


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_shown_holds_the_questions_and_fetches_nothing(lesson):
    questions = read_quiz(lesson)
    page, script = outputs(lesson, questions)
    assert outputs(lesson, questions) == [page, script], "the stored output is the same each time"
    both = page["text/html"] + script["application/javascript"]
    assert not re.search(r"https?://\S|//cdn|@import|url\(", both)
    embedded = json.loads(re.search(r"var questions\w+=(\[.*\]);", script["application/javascript"])[1])
    for asked, question in zip(embedded, questions, strict=True):
        assert [answer["correct"] for answer in asked["answers"]] == [answer.right for answer in question.answers]
        assert all(("<b>Right.</b>" in answer["feedback"]) == answer["correct"] for answer in asked["answers"])
        assert question.text in page["text/plain"] and "$" not in str(asked)


def test_outside_of_a_notebook_the_questions_are_printed(capsys):
    quiz("05")
    shown = capsys.readouterr().out
    assert shown.count("\n   A. ") == 3 and read_quiz("05")[2].text in shown


def test_what_a_quiz_says_is_no_html(room):
    questions = room(GOOD.replace("Me.", "'`a < b` & <b>'"))
    page, script = outputs("99", questions)
    assert "<code>a &lt; b</code> &amp; &lt;b&gt;" in page["text/html"]
    assert "<code>a &lt; b</code> &amp; &lt;b&gt;" in script["application/javascript"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('- {ask: "Who', '- {question: "Who', "l99/quiz.yaml, question 3: expected `ask"),
        ("{answer: Me., why: It is.}", "{answer: Me.}", "question 3: each answer needs"),
        ("answer: You.", "answer: ' '", "is no text"),
        ("why: It is.", "why: 3", "3 is no text"),
        ("Me.", "It is $x$.", "write formulas in Unicode"),
        ("You.", "Me.", "no answer twice"),
        ('- {ask: "How?', 'x:\n  {ask: "How?', "quiz.yaml, line 3: no YAML"),
        (GOOD, "- 1", "expected a list of 3 questions"),
    ],
)
def test_a_broken_quiz_says_where_and_what_to_write(room, old, new, says):
    assert len(room(GOOD)) == 3
    with pytest.raises(ConfigError, match=re.escape(says)):
        room(GOOD.replace(old, new))


def test_a_lesson_without_a_quiz_names_those_with_one():
    with pytest.raises(ConfigError, match=r"'5' has no quiz.*00, 01, 01b"):
        read_quiz("5")
