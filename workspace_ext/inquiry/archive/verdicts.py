"""What a replay means: a verdict for each cell and each hypothesis. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.canonical import digest_text
from workspace_ext.inquiry.archive.compare import Result, compare
from workspace_ext.inquiry.archive.model import (
    CellReplay,
    CellVerdict,
    Comparison,
    HypothesisReplay,
    QueryReplay,
    worst,
)
from workspace_ext.inquiry.archive.slices import scans_of
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.metadata.notebook import cell_uid
from workspace_ext.protocol.messages import InvestigationState, QuerySummary, Step

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Captured:
    """What the archive holds.

    Attributes:
        state: The investigation.
        queries: In full, by id.
        results: The kept ones, by query.
        missing: Tables that were read, and whose slice is missing or damaged.
    """

    state: InvestigationState
    queries: Mapping[str, QueryRecord]
    results: Mapping[str, pa.Table]
    missing: frozenset[str]


@dataclass(frozen=True)
class Replayed:
    """What the replay gave."""

    state: InvestigationState
    results: Mapping[str, pa.Table]


def judge_cells(notebook: Any, then: Captured, now: Replayed) -> Iterator[CellReplay]:
    """A verdict for each code cell, in order."""
    before, after = _last_steps(then.state), _last_steps(now.state)
    for position, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        uid = cell_uid(notebook.cells, cell.id)
        first_line = next(line.strip() for line in cell.source.splitlines() if line.strip())
        old, new = before.get(uid), after.get(uid)
        verdict, reason, queries = _judge(old, new, then, now)
        if old is not None and digest_text(cell.source) != old["source_digest"]:
            reason = f"edited after its last captured run; {reason}".removesuffix("; ")
        yield CellReplay(uid, position, first_line[:80], verdict, reason, queries)


def judge_hypotheses(
    then: InvestigationState, now: InvestigationState
) -> Iterator[HypothesisReplay]:
    """Whether each hypothesis ends as it ended."""
    for uid, hypothesis in then["hypotheses"].items():
        again = now["hypotheses"].get(uid)
        after = again["state"] if again else None
        holds = None if after is None else after == hypothesis["state"]
        yield HypothesisReplay(uid, hypothesis["text"], hypothesis["state"], after, holds)


def _last_steps(state: InvestigationState) -> dict[str, Step]:
    """The run of each cell that began last, by the cell's uid."""
    return {
        step["cell"]: step
        for step in sorted(state["steps"].values(), key=lambda step: step["started"])
    }


_Judged = tuple[CellVerdict, str, tuple[QueryReplay, ...]]


def _judge(old: Step | None, new: Step | None, then: Captured, now: Replayed) -> _Judged:
    if old is None:
        return "skipped", "was not run when it was captured", ()
    asked = [then.queries[query] for query in old["queries"] if query in then.queries]
    lost = sorted({scan.table for record in asked for scan in scans_of(record)} & then.missing)
    if lost:
        return "data missing", f"the archive has no sound slice of {', '.join(lost)}", ()
    if new is None or new["status"] != old["status"]:
        return _ended_otherwise(old, new)
    answered = [now.state["queries"][query] for query in new["queries"]]
    if len(asked) != len(answered):
        return "changed", f"{len(asked)} queries then, {len(answered)} now", ()
    queries = tuple(_query(*pair, then, now) for pair in zip(asked, answered, strict=True))
    reason = "" if queries else "asks nothing that could be compared"
    return worst([query.verdict for query in queries]), reason, queries


def _ended_otherwise(old: Step, new: Step | None) -> _Judged:
    if new is None:
        return "error", "it did not run", ()
    if new["status"] == "ok":
        return "changed", f"{old['status']} then, not now", ()
    return "error", new["error"] or new["status"], ()


def _query(old: QueryRecord, new: QuerySummary, then: Captured, now: Replayed) -> QueryReplay:
    title = old.template["id"] if old.template else "SQL"
    if old.ok and new["ok"]:
        found = _compared(old, new, then, now)
        verdicts: dict[bool | None, CellVerdict] = {True: "same", False: "changed", None: "skipped"}
        return QueryReplay(old.id, title, verdicts[found.same], found)
    if old.ok == new["ok"]:
        return QueryReplay(old.id, title, "same", Comparison("exact", True, "failed then and now"))  # noqa: FBT003
    reason = new["error"] or "failed then, not now"
    verdict: CellVerdict = "error" if old.ok else "changed"
    return QueryReplay(old.id, title, verdict, Comparison("different", False, reason))  # noqa: FBT003


def _compared(old: QueryRecord, new: QuerySummary, then: Captured, now: Replayed) -> Comparison:
    found = compare(
        Result(old.rows, old.digest or "", then.results.get(old.id)),
        Result(new["rows"], new["digest"] or "", now.results.get(new["id"])),
        old.compare,
    )
    if new["pin"] == old.pin:
        return found
    pins = f"captured on data up to batch {old.pin}, replayed on {new['pin']}"
    return replace(found, reason=f"{found.reason} ({pins})")
