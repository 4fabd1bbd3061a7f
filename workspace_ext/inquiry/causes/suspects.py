"""Services under suspicion, what speaks against each, and whether that is a verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from workspace_ext.inquiry.causes.calls import reached

FAINT = 1e-3
"""What may be chance counts by this: a guess where to look, below all that is more."""

OWN = ("resources", "silence", "behaviour")
"""Methods that look at what a service has for itself."""
SYMPTOMS = frozenset(("flow", "logs"))
"""Those in which its callers have part: what metrics count at them, and what they log of it."""
HEARD = frozenset(("behaviour", "times"))
"""Those that also say how callers do without one who died."""


@dataclass
class Suspect:
    """A service under suspicion.

    Attributes:
        service: Its name.
        strength: Of each method, 0 to 1.
        told: In words, with the counts, and how much each piece weighs.
        names: Of pods, operations, metrics and log patterns, how much each points at it.
        example_trace: One to look at.
        prior: How much more any suspicion counts because it was changed just before, from 0.
    """

    service: str
    strength: dict[str, float] = field(default_factory=dict)
    told: list[tuple[float, str]] = field(default_factory=list)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    example_trace: str | None = None
    prior: float = 0.0

    @property
    def score(self) -> float:
        """All methods together, 0 to 1."""
        return self.without(None)

    def without(self, method: str | None) -> float:
        """All other methods together."""
        innocent = 1.0
        for name, strength in self.strength.items():
            if name != method:
                innocent *= 1 - min(max(strength, 0.0), 1.0)
        return float(1 - innocent ** (1 + self.prior))

    @property
    def methods(self) -> list[str]:
        """Those that suspect it; faintly, only where none does more."""
        sure = [method for method, strength in self.strength.items() if strength > FAINT]
        return sorted([*(sure or self.strength), *(["change"] if self.prior else [])])

    @property
    def evidence(self) -> list[str]:
        """What was told, what weighs most first."""
        return [text for _, text in sorted(self.told, key=lambda one: -one[0])]

    def most(self, what: str) -> str | None:
        """The pod, operation, metric or pattern that most points at it."""
        counted = self.names.get(what, Counter())
        return max(counted, key=lambda name: (counted[name], name), default=None) or None

    def suspect(self, method: str, strength: float) -> None:
        """Adds a reason."""
        self.strength[method] = max(self.strength.get(method, 0.0), strength)

    def tell(self, weight: float, text: str) -> None:
        """Adds a piece of evidence."""
        self.told.append((weight, text))

    def point(self, what: str, name: str | None, weight: float) -> None:
        """Notes that a pod, operation, metric or pattern points at it."""
        if name:
            self.names.setdefault(what, Counter())[name] += weight  # type: ignore[assignment]


@dataclass
class Suspects:
    """All of them, and when the trouble began."""

    by_service: dict[str, Suspect] = field(default_factory=dict)
    onset_ns: int | None = None
    edges: set[tuple[str, str]] = field(default_factory=set)
    """Caller and callee."""
    doubt: str = ""
    """Why what metrics tell of symptoms makes no verdict."""
    chance: float = 0.0
    """The score that as much data without any trouble gives its first."""

    @property
    def beyond_chance(self) -> bool:
        """Whether anything is held against anybody that is no mere guess."""
        return any(one.score > FAINT for one in self.by_service.values())

    @property
    def callees(self) -> dict[str, set[str]]:
        """Whom each service calls, where that is known."""
        callees: defaultdict[str, set[str]] = defaultdict(set)
        for caller, callee in self.edges:
            callees[caller].add(callee)
        return callees

    def of(self, service: str) -> Suspect:
        """One of them."""
        return self.by_service.setdefault(service, Suspect(service))

    def explain(self) -> None:
        """Takes off what is but a symptom of what somebody further down has for himself.

        Where nobody knows who calls whom, anybody may be further down.
        """
        own = {
            name: max((one.strength.get(method, 0.0) for method in OWN), default=0.0)
            for name, one in self.by_service.items()
        }
        silent = {name: one.strength.get("silence", 0.0) for name, one in self.by_service.items()}
        callees = self.callees
        for name, one in self.by_service.items():
            below = (reached(callees, name) if callees else set(own)) - {name}
            explained = max((own[each] for each in below if each in own), default=0.0)
            for method in SYMPTOMS & one.strength.keys():
                one.strength[method] *= 1 - min(explained, 1.0)
            dead = max((silent[each] for each in below if each in silent), default=0.0)
            for method in HEARD & one.strength.keys():
                one.strength[method] *= 1 - min(dead, 1.0)

    def ranked(self) -> list[Suspect]:
        """Most suspicious first."""
        return sorted(self.by_service.values(), key=lambda one: (-one.score, one.service))
