"""The values of an answer's columns, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def values_of(column: pa.ChunkedArray) -> list[Any]:
    """As Python has them; times that it has not, as SQL's infinity, in words."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        values = [_value(each) for each in column]
    return values


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        number = getattr(scalar, "value", None)  # nested ones have none that is a number
        return "before the year 1" if isinstance(number, int) and number < 0 else "after 9999"
