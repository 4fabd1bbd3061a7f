"""The use cases of review; thread-safe."""

from __future__ import annotations

import threading
from typing import Any

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Clock, now_ns, parse_rfc3339, to_rfc3339
from workspace_ext.foundation.errors import BadInput, Conflict, NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.investigations.checks import require_hypothesis
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.versions.service import VersionService
from workspace_ext.ledger.model import Event
from workspace_ext.practice.review import store
from workspace_ext.practice.review.changes import changes
from workspace_ext.practice.review.fold import Folded, fold
from workspace_ext.practice.review.lifecycle import (
    check_action,
    check_follows,
    check_reason,
    check_reviewer,
)
from workspace_ext.practice.review.templates import TemplateReviews
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.protocol.reviews import Changes, Review, Thread
from workspace_ext.protocol.validation import validate
from workspace_ext.storage.records import RecordsEngine

_VERSIONS = 1000


class ReviewService:
    """Moves reviews on, and keeps comments.

    Args:
        records: Where looks are kept.
        investigations: What is reviewed, and the way into its ledger.
        versions: The notebook as it was saved.
        templates: Which templates were looked through.
        clock: Tells when somebody looks.
    """

    def __init__(
        self,
        records: RecordsEngine,
        investigations: InvestigationService,
        versions: VersionService,
        templates: TemplateReviews,
        clock: Clock = now_ns,
    ) -> None:
        self._records = records
        self._investigations = investigations
        self._versions = versions
        self._templates = templates
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Folded] = {}

    def review(self, uid: str) -> Review:
        """How the review stands, with all comments.

        Raises:
            NotFound: There is no such investigation.
        """
        told = self._folded(uid).to_review(uid)
        state = self._investigations.state(uid)
        return {
            **told,
            "templates": self._templates.used(state["queries"].values()),
            "scripts": self._templates.scripts(state["steps"].values()),
        }

    def act(
        self, uid: str, action: str, by: Actor, *, reason: str = "", digest: str = ""
    ) -> Review:
        """Moves a review on, and binds that to the newest version of the notebook.

        Args:
            uid: The investigation.
            action: request, approve, changes or archive.
            by: Who does it, as the server knows them.
            reason: Why.
            digest: Of the version that they had before them; the newest when empty.

        Raises:
            NotFound: There is no such investigation.
            BadInput: The action may not follow, there is nothing to approve, or no reason.
            Denied: An author judges, or nobody in particular.
            Conflict: The notebook was saved again meanwhile.
        """
        chosen = check_action(action)
        check_reason(chosen, reason)

        def decide(_state: InvestigationState) -> list[Event]:
            now = self._folded(uid)
            check_follows(now.state, chosen, lapsed=now.why_lapsed())
            check_reviewer(chosen, by, now.authors)
            if chosen == "approve" and not now.digest:
                raise BadInput(
                    "no version of the notebook is kept that could be approved",
                    hint="save it in JupyterLab, or run it: jupyter investigation run NOTEBOOK",
                    code="no_version",
                )
            if digest and digest != now.digest:
                raise Conflict(
                    f"version {now.revision} was saved meanwhile, which is another one",
                    hint="look at it first: jupyter investigation diff NOTEBOOK",
                    code="version_changed",
                )
            data = {
                "action": chosen,
                "revision": now.revision,
                "digest": now.digest,
                "seq": now.seq,
                "head": now.head,
            }
            return [_event(uid, "review.changed", data, by, uid, reason)]

        self._investigations.append(uid, decide)
        return self.review(uid)

    def comment(
        self,
        uid: str,
        text: str,
        by: Actor,
        *,
        cell: str | None = None,
        hypothesis: str | None = None,
        thread: str | None = None,
        comment: str | None = None,
    ) -> Thread:
        """Adds a comment to a cell or a hypothesis, or to a thread that is there.

        Args:
            uid: The investigation.
            text: What is said.
            by: Who says it, as the server knows them.
            cell: The cell's uid.
            hypothesis: The hypothesis' id.
            thread: The thread to answer in.
            comment: The comment's id, which makes a repeated report harmless; a new one when None.

        Returns:
            The thread with it.

        Raises:
            NotFound: There is no such investigation, cell, hypothesis or thread.
            BadInput: There is no text, or not exactly one place for it.
        """
        if [cell, hypothesis, thread].count(None) != 2:
            raise BadInput(
                "a comment has one place: a cell, a hypothesis or a thread",
                hint="name exactly one of them",
                code="no_place",
            )
        key = comment or new_id()
        told: dict[str, Any] = {"cell": cell, "hypothesis": hypothesis, "text": text.strip()}

        def decide(state: InvestigationState) -> list[Event]:
            self._check_place(state, cell, hypothesis)
            found = self._thread(uid, thread) if thread is not None else None
            place = {"cell": found["cell"], "hypothesis": found["hypothesis"]} if found else {}
            return [
                _event(uid, "comment.added", {**told, "thread": thread or key, **place}, by, key)
            ]

        self._investigations.append(uid, decide)
        return self._thread(uid, thread or key)

    def settle(self, uid: str, thread: str, by: Actor, *, resolved: bool) -> Thread:
        """Resolves a thread, or opens it again; what is so already stays as it is.

        Raises:
            NotFound: There is no such investigation or thread.
        """

        def decide(_state: InvestigationState) -> list[Event]:
            found = self._thread(uid, thread)
            if (found["resolved_by"] is not None) == resolved:
                return []
            data = {"thread": thread, "resolved": resolved}
            return [_event(uid, "comment.settled", data, by, thread)]

        self._investigations.append(uid, decide)
        return self._thread(uid, thread)

    def changes(self, uid: str, who: Actor, since: str | None = None) -> Changes:
        """What changed since somebody last looked; that they look now is remembered.

        Args:
            uid: The investigation.
            who: The person.
            since: A time instead of their last look, which then stays what it was.

        Raises:
            NotFound: There is no such investigation.
            BadInput: The time is none.
        """
        state = self._investigations.state(uid)
        entries = self._investigations.entries(uid)
        start, at = 0, since
        if since is not None:
            limit = parse_rfc3339(since)
            earlier = [e["seq"] for e in entries if parse_rfc3339(e["recorded_time"]) < limit]
            start = max(earlier, default=0)
        else:
            with self._records.connect() as connection:
                known = store.last_look(connection, uid, str(who))
            start, at = known or (0, None)
        until, last = to_rfc3339(self._clock()), entries[-1]["seq"] if entries else 0
        versions = self._versions.history(uid, limit=_VERSIONS)
        told = changes(entries[start:], state, [one for one in versions if one.seq >= start])
        if since is None:
            with self._records.begin() as connection:
                store.looked(connection, uid, str(who), last, until)
        return {
            "investigation": uid,
            "who": str(who),
            "since": at,
            "until": until,
            "seq": last,
            "changes": told,
        }

    def _folded(self, uid: str) -> Folded:
        with self._lock:
            known = self._known.get(uid, Folded())
            known = fold(self._investigations.entries(uid, known.seq), known)
            self._known[uid] = known
            return known

    def _thread(self, uid: str, key: str) -> Thread:
        found = self._folded(uid).threads.get(key)
        if found is None:
            raise NotFound(
                f"no thread of comments {key!r} in this investigation",
                hint="`jupyter investigation comments NOTEBOOK` shows them with their ids",
                code="unknown_thread",
            )
        return found

    def _check_place(
        self, state: InvestigationState, cell: str | None, hypothesis: str | None
    ) -> None:
        if hypothesis is not None:
            require_hypothesis(state, hypothesis)
        ran = {step["cell"] for step in state["steps"].values()}
        if cell is not None and cell not in ran:
            self._versions.cell(state["uid"], cell)


def _event(
    uid: str, kind: str, data: dict[str, Any], by: Actor, subject: str, why: str = ""
) -> Event:
    validate("events", data, definition=kind)
    key = subject if kind == "comment.added" else new_id()
    return Event(kind, data, by, key, subject, investigation=uid, rationale=why.strip())
