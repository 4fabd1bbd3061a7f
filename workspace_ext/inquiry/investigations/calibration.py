"""How well stated confidence holds, over the conclusions whose outcome is known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from workspace_ext.protocol.messages import InvestigationSummary

FEW = 10
SOME = 30
BINS = 5
"""Of 20 % each: fewer conclusions than people make in a year would not fill ten."""


@dataclass(frozen=True)
class Bin:
    """The conclusions stated with a confidence of ``low`` to ``high`` percent.

    ``stated`` is their mean confidence and ``right`` the share that was right, both in percent
    and None when there are none.
    """

    low: int
    high: int
    n: int
    stated: float | None
    right: float | None


@dataclass(frozen=True)
class Calibration:
    """How far confidence and outcomes agree.

    Attributes:
        n: Conclusions whose outcome is known.
        open: Conclusions whose outcome nobody has said yet.
        brier: The Brier score, 0 (certain and right) to 1 (certain and wrong); None when n is 0.
        base_rate: The share that was right; saying it each time would score
            ``base_rate * (1 - base_rate)``. None when n is 0.
        says: How much that is worth.
        bins: The reliability table.
    """

    n: int
    open: int
    brier: float | None
    base_rate: float | None
    says: str
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def calibration(investigations: Iterable[InvestigationSummary]) -> Calibration:
    """Holds stated confidence against outcomes.

    The score is the mean of ``(confidence - outcome)²`` with outcome 0 or 1, for two classes, as
    in G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
    Weather Review 78 (1950), 1-3, in its usual form of one term a forecast (half of Brier's sum
    over both classes).

    Args:
        investigations: All that are to count; of each, its last conclusion.
    """
    concluded = [each for each in investigations if each.get("confidence_percent") is not None]
    known = [
        (each["confidence_percent"] or 0, bool(each["correct"]))
        for each in concluded
        if each.get("correct") is not None
    ]
    n = len(known)
    brier = sum((stated / 100 - right) ** 2 for stated, right in known) / n if n else None
    base = sum(right for _, right in known) / n if n else None
    return Calibration(n, len(concluded) - n, brier, base, _says(n), tuple(_bins(known)))


def _bins(known: list[tuple[int, bool]]) -> Iterable[Bin]:
    width = 100 // BINS
    for number in range(BINS):
        low, high = number * width, (number + 1) * width
        last = number == BINS - 1
        inside = [each for each in known if low <= each[0] < high or (last and each[0] == high)]
        n = len(inside)
        stated = sum(each for each, _ in inside) / n if n else None
        right = 100 * sum(each for _, each in inside) / n if n else None
        yield Bin(low, high, n, stated, right)


def _says(n: int) -> str:
    if not n:
        return "no conclusion has a known outcome yet"
    if n < FEW:
        return f"n = {n}: says little"
    return f"n = {n}: a rough idea" if n < SOME else f"n = {n}"
