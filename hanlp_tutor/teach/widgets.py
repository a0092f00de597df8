"""A picture with controls: in Jupyter they move it, and everywhere else it stands as it is drawn first.

A lesson's ``lessons/lNN/explore.py`` has a pure function from values to a picture (:mod:`hanlp_tutor.teach.plots`), and
the values that each control offers; :class:`Explorer` joins them. It works with ipywidgets 7.7, which Colab has, and 8.
"""

from __future__ import annotations

import html
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from hanlp_tutor.errors import ConfigError
from hanlp_tutor.progress import in_notebook
from hanlp_tutor.teach.plots import Picture

_VIEW = "application/vnd.jupyter.widget-view+json"


class Explorer:
    """Controls over a picture; the last line of a cell shows both.

    What is shown holds the drawn picture as well, for readers without a kernel. Executed by the course or by a runner
    it holds nothing else: a stored notebook has no kernel that could answer.

    Args:
        draw: makes a picture of one value for each control, given by name; its defaults are what is drawn first.
        controls: the values that each control offers, in order.

    Raises:
        ConfigError: a control that ``draw`` does not know, or a default that the control does not offer.
    """

    def __init__(self, draw: Callable[..., Picture], **controls: Sequence[Any]):
        first = {name: each.default for name, each in inspect.signature(draw).parameters.items()}
        for name, offered in controls.items():
            if name not in first or first[name] not in offered:
                raise ConfigError(f"{draw.__name__} needs a parameter {name} whose default is one of {list(offered)}.")
        self.draw, self.offered = draw, {name: tuple(offered) for name, offered in controls.items()}
        self.values: dict[str, Any] = {name: first[name] for name in controls}
        self.picture = draw(**self.values)
        self.controls: dict[str, Any] = {}  # ipywidgets' own, once they are shown
        self._setting = False
        self._image: Any = None
        self._says: Any = None
        self.widget: Any = None

    def set(self, **values: Any) -> Picture:
        """Set some of the values, as moving the controls does; the new picture.

        Raises:
            ConfigError: no such control, or a value that it does not offer.
        """
        for name, value in values.items():
            if name not in self.offered:
                raise ConfigError(f"There is no control {name!r}, only {', '.join(self.offered)}.")
            if value not in self.offered[name]:
                raise ConfigError(f"{name}={value!r}: choose one of {list(self.offered[name])}.")
        self.values |= values
        self.picture = self.draw(**self.values)
        self._setting = True  # the controls follow, and are not asked
        for name, control in self.controls.items():
            control.value = self.values[name]
        self._setting = False
        if self._image is not None:
            self._image.value, self._says.value = self.picture.png(), html.escape(self.picture.alt)
        return self.picture

    def build(self) -> Any:
        """The widget (ipywidgets): a slider for numbers, a menu for words, the picture, and in words what it shows."""
        import ipywidgets

        for name, offered in self.offered.items():
            kind = ipywidgets.Dropdown if isinstance(offered[0], str) else ipywidgets.SelectionSlider
            control = kind(
                options=[(str(value), value) for value in offered],
                value=self.values[name],
                description=name.replace("_", " "),
                style={"description_width": "initial"},
                continuous_update=False,
            )
            control.observe(self._moved, names="value")
            self.controls[name] = control
        self._image = ipywidgets.Image(value=self.picture.png(), format="png")
        self._says = ipywidgets.HTML(value=html.escape(self.picture.alt))
        children = [*self.controls.values(), self._image, self._says]
        self.widget = ipywidgets.VBox(children, layout={"align_items": "flex-start"})  # or the picture is blown up
        return self.widget

    def _moved(self, change: Mapping[str, Any]) -> None:
        if not self._setting:
            self.set(**{name: control.value for name, control in self.controls.items()})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = self.picture._repr_mimebundle_()
        if is_live():
            widget = self.widget or self.build()
            data = {_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}, **data}
        return data, metadata

    def __repr__(self) -> str:
        return repr(self.picture)


def is_live() -> bool:
    """Whether somebody may be sitting in front of this kernel, with ipywidgets to move things by."""
    return in_notebook() and "HANLP_TUTOR_PROGRESS" not in os.environ and find_spec("ipywidgets") is not None
