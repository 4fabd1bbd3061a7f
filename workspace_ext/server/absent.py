"""The routes of a server that cannot record: they say so, and why, before anybody relies on it."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler

HINT = "correct what the server's log says, and start the server again"


def not_capturing(why: str) -> Unavailable:
    """The error that all routes answer with."""
    return Unavailable(f"nothing is recorded on this server: {why}", hint=HINT, code="no_capture")


class AbsentStatus(InvestigationHandler):
    """Says in the broker's place what is missing."""

    def initialize(self, why: str, store: str) -> None:
        """Takes the reason, and the store that would be used."""
        self._why, self._store = why, store

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``{broker, store, message}``."""
        error = not_capturing(self._why)
        message = f"{error.message} ({error.hint})"
        self.answer({"broker": "unavailable", "store": self._store, "message": message})

    post = get


class Absent(InvestigationHandler):
    """Any other route."""

    def initialize(self, why: str) -> None:
        """Takes the reason."""
        self._why = why

    @web.authenticated
    @authorized
    async def get(self, *_: Any) -> None:
        """Raises why.

        Raises:
            Unavailable: Always.
        """
        raise not_capturing(self._why)

    @web.authenticated
    @authorized
    async def post(self, *_: Any) -> None:
        """Raises why.

        Raises:
            Unavailable: Always.
        """
        raise not_capturing(self._why)


def absent_routes(why: str, store: str) -> list[tuple[str, type, dict[str, str]]]:
    """The routes of a server that records nothing."""
    return [
        (f"/{RESOURCE}/status", AbsentStatus, {"why": why, "store": store}),
        (f"/{RESOURCE}/.*", Absent, {"why": why}),
    ]
