"""The use cases around an investigation; thread-safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from workspace_ext.access.model import Principal, require
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.clock import Clock, Window, now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.investigations import store
from workspace_ext.inquiry.investigations.checks import (
    PERSONAL,
    check_against,
    check_shape,
    require_hypothesis,
)
from workspace_ext.inquiry.investigations.fold import apply, delta, fold
from workspace_ext.inquiry.investigations.model import QueryRecord, summary
from workspace_ext.inquiry.metadata.projection import project
from workspace_ext.ledger.model import Event
from workspace_ext.ledger.service import STORE_STREAM, Ledger
from workspace_ext.protocol.messages import (
    EventIn,
    InvestigationState,
    InvestigationSummary,
    LedgerEntry,
    NotebookProjection,
    TestOutcome,
)
from workspace_ext.protocol.validation import validate
from workspace_ext.storage.records import RecordsEngine

Callback = Callable[[dict[str, Any]], None]
"""Gets each delta of an investigation, in order, in the thread that made the change: be quick."""

RUN_WAIT_S = 1.0
"""How long an event of a kernel waits for its run to arrive from the server: the two travel by
different ways, and the run tells whose event it is."""


class HasPin(Protocol):
    """What an investigation needs of the catalog."""

    def pin(self) -> int:
        """The highest committed batch."""
        ...


class InvestigationService:
    """Keeps investigations: opens them, takes reports and queries, tells who follows.

    Args:
        ledger: Where events are kept.
        records: Where queries and kept results are kept: the ledger's own engine.
        catalog: Tells the newest pin.
        clock: Tells the time of what the broker itself says.
    """

    def __init__(
        self, ledger: Ledger, records: RecordsEngine, catalog: HasPin, clock: Clock = now_ns
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._catalog = catalog
        self._clock = clock
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._states: dict[str, InvestigationState] = {}
        self._followers: dict[str, list[Callback]] = {}

    # -- reading -----------------------------------------------------------------------------

    def list(self) -> Sequence[InvestigationSummary]:
        """All investigations, the newest first."""
        with self._records.connect() as connection:
            return store.summaries(connection)

    def state(self, uid: str) -> InvestigationState:
        """Everything known of an investigation.

        Raises:
            NotFound: There is no such investigation.
        """
        known = self._states.get(uid)
        if known is not None:
            return known
        with self._lock:
            if uid not in self._states:
                found = None if uid == STORE_STREAM else fold(self._ledger.entries(uid))
                if found is None:
                    raise NotFound(
                        f"no investigation {uid!r} in this store",
                        hint="list them: GET /v1/investigations; or open a new one",
                        code="unknown_investigation",
                    )
                self._states[uid] = found
            return self._states[uid]

    def entries(self, uid: str, after: int = 0, limit: int | None = None) -> Sequence[LedgerEntry]:
        """The entries of an investigation after a sequence number.

        Raises:
            NotFound: There is no such investigation.
        """
        self.state(uid)
        return self._ledger.entries(uid, after, limit)

    def projection(self, uid: str) -> NotebookProjection:
        """What belongs into the notebook of an investigation.

        Raises:
            NotFound: There is no such investigation.
        """
        return project(self.state(uid))

    def query(self, query_id: str) -> QueryRecord:
        """A recorded query.

        Raises:
            NotFound: There is no such query.
        """
        with self._records.connect() as connection:
            found = store.get_query(connection, query_id)
        if found is None:
            raise NotFound(
                f"no query {query_id!r} in this store",
                hint="ids of queries stand in the investigation's state",
                code="unknown_query",
            )
        return found[1]

    def queries(self, uid: str) -> Sequence[QueryRecord]:
        """The queries of an investigation, in the order recorded.

        Raises:
            NotFound: There is no such investigation.
        """
        self.state(uid)
        with self._records.connect() as connection:
            return store.queries_of(connection, uid)

    def kept_result(self, query_id: str) -> bytes | None:
        """The result of a query as an Arrow IPC stream; None when it was too large to keep.

        Raises:
            NotFound: There is no such query.
        """
        digest = self.query(query_id).kept_digest
        if digest is None:
            return None
        with self._records.connect() as connection:
            return store.kept_result(connection, digest)

    def subscribe(self, uid: str, callback: Callback) -> Callable[[], None]:
        """Follows an investigation.

        To miss nothing: subscribe, then take `state`, then drop deltas up to its ``seq``.

        Returns:
            What ends it.

        Raises:
            NotFound: There is no such investigation.
        """
        with self._lock:
            self.state(uid)
            self._followers.setdefault(uid, []).append(callback)

        def unsubscribe() -> None:
            with self._lock:
                followers = self._followers.get(uid, [])
                if callback in followers:
                    followers.remove(callback)

        return unsubscribe

    # -- writing -----------------------------------------------------------------------------

    def open(  # noqa: PLR0913
        self,
        *,
        title: str,
        actor: Actor,
        severity: str = "",
        window: object = None,
        baseline: object = None,
        services: Sequence[str] = (),
        notebook: str = "",
        uid: str | None = None,
    ) -> InvestigationState:
        """Begins an investigation on the newest data, and pins that.

        Args:
            title: What it is about.
            actor: Who opens it.
            severity: As the team calls it.
            window: What `Window.parse` takes, or None.
            baseline: The time to compare with, likewise.
            services: The services in question.
            notebook: The path of its notebook.
            uid: Its uid; a new one when None. Opening the same uid again changes nothing.

        Raises:
            BadInput: A value is wrong.
        """
        uid = uid or new_id()
        data = {
            "uid": uid,
            "title": title,
            "severity": severity,
            "window": None if window is None else Window.parse(window).to_dict(),
            "baseline": None if baseline is None else Window.parse(baseline).to_dict(),
            "services": [services] if isinstance(services, str) else [*services],
            "notebook": notebook,
            "pin": self._catalog.pin(),
        }
        validate("events", data, definition="investigation.opened")
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
        newest = self._catalog.pin()
        with self._lock:
            self.state(uid)
            if principal.kind == "kernel":
                self._await_runs(uid, events)
            before = self.state(uid)
            after = before
            with self._ledger.batch() as batch:
                for event in events:
                    if batch.find(uid, event["id"]) is not None:
                        continue
                    check_against(after, event, newest_pin=newest)
                    entry = batch.append(uid, self._event(after, event, principal))
                    after = apply(after, entry) or after
                if summary(before) != summary(after):
                    store.put_summary(batch.connection, summary(after))
            return self._moved(before, after)

    def require_hypothesis(self, uid: str, hypothesis: str) -> None:
        """Refuses a test of an unknown hypothesis before it is run.

        Raises:
            NotFound: There is no such investigation or hypothesis.
        """
        require_hypothesis(self.state(uid), hypothesis)

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
            with self._ledger.batch() as batch:
                store.add_query(batch.connection, uid, record)
                for event in self._query_events(uid, before, record, outcome, principal):
                    entry = batch.append(uid or STORE_STREAM, event)
                    after = apply(after, entry) if after is not None else None
            if before is not None and after is not None:
                self._moved(before, after)
        return outcome

    def move_pin(
        self, uid: str, pin: int | None, *, actor: Actor, rationale: str = ""
    ) -> dict[str, Any]:
        """Moves the pin, on purpose, to a batch or to the newest data.

        Returns:
            The delta.

        Raises:
            BadInput: There is no data of that pin.
        """
        event: EventIn = {
            "id": new_id(),
            "type": "investigation.pinned",
            "subject": uid,
            "time": to_rfc3339(self._clock()),
            "data": {"pin": self._catalog.pin() if pin is None else pin},
            "actor": str(actor),
            "rationale": rationale,
        }
        return self.report(uid, [event], Principal(actor, "service"))

    def record_ingest(self, data: Mapping[str, Any], actor: Actor) -> LedgerEntry:
        """Records that a batch was committed to the store.

        Args:
            data: The ingest's report; ``digest`` names the content.
            actor: Who ingested it.

        Raises:
            BadInput: The report has no digest.
        """
        validate("events", dict(data), definition="data.ingested")
        return self._ledger.append(STORE_STREAM, Event("data.ingested", data, actor, new_id()))

    # -- inside ------------------------------------------------------------------------------

    def _moved(self, before: InvestigationState, after: InvestigationState) -> dict[str, Any]:
        change = delta(before, after)
        if after is before:
            return change
        uid = after["uid"]
        self._states[uid] = after
        if "steps" in change:
            self._arrived.notify_all()
        for callback in tuple(self._followers.get(uid, ())):
            callback(change)
        return change

    def _await_runs(self, uid: str, events: Sequence[EventIn]) -> None:
        runs = {str(event["data"]["run"]) for event in events if event["data"].get("run")}
        deadline = time.monotonic() + RUN_WAIT_S
        while not runs <= self._states[uid]["steps"].keys():
            left = deadline - time.monotonic()
            if left <= 0 or not self._arrived.wait(left):
                return

    def _event(self, state: InvestigationState, event: EventIn, principal: Principal) -> Event:
        actor, behind = principal.actor, principal.on_behalf_of
        source = str(principal.actor)
        if principal.kind == "service":
            actor = Actor.parse(event["actor"]) if "actor" in event else actor
        elif event["type"] in PERSONAL:
            behind = _behind(state, event["data"].get("run"), principal)
            actor, behind = (behind or actor), None
        return Event(
            event["type"],
            event["data"],
            actor,
            id=event["id"],
            subject=event["subject"],
            time=event["time"],
            source=source,
            investigation=state["uid"],
            on_behalf_of=behind,
            rationale=event.get("rationale", ""),
        )

    def _query_events(
        self,
        uid: str | None,
        state: InvestigationState | None,
        record: QueryRecord,
        outcome: TestOutcome | None,
        principal: Principal,
    ) -> Sequence[Event]:
        behind = _behind(state, record.run, principal) if state else principal.on_behalf_of
        asked = Event(
            "query.answered" if record.ok else "query.failed",
            record.summary(),
            principal.actor,
            id=record.id,
            subject=record.id,
            time=record.at,
            investigation=uid,
            on_behalf_of=behind,
        )
        if outcome is None:
            return [asked]
        data = {**outcome, "query": record.id, "run": record.run, "cell": record.cell}
        key = outcome["hypothesis"]
        tested = replace(
            asked, type="hypothesis.tested", data=data, id=f"{record.id}.test", subject=key
        )
        return [asked, tested]


def _behind(state: InvestigationState, run: object, principal: Principal) -> Actor | None:
    """The person behind a principal: whose run it is, if the server recorded it in this kernel."""
    step = state["steps"].get(str(run)) if run else None
    if step is None or (principal.kernel and step["kernel"] not in (None, principal.kernel)):
        return principal.on_behalf_of
    return Actor.parse(step["by"])
