"""What a replay says, from one result up to the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from workspace_ext.protocol.messages import CellVerdict

Rung = Literal["exact", "unordered", "tolerance", "shape", "different", "not compared"]
"""The ladder of comparison, from the strictest down; see `compare.compare`."""

_WORST_FIRST: tuple[CellVerdict, ...] = ("error", "data missing", "changed", "same", "skipped")


@dataclass(frozen=True)
class Comparison:
    """How far a replayed result agrees with the captured one.

    Attributes:
        rung: The strictest rung that holds.
        same: Whether that is strict enough for the mode set at capture; None: not compared.
        reason: For people.
        drift: The largest relative difference of two numbers; None where none was measured.
        difference: What differs, in a few lines for people.
    """

    rung: Rung
    same: bool | None
    reason: str
    drift: float | None = None
    difference: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryReplay:
    """One captured query and what became of it.

    ``then`` and ``now`` are what it said about the hypothesis it tests: supported, refuted or
    inconclusive; ``now`` is None when it gave no answer.
    """

    query: str
    title: str
    verdict: CellVerdict
    comparison: Comparison
    hypothesis: str | None = None
    then: str | None = None
    now: str | None = None


@dataclass(frozen=True)
class OutputReplay:
    """One thing that a cell showed (a text, a table, a figure, a widget), and what became of it."""

    kind: str
    verdict: CellVerdict
    comparison: Comparison


@dataclass(frozen=True)
class CellReplay:
    """One cell. Its verdict is the worst of its own, its queries' and its outputs'.

    ``run`` is the captured run that it was compared with; None when its code was edited since.
    """

    uid: str
    position: int
    summary: str
    verdict: CellVerdict
    reason: str
    queries: tuple[QueryReplay, ...] = ()
    outputs: tuple[OutputReplay, ...] = ()
    run: str | None = None


@dataclass(frozen=True)
class Evidence:
    """A query that something rests on.

    ``said`` is what its answer said when it was captured; ``cell`` is the position of its cell,
    None when no cell of the notebook asked it again; ``path`` are the questions whose answers led
    to it, the first one first.
    """

    query: str
    title: str
    said: str
    cell: int | None
    verdict: CellVerdict
    reason: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class HypothesisReplay:
    """A hypothesis then and now; ``holds`` is None when the replay could not tell, ``why`` says.

    ``marks`` are what a reader must know of it: a late prediction, a claim made despite its tests.
    """

    id: str
    text: str
    before: str
    after: str | None
    holds: bool | None
    why: str
    evidence: tuple[Evidence, ...] = ()
    prediction: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConclusionReplay:
    """What was concluded, and what became of the evidence."""

    root_cause: str
    confidence_percent: int
    by: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Drift:
    """A version that differs between capture and replay; None: not installed."""

    package: str
    then: str | None
    now: str | None


@dataclass(frozen=True)
class ReplayReport:
    """All of it.

    Attributes:
        problems: What was changed in the archive.
        left_out: Captured queries that no cell of the notebook asks again, in words.
        warnings: What was warned of at capture, as of templates and scripts nobody reviewed.
        order: Whether cells ran in the order in which they were ``run``, or of the ``document``.
        offline: Whether the kernel had no network.
        entry: The id of the ledger's entry that tells of this archive.
    """

    archive: str
    investigation: str
    title: str
    conclusion: ConclusionReplay | None
    pin: int
    frozen_at: str
    replayed_at: str
    seconds: float
    problems: tuple[str, ...]
    cells: tuple[CellReplay, ...]
    hypotheses: tuple[HypothesisReplay, ...]
    left_out: tuple[str, ...]
    environment: tuple[Drift, ...]
    warnings: tuple[str, ...] = ()
    order: str = "run"
    offline: bool = False
    entry: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many cells have each verdict."""
        found = Counter(cell.verdict for cell in self.cells)
        return {verdict: found[verdict] for verdict in ("same", *_WORST_FIRST[:3], "skipped")}

    @property
    def verdict(self) -> str:
        """One word for the whole: ``same``, or the worst of what was found."""
        if self.problems:
            return "damaged"
        found: list[CellVerdict] = [cell.verdict for cell in self.cells]
        if any(hypothesis.holds is False for hypothesis in self.hypotheses):
            found.append("changed")
        return worst(found)

    @property
    def ok(self) -> bool:
        """Whether nothing differs; what could not be compared does not count against it."""
        return self.verdict in {"same", "skipped"}

    def to_dict(self) -> dict[str, Any]:
        """The form of ``--json`` and of ``report.json``."""
        return {"verdict": self.verdict, "ok": self.ok, "counts": self.counts, **asdict(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ReplayReport:
        """From what `to_dict` gave, also by way of JSON."""
        told: ReplayReport = _made(cls, content)
        return told


def _made(kind: Any, value: Any) -> Any:
    """A value of a type of this module, from plain JSON."""
    if get_origin(kind) is tuple:
        return tuple(_made(get_args(kind)[0], each) for each in value)
    if get_origin(kind) in (UnionType, Union) and value is not None:
        return _made(next(each for each in get_args(kind) if each is not NoneType), value)
    if is_dataclass(kind) and value is not None:
        types = get_type_hints(kind)
        given = {each.name: _made(types[each.name], value[each.name]) for each in fields(kind)}
        return kind(**given)  # type: ignore[operator]
    return value


def worst(verdicts: Iterable[CellVerdict]) -> CellVerdict:
    """The worst of some verdicts; ``skipped`` when there is none."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in found), "skipped")
