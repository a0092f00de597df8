"""The Chinese font that the kit brings along, so that pictures have no empty boxes on a machine without one.

``TutorSansSC-Regular.otf`` is a subset of Noto Sans CJK SC (Adobe and Google), made by ``tools/subset_font.py``: ASCII,
all of GB 2312, the encoders' vocabulary, the lexicons. Its licence, the SIL Open Font License 1.1, is ``OFL.txt``.
"""

from pathlib import Path

FAMILY = "Tutor Sans SC"
FONT = Path(__file__).with_name("TutorSansSC-Regular.otf")
