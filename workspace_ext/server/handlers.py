"""The REST routes for the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from http.client import responses
from typing import Any, ClassVar, TypeVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError
from workspace_ext.server.identity import actor_of
from workspace_ext.server.stream import StreamHandler
from workspace_ext.server.workspace import Workspace

RESOURCE = "investigation"
"""What an authorizer is asked about, with ``read`` for questions and ``write`` for the rest."""


AGAIN_SECONDS = 5.0
"""How long somebody who asks for another try waits for what comes of it."""
_MOST_DIGITS = 15

Method = TypeVar("Method", bound=Callable[..., Any])


def for_readers(method: Method) -> Method:
    """Lets everybody in who may read."""
    checked: Method = authorized(action="read")(method)
    return checked


LOGGED_OUT = Denied(
    "you are not logged in any more",
    hint="log in again in another tab, then try again here; what you typed stays",
    code="logged_out",
)


class InvestigationHandler(APIHandler):
    """Answers in JSON, errors too: ``{"error": {kind, code, message, hint}}``."""

    auth_resource = RESOURCE
    _codes: ClassVar[dict[int, str]] = {401: "denied", 403: "denied", 404: "not_found"}

    @property
    def workspace(self) -> Workspace:
        """The server's parts."""
        workspace: Workspace = self.settings["investigation_workspace"]
        return workspace

    async def prepare(self) -> None:  # type: ignore[override] # as the base's own
        """Whoever does something has the broker tried again, if it could not start."""
        await super().prepare()
        if self.request.method == "POST" and self.current_user is not None:
            parts: Workspace | None = self.settings.get("investigation_workspace")
            if parts is not None:
                parts.link.hurry()

    def body(self) -> dict[str, Any]:
        """The request's JSON object.

        Raises:
            BadInput: There is none.
        """
        try:
            value = json.loads(self.request.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise BadInput("the body is no JSON object", hint='send {"title": "…"}')
        return value

    @property
    def path_asked(self) -> str:
        """The notebook that the address names."""
        return self.get_query_argument("path", "").strip("/")

    def path_needed(self) -> str:
        """The notebook that the address of a question, or the body of anything else, names.

        Raises:
            BadInput: There is none.
        """
        path = self.path_asked if self.request.method == "GET" else self.body().get("path")
        if not isinstance(path, str) or not path.strip("/"):
            raise BadInput("no path is named", hint='send {"path": "…"}')
        return path.strip("/")

    def number(self, name: str) -> int | None:
        """A whole number from the address, not negative; None when there is none.

        Raises:
            BadInput: It is something else.
        """
        text = self.get_query_argument(name, "")
        if text and not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise BadInput(f"{name}={text[:40]} is not a whole number", hint=f"as in {name}=12")
        return int(text) if text else None

    def answer(self, value: object) -> None:
        """Sends JSON, of any kind."""
        self.finish(json.dumps(value), set_content_type="application/json")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Sends an error as it was raised."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if isinstance(error, InvestigationError):
            self.set_status(error.status)
            body = error.to_dict()
        elif status_code in (401, 403) and self.current_user is None:
            body = LOGGED_OUT.to_dict()
        else:
            said = error.log_message if isinstance(error, web.HTTPError) else None
            body = {
                "kind": "InvestigationError",
                "code": self._codes.get(status_code, "error"),
                "message": said or responses.get(status_code, "unknown error"),
                "hint": getattr(error, "hint", "")
                or ("" if status_code < 500 else "the server's log says more"),
            }
        self.answer({"error": body})

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """An error that a user can act on is no accident of the server."""
        if isinstance(error, InvestigationError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, error.message)
        else:
            super().log_exception(kind, error, trace)


class StatusHandler(InvestigationHandler):
    """How the broker is; asking starts it."""

    open_to_all = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``{broker, store, message}``."""
        self._tell()

    @web.authenticated
    @for_readers
    async def post(self) -> None:
        """The same, after another try."""
        with suppress(InvestigationError):
            await self.workspace.link.call(lambda client: client.address, seconds=AGAIN_SECONDS)
        self._tell()

    def _tell(self) -> None:
        link = self.workspace.link
        try:
            link.start()
            status, message = link.state.status, link.state.message
        except InvestigationError as error:
            status, message = "unavailable", f"{error.message} ({error.hint})"
        self.answer({"broker": status, "store": str(link.store), "message": message})


class InvestigationsHandler(InvestigationHandler):
    """All investigations of the store."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A list, the newest first."""
        self.answer(await self.workspace.link.call(lambda client: client.investigations()))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """A `NewInvestigation` makes a notebook, ``{path}`` adopts one."""
        body, openings = self.body(), self.workspace.openings
        actor = actor_of(self.current_user)
        if "path" in body:
            adopted = await openings.adopt(body["path"], actor)
            self.workspace.show(adopted["uid"])
            self.answer(adopted)
            return
        title, directory = body.pop("title", ""), body.pop("directory", "")
        wish = body.pop("id", "")
        made = await openings.create(title, actor, directory=directory, scope=body, wish=wish)
        self.set_status(201)
        self.answer(made)


class StateHandler(InvestigationHandler):
    """One notebook's investigation."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The whole state; null when the notebook is no investigation."""
        uid = await self.workspace.notebooks.investigation_of(self.path_asked)
        if uid is None:
            self.answer(None)
        else:
            self.answer(await self.workspace.link.call(lambda client: client.state(uid)))


ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/status", StatusHandler),
    (f"/{RESOURCE}/investigations", InvestigationsHandler),
    (f"/{RESOURCE}/state", StateHandler),
    (f"/{RESOURCE}/stream", StreamHandler),
]
