"""What the notebooks teach with: their set-up cell, the checks of their exercises, pictures."""

from hanlp_tutor.teach import check
from hanlp_tutor.teach.setup import setup

__all__ = ["check", "setup"]
