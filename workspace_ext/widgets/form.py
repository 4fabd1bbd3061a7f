"""A template's form: typed inputs, one button, and the answer below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.clock import Window
from workspace_ext.protocol.messages import WindowDict
from workspace_ext.protocol.templates import TemplateInfo, TemplateParam
from workspace_ext.widgets.fields import Field, make_field
from workspace_ext.widgets.tables import MUTED, Still
from workspace_ext.widgets.view import Bundle, View

if TYPE_CHECKING:
    import ipywidgets

Ask = Callable[[Mapping[str, Any]], Sequence[Bundle]]
"""Asks the template with what was given; the answer as things to show."""


class TemplateForm(View):
    """Fills in a template and asks it.

    Args:
        template: What is asked.
        scope: The investigation's windows, by parameter's name, as far as there are any.
        services: Those in the data.
        ask: Asks.
    """

    def __init__(
        self,
        template: TemplateInfo,
        scope: Mapping[str, WindowDict | None],
        services: Sequence[str],
        ask: Ask,
    ) -> None:
        super().__init__()
        self._template = template
        self._scope = scope
        self._services = services
        self._ask = ask
        self._fields: list[Field] = []
        self._answer: Sequence[Bundle] = ()
        self._given: Mapping[str, Any] = {}

    def given(self) -> dict[str, Any]:
        """What is filled in, as the broker wants it.

        Raises:
            BadInput: A text is no value of its parameter.
        """
        read = {field.param["name"]: field.read() for field in self._fields}
        return {name: value for name, value in read.items() if value is not None}

    def run(self) -> None:
        """Asks with what is filled in; the answer replaces the one before."""
        if self._try(self._run):
            self._redraw_picture()

    def still(self) -> Still:
        """Its inputs; once it was asked, only what was given, with the answer (`_picture`)."""
        rows = [
            [param["name"], param["type"], self._standing(param), param["help"]]
            for param in self._template["params"]
            if not self._answer or param["name"] in self._given
        ]
        return Still(
            self._template["title"],
            self._template["question"],
            ["input", "type", "value", "meaning"],
            rows,
            note="Run this cell for a form to fill in.",
        )

    def _run(self) -> None:
        self._given = self.given()
        self._answer = self._ask(self._given)
        self._output.outputs = tuple(
            {"output_type": "display_data", **bundle} for bundle in self._answer
        )

    def _picture(self) -> Bundle:
        """With the answer, as far as it is HTML: what was found out is in the notebook."""
        picture = super()._picture()
        for form in ("text/html", "text/plain"):
            said = [bundle["data"][form] for bundle in self._answer if form in bundle["data"]]
            picture[form] = ("" if form == "text/html" else "\n").join([picture[form], *said])
        return picture

    def _build(self) -> ipywidgets.Widget:
        import ipywidgets

        self._output = ipywidgets.Output()
        self._fields = [
            make_field(param, self._window(param), self._services)
            for param in self._template["params"]
        ]
        tuning = [field.control for field in self._fields if _is_tuning(field.param)]
        button = ipywidgets.Button(description="Run", button_style="primary", icon="play")
        button.on_click(lambda _button: self.run())
        title, question = escape(self._template["title"]), escape(self._template["question"])
        parts = [
            ipywidgets.HTML(f'<b>{title}</b> <span style="{MUTED}">{question}</span>'),
            *(field.control for field in self._fields if not _is_tuning(field.param)),
        ]
        if tuning:
            more = ipywidgets.Accordion([ipywidgets.VBox(tuning)], titles=["Thresholds and more"])
            parts.append(more)
        return ipywidgets.VBox([*parts, button, self.said, self._output])

    def _standing(self, param: TemplateParam) -> str:
        given = self._given.get(param["name"])
        if isinstance(given, dict):
            return f"{given['start']}/{given['end']}"
        if given is not None:
            return str(given)
        if param["type"] == "window":
            return self._window(param) or "the investigation's"
        return "" if param["default"] is None else str(param["default"])

    def _window(self, param: TemplateParam) -> str:
        """What a window is when nobody gives it; empty where it is none, or not known."""
        if param["type"] != "window":
            return ""
        window = self._scope.get("window")
        if param["name"] == "baseline":
            window = self._scope.get("baseline") or (
                Window.parse(window).before().to_dict() if window else None  # type: ignore[assignment]
            )
        return f"{window['start']}/{window['end']}" if window else ""


def _is_tuning(param: TemplateParam) -> bool:
    return param["default"] is not None and param["type"] != "choice"
