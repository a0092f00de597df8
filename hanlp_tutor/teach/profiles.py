"""The profiles of the lessons: each notebook shows the sizes of ``class``; ``smoke`` and ``full`` stand in one file.

``notebooks/profiles.yaml`` has for each lesson the two other profiles, with the same sizes. Where it is absent (a
notebook alone, sent by mail), the class profile runs all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig, read_yaml, unknown_option
from hanlp_tutor.errors import ConfigError

CLASS, OTHERS = "class", ("smoke", "full")
FILE = "profiles.yaml"


def profiles_file() -> Path | None:
    """Beside the notebook, in ``notebooks/`` of the working directory, or in the checkout of this package."""
    folders = (Path(), Path("notebooks"), Path(__file__).resolve().parents[2] / "notebooks")
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def profile_values(lesson: str, profile: str, in_class: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes and options of one profile of a lesson.

    Args:
        lesson: the notebook's name.
        profile: smoke, class or full.
        in_class: sizes, and options of TrainConfig, of the class profile, as the notebook shows them.

    Raises:
        ConfigError: no such profile; no file, or the file lacks the lesson, a profile of it or one of its sizes; a
            size or option in it that nobody knows.
    """
    if profile == CLASS:
        return dict(in_class)
    if profile not in OTHERS:
        raise ConfigError(f"PROFILE={profile!r}: a notebook has smoke, class and full.")
    path = profiles_file()
    if path is None:
        raise ConfigError(
            f"PROFILE={profile!r}: the profiles smoke and full stand in {FILE}, beside the notebooks of the kit, which "
            f"is not here. Put it beside this notebook, or run the profile class."
        )
    others = read_yaml(path).get(lesson)
    if not isinstance(others, dict) or not isinstance(others.get(profile), dict):
        raise ConfigError(f"{path}: has no profile {profile} of {lesson}. Add it, with the sizes of class.")
    values = others[profile]
    _check_names(f"{path}, {profile} of {lesson}", values, in_class)
    return dict(values)


def _check_names(where: str, values: dict[str, Any], in_class: Mapping[str, Any]) -> None:
    """Refuse a profile whose sizes are not those of class."""
    fields = TrainConfig.model_fields.keys()
    sizes = in_class.keys() - fields
    for name in values:
        if name not in sizes | fields:
            raise ConfigError(f"{where}: {unknown_option(name, sorted(sizes | fields))}")
    missing = sorted(sizes - values.keys())
    if missing:
        raise ConfigError(f"{where}: lacks {', '.join(missing)}, which class has.")
    for name in sizes:
        if _kind(values[name]) != _kind(in_class[name]) and None not in (values[name], in_class[name]):
            raise ConfigError(f"{where}: {name}={values[name]!r}: expected the like of {in_class[name]!r}, see class.")
    TrainConfig(**{name: value for name, value in values.items() if name in fields})


def _kind(value: Any) -> Any:
    """The type of a size; of a list, those in it too: YAML takes 2e-5 for a text."""
    return (list, frozenset(map(type, value))) if isinstance(value, list) else type(value)
