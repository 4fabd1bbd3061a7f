"""What is in the store, for the data panel and for whoever begins an investigation."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler
from workspace_ext.server.identity import actor_of
from workspace_ext.server.stream import DataStreamHandler
from workspace_ext.telemetry.ingest.incident import Incident, incident_folder, load_incident

SAMPLE = "trainticket"
_BATCHES = 50
_TELL_SECONDS = 0.2


class CatalogHandler(InvestigationHandler):
    """What there is to choose from."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """`Catalogue`: signals, services, the newest batches and alerts."""

        def ask(client: BrokerClient) -> dict[str, Any]:
            known = client.catalog()
            return {
                "pin": known["pin"],
                "signals": known["signals"],
                "services": known["services"],
                "batches": client.batches(limit=_BATCHES),
                "alerts": client.happenings(kind="alert", limit=_BATCHES),
            }

        self.answer(await self.workspace.link.call(ask))


class DataHandler(InvestigationHandler):
    """What the data panel shows."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """`DataOverview`: the catalogue, each service, the health of ingest, the open doors."""

        def ask(client: BrokerClient) -> dict[str, Any]:
            known = client.catalog()
            return {
                "pin": known["pin"],
                "signals": known["signals"],
                "services": client.services(),
                "batches": client.batches(limit=_BATCHES),
                "quarantine": client.quarantine(limit=_BATCHES),
                "status": client.status(),
                "store": str(self.workspace.link.store),
            }

        self.answer(await self.workspace.link.call(ask))


class QualityHandler(InvestigationHandler):
    """How far the newest data can be trusted; on a large store this takes its time."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The broker's report, of ``?window=START/END`` or the hour before the newest record."""
        window = self.get_query_argument("window", None)
        self.answer(await self.workspace.link.call(lambda client: client.quality(window)))


class EventsHandler(InvestigationHandler):
    """Alerts, deploys and the like."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A list of `Happening`, of ``?window=START/END`` at ``pin``."""
        window, pin = self.get_query_argument("window", None), self.number("pin")
        self.answer(
            await self.workspace.link.call(lambda client: client.happenings(window, pin=pin))
        )


class SampleHandler(InvestigationHandler):
    """The sample incident, into this store."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """JSON lines: ``{"file", "done", "of"}`` while it works, then what there is to look at.

        The last line is ``{"loaded": NewInvestigation}`` or ``{"error": …}``; a file that is
        there already adds nothing.
        """
        workspace, actor = self.workspace, actor_of(self.current_user)
        incident = await asyncio.to_thread(load_incident, incident_folder(SAMPLE))
        workspace.link.make()
        far: list[dict[str, Any]] = []
        work = asyncio.ensure_future(
            workspace.link.call(lambda client: _load(client, incident, actor, far))
        )
        self.set_header("Content-Type", "application/x-ndjson")
        while not (await asyncio.wait([work], timeout=_TELL_SECONDS))[0]:
            if far:
                await self._tell(far[-1])
                far.clear()
        try:
            work.result()
            await self._tell({"loaded": _beginning(incident)})
        except InvestigationError as error:
            await self._tell({"error": error.to_dict()})
        self.finish()

    async def _tell(self, line: dict[str, Any]) -> None:
        self.write(json.dumps(line) + "\n")
        try:
            await self.flush()
        except StreamClosedError:  # nobody looks any more; what is begun is finished anyway
            self.log.info("the sample incident is loaded on, unseen")


def _load(
    client: BrokerClient, incident: Incident, actor: Actor, far: list[dict[str, Any]]
) -> None:
    for number, file in enumerate(incident.files):
        progress = partial(_note, far, number, file.path.name, len(incident.files))
        client.ingest(file.path, mapping=file.mapping, actor=str(actor), progress=progress)


def _note(
    far: list[dict[str, Any]], number: int, name: str, files: int, done: int, of: int | None
) -> None:
    far.append({"file": name, "done": number + (done / of if of else 0), "of": files})


def _beginning(incident: Incident) -> dict[str, Any]:
    return {
        "title": incident.title,
        "severity": incident.severity,
        "window": incident.window.to_dict(),
        "baseline": incident.baseline.to_dict(),
    }


DATA_ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/catalog", CatalogHandler),
    (f"/{RESOURCE}/data", DataHandler),
    (f"/{RESOURCE}/data/stream", DataStreamHandler),
    (f"/{RESOURCE}/quality", QualityHandler),
    (f"/{RESOURCE}/happenings", EventsHandler),
    (f"/{RESOURCE}/sample", SampleHandler),
]
