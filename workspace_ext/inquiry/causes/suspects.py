"""Services under suspicion, what speaks against each, and whether that is a verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 3
"""So many pieces of evidence are told for each service and method."""


@dataclass
class Suspect:
    """A service under suspicion.

    Attributes:
        service: Its name.
        strength: Of each method, 0 to 1.
        evidence: In words, with the counts.
        names: Of pods, operations, metrics and log patterns, how much each points at it.
        example_trace: One to look at.
        prior: How much more any suspicion counts because it was changed just before, from 0.
    """

    service: str
    strength: dict[str, float] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    example_trace: str | None = None
    prior: float = 0.0

    @property
    def score(self) -> float:
        """All methods together, 0 to 1."""
        innocent = 1.0
        for strength in self.strength.values():
            innocent *= 1 - min(max(strength, 0.0), 1.0)
        return float(1 - innocent ** (1 + self.prior))

    @property
    def methods(self) -> list[str]:
        """Those that suspect it."""
        return sorted([*self.strength, *(["change"] if self.prior else [])])

    def most(self, what: str) -> str | None:
        """The pod, operation, metric or pattern that most points at it."""
        counted = self.names.get(what, Counter())
        return max(counted, key=lambda name: (counted[name], name), default=None) or None

    def suspect(self, method: str, strength: float) -> None:
        """Adds a reason."""
        self.strength[method] = max(self.strength.get(method, 0.0), strength)

    def point(self, what: str, name: str | None, weight: float) -> None:
        """Notes that a pod, operation, metric or pattern points at it."""
        if name:
            self.names.setdefault(what, Counter())[name] += weight  # type: ignore[assignment]


@dataclass
class Suspects:
    """All of them, and when the trouble began."""

    by_service: dict[str, Suspect] = field(default_factory=dict)
    onset_ns: int | None = None
    doubt: str = ""
    """Why no verdict is to be had, whoever comes first."""
    chance: float = 0.0
    """The score that as much data without any trouble gives its first."""

    def of(self, service: str) -> Suspect:
        """One of them."""
        return self.by_service.setdefault(service, Suspect(service))

    def ranked(self) -> list[Suspect]:
        """Most suspicious first."""
        return sorted(self.by_service.values(), key=lambda one: (-one.score, one.service))
