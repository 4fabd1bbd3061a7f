"""Typed inputs: from a template's parameter to a control, and from that to a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.templates import TemplateParam

if TYPE_CHECKING:
    import ipywidgets

NOT_SET = "not set"
MOST_SERVICES = 1000
"""So many are offered; any other can be typed."""


@dataclass(frozen=True)
class Field:
    """One input.

    Attributes:
        param: What it is for.
        control: The widget.
        read: Its value as the broker wants it; None where it stands as template and scope say.
    """

    param: TemplateParam
    control: ipywidgets.Widget
    read: Callable[[], Any]


def make_field(param: TemplateParam, stands: str, services: Sequence[str]) -> Field:
    """The input of a parameter.

    Args:
        param: The parameter.
        stands: What a window is when it is not given, as ``START/END``; empty when unknown.
        services: Those in the data.
    """
    import ipywidgets

    kind, name = param["type"], param["name"]
    look: dict[str, Any] = {
        "description": name,
        "description_tooltip": param["help"] or name,
        "style": {"description_width": "9em"},
        "layout": {"width": "36em"},
    }
    if kind in ("choice", "bool"):
        return _choice(param, look)
    hint = stands if kind == "window" else _placeholder(param)
    if kind == "service" and services:
        options = list(services[:MOST_SERVICES])
        control = ipywidgets.Combobox(options=options, placeholder=hint, **look)
    else:
        control = ipywidgets.Text(placeholder=hint, **look)
    return Field(param, control, lambda: read_text(param, control.value))


def read_text(param: TemplateParam, text: str) -> Any:
    """What somebody typed as a value; None for nothing.

    Raises:
        BadInput: It is none of this parameter's type. Ranges are the broker's to check.
    """
    said = text.strip()
    if not said:
        return None
    try:
        if param["type"] == "int":
            return int(said)
        if param["type"] == "float":
            return float(said)
    except ValueError as error:
        wanted = "a whole number" if param["type"] == "int" else "a number"
        raise BadInput(
            f"{param['name']}: {said!r} is not {wanted}",
            hint=param["help"] or "or leave it empty",
            code="bad_parameter",
        ) from error
    return Window.parse(said).to_dict() if param["type"] == "window" else said


def _choice(param: TemplateParam, look: dict[str, Any]) -> Field:
    import ipywidgets

    options: list[tuple[str, Any]] = [(each, each) for each in param["of"]]
    if param["type"] == "bool":
        options = [("yes", True), ("no", False)]
    if param["default"] is None:
        options = [(NOT_SET, None), *options]
    control = ipywidgets.Dropdown(options=options, value=param["default"], **look)
    return Field(
        param, control, lambda: None if control.value == param["default"] else control.value
    )


def _placeholder(param: TemplateParam) -> str:
    if param["required"]:
        need = "needed"
    elif param["default"] is None:
        need = "optional"
    else:
        need = f"{param['default']}"
    low, high = param["min"], param["max"]
    limits = [f"{sign} {limit:g}" for sign, limit in (("≥", low), ("≤", high)) if limit is not None]
    return f"{need} ({', '.join(limits)})" if limits else need
