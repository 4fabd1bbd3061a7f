"""A policy, what is spared from it, and the plan that comes of the two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.foundation.errors import BadInput

_AGES = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SECOND_NS = 1_000_000_000
_MOST_DAYS = 36_500


@dataclass(frozen=True)
class Policy:
    """When data goes. Make one with `parse`.

    Attributes:
        older_than: As it was written, as in ``30d``: since the data came, not since it happened, so
            that an old incident loaded today stays.
        larger_than: As it was written, as in ``50GB``: of the telemetry with its sealed copies.
        even_unarchived: Whether concluded investigations without an archive lose their data too.
    """

    older_than: str | None = None
    larger_than: str | None = None
    even_unarchived: bool = False

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Policy:
        """From ``{"older_than": "30d", "larger_than": "50GB", "even_unarchived": false}``.

        Raises:
            BadInput: It says nothing, or a part of it is wrong.
        """
        known = cls.__dataclass_fields__
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise _bad(f"retention has no {unknown[0]!r}", f"there is: {', '.join(known)}")
        policy = cls(**given)
        if not isinstance(policy.even_unarchived, bool):
            raise _bad("even_unarchived must be true or false", "leave it out for false")
        if policy.older_than is None and policy.larger_than is None:
            raise _bad("nothing says what may go", "give an age as in 30d, or a size as in 50GB")
        _ = policy.age_ns, policy.size_bytes
        return policy

    @property
    def age_ns(self) -> int | None:
        """The age in nanoseconds."""
        if self.older_than is None:
            return None
        number = _number(self.older_than, _AGES, "an age", "30d, 12h or 4w")
        if number > _MOST_DAYS * _AGES["d"]:
            raise _bad(f"{self.older_than} is longer than a century", "give an age as in 30d")
        return int(number) * _SECOND_NS

    @property
    def size_bytes(self) -> int | None:
        """The size in bytes."""
        if self.larger_than is None:
            return None
        return int(_number(self.larger_than, _SIZES, "a size", "500MB, 50GB or 2TB"))

    def to_dict(self) -> dict[str, Any]:
        """What `parse` takes."""
        return {
            "older_than": self.older_than,
            "larger_than": self.larger_than,
            "even_unarchived": self.even_unarchived,
        }


@dataclass(frozen=True)
class Spared:
    """Rows that somebody needs.

    Attributes:
        table: The signal.
        windows: The spans of time; None for all.
        pin: The highest batch needed.
        why: For whom, as a user should read it.
    """

    table: str
    windows: tuple[Window, ...] | None
    pin: int
    why: str


@dataclass(frozen=True)
class Piece:
    """A rectangle of time and batches, in which every row of a signal goes.

    Attributes:
        signal: Its table.
        from_us: The first time in it, in microseconds; None for the beginning.
        upto_us: The first time after it; None for the end.
        from_batch: The first batch in it.
        upto_batch: The last batch in it.
        rows: How many rows lie in it, once counted.
    """

    signal: str
    from_us: int | None
    upto_us: int | None
    from_batch: int
    upto_batch: int
    rows: int = 0

    def counted(self, rows: int, first_us: int, last_us: int) -> Piece:
        """The same, as wide as the rows in it."""
        return replace(self, rows=rows, from_us=first_us, upto_us=last_us + 1)

    def condition(self) -> str:
        """SQL that is true for its rows; numbers only."""
        parts = [f"batch_id >= {self.from_batch}", f"batch_id <= {self.upto_batch}"]
        if self.from_us is not None:
            parts.append(f"time >= make_timestamptz({self.from_us})")
        if self.upto_us is not None:
            parts.append(f"time < make_timestamptz({self.upto_us})")
        return " AND ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """For a program."""
        return {
            "signal": self.signal,
            "from": None if self.from_us is None else to_rfc3339(self.from_us * 1000),
            "upto": None if self.upto_us is None else to_rfc3339(self.upto_us * 1000),
            "from_batch": self.from_batch,
            "upto_batch": self.upto_batch,
            "rows": self.rows,
        }


@dataclass(frozen=True)
class Plan:
    """What would go, and what is spared.

    Attributes:
        policy: What it follows.
        upto_batch: The newest batch that is old enough, or too much; 0 for none.
        reason: Why, as a user should read it.
        pieces: What goes, counted; without those in which nothing lies.
        spared: What stays although it is up to ``upto_batch``: for whom, signal, rows.
        quarantined: Refused records that go.
        used_bytes: What the store uses now.
        freed_bytes: About how much of that the pieces are.
    """

    policy: Policy
    upto_batch: int
    reason: str
    pieces: tuple[Piece, ...] = ()
    spared: tuple[tuple[str, str, int], ...] = ()
    quarantined: int = 0
    used_bytes: int = 0
    freed_bytes: int = 0

    @property
    def rows(self) -> dict[str, int]:
        """How many rows of each signal go."""
        found: dict[str, int] = {}
        for piece in self.pieces:
            found[piece.signal] = found.get(piece.signal, 0) + piece.rows
        return found

    def to_dict(self) -> dict[str, Any]:
        """For a program."""
        return {
            "policy": self.policy.to_dict(),
            "upto_batch": self.upto_batch,
            "reason": self.reason,
            "rows": self.rows,
            "pieces": [piece.to_dict() for piece in self.pieces],
            "spared": [
                {"why": why, "signal": signal, "rows": rows} for why, signal, rows in self.spared
            ],
            "quarantined": self.quarantined,
            "used_bytes": self.used_bytes,
            "freed_bytes": self.freed_bytes,
        }


def _number(text: object, units: Mapping[str, int], what: str, example: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*([A-Za-z]+)", str(text).strip())
    unit = None
    if match is not None:
        unit = {name.lower(): factor for name, factor in units.items()}.get(match[2].lower())
    if match is None or unit is None or float(match[1]) <= 0:
        raise _bad(f"{text!r} is not {what}", f"write it as {example}")
    return float(match[1]) * unit


def _bad(message: str, hint: str) -> BadInput:
    return BadInput(message, hint=hint, code="bad_retention")
