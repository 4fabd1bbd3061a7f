"""What a query is given and what it gives, but for its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import Compare

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Limits:
    """What one query may use. The defaults are also the most that anybody may ask for."""

    rows: int = 2_000_000
    seconds: float = 60.0

    def narrowed(self, asked: Mapping[str, Any] | None) -> Limits:
        """These limits, or the tighter ones that were asked for.

        Raises:
            BadInput: A limit is unknown or not a number above zero.
        """
        given = dict(asked or {})
        rows, seconds = given.pop("rows", self.rows), given.pop("seconds", self.seconds)
        if given:
            raise BadInput(
                f"there is no limit {sorted(given)[0]!r}",
                hint="the limits are rows and seconds",
                code="bad_limit",
            )
        if not _is_number(rows) or rows != int(rows) or rows < 1:
            raise _bad_limit("rows", rows, "a whole number above zero")
        if not _is_number(seconds) or not 0 < seconds < float("inf"):
            raise _bad_limit("seconds", seconds, "a number above zero")
        return Limits(min(int(rows), self.rows), min(float(seconds), self.seconds))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _bad_limit(name: str, value: object, wanted: str) -> BadInput:
    return BadInput(
        f"the limit {name} must be {wanted}, not {value!r}",
        hint="leave it out for the default",
        code="bad_limit",
    )


@dataclass(frozen=True)
class Scan:
    """What one query read of one table: never less than it did read.

    Attributes:
        table: The guarded view.
        columns: Its columns that the query needs, in the table's order.
        window: The bounds on ``time``; None when the plan shows none: everything up to the pin.
    """

    table: str
    columns: tuple[str, ...]
    window: Window | None

    def to_dict(self) -> dict[str, Any]:
        """The form that is recorded."""
        return {
            "table": self.table,
            "columns": list(self.columns),
            "window": self.window.to_dict() if self.window else None,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Scan:
        """From `to_dict`."""
        window = Window.parse(value["window"]) if value["window"] else None
        return cls(str(value["table"]), tuple(value["columns"]), window)


class RunningQuery(Protocol):
    """A query under way. Iterate it once; close it in any case."""

    @property
    def schema(self) -> pa.Schema:
        """The result's columns."""
        ...

    @property
    def scan(self) -> tuple[Scan, ...]:
        """What free SQL read, known once the rows are exhausted: only its worker may plan it.

        Empty for library SQL, whose plan `scan.PlanReader` reads whenever somebody needs it.
        """
        ...

    @property
    def lane(self) -> str:
        """Where it waited for its turn: short, medium, long or free; cache when it took none."""
        ...

    @property
    def compare(self) -> Compare:
        """How a replay may compare the result."""
        ...

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows, at most `BATCH_ROWS` at a time."""
        ...

    def close(self) -> None:
        """Ends it, wherever it is."""
        ...


BATCH_ROWS = 65_536
