"""What the notebooks teach with: their set-up cell, the checks of their exercises, pictures, quizzes."""

from hanlp_tutor.teach import check
from hanlp_tutor.teach.quiz import quiz
from hanlp_tutor.teach.setup import setup

__all__ = ["check", "quiz", "setup"]
