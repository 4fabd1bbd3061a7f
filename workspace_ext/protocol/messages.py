"""The Python types of what travels. The contract itself is ``schemas/*.json``.

Times are RFC 3339 text in UTC; durations have their unit in the name; digests are
``sha256:<hex>``; every map is keyed by an id.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

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


Outcome = Literal["supported", "refuted", "inconclusive"]


class TestOutcome(TypedDict):
    """What a test said about its hypothesis. No data is inconclusive, never support."""

    hypothesis: str
    expect: str
    outcome: Outcome
    reason: str


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
    test: TestOutcome | None
    elapsed_ms: int
    error: dict[str, str] | None  # as errors.InvestigationError.to_dict


# -- the state of an investigation: a fold over its events -----------------------------------

HypothesisState = Literal[
    "proposed",
    "testing",
    "supported",
    "refuted",
    "inconclusive",
    "root_cause",
    "contributing",
    "ruled_out",
]


class HypothesisTest(TypedDict):
    """One test with its last outcome.

    ``judge`` tells who found the outcome: the broker, where the data is, or code in a kernel.
    ``replaced`` is set once the cell of the test tested something else instead.
    """

    id: str
    name: str
    expect: str
    outcome: Outcome
    reason: str
    judge: Literal["broker", "kernel"]
    query: str | None
    run: str | None
    cell: str | None
    at: str
    elapsed_ms: int
    source_digest: str | None  # of a function
    result_digest: str | None
    replaced: bool


class Hypothesis(TypedDict):
    """A claim with its prediction. ``evidence`` holds ids of queries and uids of cells.

    ``prediction_late``: the prediction was written or changed after a test had begun.
    ``why`` is the reason of its state, ``override`` why it is published although its tests do
    not show it (empty: they do).
    """

    id: str
    text: str
    prediction: str
    prediction_late: bool
    state: HypothesisState
    why: str
    override: str
    by: str
    at: str
    evidence: list[str]
    tests: dict[str, HypothesisTest]
    cell: str | None
    superseded_by: str | None


class FileRef(TypedDict):
    """A file that a cell read."""

    name: str
    size: int
    digest: str


class Step(TypedDict):
    """One run of one cell, under the id of its execute_request."""

    id: str
    seq: int  # of its run.started in the ledger
    cell: str
    kernel: str | None
    by: str
    started: str
    ended: str | None
    status: Literal["running", "ok", "error", "aborted", "unknown"]
    error: str | None
    duration_ms: int | None
    source_digest: str
    outputs_digest: str | None  # None: not known, or too large
    queries: list[str]
    files: list[FileRef]


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


class Note(TypedDict):
    """A remark, a finding or a decision; ``because`` is that of a decision."""

    id: str
    kind: Literal["note", "finding", "decision"]
    text: str
    because: str
    by: str
    at: str
    cell: str | None
    superseded_by: str | None


class ConclusionOutcome(TypedDict):
    """Whether a conclusion turned out to be right, as somebody found later."""

    correct: bool
    because: str
    by: str
    at: str


class Conclusion(TypedDict):
    """What the investigation found. ``confidence_percent`` is 0 to 100."""

    root_cause: str
    confidence_percent: int
    evidence: list[str]
    hypothesis: str | None
    by: str
    at: str
    cell: str | None
    outcome: ConclusionOutcome | None


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
    notebook: str
    opened_at: str
    seq: int
    head: str
    hypotheses: dict[str, Hypothesis]
    steps: dict[str, Step]
    queries: dict[str, QuerySummary]
    notes: dict[str, Note]
    conclusion: Conclusion | None
    participants: dict[str, str]


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


class HypothesisSummary(TypedDict):
    """One line in a list of hypotheses over all investigations."""

    investigation: str
    title: str
    id: str
    text: str
    prediction: str
    prediction_late: bool
    state: HypothesisState
    why: str
    override: str
    evidence: list[str]
    by: str
    at: str
    superseded_by: str | None


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
    rationale: NotRequired[str]


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


# -- what a notebook carries -----------------------------------------------------------------


class NotebookProjection(TypedDict):
    """What belongs into a notebook file: its own metadata, and that of each cell by uid."""

    notebook: dict[str, Any]
    cells: dict[str, dict[str, Any]]


METADATA_KEY = "investigation"
METADATA_SCHEMA = 1
