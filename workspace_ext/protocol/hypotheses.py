"""The Python types of what people believe and found, as they travel; see `messages`."""

from __future__ import annotations

from typing import Literal, TypedDict

Outcome = Literal["supported", "refuted", "inconclusive"]

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


class Judged(TypedDict):
    """Who brought a hypothesis to its state, themselves or by a test, and when."""

    by: str
    at: str


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
    judged: Judged | None
    cell: str | None
    superseded_by: str | None


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
