"""The set-up cell of a notebook: its parameters, checked, and the sizes of its profile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from hanlp_tutor.config import TrainConfig, unknown_option
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.manifest import new_run_folder
from hanlp_tutor.progress import heard, tell
from hanlp_tutor.teach.course.cost import describe_cost, read_cost
from hanlp_tutor.teach.live_curve import watch_training
from hanlp_tutor.teach.profiles import CLASS, profile_values
from hanlp_tutor.workbench.doctor import in_a_line

STANDARD = ("PROFILE", "encoder", "train_file", "dev_file", "test_file", "model_folder", "out")  # of a parameters cell
_KERNEL = {"In", "Out", "exit", "quit", "open", "get_ipython"}


class Setup:
    """What a notebook runs with: ``profile``, ``config``, ``sizes`` by attribute, and its run folder ``out``."""

    def __init__(self, name: str, profile: str, config: TrainConfig, sizes: dict[str, Any], out: str | None):
        self.name, self.profile, self.config, self._sizes, self._out = name, profile, config, sizes, out
        self._folder: Path | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_sizes"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def out(self) -> Path:
        """The run folder: the parameter ``out``, or the next free number under ``runs/NAME`` when first asked for."""
        if self._folder is None:
            self._folder = Path(self._out) if self._out else new_run_folder(self.name)
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={value}" for name, value in self._sizes.items())
        running = f"profile {self.profile}" + (f" ({sizes})" if sizes else "")
        return f"{running}\n{describe_cost(read_cost(self.name, self.profile))}"


def setup(name: str, namespace: Mapping[str, Any], in_class: Mapping[str, Any]) -> Setup:
    """Read a notebook's parameters from its namespace, refuse what is misspelt, take the rest from the profile.

    papermill only warns of a parameter that a notebook does not know, and runs without it. Here every plain value that
    stands in the namespace at set-up has to be a standard parameter, a size of the profile, or a field of
    :class:`~hanlp_tutor.config.TrainConfig`; the latter two override the profile.

    Args:
        name: of the notebook, for its run folders.
        namespace: ``globals()`` of the notebook.
        in_class: of the profile class: sizes, and options of TrainConfig, by name. The other profiles have the same
            sizes (:mod:`hanlp_tutor.teach.profiles`).

    Raises:
        ConfigError: an unknown profile or parameter (with the nearest known one), or a wrong value.
    """
    profile = namespace.get("PROFILE", CLASS)
    values = profile_values(name, profile, in_class)
    fields = set(TrainConfig.model_fields)
    sizes = {key: value for key, value in values.items() if key not in fields}
    given = {key: value for key, value in namespace.items() if _is_parameter(key, value)}
    known = fields | set(sizes) | set(STANDARD)
    for key in given:
        if key not in known:
            raise ConfigError(unknown_option(key, sorted(known)))
    for key in sizes.keys() & given.keys():
        if type(given[key]) is not type(sizes[key]) and sizes[key] is not None:
            raise ConfigError(f"{key}={given[key]!r}: expected {type(sizes[key]).__name__}, such as {sizes[key]!r}.")
        _check_size(key, given[key], [values[key], in_class[key]])
        sizes[key] = given[key]
    options = {key: value for key, value in values.items() if key in fields}
    options.update((key, value) for key, value in given.items() if key in fields)
    if heard():  # by the runner; who reads the notebook itself sees the device where it matters
        tell("environment", text=in_a_line())
    watch_training()
    return Setup(name, profile, TrainConfig(**options), sizes, namespace.get("out"))


def _check_size(name: str, value: Any, usual: list[Any]) -> None:
    """Refuse a number below zero, and zero where class has more: a slice would take it for something else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    positive = all(each is None or (isinstance(each, (int, float)) and each > 0) for each in usual)
    if value < 0 or (value == 0 and positive):
        raise ConfigError(f"{name}={value!r}: expected a number {'above' if positive else 'from'} 0.")


def _is_parameter(name: str, value: Any) -> bool:
    if name.startswith("_") or name in _KERNEL or isinstance(value, ModuleType):
        return False
    return value is None or isinstance(value, (bool, int, float, str, list, dict))
