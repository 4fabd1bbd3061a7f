"""The use cases that only read investigations; thread-safe."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workspace_ext.foundation.errors import BadInput, Damaged, NotFound
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.inquiry.investigations import store
from workspace_ext.inquiry.investigations.audit import verify
from workspace_ext.inquiry.investigations.fold import fold
from workspace_ext.inquiry.investigations.following import Callback, Followers
from workspace_ext.inquiry.investigations.lifecycle import FOLLOWS
from workspace_ext.inquiry.investigations.model import QueryRecord, hypothesis_summary
from workspace_ext.inquiry.metadata.projection import project
from workspace_ext.inquiry.versions import blobs
from workspace_ext.ledger.model import VerifyReport
from workspace_ext.ledger.service import STORE_STREAM, Ledger
from workspace_ext.protocol.hypotheses import HypothesisSummary
from workspace_ext.protocol.messages import (
    InvestigationState,
    InvestigationSummary,
    LedgerEntry,
    NotebookProjection,
)
from workspace_ext.storage.records import RecordsEngine

DESCRIBED = "kernel.described"

_log = logging.getLogger(__name__)


class InvestigationReader:
    """The reading half of `InvestigationService`.

    The state of each investigation that was asked for is kept in memory; whoever changes one
    holds the lock.

    Args:
        ledger: Where events are kept.
        records: Where queries and kept results are kept: the ledger's own engine.
    """

    def __init__(self, ledger: Ledger, records: RecordsEngine) -> None:
        self._ledger = ledger
        self._records = records
        self._lock = threading.RLock()
        self._states: dict[str, InvestigationState] = {}
        self._followers = Followers()

    def list(self) -> Sequence[InvestigationSummary]:
        """All investigations, the newest first."""
        with self._records.connect() as connection:
            return store.summaries(connection)

    def hypotheses(
        self, text: str = "", state: str | None = None, limit: int = 100
    ) -> Sequence[HypothesisSummary]:
        """The hypotheses of all investigations, the newest first.

        Args:
            text: Words that all occur in claim, prediction or reason.
            state: Only those in this state.
            limit: How many at most.

        Raises:
            BadInput: There is no such state.
        """
        if state is not None and state not in FOLLOWS:
            raise BadInput(
                f"no hypothesis is ever {state!r}",
                hint=did_you_mean(state, FOLLOWS),
                code="unknown_state",
            )
        with self._records.connect() as connection:
            earlier = store.unlisted(connection)
        for uid in earlier:
            try:
                self._list_hypotheses(uid)
            except Damaged as problem:  # the others are found all the same
                _log.warning("hypotheses of %s are not listed: %s", uid, problem.message)
        with self._records.connect() as connection:
            return store.find_hypotheses(connection, text, state, limit)

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
                found = None if uid == STORE_STREAM else self._load(uid)
                if found is None:
                    raise NotFound(
                        f"no investigation {uid!r} in this store",
                        hint="choose the store it was made in (--store), or open a new one",
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
                hint="`query --json` prints the id of its query, `hypotheses` those of evidence",
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

    def environment(self, uid: str) -> tuple[dict[str, Any] | None, int]:
        """What the kernel ran with that was started last, and how many others had another.

        Returns:
            ``python``, ``platform``, ``packages`` and ``lock`` (the text of a ``pylock.toml``);
            None when no kernel told.

        Raises:
            NotFound: There is no such investigation.
        """
        self.state(uid)
        told = [
            str((entry.get("data") or {}).get("environment"))
            for entry in self._ledger.entries(uid, types=[DESCRIBED])
        ]
        with self._records.connect() as connection:
            texts = blobs.texts(connection, told[-1:])
        found = texts.get(told[-1]) if told else None
        return None if found is None else json.loads(found), len({*told}) - 1

    def attached(self, digests: Iterable[str]) -> dict[str, str]:
        """The kept ones of the texts that events name by digest, as those of scripts.

        Raises:
            Damaged: One is not what was written.
        """
        with self._records.connect() as connection:
            return blobs.texts(connection, digests)

    def subscribe(self, uid: str, callback: Callback) -> Callable[[], None]:
        """Follows an investigation.

        To miss nothing: subscribe, then take `state`, then drop deltas up to its ``seq``.

        Returns:
            What ends it.

        Raises:
            NotFound: There is no such investigation.
        """
        self.state(uid)
        return self._followers.add(uid, callback)

    def verify(
        self, uid: str | None = None, *, head: tuple[int, str] | None = None
    ) -> VerifyReport:
        """Checks the ledger, and that recorded queries and kept results are what it says.

        Args:
            uid: An investigation, or "store"; everything when None.
            head: ``(seq, hash)`` as a saved notebook of that investigation carries it.
        """
        return verify(self._ledger, self._records, uid, head=head)

    def _list_hypotheses(self, uid: str) -> None:
        """Lists those of an investigation that is older than the list."""
        with self._lock:
            state = self.state(uid)
            with self._records.begin() as connection:
                for found in state["hypotheses"].values():
                    store.put_hypothesis(connection, hypothesis_summary(state, found))
                store.mark_listed(connection, uid)

    def _load(self, uid: str) -> InvestigationState | None:
        try:
            return fold(self._ledger.entries(uid))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(
                f"the record of investigation {uid} cannot be read: {error!r}",
                hint="see what was changed with: jupyter investigation verify --store DIR",
                code="record_damaged",
            ) from error
