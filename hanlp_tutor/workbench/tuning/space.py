"""The space of a search: for each option of a run a range or a few values, written the same in Python and on a shell.

``lr=1e-5..1e-3:log`` is a range on a logarithmic scale, ``dropout=0..0.3`` a plain one, ``epochs=2..10`` one of whole
numbers, ``batch_size=8,16,32`` a choice. A list of values is a choice too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hanlp_tutor.config import TrainConfig, parse_value, unknown_option
from hanlp_tutor.errors import ConfigError

# What a search must not choose: the seed is luck, and the rest is about looking and saving, not about learning.
_NOT_SEARCHED = {
    "seed": "a seed is luck, not an option: its best value is worth nothing on other data",
    "device": "scores do not depend on it",
    "eval_steps": "it says when the dev score is looked at",
    "checkpoint_steps": "it says when a run is saved",
    "log_steps": "it says when a row is written",
}


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``, both included; whole ones if both are ``int``."""

    low: float
    high: float
    log: bool = False

    def at(self, share: float) -> float:
        """The number at ``share`` of the way from low to high, on the range's own scale.

        >>> round(Range(1e-5, 1e-3, log=True).at(0.5), 9)
        0.0001
        """
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
            value = min(max(value, self.low), self.high)
        else:
            value = self.low + share * (self.high - self.low)
        return round(value) if isinstance(self.low, int) else value


Space = dict[str, "Range | list[Any]"]


def read_space(space: Mapping[str, str | Sequence[Any] | Range], config: TrainConfig) -> Space:
    """Read and check a space; every value in it has to be one that ``config`` would accept.

    Args:
        space: per option a text as above, a list of values, or a :class:`Range`.
        config: what the other options are.

    Raises:
        ConfigError: an empty space, an unknown option, one that a search must not choose, an unreadable or empty range,
            a value that :class:`~hanlp_tutor.config.TrainConfig` refuses.
    """
    if not space:
        raise ConfigError("The search space is empty: name at least one option, such as lr=1e-5..1e-3:log.")
    fields = sorted(TrainConfig.model_fields)
    read: Space = {}
    for name, wanted in space.items():
        if name not in fields:
            raise ConfigError(unknown_option(name, fields))
        if name in _NOT_SEARCHED:
            raise ConfigError(f"{name} is not to be searched: {_NOT_SEARCHED[name]}.")
        read[name] = _read_one(name, wanted)
        for value in _ends(read[name]):
            config.replace(**{name: value})
    if config.eval_steps and read.keys() & {"batch_size", "gradient_accumulation_steps"}:
        raise ConfigError(
            "eval_steps counts updates, and with other batch sizes these are other amounts of data: trials could "
            "not be compared half-way. Leave eval_steps out: then each epoch ends in an evaluation."
        )
    return read


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """The options ``--space NAME=VALUES`` of a command line.

    Raises:
        ConfigError: no equals sign, or a name twice.
    """
    space: dict[str, str] = {}
    for pair in pairs:
        name, sign, values = pair.partition("=")
        name = name.strip()
        if not sign or not name or not values.strip():
            raise ConfigError(f"--space {pair}: write --space {name or 'NAME'}=LOW..HIGH, or LOW..HIGH:log, or V1,V2.")
        if name in space:
            raise ConfigError(f"--space {name} is given twice.")
        space[name] = values.strip()
    return space


def describe_space(space: Space) -> dict[str, str]:
    """Each option's range or choices in words, for tables and the identity of a study."""
    return {
        name: f"{wanted.low!r}..{wanted.high!r}" + (":log" if wanted.log else "")
        if isinstance(wanted, Range)
        else ",".join(map(str, wanted))
        for name, wanted in space.items()
    }


def _read_one(name: str, wanted: str | Sequence[Any] | Range) -> Range | list[Any]:
    if isinstance(wanted, str):
        wanted = _from_text(name, wanted)
    if isinstance(wanted, Range):
        return _checked(name, wanted)
    if not wanted:
        raise ConfigError(f"{name}: no value to choose from.")
    if not all(value is None or isinstance(value, (bool, int, float, str)) for value in wanted):
        raise ConfigError(f"{name}: only numbers, texts, true, false and none can be chosen from.")
    return list(dict.fromkeys(wanted))


def _from_text(name: str, text: str) -> Range | list[Any]:
    body, log = (text.removesuffix(":log"), True) if text.endswith(":log") else (text, False)
    low, dots, high = body.partition("..")
    if not dots:
        if log:
            raise ConfigError(f"{name}={text}: only a range can be logarithmic: LOW..HIGH:log.")
        return [parse_value(part) for part in body.split(",") if part.strip()]
    ends = [parse_value(end) for end in (low, high)]
    if not all(type(end) in (int, float) for end in ends):
        raise ConfigError(f"{name}={text}: a range goes from a number to a number, such as 1e-5..1e-3:log.")
    return Range(*ends, log=log)


def _checked(name: str, wanted: Range) -> Range:
    low, high = wanted.low, wanted.high
    whole = all(type(end) is int for end in (low, high)) and "int" in str(TrainConfig.model_fields[name].annotation)
    if not whole:
        low, high = float(low), float(high)
    if not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        raise ConfigError(f"{name}: the range {wanted.low}..{wanted.high} is empty; the smaller number comes first.")
    if wanted.log and low <= 0:
        raise ConfigError(f"{name}: a logarithmic range begins above 0, not at {wanted.low}.")
    return Range(low, high, wanted.log)


def _ends(wanted: Range | list[Any]) -> list[Any]:
    return [wanted.low, wanted.high] if isinstance(wanted, Range) else wanted
