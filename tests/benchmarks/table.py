"""One measured figure beside its reference, and the table of all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        reference: Against what, in the same run.
        ours_s: Median seconds of ours.
        reference_s: Median seconds of the reference.
        judged: Whether the bound is on the ratio, on the difference in seconds, or on ours alone.
        bound: The most it may be.
        unit: Of ours and the reference: seconds, megabytes (1,000,000 bytes), or a share of 1.
    """

    what: str
    reference: str
    ours_s: float
    reference_s: float
    judged: Literal["ratio", "difference", "absolute"]
    bound: float
    unit: Literal["s", "MB", "share"] = "s"

    @property
    def figure(self) -> float:
        """The number that the bound is about."""
        if self.judged == "ratio":
            return self.ours_s / self.reference_s
        return self.ours_s - (self.reference_s if self.judged == "difference" else 0.0)

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.figure <= self.bound

    def cells(self) -> list[str]:
        """As text."""
        plain = {"s": _seconds, "MB": "{:.2f} MB".format, "share": "{:.0%}".format}[self.unit]
        shown = "{:.2f} x".format if self.judged == "ratio" else plain
        reference = plain(self.reference_s) if self.reference_s else "-"
        holds = "yes" if self.holds else "NO"
        figure, bound = shown(self.figure), shown(self.bound)
        return [self.what, self.reference, plain(self.ours_s), reference, figure, bound, holds]


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if abs(value) < 1 else f"{value:.1f} s"


def markdown(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table."""
    head = ["what", "against", "ours", "reference", "figure", "at most", "holds"]
    lines = [head, ["---"] * len(head), *[row.cells() for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def alternate(
    ours: Callable[[], object], reference: Callable[[], object], *, times: int
) -> tuple[float, float]:
    """Median seconds of two things, run by turns so that a busy moment hits both.

    Each is run once before, unmeasured.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(times + 1):
        for kept, run in zip(seconds, (ours, reference), strict=True):
            started = perf_counter()
            run()
            if turn:
                kept.append(perf_counter() - started)
    return median(seconds[0]), median(seconds[1])
