"""What a replay means: a verdict for each cell. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.canonical import digest_json, digest_text
from workspace_ext.foundation.clock import parse_rfc3339
from workspace_ext.inquiry.archive.compare import Result, compare
from workspace_ext.inquiry.archive.container import SCRIPT
from workspace_ext.inquiry.archive.masks import declared
from workspace_ext.inquiry.archive.model import (
    CellReplay,
    Comparison,
    OutputReplay,
    QueryReplay,
    worst,
)
from workspace_ext.inquiry.archive.outputs import Terms, compare_outputs
from workspace_ext.inquiry.archive.shown import widget_states
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.protocol.messages import (
    CellVerdict,
    InvestigationState,
    QuerySummary,
    Step,
)

if TYPE_CHECKING:
    import pyarrow as pa

_SUMMARY_CHARACTERS = 80
FINISHED = ("ok", "error")
_SILENT = "ran as it did then; asks for no data"
_REDACTED = "not compared (redacted)"


@dataclass(frozen=True)
class Captured:
    """What the archive holds.

    Attributes:
        state: The investigation.
        queries: In full, by id.
        results: The kept ones, by query.
        lost: By query: the parts it needs that are missing or damaged.
        redacted: The queries of which something was redacted: words, result, or data read.
        redacted_cells: The cells whose code was redacted, or that of a script they use.
        scripts: The digests of the scripts whose texts it holds.
    """

    state: InvestigationState
    queries: Mapping[str, QueryRecord]
    results: Mapping[str, pa.Table]
    lost: Mapping[str, Sequence[str]]
    redacted: Set[str] = frozenset()
    redacted_cells: Set[str] = frozenset()
    scripts: Set[str] = frozenset()


@dataclass(frozen=True)
class Replayed:
    """What the replay gave.

    Attributes:
        state: The investigation of the replay.
        results: The kept ones, by query.
        aggregates: Of those that were too large to keep.
        environment: What its kernel ran with; None when that did not tell.
    """

    state: InvestigationState
    results: Mapping[str, pa.Table]
    aggregates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, Any] | None = None


def judge_cells(notebook: Any, again: Any, then: Captured, now: Replayed) -> Iterator[CellReplay]:
    """A verdict for each code cell, in the document's order.

    Args:
        notebook: As it was frozen.
        again: The same after the replay, with the outputs of that.
        then: What was captured.
        now: What the replay gave.
    """
    before, after = last_steps(then.state), last_steps(now.state)
    modes = {record.compare["mode"] for record in then.queries.values()}
    terms = Terms(
        declared(notebook),
        drift=bool(modes & {"tolerance", "shape"}),
        order=bool(modes & {"unordered", "tolerance", "shape"}),
        states=(widget_states(notebook), widget_states(again)),
    )
    masked = False  # what a cell computed from redacted values goes on in those after it
    both = zip(uids_of(notebook.cells), notebook.cells, again.cells, strict=True)
    for position, (uid, cell, repeated) in enumerate(both, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        old, new = before.get(uid), after.get(uid)
        asks = set(old["queries"]) if old else set()
        masked = masked or uid in then.redacted_cells or bool(asks & then.redacted)
        judged = _judge(old, new, then, now, masked=masked)
        as_it_was = old is not None and digest_text(cell.source) == old["source_digest"]
        if as_it_was and new is not None and judged.comparable:
            own = replace(terms, declared=declared(notebook, cell))
            shown = compare_outputs(cell.outputs, repeated.outputs, own)
            judged = judged.with_outputs(_hidden(shown) if masked else shown)
        reason = judged.reason
        if uid in then.redacted_cells:
            reason = f"its code was redacted; {reason}".removesuffix("; ")
        elif old is not None and not as_it_was:
            reason = f"edited after its last captured run; {reason}".removesuffix("; ")
        said = summary(cell.source)
        run = old["id"] if old is not None and as_it_was else None
        yield CellReplay(
            uid, position, said, judged.verdict, reason, judged.queries, judged.outputs, run
        )


def last_steps(state: InvestigationState) -> dict[str, Step]:
    """The run of each cell that began last and came to an end of its own, by the cell's uid."""
    steps = sorted(state["steps"].values(), key=lambda step: step["seq"])
    return {step["cell"]: step for step in steps if step["status"] in FINISHED}


def same_question(record: QueryRecord | QuerySummary) -> str:
    """What two queries share that ask the same, on whatever data."""
    asked = record.summary() if isinstance(record, QueryRecord) else record
    template = asked["template"]["id"] if asked["template"] else None
    return digest_json([template, asked["sql"], asked["params"], asked["hypothesis"]])


@dataclass(frozen=True)
class _Judged:
    """What is known of a cell; ``comparable``: it ran again, and its outputs may be compared."""

    verdict: CellVerdict
    reason: str
    queries: tuple[QueryReplay, ...] = ()
    outputs: tuple[OutputReplay, ...] = ()
    comparable: bool = False

    def with_outputs(self, outputs: tuple[OutputReplay, ...]) -> _Judged:
        """With what it showed."""
        verdict = worst([self.verdict, *(each.verdict for each in outputs)])
        told = any(each.verdict != "skipped" for each in outputs)
        reason = "" if told and self.reason == _SILENT else self.reason
        return replace(self, verdict=verdict, reason=reason, outputs=outputs)


def _hidden(outputs: tuple[OutputReplay, ...]) -> tuple[OutputReplay, ...]:
    """Outputs of a cell that may have computed from redacted values."""
    return tuple(
        replace(each, verdict="skipped", comparison=_not_compared(each.comparison.reason))
        if each.verdict == "changed"
        else each
        for each in outputs
    )


def _judge(
    old: Step | None, new: Step | None, then: Captured, now: Replayed, *, masked: bool
) -> _Judged:
    if old is None:
        return _Judged("skipped", "no run of it to its end was captured")
    if not then.queries.keys() >= set(old["queries"]):
        return _Judged("skipped", "it was running when the archive was made")
    asked = [then.queries[query] for query in old["queries"]]
    lost = {part for record in asked for part in then.lost.get(record.id, ())}
    lost |= _lost_scripts(old, new, then)
    if lost:
        return _Judged("data missing", f"the archive has no sound {', '.join(sorted(lost))}")
    answered = [now.state["queries"][query] for query in new["queries"]] if new else []
    queries, more = _queries(asked, answered, then, now, masked=masked)
    own, reason = _ended(old, new)
    if masked and (own in ("changed", "error") or more):
        own, reason, more = "skipped", f"{_REDACTED}: {reason}", 0
    if more and own == "skipped":
        own, reason = "changed", f"asks {more} more {'query' if more == 1 else 'queries'} now"
    elif queries and own == "skipped" and not reason.startswith(_REDACTED):
        reason = ""
    verdict = worst([own, *(query.verdict for query in queries)])
    ran = new is not None and new["status"] == old["status"]
    free = any(record.compare["mode"] == "none" for record in asked)
    return _Judged(verdict, reason, queries, comparable=ran and not free)


def _lost_scripts(old: Step, new: Step | None, then: Captured) -> set[str]:
    """The scripts that the archive does not hold, and of which a replay found no other copy."""
    known = then.scripts | {file["digest"] for file in (new["files"] if new else ())}
    return {
        f"script {file['name']}"
        for file in old["files"]
        if file["name"].endswith(SCRIPT) and file["digest"] not in known
    }


def _ended(old: Step, new: Step | None) -> tuple[CellVerdict, str]:
    """What the way a run ended says by itself; ``skipped`` when its queries decide."""
    if new is None or new["status"] not in FINISHED:
        return "error", (new and new["error"]) or "did not run to its end"
    was, is_ = old["error"] or "an error", new["error"] or "an error"
    if old["status"] == "ok":
        if new["status"] == "ok":
            return "skipped", _SILENT
        return "error", is_
    if new["status"] == "ok":
        return "changed", f"failed then ({was}), not now"
    if was.split(":")[0] == is_.split(":")[0]:
        return "same", f"failed then and now: {is_}"
    return "changed", f"failed then with {was}, now with {is_}"


def _queries(
    asked: Sequence[QueryRecord],
    answered: Sequence[QuerySummary],
    then: Captured,
    now: Replayed,
    *,
    masked: bool,
) -> tuple[tuple[QueryReplay, ...], int]:
    """The captured queries of a run, each with its answer now, and how many more there are.

    Those that ask the same belong together; what is left is taken in order, since a cell may
    compute what it asks.
    """
    left = list(answered)
    paired: dict[str, QuerySummary] = {}
    for match in (True, False):
        for old in asked:
            same = [new for new in left if not match or same_question(new) == same_question(old)]
            if old.id not in paired and same:
                paired[old.id] = same[0]
                left.remove(same[0])
    judged = (_query(old, paired.get(old.id), then, now, masked=masked) for old in asked)
    return tuple(judged), len(left)


def _query(
    old: QueryRecord, new: QuerySummary | None, then: Captured, now: Replayed, *, masked: bool
) -> QueryReplay:
    verdict, comparison = _compared(old, new, then, now)
    other = masked and (new is None or same_question(new) != same_question(old))
    hidden = verdict in ("changed", "error") and (old.id in then.redacted or other)
    if hidden:
        verdict, comparison = "skipped", _not_compared(comparison.reason)
    outcome = old.outcome()
    told = QueryReplay(old.id, title_of(old), verdict, comparison)
    if outcome is None or old.test is None:
        return told
    answer = new["outcome"] if new is not None and new["ok"] and not hidden else None
    return replace(told, hypothesis=outcome["hypothesis"], then=outcome["outcome"], now=answer)


def _not_compared(reason: str) -> Comparison:
    return Comparison("not compared", None, f"{_REDACTED}: {reason}")


def title_of(record: QueryRecord) -> str:
    """What a query is called in a report."""
    return record.template["id"] if record.template else record.title


def _compared(
    old: QueryRecord, new: QuerySummary | None, then: Captured, now: Replayed
) -> tuple[CellVerdict, Comparison]:
    if new is None and _by_hand(old, then):
        reason = "asked by hand, in controls that the cell had left; a replay presses none"
        return "skipped", Comparison("not compared", None, reason)
    if new is None:
        return "changed", Comparison("different", same=False, reason="was not asked again")
    if not old.ok or not new["ok"]:
        return _failures(old, new)
    found = compare(
        Result(old.rows, old.digest or "", then.results.get(old.id), old.aggregates),
        Result(
            new["rows"],
            new["digest"] or "",
            now.results.get(new["id"]),
            now.aggregates.get(new["id"]),
        ),
        old.compare,
    )
    verdicts: dict[bool | None, CellVerdict] = {True: "same", False: "changed", None: "skipped"}
    others = _circumstances(old, new) if not found.same else ""
    return verdicts[found.same], replace(found, reason=found.reason + others)


def _by_hand(old: QueryRecord, then: Captured) -> bool:
    """Whether it was asked after the run that it belongs to had come to its end."""
    step = then.state["steps"].get(old.run or "")
    if step is None or step["ended"] is None:
        return False
    return parse_rfc3339(old.at) > parse_rfc3339(step["ended"])


def _failures(old: QueryRecord, new: QuerySummary) -> tuple[CellVerdict, Comparison]:
    if new["ok"]:
        return "changed", Comparison("different", same=False, reason="failed then, not now")
    if old.ok:
        return "error", Comparison("different", same=False, reason=new["error"] or "failed")
    return "same", Comparison("exact", same=True, reason="failed then and now")


def _circumstances(old: QueryRecord, new: QuerySummary) -> str:
    """What else differs, and may be why the rows do."""
    versions = [each["version"] if each else 0 for each in (old.template, new["template"])]
    told = []
    if same_question(new) != same_question(old):
        told.append("it asked something else")
    if versions[0] != versions[1]:
        told.append(f"version {versions[0]} of the template then, {versions[1]} now")
    if new["pin"] != old.pin:
        told.append(f"data up to batch {old.pin} then, {new['pin']} now")
    return f" ({'; '.join(told)})" if told else ""


def summary(source: str) -> str:
    """What a cell is called in a report: its code, in one short line."""
    lines = [line.strip() for line in source.splitlines()]
    code = " ".join(line for line in lines if line and not line.startswith("#")) or lines[0]
    if len(code) <= _SUMMARY_CHARACTERS:
        return code
    return f"{code[: _SUMMARY_CHARACTERS - 1]}…"
