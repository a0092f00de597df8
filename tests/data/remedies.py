"""The options that a message tells people to give, taken from the message: what it prints must work."""

import ast
import re
import shlex

from hanlp_tutor.config import parse_value


def options_in(message: str) -> dict:
    """The options of ``Pass -r offsets utf16 (in Python: offsets='utf16')``; both spellings must say the same."""
    found = {}
    for typed, name, value in re.findall(r"Pass (-[^()]+?) \(in Python: (\w+)=('[^']*'|[^)]+)\)", message):
        found[name] = value.strip("'") if value.isupper() else ast.literal_eval(value)
        flag, *rest = shlex.split(typed)
        if flag == "-r":
            assert rest[0] == name
            rest = rest[1:]
        else:
            assert flag == f"--{name.replace('_', '-')}"
        assert (parse_value(rest[0]) if rest else True) == found[name], message
    assert found, message
    return found


def chosen(message: str, **names: str) -> dict:
    """The same where the message leaves a name to people: ``NAME`` becomes theirs."""
    text = message
    for name in names.values():
        text = text.replace(" NAME ", f" {name} ", 1).replace("=NAME)", f"={name!r})", 1)
    return options_in(text)
