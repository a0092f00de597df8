"""How a message tells people to give an option of a reader: one wording, for the command line and for Python.

Every command that reads files takes any reader's option as ``-r NAME VALUE``; a few have a flag of their own.
"""

from __future__ import annotations

import shlex
from typing import Any

# The options of reading with a flag of their own; True means that the flag takes no value.
FLAGS = {"format": False, "overlaps": False, "scheme": False, "encoding": False, "strip_segmentation_digits": True}


def pass_option(name: str, value: Any) -> str:
    """``Pass --encoding gb18030 (in Python: encoding='gb18030')``, to be put into a remedy.

    Args:
        name: of the reader's keyword argument.
        value: a value that helps; a word in capitals, such as ``NAME``, where people must choose one.
    """
    return f"Pass {on_command_line(name, value)} (in Python: {name}={_in_python(value)})"


def on_command_line(name: str, value: Any) -> str:
    """The option as it is typed after a command."""
    flag = f"--{name.replace('_', '-')}"
    if FLAGS.get(name):
        return flag
    # As YAML reads it back: a number that is meant as text needs its quotes.
    text = (
        f"'{value}'"
        if isinstance(value, str) and value.isdigit()
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return f"{flag if name in FLAGS else f'-r {name}'} {shlex.quote(text)}"


def _in_python(value: Any) -> str:
    return value if isinstance(value, str) and value.isupper() else repr(value)
