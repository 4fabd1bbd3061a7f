"""The fold: pure, and a delta always leads from the state before to the state after."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.inquiry_investigations.conftest import DIGEST, TIME, record
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.investigations.fold import apply, delta, fold, merge
from workspace_ext.ledger.model import Event, genesis, seal
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.protocol.validation import validate

OPENED = {"uid": "u", "title": "Checkout fails", "pin": 3}
KEYS = st.sampled_from(["a", "b", "c"])
STATES = ["testing", "supported", "refuted", "inconclusive", "root_cause", "ruled_out"]


def made(kind: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(parts))


def query(key: str, run: str, ok: bool) -> dict[str, Any]:
    return dict(record(id=f"q{key}", run=run, cell="c1", ok=ok).summary())


told = st.one_of(
    made("investigation.scoped", title=st.text(min_size=1, max_size=5)),
    made("investigation.scoped", services=st.lists(KEYS), severity=KEYS),
    made("investigation.pinned", pin=st.integers(0, 9)),
    made("run.started", run=KEYS, cell=KEYS, source_digest=st.just(DIGEST), kernel=st.none()),
    made("run.finished", run=KEYS, status=st.sampled_from(["ok", "error"]), error=st.none()),
    st.tuples(st.just("query.answered"), st.builds(query, KEYS, KEYS, st.booleans())),
    made("hypothesis.proposed", hypothesis=KEYS, text=KEYS, prediction=KEYS),
    made(
        "hypothesis.tested",
        hypothesis=KEYS,
        query=KEYS,
        outcome=st.sampled_from(["supported", "refuted", "inconclusive"]),
    ),
    made("hypothesis.proposed", hypothesis=KEYS, text=KEYS, supersedes=KEYS),
    made("hypothesis.predicted", hypothesis=KEYS, prediction=KEYS),
    made(
        "hypothesis.tested",
        hypothesis=KEYS,
        test=KEYS,
        cell=KEYS,
        run=KEYS,
        judge=st.just("kernel"),
        outcome=st.sampled_from(["supported", "refuted", "inconclusive"]),
    ),
    made("hypothesis.changed", hypothesis=KEYS, state=st.sampled_from(STATES)),
    made("note.added", text=KEYS, run=KEYS),
    made("finding.added", text=KEYS, supersedes=st.sampled_from(["e2", "e3", "none"])),
    made("decision.made", text=KEYS, because=KEYS),
    made("outcome.recorded", correct=st.booleans()),
    made("file.read", run=KEYS, name=KEYS, size=st.integers(0, 9), digest=st.just(DIGEST)),
    made("conclusion.reached", root_cause=KEYS, confidence_percent=st.integers(0, 100)),
    made("conclusion.reached", root_cause=KEYS, confidence_percent=st.just(1), hypothesis=KEYS),
    made("notebook.saved", digest=st.just(DIGEST)),
    made("something.newer", x=KEYS),
)
histories = st.lists(st.tuples(told, st.sampled_from(["alice", "bob"])), max_size=12)


def entries_of(history: list[Any]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    prev = genesis("u")
    told_first = (("investigation.opened", OPENED), "alice")
    for number, ((kind, data), user) in enumerate([told_first, *history], 1):
        event = Event(kind, data, Actor("user", user), id=f"e{number}", investigation="u")
        entry, _ = seal(event, seq=number, prev=prev, recorded_time=TIME)
        entries.append(entry)
        prev = entry["hash"]
    return entries


@given(histories)
def test_delta_leads_from_before_to_after_and_nothing_is_changed_in_place(
    history: list[Any],
) -> None:
    state = followed = None
    for entry in entries_of(history):
        before = copy.deepcopy(state)
        after = apply(state, entry)
        assert state == before
        assert after is not None
        change = json.loads(json.dumps(delta(state, after)))
        followed = merge(followed, change)
        assert followed == after
        if state is not None:
            validate("messages", change, definition="InvestigationDelta")
        state = after
    assert state is not None
    validate("messages", state, definition="InvestigationState")


@given(histories)
def test_folding_at_once_is_folding_one_by_one(history: list[Any]) -> None:
    entries = entries_of(history)
    half = len(entries) // 2
    assert fold(entries) == fold(entries[half:], fold(entries[:half]))


@given(histories)
def test_hypothesis_once_stated_stays(history: list[Any]) -> None:
    entries = entries_of(history)
    state = fold(entries)
    stated = {e["data"]["hypothesis"] for e in entries if e["type"] == "hypothesis.proposed"}  # type: ignore[index]
    assert state is not None
    assert set(state["hypotheses"]) == stated


def test_delta_between_neighbours_holds_one_note() -> None:
    entries = entries_of([(("note.added", {"text": str(n)}), "alice") for n in range(50)])
    before = fold(entries[:-1])
    after = apply(before, entries[-1])
    assert after is not None
    assert list(delta(before, after)["notes"]) == ["e51"]


def test_redacted_entry_moves_the_head_and_nothing_else() -> None:
    entries = entries_of([(("note.added", {"text": "a secret"}), "alice")])
    state = fold([entries[0], {**entries[1], "data": None}])
    assert state is not None
    assert (state["seq"], state["notes"]) == (2, {})


def test_nothing_before_it_is_opened() -> None:
    entries = entries_of([(("note.added", {"text": "x"}), "alice")])
    assert fold(entries[1:]) is None


def test_a_query_knows_what_it_took_from_the_scope() -> None:
    window = {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T11:00:00Z"}
    before = {"start": "2026-01-01T09:00:00.000Z", "end": "2026-01-01T10:00:00Z"}
    params = {"window": window, "baseline": before, "window_end": window["end"], "service": "cart"}
    own = {"window": before, "baseline": "yesterday", "window_start": "soon"}

    for given_, scoped in ((params, ["baseline", "window", "window_end"]), (own, [])):
        asked = {**query("a", "r", ok=True), "params": given_}
        moved = ("investigation.scoped", {"window": before, "baseline": window})
        history = [("investigation.scoped", {"window": window}), ("query.answered", asked), moved]
        state = fold(entries_of([(each, "alice") for each in history]))
        assert state is not None
        assert state["queries"]["qa"]["scoped"] == scoped
