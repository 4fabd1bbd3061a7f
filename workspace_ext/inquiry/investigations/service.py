"""The use cases that change an investigation; thread-safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from workspace_ext.access.model import Principal, require
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput, Damaged, NotFound, Unavailable
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.investigations import store
from workspace_ext.inquiry.investigations.attribution import (
    function_event,
    placed,
    query_events,
    role_event,
    testing_event,
    told_event,
)
from workspace_ext.inquiry.investigations.checks import (
    check_against,
    check_archive,
    check_evidence,
    check_shape,
    require_hypothesis,
)
from workspace_ext.inquiry.investigations.fold import apply, delta
from workspace_ext.inquiry.investigations.lifecycle import after_a_test
from workspace_ext.inquiry.investigations.model import (
    QueryRecord,
    hypothesis_summary,
    summary,
)
from workspace_ext.inquiry.investigations.reading import InvestigationReader
from workspace_ext.inquiry.investigations.teamwork import check_newest
from workspace_ext.inquiry.versions import blobs
from workspace_ext.ledger.model import Event
from workspace_ext.ledger.service import STORE_STREAM, Batch, Ledger
from workspace_ext.protocol.messages import (
    EventIn,
    FunctionTest,
    InvestigationState,
    LedgerEntry,
    RunRef,
    TestOutcome,
)
from workspace_ext.protocol.validation import validate
from workspace_ext.storage.records import RecordsEngine

RUN_WAIT_S = 1.0
"""How long an event of a kernel waits for its run to arrive from the server: the two travel by
different ways, and the run tells whose event it is."""


class HasPin(Protocol):
    """What an investigation needs of the catalog."""

    def pin(self) -> int:
        """The highest committed batch."""
        ...


class InvestigationService(InvestigationReader):
    """Keeps investigations: opens them, takes reports and queries, tells who follows.

    Args:
        ledger: Where events are kept.
        records: Where queries and kept results are kept: the ledger's own engine.
        catalog: Tells the newest pin.
    """

    def __init__(self, ledger: Ledger, records: RecordsEngine, catalog: HasPin) -> None:
        super().__init__(ledger, records)
        self._catalog = catalog
        self._arrived = threading.Condition(self._lock)

    def open(  # noqa: PLR0913
        self,
        *,
        title: str,
        actor: Actor,
        severity: str = "",
        window: object = None,
        baseline: object = None,
        services: Sequence[str] = (),
        pin: int | None = None,
        notebook: str = "",
        uid: str | None = None,
    ) -> InvestigationState:
        """Begins an investigation, and pins its data.

        Args:
            title: What it is about.
            actor: Who opens it.
            severity: As the team calls it.
            window: What `Window.parse` takes, or None.
            baseline: The time to compare with, likewise.
            services: The services in question.
            pin: The highest batch it sees; the newest there is when None.
            notebook: The path of its notebook.
            uid: Its uid; a new one when None. Opening the same uid again changes nothing.

        Raises:
            BadInput: A value is wrong.
        """
        uid = uid or new_id()
        newest = self._catalog.pin()
        pinned = newest if pin is None else pin
        data = {
            "uid": uid,
            "title": title,
            "severity": severity,
            "window": None if window is None else Window.parse(window).to_dict(),
            "baseline": None if baseline is None else Window.parse(baseline).to_dict(),
            "services": [services] if isinstance(services, str) else [*services],
            "notebook": notebook,
            "pin": pinned,
        }
        validate("events", data, definition="investigation.opened")
        check_newest(pinned, newest)
        if uid == STORE_STREAM:
            raise BadInput(f"{uid!r} is a reserved name", hint="leave the uid out")
        event = Event("investigation.opened", data, actor, id=uid, subject=uid, investigation=uid)
        with self._lock:
            try:
                return self.state(uid)
            except NotFound:
                pass
            with self._ledger.batch() as batch:
                batch.append(STORE_STREAM, event)
                state = apply(None, batch.append(uid, event))
                assert state is not None
                store.put_summary(batch.connection, summary(state))
            self._states[uid] = state
            return state

    def report(self, uid: str, events: Sequence[EventIn], principal: Principal) -> dict[str, Any]:
        """Takes events from a client: all of them, or none when one is wrong.

        Events whose id is known already are passed over.

        Returns:
            The delta they made; see `fold.delta`.

        Raises:
            NotFound: No such investigation, or an unknown hypothesis.
            BadInput: An event is wrong; the message says which and why.
            Denied: The principal may not report such an event.
        """
        for event in events:
            check_shape(event)
            require(principal, "event.report", event["type"])
        pins = any(event["type"] == "investigation.pinned" for event in events)
        newest = self._catalog.pin() if pins else 0
        with self._lock:
            self.state(uid)
            if principal.kind == "kernel":
                self._await_runs(uid, events)
            before = self.state(uid)
            after = before
            with self._batch(uid) as batch:
                for event in events:
                    if batch.find(uid, event["id"]) is not None:
                        continue
                    check_against(after, event, newest_pin=newest)
                    check_archive(batch, uid, event)
                    told = told_event(after, event, principal)
                    taken = role_event(after, told.actor, _role(event, principal))
                    if taken is not None:
                        after = apply(after, batch.append(uid, taken)) or after
                    entry = batch.append(uid, told)
                    blobs.put_texts(batch.connection, event.get("attached", {}))
                    after = apply(after, entry) or after
                _list(batch, before, after)
            return self._moved(before, after)

    def take_part(self, uid: str, who: Actor, role: str | None) -> None:
        """Somebody acts with a role; None where it is not known.

        Raises:
            NotFound: There is no such investigation.
        """

        def decide(state: InvestigationState) -> Sequence[Event]:
            taken = role_event(state, who, role)
            return [] if taken is None else [taken]

        self.append(uid, decide)

    def append(
        self, uid: str, decide: Callable[[InvestigationState], Sequence[Event]]
    ) -> tuple[InvestigationState, InvestigationState]:
        """Decides on events and appends them, while nobody else writes; all of them, or none.

        Args:
            uid: The investigation.
            decide: Gives the events for its state as it is now.

        Returns:
            The state before and after.

        Raises:
            NotFound: There is no such investigation.
            InvestigationError: What ``decide`` raises.
        """
        with self._lock:
            before = after = self.state(uid)
            events = decide(before)
            if events:
                with self._batch(uid) as batch:
                    for event in events:
                        if batch.find(uid, event.id) is None:
                            after = apply(after, batch.append(uid, event)) or after
                    _list(batch, before, after)
                self._moved(before, after)
            return before, after

    def require_hypothesis(self, uid: str, hypothesis: str) -> None:
        """Refuses a test of an unknown hypothesis before it is run.

        Raises:
            NotFound: There is no such investigation or hypothesis.
        """
        require_hypothesis(self.state(uid), hypothesis)

    def begin_test(self, uid: str, hypothesis: str, run: RunRef | None, by: Principal) -> None:
        """A test is about to run: what is predicted from now on is predicted late.

        Raises:
            NotFound: There is no such investigation or hypothesis.
        """

        def decide(state: InvestigationState) -> Sequence[Event]:
            require_hypothesis(state, hypothesis)
            if state["hypotheses"][hypothesis]["state"] != "proposed":
                return []
            return [testing_event(state, hypothesis, run, by)]

        self.append(uid, decide)

    def record_test(
        self, uid: str, test: FunctionTest, told: TestOutcome, by: Principal
    ) -> TestOutcome:
        """Records what a function in a kernel found out about a hypothesis.

        Args:
            uid: The investigation.
            test: As the kernel reported it.
            told: What it says of the hypothesis.
            by: The kernel.

        Returns:
            What it says, and what it took away.

        Raises:
            NotFound: There is no such investigation or hypothesis.
            BadInput: It names a query that is not there.
        """

        def decide(state: InvestigationState) -> Sequence[Event]:
            require_hypothesis(state, test["hypothesis"])
            check_evidence(state, test.get("queries") or ())
            return [function_event(state, test, told, by)]

        return _told(told, *self.append(uid, decide))

    def record_query(
        self, uid: str | None, record: QueryRecord, principal: Principal
    ) -> TestOutcome | None:
        """Records a query, answered or failed, with its result when it is kept.

        Args:
            uid: The investigation; None for a query outside any, which the store's stream keeps.
            record: The query.
            principal: Who asked.

        Returns:
            What it says about the hypothesis it tests; None when it tests none.

        Raises:
            NotFound: No such investigation or hypothesis; ask `require_hypothesis` before.
        """
        if record.kept is not None:
            record = replace(record, kept_digest=digest_bytes(record.kept))
        outcome = record.outcome()
        with self._lock:
            before = self.state(uid) if uid is not None else None
            if outcome is not None:
                if before is None:
                    raise BadInput(
                        "a test of a hypothesis belongs to an investigation",
                        hint="name the investigation in the request",
                    )
                require_hypothesis(before, outcome["hypothesis"])
            after = before
            record = placed(before, record, principal)
            with self._batch(uid) as batch:
                digest = store.add_query(batch.connection, uid, record)
                for event in query_events(uid, before, record, digest, outcome, principal):
                    entry = batch.append(uid or STORE_STREAM, event)
                    after = apply(after, entry) if after is not None else None
                if before is not None and after is not None:
                    _list(batch, before, after)
            if before is not None and after is not None:
                self._moved(before, after)
                outcome = outcome and _told(outcome, before, after)
        return outcome

    def record_ingest(
        self, data: Mapping[str, Any], actor: Actor, *, event_id: str | None = None
    ) -> LedgerEntry:
        """Records that a batch was committed to the store.

        Args:
            data: The ingest's report; ``digest`` names the content.
            actor: Who ingested it.
            event_id: Makes recording it again harmless; a new one when None.

        Raises:
            BadInput: The report has no digest.
        """
        validate("events", dict(data), definition="data.ingested")
        return self._ledger.append(
            STORE_STREAM, Event("data.ingested", data, actor, event_id or new_id())
        )

    @contextmanager
    def _batch(self, uid: str | None) -> Iterator[Batch]:
        try:
            with self._ledger.batch() as batch:
                yield batch
        except (Unavailable, Damaged):
            # Whether it was kept is not known: what is on disk decides when it is next asked.
            self._states.pop(uid or "", None)
            raise

    def _moved(self, before: InvestigationState, after: InvestigationState) -> dict[str, Any]:
        change = delta(before, after)
        if after is before:
            return change
        uid = after["uid"]
        self._states[uid] = after
        if "steps" in change:
            self._arrived.notify_all()
        self._followers.tell(uid, change)
        return change

    def _await_runs(self, uid: str, events: Sequence[EventIn]) -> None:
        runs = {str(event["data"]["run"]) for event in events if event["data"].get("run")}
        deadline = time.monotonic() + RUN_WAIT_S
        while not runs <= self.state(uid)["steps"].keys():
            left = deadline - time.monotonic()
            if left <= 0 or not self._arrived.wait(left):
                return


def _role(event: EventIn, principal: Principal) -> str | None:
    """With which role an event was made; only a service knows it."""
    return event.get("role", principal.role) if principal.kind == "service" else None


def _told(
    outcome: TestOutcome, before: InvestigationState, after: InvestigationState
) -> TestOutcome:
    key = outcome["hypothesis"]
    return after_a_test(outcome, before["hypotheses"][key], after["hypotheses"][key])


def _list(batch: Batch, before: InvestigationState, after: InvestigationState) -> None:
    """Brings the lists of investigations and of hypotheses up to date."""
    if summary(before) != summary(after):
        store.put_summary(batch.connection, summary(after))
    for key, found in after["hypotheses"].items():
        if before["hypotheses"].get(key) is not found:
            store.put_hypothesis(batch.connection, hypothesis_summary(after, found))
