"""Binding: what a person wrote → the values a template's SQL binds.

Everything becomes absolute here (UTC, aware), because a naive time would shift with the
session's zone, and a relative one would mean something else at replay.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.inquiry.templates.model import Param, Template

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class _WrongValueError(ValueError):
    """A value that does not fit its type; becomes a `BadInput` that names the parameter."""


@dataclass(frozen=True)
class BindContext:
    """What an investigation contributes. No known services: any service name is taken."""

    window: Window | None = None
    baseline: Window | None = None
    services: Collection[str] = ()


@dataclass(frozen=True)
class Bound:
    """Parameters ready to use.

    Attributes:
        values: ``$name`` → value, exactly the names the SQL uses: hand this to DuckDB.
        arguments: Every ``$name`` of every parameter, for the `Judge`.
        recorded: Parameter name → JSON, absolute; binding it again gives the same.
    """

    values: Mapping[str, object]
    arguments: Mapping[str, object]
    recorded: Mapping[str, Any] = field(default_factory=dict)


def bind(template: Template, given: Mapping[str, Any], context: BindContext | None = None) -> Bound:
    """Checks what was given and makes the values that the SQL binds.

    Args:
        template: The template.
        given: Parameter name → value, as a person, a notebook or a record wrote it.
        context: The investigation's window, baseline and known services.

    Raises:
        BadInput: A parameter is unknown, missing, of a wrong type, or out of range; the
            message names the parameter and the template.
    """
    context = context or BindContext()
    for name in given:
        if name not in template.params:
            raise BadInput(
                f"{template.id} has no parameter {name!r}",
                hint=did_you_mean(name, template.params),
                code="unknown_parameter",
            )
    arguments: dict[str, object] = {}
    recorded: dict[str, Any] = {}
    for param in template.params.values():
        value = given.get(param.name)
        if param.type == "window":
            window = _window(template, param, value, context, recorded)
            start, end = window.moments()
            arguments |= {f"{param.name}_start": start, f"{param.name}_end": end}
            recorded[param.name] = window.to_dict()
        else:
            bound = _value(template, param, value, context)
            arguments[param.name] = bound
            recorded[param.name] = bound
    values = {name: arguments[name] for name in arguments if name in template.placeholders}
    return Bound(values, arguments, recorded)


def _window(
    template: Template,
    param: Param,
    value: object,
    context: BindContext,
    recorded: Mapping[str, Any],
) -> Window:
    if value is not None:
        try:
            return Window.parse(value)
        except BadInput as error:
            raise _bad(template, param, error.message, error.hint) from error
    if param.name == "baseline":
        if context.baseline is not None:
            return context.baseline
        if "window" in recorded:
            return Window.parse(recorded["window"]).before()
    if context.window is not None:
        return context.window.before() if param.name == "baseline" else context.window
    raise BadInput(
        f"{template.id} needs a {param.name}, and the investigation has none",
        hint=f'give {param.name}="START/END" (in the shell -p {param.name}=START/END),'
        ' or set it once: investigation.scope(window="START/END")',
        code="missing_window",
    )


def _value(template: Template, param: Param, value: object, context: BindContext) -> object:
    if value is None:
        value = param.default
    if value is None:
        if param.optional:
            return None
        raise BadInput(
            f"{template.id} needs {param.name} ({param.type})",
            hint=template.example(),
            code="missing_parameter",
        )
    try:
        bound = _CONVERT[param.type](value)
    except _WrongValueError as error:
        raise _bad(template, param, str(error), param.help or template.example()) from error
    if isinstance(bound, (int, float)) and not isinstance(bound, bool):
        if param.minimum is not None and bound < param.minimum:
            raise _bad(template, param, f"{bound} is below {param.minimum}", param.help)
        if param.maximum is not None and bound > param.maximum:
            raise _bad(template, param, f"{bound} is above {param.maximum}", param.help)
    if param.type == "choice" and bound not in param.of:
        raise _bad(template, param, f"{bound!r} is no choice", did_you_mean(str(bound), param.of))
    if param.type == "service" and context.services and bound not in context.services:
        raise BadInput(
            f"{template.id}: {param.name}: no service {bound!r} in the data",
            hint=did_you_mean(str(bound), context.services),
            code="unknown_service",
        )
    return bound


def _bad(template: Template, param: Param, what: str, hint: str) -> BadInput:
    return BadInput(f"{template.id}: {param.name}: {what}", hint=hint, code="bad_parameter")


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise _WrongValueError(f"{value!r} is not text")


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        return int(value)
    raise _WrongValueError(f"{value!r} is not a whole number")


def _number(value: object) -> float:
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number):
                return number
    except (ValueError, OverflowError):
        pass
    raise _WrongValueError(f"{value!r} is not a number")


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _WrongValueError(f"{value!r} is not true or false")


def seconds(value: object) -> float:
    """Seconds, from a number of them or text such as ``500ms``, ``30s``, ``5m``, ``2h``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        size = _number(value)
    else:
        match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise _WrongValueError(f"{value!r} is not a duration (as in 500ms, 30s, 5m, 2h)")
        size = float(match[1]) * _SECONDS[match[2]]
    if size <= 0:
        raise _WrongValueError(f"{value!r} is not a duration above zero")
    return size


_CONVERT: dict[str, Callable[[object], object]] = {
    "service": _text,
    "string": _text,
    "choice": _text,
    "int": _integer,
    "float": _number,
    "bool": _truth,
    "duration": seconds,
}
