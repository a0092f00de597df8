"""What the notebooks teach with: their set-up cell and the checks of their exercises."""

from hanlp_tutor.teach.setup import setup

__all__ = ["setup"]
