"""Python values as they travel to the broker: plain JSON, every time with its offset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput


def to_wire(value: Any, name: str = "value") -> Any:
    """A value as JSON can say it.

    Times become RFC 3339 text, a pair of times becomes a window, a duration its seconds, numpy
    scalars, arrays and pandas series the plain values in them.

    Raises:
        BadInput: A time has no offset, or the value is of a kind that has no such form.
    """
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, datetime):
        return _time(value, name)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Window):
        return value.to_dict()
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return _collection(value, name)
    for method in ("to_pylist", "tolist", "item", "as_py"):
        if hasattr(value, method):
            return to_wire(getattr(value, method)(), name)
    raise BadInput(
        f"{name}: a {type(value).__name__} cannot be sent",
        hint="use text, numbers, true/false, times with an offset, or lists of them",
        code="bad_value",
    )


def text_of(value: object, name: str) -> str:
    """A text, without the space around it.

    Raises:
        BadInput: It is none.
    """
    if not isinstance(value, str):
        raise BadInput(
            f"{name} is a {type(value).__name__}, not text",
            hint=f'write it in quotes: {name}="…"',
            code="not_text",
        )
    return value.strip()


def window_of(value: object, name: str) -> dict[str, str]:
    """A window from what people have at hand: an interval, or a pair of times or of texts.

    Raises:
        BadInput: It is neither, or a time in it has no offset.
    """
    try:
        return Window.parse(to_wire(value, name)).to_dict()
    except BadInput as error:
        said = error.message if error.message.startswith(name) else f"{name}: {error.message}"
        raise BadInput(said, hint=error.hint, code=error.code) from error


def _collection(value: Mapping[Any, Any] | Collection[Any], name: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): to_wire(item, name) for key, item in value.items()}
    if len(value) == 2 and all(isinstance(item, datetime) for item in value):
        return "/".join(_time(item, name) for item in value)
    return [to_wire(item, name) for item in value]


def _time(value: datetime, name: str) -> str:
    if value.utcoffset() is None:
        raise BadInput(
            f"{name}: the time {value} has no offset",
            hint="use datetime(…, tzinfo=UTC), pd.Timestamp(…, tz='UTC') or text that ends in Z",
            code="naive_time",
        )
    return value.isoformat().replace("+00:00", "Z")
