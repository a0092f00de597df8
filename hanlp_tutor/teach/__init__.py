"""What the notebooks teach with: their set-up cell, the checks of their exercises, take-aways, quizzes."""

from hanlp_tutor.teach import check
from hanlp_tutor.teach.quiz import quiz
from hanlp_tutor.teach.setup import setup
from hanlp_tutor.teach.take_away import take_away

__all__ = ["check", "quiz", "setup", "take_away"]
