"""How a message tells people to give an option of a reader: one wording, for the command line and for Python.

Every command that reads files takes any reader's option as ``-r NAME VALUE``; a few have a flag of their own.
"""

from __future__ import annotations

import shlex
from typing import Any

from hanlp_tutor.config import typed_value

# The options of reading with a flag of their own; True means that the flag takes no value.
FLAGS = {"format": False, "overlaps": False, "scheme": False, "encoding": False, "strip_segmentation_digits": True}


# Words in messages for what people must choose themselves; any other value is one that helps as it stands.
PLACEHOLDERS = {"VALUE", "NAME", "NUMBER", "FILE", "FOLDER", "FORMAT", "ENCODING", "KEY", "COLUMN", "N"}


def pass_option(name: str, value: Any, flag: str = "-r") -> str:
    """``Pass --encoding gb18030 (in Python: encoding='gb18030')``, to be put into a remedy.

    Args:
        name: of the reader's keyword argument.
        value: a value that helps; one of :data:`PLACEHOLDERS` where people must choose one.
        flag: ``-w`` for an option of a writer, which only ``convert`` takes.
    """
    return f"Pass {on_command_line(name, value, flag)} (in Python: {name}={_in_python(value)})"


def pass_options(**options: Any) -> str:
    """The same for several options of a reader that belong together."""
    typed = " ".join(on_command_line(name, value) for name, value in options.items())
    return f"Pass {typed} (in Python: {', '.join(f'{name}={_in_python(value)}' for name, value in options.items())})"


def on_command_line(name: str, value: Any, flag: str = "-r") -> str:
    """The option as it is typed after a command."""
    own = flag == "-r" and name in FLAGS and value is not None  # a flag takes words, and None is none
    typed = f"--{name.replace('_', '-')}" if own else f"{flag} {name}"
    return typed if own and FLAGS[name] else f"{typed} {shlex.quote(str(value) if own else typed_value(value))}"


def _in_python(value: Any) -> str:
    return value if isinstance(value, str) and value in PLACEHOLDERS else repr(value)
