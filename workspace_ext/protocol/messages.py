"""The Python types of what travels. The contract itself is ``schemas/*.json``.

Times are RFC 3339 text in UTC; durations have their unit in the name; digests are
``sha256:<hex>``; every map is keyed by an id.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from workspace_ext.protocol.hypotheses import Conclusion, Hypothesis, Note, Outcome
from workspace_ext.protocol.teamwork import ActionItem, Agenda, PinMove
from workspace_ext.protocol.templates import NextStep

# -- queries ---------------------------------------------------------------------------------

ARROW_STREAM = "application/vnd.apache.arrow.stream"
"""Content type of an answer: an Arrow IPC stream whose last record batch has no rows and
carries the `Answer` as JSON in its custom metadata, under the key `ANSWER_KEY`."""

ANSWER_KEY = b"investigation.answer"


class WindowDict(TypedDict):
    """Half-open, RFC 3339, UTC."""

    start: str
    end: str


class RunRef(TypedDict):
    """Which run of which cell asks: the join between a query and its cell."""

    id: str  # msg_id of the execute_request
    cell: str  # the cell's uid


class Expectation(TypedDict):
    """A query that tests a hypothesis, and what its answer is if the claim is true.

    ``expect`` is "interesting" or "not interesting" (a template's verdict), or a condition over
    the answer's columns, as in ``max(ratio) > 2``.
    """

    hypothesis: str
    expect: str


class QueryLimits(TypedDict, total=False):
    """What one query may use; absent means the broker's default, which is also the most."""

    rows: int
    seconds: float


class QueryRequest(TypedDict):
    """One question: a template with parameters, or free SQL with bound values."""

    template: NotRequired[str]
    version: NotRequired[int]
    sql: NotRequired[str]
    params: NotRequired[dict[str, Any]]
    investigation: NotRequired[str]
    pin: NotRequired[int]
    run: NotRequired[RunRef]
    test: NotRequired[Expectation]
    limits: NotRequired[QueryLimits]
    where: NotRequired[str]  # a condition over each row of the answer
    parent: NotRequired[str]  # the query whose answer led to this one


class TemplateRef(TypedDict):
    """Which template, exactly: the digest is over the file's bytes."""

    id: str
    version: int
    digest: str


class Verdict(TypedDict):
    """Whether an answer is interesting, and how much it says.

    ``interesting`` is None where no rule exists (free SQL) or there were no rows to judge.
    """

    interesting: bool | None
    reason: str
    rows: int
    interesting_rows: int
    warnings: list[str]


class Compare(TypedDict):
    """How a replay may compare this result, set at capture by lint."""

    mode: Literal["ordered", "unordered", "tolerance", "shape", "none"]
    reason: str


class TestOutcome(TypedDict):
    """What a test said about its hypothesis. No data is inconclusive, never support."""

    hypothesis: str
    expect: str
    outcome: Outcome
    reason: str
    fell_from: NotRequired[Literal["root_cause", "contributing"]]
    """What the hypothesis was held to be until this test; left out where that still stands."""


class FunctionTest(TypedDict):
    """What a Python function in a kernel found out about a hypothesis.

    It either says itself what it found (``supports``; null where it cannot tell), or it brings
    ``evidence``, rows that the broker holds against the condition ``expect``.
    """

    hypothesis: str
    name: str
    expect: str
    supports: NotRequired[bool | None]
    reason: NotRequired[str]
    evidence: NotRequired[list[dict[str, Any]]]
    queries: NotRequired[list[str]]  # ids of recorded queries that it looked at
    source_digest: str
    result_digest: str
    elapsed_ms: int
    run: NotRequired[RunRef]


class Answer(TypedDict):
    """What comes with the rows."""

    query: str  # id of the recorded query
    template: TemplateRef | None
    title: str
    question: str
    params: dict[str, Any]  # as bound: windows absolute
    pin: int
    rows: int
    digest: str
    unordered_digest: str | None  # only of small results whose order alone is free
    verdict: Verdict
    compare: Compare
    chart: dict[str, Any] | None
    next: list[NextStep]  # in the header's order
    test: TestOutcome | None
    elapsed_ms: int
    error: dict[str, str] | None  # as errors.InvestigationError.to_dict
    columns: NotRequired[dict[str, str]]  # what columns mean whose names do not tell


# -- the state of an investigation: a fold over its events -----------------------------------


class FileRef(TypedDict):
    """A file that a cell read."""

    name: str
    size: int
    digest: str


CellVerdict = Literal["same", "changed", "data missing", "error", "skipped"]
"""What a replay says of a cell."""


class Replay(TypedDict):
    """The last replay of an archive of this investigation."""

    verdict: str
    at: str
    by: str


class Step(TypedDict):
    """One run of one cell, under the id of its execute_request."""

    id: str
    seq: int  # of its run.started in the ledger
    cell: str
    kernel: str | None
    by: str
    started: str
    ended: str | None  # None: it runs, or nobody saw its end
    status: Literal["running", "ok", "error", "aborted", "unknown"]
    error: str | None
    duration_ms: int | None
    source_digest: str
    outputs_digest: str | None  # None: not known, or too large
    queries: list[str]
    files: list[FileRef]
    replay: NotRequired[CellVerdict]  # of the last replay of an archive that has this run


class QuerySummary(TypedDict):
    """A recorded query, without its rows."""

    id: str
    run: str | None
    cell: str | None
    at: str
    template: TemplateRef | None
    title: str
    sql: str | None  # free SQL only
    params: dict[str, Any]
    pin: int
    rows: int
    digest: str | None
    interesting: bool | None
    reason: str
    compare: Compare
    ok: bool
    error: str | None
    hypothesis: str | None
    outcome: str | None  # of the test that it is
    where: NotRequired[str]
    parent: NotRequired[str | None]
    scoped: NotRequired[list[str]]  # the parameters that are what the scope was then


class InvestigationState(TypedDict):
    """Everything the panel shows. A delta has the same shape with only what changed."""

    uid: str
    title: str
    severity: str
    state: Literal["open", "concluded"]
    window: WindowDict | None
    baseline: WindowDict | None
    services: list[str]
    pin: int
    pinned: PinMove | None  # None: as it was opened
    notebook: str
    opened_at: str
    seq: int
    head: str
    hypotheses: dict[str, Hypothesis]
    steps: dict[str, Step]
    queries: dict[str, QuerySummary]
    notes: dict[str, Note]
    actions: dict[str, ActionItem]
    agenda: Agenda | None
    conclusion: Conclusion | None
    participants: dict[str, str]
    replay: NotRequired[Replay | None]


class InvestigationSummary(TypedDict):
    """One line in a list of investigations."""

    uid: str
    title: str
    severity: str
    state: Literal["open", "concluded"]
    notebook: str
    opened_at: str
    pin: int
    services: list[str]
    root_cause: str | None
    confidence_percent: int | None
    correct: bool | None  # how the conclusion turned out


class Status(TypedDict):
    """What the Jupyter server tells its browsers about the broker."""

    broker: Literal["starting", "ready", "unavailable"]
    store: str
    message: str


# -- events ----------------------------------------------------------------------------------


class EventIn(TypedDict):
    """An event as a client reports it; ``id`` makes a repeated report harmless."""

    id: str
    type: str
    subject: str
    time: str
    data: dict[str, Any]
    actor: NotRequired[str]  # taken from service clients only
    role: NotRequired[Literal["lead", "responder", "viewer"]]  # of the actor then; likewise
    rationale: NotRequired[str]
    attached: NotRequired[dict[str, str]]  # texts the data name by digest, kept beside the ledger


class LedgerEntry(TypedDict):
    """An event as it stands in the ledger (CloudEvents names, then ours)."""

    seq: int
    id: str
    type: str
    source: str
    subject: str
    time: str
    recorded_time: str
    investigation: str | None
    actor: str
    on_behalf_of: str | None
    rationale: str
    payload_digest: str
    prev: str
    hash: str
    data: NotRequired[dict[str, Any] | None]  # None once redacted


# -- versions of a notebook ------------------------------------------------------------------


class CellManifest(TypedDict):
    """A cell by the digests of its parts."""

    uid: str
    cell: str
    source: str
    count: int | None
    outputs: list[str]


class Manifest(TypedDict):
    """A notebook by the digests of its parts; its own digest is over this, as canonical JSON."""

    notebook: str
    cells: list[CellManifest]


class VersionIn(TypedDict):
    """A saved notebook on its way to the record; ``id`` makes a repeated report harmless.

    ``parts`` holds the text of each part that the record may not have yet; ``by`` tells of
    single cells who changed them, where that is not everybody in ``actors``.
    """

    id: str
    path: str
    time: str
    actors: list[str]
    reason: str
    manifest: Manifest
    parts: dict[str, str]
    by: dict[str, list[str]]


class VersionInfo(TypedDict):
    """A version without its content; see `inquiry.versions.model.Version`."""

    revision: int
    path: str
    at: str
    actors: list[str]
    reason: str
    digest: str
    seq: int
    head: str
    parent: int
    changes: dict[str, str]


class CellChange(TypedDict):
    """That somebody changed a cell: one line of its history."""

    revision: int
    at: str
    actors: list[str]
    reason: str
    what: str


class BlameLine(TypedDict):
    """Who last changed a cell, and who last ran it."""

    uid: str
    text: str  # the first line of its source
    changed: CellChange | None
    run: Step | None


# -- what a notebook carries -----------------------------------------------------------------


class NotebookProjection(TypedDict):
    """What belongs into a notebook file: its own metadata, and that of each cell by uid."""

    notebook: dict[str, Any]
    cells: dict[str, dict[str, Any]]


METADATA_KEY = "investigation"
METADATA_SCHEMA = 1
FIGURE_MIME = "application/vnd.investigation.figure+json"
"""The data that a figure draws, beside its picture."""
