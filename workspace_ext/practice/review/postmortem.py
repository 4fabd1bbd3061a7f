"""An investigation as a post-mortem in Markdown. Pure: the same facts give the same bytes.

Its sections are those of the template in Beyer et al., "Site Reliability Engineering" (2016),
appendix D, as far as an investigation knows them; what it alone knows is added: predictions,
refuted claims, and the query behind each sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspace_ext.inquiry.archive.container import QUERIES, result_path
from workspace_ext.inquiry.investigations.model import QueryRecord, path_to
from workspace_ext.practice.review.lifecycle import said
from workspace_ext.practice.review.markdown import code, items, plain, table
from workspace_ext.protocol.hypotheses import Hypothesis
from workspace_ext.protocol.messages import InvestigationState, Step
from workspace_ext.protocol.reviews import Change, Review

MOST_EVENTS = 200

_LONG = 300
_FACTORS = {"root_cause": "Root cause", "contributing": "Contributing"}
_HELD = ("root_cause", "contributing", "supported")
_FALLEN = ("refuted", "ruled_out")
_INVESTIGATION_ONLY = ("comment", "archive", "cell", "run")


@dataclass(frozen=True)
class Facts:
    """What a post-mortem is written from.

    Attributes:
        state: The investigation.
        queries: Its recorded queries, in the order asked.
        review: How its review stands.
        cells: The uids of the cells of the newest version, in their order.
        happened: Rows of the telemetry's events: time, kind, service, title, state, …
        told: All changes of the investigation; see `changes.changes`.
        archive: Whether all this is from an archive, which has the events that a query read.
        remarks: What else is to be known of the data.
    """

    state: InvestigationState
    queries: Sequence[QueryRecord]
    review: Review
    cells: Sequence[str]
    happened: Sequence[Mapping[str, Any]]
    told: Sequence[Change]
    archive: bool = False
    remarks: Sequence[str] = ()


def postmortem(facts: Facts) -> str:
    """The whole document."""
    page = _Page(facts)
    sections = (
        ("", page.head),
        ("Summary", page.summary),
        ("Root cause and contributing factors", page.factors),
        ("Timeline of the incident", page.incident),
        ("Timeline of the investigation", page.investigation),
        ("Hypotheses", page.hypotheses),
        ("What worked", page.worked),
        ("What failed, and why", page.failed),
        ("Decisions and actions", page.actions),
        ("Open questions", page.questions),
        ("Data quality", page.quality),
        ("Evidence", page.evidence),
    )
    lines: list[str] = []
    for title, section in sections:
        lines += [f"## {title}", ""] if title else []
        lines += section()
    return "\n".join(lines).rstrip() + "\n"


class _Page:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._state = facts.state
        self._numbers = {cell: at for at, cell in enumerate(facts.cells, 1)}
        self._queries = {query.id: query for query in facts.queries}

    def head(self) -> Iterator[str]:
        state, review = self._state, self._facts.review
        yield f"# Post-mortem: {plain(state['title'])}"
        yield ""
        window = state["window"]
        people = [f"{_who(name)} ({role})" for name, role in state["participants"].items()]
        known = (
            ("Severity", plain(state["severity"]) or "not set"),
            (
                "Window (UTC)",
                f"{_at(window['start'])} to {_at(window['end'])}" if window else "not set",
            ),
            ("Services", ", ".join(map(plain, state["services"])) or "not narrowed down"),
            ("People", ", ".join(people)),
            ("Opened (UTC)", _at(state["opened_at"])),
            ("Review", plain(review["label"])),
            ("Notebook", f"{code(state['notebook'])} version {review['revision']}".strip()),
            ("Record", f"{code(state['uid'])}, data up to pin {state['pin']}"),
        )
        yield from table(("", ""), known)

    def summary(self) -> Iterator[str]:
        found = self._state["conclusion"]
        if found is None:
            yield "The investigation has no conclusion yet."
            yield ""
            return
        yield (
            f"{plain(found['root_cause'])} (confidence {found['confidence_percent']} %,"
            f" {_who(found['by'])}, {_at(found['at'])})"
        )
        yield ""
        claim = self._state["hypotheses"].get(str(found["hypothesis"]))
        if claim is not None and claim["state"] != "root_cause":
            stands = claim["state"].replace("_", " ")
            why = plain(claim["why"], _LONG)
            yield f"**It no longer stands:** its hypothesis is {stands} ({why})."
            yield ""
        if found["evidence"]:
            yield f"Evidence: {self._evidence(found['evidence'])}"
            yield ""
        for path in self._paths(found["evidence"]):
            yield f"Way there: {path}"
            yield ""
        if found["outcome"] is not None:
            right = "right" if found["outcome"]["correct"] else "wrong"
            yield f"It turned out to be {right}: {plain(found['outcome']['because'])}"
            yield ""

    def factors(self) -> Iterator[str]:
        lines = [
            f"**{_FACTORS[claim['state']]}:** {plain(claim['text'])} ({plain(claim['why'], _LONG)})"
            for state in _FACTORS
            for claim in self._claims(state)
        ]
        yield from items(lines, "None of the hypotheses was named as a cause.")

    def incident(self) -> Iterator[str]:
        rows = [
            (
                _at(str(row["time"])),
                plain(row["kind"] or ""),
                plain(row["service"] or ""),
                " ".join(plain(row[name] or "", _LONG) for name in ("title", "state")).strip(),
            )
            for row in self._facts.happened[:MOST_EVENTS]
        ]
        none = (
            "The archive has no events: no query read one in the window."
            if self._facts.archive
            else "No alerts, deploys or other events were recorded in the window."
        )
        yield from table(("Time (UTC)", "What", "Service", ""), rows) or (none, "")
        if rows and self._facts.archive:
            yield "The archive has those that a query read."
            yield ""
        omitted = len(self._facts.happened) - MOST_EVENTS
        if omitted > 0:
            yield f"{omitted} later events are left out."
            yield ""

    def investigation(self) -> Iterator[str]:
        lines: list[tuple[str, str, str]] = [
            (told["at"], _named(told["by"]), f"{told['kind']}: {plain(told['what'], _LONG)}")
            for told in self._facts.told
            if told["kind"] not in _INVESTIGATION_ONLY
        ]
        lines += [
            (step["started"], _who(step["by"]), self._step(step))
            for step in self._state["steps"].values()
        ]
        rows = ((_at(at), who, what) for at, who, what in sorted(lines, key=lambda one: one[0]))
        yield from table(("Time (UTC)", "Who", "What"), rows)

    def hypotheses(self) -> Iterator[str]:
        claims = self._state["hypotheses"].values()
        if not claims:
            yield "None was stated."
            yield ""
        for claim in claims:
            yield f"### {said(claim['state']).capitalize()}: {plain(claim['text'])}"
            yield ""
            late = " (written after a test had begun)" if claim["prediction_late"] else ""
            told = [
                f"Stated by {_who(claim['by'])}, {_at(claim['at'])}",
                f"Predicted{late}: {plain(claim['prediction'])}" if claim["prediction"] else "",
                f"Why: {plain(claim['why'])}" if claim["why"] else "",
                f"Published despite its tests: {plain(claim['override'])}"
                if claim["override"]
                else "",
                f"Replaced by: {plain(self._text(claim['superseded_by']))}"
                if claim["superseded_by"]
                else "",
                *self._tests(claim),
                f"Evidence: {self._evidence(claim['evidence'])}" if claim["evidence"] else "",
            ]
            yield from items(line for line in told if line)

    def worked(self) -> Iterator[str]:
        lines = [
            f"{plain(claim['text'])}: {said(claim['state'])} ({plain(claim['why'], _LONG)})"
            for state in _HELD
            for claim in self._claims(state)
        ]
        lines += [
            f"Finding{self._place(note['cell'])}: {plain(note['text'])} ({_who(note['by'])})"
            for note in self._state["notes"].values()
            if note["kind"] == "finding" and note["superseded_by"] is None
        ]
        yield from items(lines, "No claim held and no finding was noted.")

    def failed(self) -> Iterator[str]:
        lines = [
            f"{plain(claim['text'])}: {said(claim['state'])}, because"
            f" {plain(claim['why'], _LONG) or 'nobody said why'}"
            for state in _FALLEN
            for claim in self._claims(state)
        ]
        lines += [
            f"Query {plain(query.title)} failed: {plain(query.error or '', _LONG)}"
            for query in self._facts.queries
            if not query.ok
        ]
        lines += [
            f"Cell{self._place(step['cell'])} failed: {plain(step['error'] or '', _LONG)}"
            for step in self._state["steps"].values()
            if step["status"] == "error"
        ]
        yield from items(dict.fromkeys(lines), "Nothing was refuted, and nothing failed to run.")

    def actions(self) -> Iterator[str]:
        lines = [
            f"{plain(note['text'])}"
            + (f", because {plain(note['because'])}" if note["because"] else "")
            + f" ({_who(note['by'])}, {_at(note['at'])})"
            for note in self._state["notes"].values()
            if note["kind"] == "decision" and note["superseded_by"] is None
        ]
        lines += [
            f"{'Done' if action['done'] else 'To do'}: {plain(action['text'])}"
            f" ({plain(action['owner']) or 'nobody yet'})"
            for action in self._state["actions"].values()
        ]
        yield from items(lines, "None was recorded.")

    def questions(self) -> Iterator[str]:
        lines = [
            f"{plain(claim['text'])}: {said(claim['state'])}"
            + (f" ({plain(claim['why'], _LONG)})" if claim["why"] else "")
            for state in ("proposed", "testing", "inconclusive")
            for claim in self._claims(state)
        ]
        for thread in self._facts.review["threads"].values():
            if thread["resolved_by"] is None:
                last = thread["comments"][-1]
                about = self._text(thread["hypothesis"]) or f"cell{self._place(thread['cell'])}"
                lines.append(f"On {plain(about)}: {plain(last['text'])} ({_who(last['by'])})")
        yield from items(lines, "None.")

    def quality(self) -> Iterator[str]:
        said_by: dict[str, list[str]] = {}
        for query in self._facts.queries:
            for warning in query.verdict["warnings"] if query.verdict else ():
                said_by.setdefault(warning, []).append(query.id)
        lines = [
            f"{plain(warning)} ({self._evidence(dict.fromkeys(asked))})"
            for warning, asked in said_by.items()
        ]
        lines += [
            f"script {code(used['name'])} is not reviewed (digest {used['digest'][:15]}), used in"
            f" {', '.join(f'cell{self._place(cell)}' for cell in used['cells'])}"
            for used in self._facts.review.get("scripts", ())
            if used["by"] is None
        ]
        lines += map(plain, self._facts.remarks)
        yield from items(lines, "The queries gave no warnings.")

    def evidence(self) -> Iterator[str]:
        yield f"Paths are those in an archive, below `data/`; `{QUERIES}` has every query whole."
        yield ""
        rows = [
            (
                f'<a id="query-{query.id}"></a>{code(query.id[:8])}',
                plain(query.title or "SQL", 80) + self._from(query),
                self._place(query.cell).strip(),
                f"{query.rows} {'row' if query.rows == 1 else 'rows'}, pin {query.pin}",
                code(result_path(query.id)) if query.kept_digest else "digest only",
                code((query.digest or "")[:19]),
            )
            for query in self._facts.queries
        ]
        heads = ("Query", "Asked", "Cell", "Answer", "Kept as", "Digest")
        yield from table(heads, rows) or ("No query was recorded.", "")

    def _claims(self, state: str) -> list[Hypothesis]:
        found = self._state["hypotheses"].values()
        return [one for one in found if one["state"] == state and one["superseded_by"] is None]

    def _tests(self, claim: Hypothesis) -> Iterator[str]:
        for test in claim["tests"].values():
            if not test["replaced"]:
                link = f" ({self._evidence([test['query']])})" if test["query"] else ""
                yield (
                    f"Test {plain(test['name'])}, expected {code(test['expect'])}:"
                    f" {test['outcome']}, {plain(test['reason'], _LONG)}{link}"
                )

    def _step(self, step: Step) -> str:
        line = f"ran cell{self._place(step['cell'])}: {step['status']}"
        for key in step["queries"]:
            query = self._queries.get(key)
            if query is not None and query.verdict is not None:
                line += f"; {self._evidence([key])} {plain(query.verdict['reason'], 160)}"
        return line

    def _text(self, hypothesis: str | None) -> str:
        found = self._state["hypotheses"].get(hypothesis or "")
        return found["text"] if found else ""

    def _place(self, cell: str | None) -> str:
        if not cell:
            return ""
        number = self._numbers.get(cell)
        return f" {number} ({code(cell[:12])})" if number else f" {code(cell[:12])}"

    def _paths(self, keys: Sequence[str]) -> Iterator[str]:
        """The answers that led to each piece of evidence, where there were any."""
        ways = {key: [each.id for each in path_to(self._queries, key)] for key in keys}
        passed = {key for way in ways.values() for key in way}
        for key, way in ways.items():
            if way and key not in passed:  # else it is told on the way to another
                yield " → ".join(self._evidence([step]) for step in (*way, key))

    def _from(self, query: QueryRecord) -> str:
        return f", from {self._evidence([query.parent])}" if query.parent else ""

    def _evidence(self, keys: Any) -> str:
        told = []
        for key in keys:
            query = self._queries.get(key)
            if query is None:
                told.append(f"cell{self._place(key)}")
            else:
                told.append(f"[{plain(query.title or 'SQL', 60)}](#query-{key})")
        return ", ".join(dict.fromkeys(told))


def _who(actor: str) -> str:
    return plain(actor.removeprefix("user:"))


def _named(actors: Sequence[str]) -> str:
    return ", ".join(map(_who, actors))


def _at(time: str) -> str:
    return time[:19].replace("T", " ")
