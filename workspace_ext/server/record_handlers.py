"""What people say and do in the panel, into the record: one route for every kind of event.

The browser sends what happened; the server says who and when, and the broker whether it may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.foundation.ids import hypothesis_id, new_id, stable_id
from workspace_ext.inquiry.investigations.lifecycle import REACHABLE, steps_to
from workspace_ext.protocol.events import FROM_BROWSER, event
from workspace_ext.protocol.messages import EventIn
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler
from workspace_ext.server.review_handlers import ReviewRoute


class RecordHandler(ReviewRoute):
    """One event, said by a person."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """``{path, type, data, rationale?, id?}``; answers with what it changed in the state.

        Said again by the same person under the same id, it changes nothing.
        """
        body = self.body()
        kind, data = body.get("type"), body.get("data")
        if not isinstance(kind, str) or kind not in FROM_BROWSER:
            raise BadInput(
                f"{kind!r} is nothing that is said here",
                hint=did_you_mean(str(kind), FROM_BROWSER),
                code="unknown_event",
            )
        if not isinstance(data, dict):
            raise BadInput("data must be an object", hint='send {"data": {"text": "…"}}')
        texts = self.texts("rationale", "id")
        rationale, said = texts.get("rationale", ""), texts.get("id") or new_id()
        if kind == "investigation.pinned" and not rationale.strip():
            raise BadInput(
                "the pin is moved without a reason",
                hint="say in a sentence why everybody shall see other data",
                code="no_rationale",
            )

        def say(client: BrokerClient, uid: str) -> Any:
            changes = self._changes(client, uid, kind, data)
            # Ids of their own kind: nobody takes the id that another event will have.
            ids = [stable_id("said", self.who, said, str(n)) for n in range(len(changes))]
            events = [
                self._event(uid, kind, told, rationale, event_id)
                for told, event_id in zip(changes, ids, strict=True)
            ]
            return client.report(uid, events)

        await self.told(say)

    def _changes(
        self, client: BrokerClient, uid: str, kind: str, data: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The data of the event; before a judgement, of the one that testing began if none did."""
        told = dict(data)
        if kind == "hypothesis.proposed":
            told["hypothesis"] = hypothesis_id(uid, str(told.get("text", "")))
        if kind != "hypothesis.changed":
            return [told]
        found = client.state(uid)["hypotheses"].get(str(told.get("hypothesis")))
        if found is None:
            return [told]
        states = steps_to(found["state"], str(told.get("state")))
        return [{**told, "state": state} for state in states]

    def _event(
        self, uid: str, kind: str, data: dict[str, Any], rationale: str, event_id: str
    ) -> EventIn:
        about = data.get("hypothesis") or data.get("action")
        return event(
            kind,
            about if isinstance(about, str) else uid,
            data,
            event_id=event_id,
            actor=self.who,
            rationale=rationale.strip(),
        )


class RulesHandler(InvestigationHandler):
    """What may become of a hypothesis."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """`Rules`."""
        self.answer({"reachable": {now: sorted(to) for now, to in REACHABLE.items()}})


RECORD_ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/record", RecordHandler),
    (f"/{RESOURCE}/rules", RulesHandler),
]
