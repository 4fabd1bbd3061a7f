"""What all handlers share: the token, the body, and errors as answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tornado.web import HTTPError, RequestHandler, stream_request_body

from workspace_ext.access.model import Action, Principal, require
from workspace_ext.access.roles import role_named
from workspace_ext.broker.runtime import Runtime
from workspace_ext.broker.services import Services
from workspace_ext.client.transport import ROLE_HEADER
from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError, NotFound

_log = logging.getLogger(__name__)

MOST_BODY_BYTES = 64 << 20
_JSON = "application/json"
_MOST_DIGITS = 15
_MOST_DISCARDED_BYTES = 256 << 20


@dataclass(frozen=True)
class Call:
    """A request as a route's function sees it."""

    runtime: Runtime
    principal: Principal
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: Any

    @property
    def services(self) -> Services:
        """What the route is over."""
        return self.runtime.services

    def number(self, name: str, default: int) -> int:
        """A whole number from the address, not negative."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
            raise BadInput(f"{name}={text[:40]} is not a whole number", hint="as in limit=100")
        return int(text)

    def fields(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise BadInput("the body must be a JSON object", hint='as in {"title": "…"}')
        return self.body

    def text(self, name: str, default: str | None = None) -> str:
        """A text from the body's object."""
        value = self.fields().get(name, default)
        if not isinstance(value, str):
            raise BadInput(f"{name} must be a text", hint=f'give {{"{name}": "…"}} in the body')
        return value


@dataclass(frozen=True)
class Reply:
    """An answer, and what it is."""

    content: bytes
    content_type: str


@dataclass(frozen=True)
class Route:
    """A function over the services, run in a thread, and what the caller must be allowed."""

    action: Action
    function: Callable[[Call], Any]


@stream_request_body
class BaseHandler(RequestHandler):
    """Checks the token before it takes the body; turns errors into answers."""

    runtime: Runtime
    principal: Principal
    most_body_bytes = MOST_BODY_BYTES
    _refused: InvestigationError | None = None

    def initialize(self, runtime: Runtime) -> None:
        """Tornado's constructor arguments."""
        self.runtime = runtime
        self._received: list[bytes] = []
        self._received_bytes = 0

    def prepare(self) -> None:
        """Before the body comes.

        The body of a refused request is read and thrown away: the sender then finds the answer
        instead of a broken connection.
        """
        try:
            self.check()
        except InvestigationError as error:
            announced = self.request.headers.get("Content-Length", "0")
            if not announced.isdigit() or not 0 < int(announced) < _MOST_DISCARDED_BYTES:
                raise
            self._refused = error
        self.request.connection.set_max_body_size(1 << 50)  # type: ignore[union-attr]

    def check(self) -> None:
        """Whether the caller may come in at all.

        Raises:
            Denied: No token, or a wrong one.
            BadInput: The body is too large.
        """
        token = self.request.headers.get("Authorization", "")
        if not token.startswith("Bearer "):
            raise Denied(
                "no token", hint="send the header Authorization: Bearer TOKEN", code="no_token"
            )
        self.principal = self.runtime.services.tokens.principal(token)
        announced = self.request.headers.get("Content-Length", "0")
        if announced.isdigit() and int(announced) > self.most_body_bytes:
            raise self._too_large()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """A part of the body."""
        if self._refused is not None:
            return None
        self._received_bytes += len(chunk)
        if self._received_bytes <= self.most_body_bytes:
            self._received.append(chunk)
        return None

    def json(self) -> Any:
        """The body's JSON; None when there is none."""
        if self._received_bytes > self.most_body_bytes:
            raise self._too_large()
        if not self._received_bytes:
            return None
        try:
            return json.loads(b"".join(self._received))
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"the body is no JSON: {error}", hint="send JSON in UTF-8", code="bad_json"
            ) from error

    def arguments(self) -> dict[str, str]:
        """The parameters of the address."""
        return {name: self.get_query_argument(name) for name in self.request.query_arguments}

    def allow(self, action: Action) -> None:
        """Refuses a caller that may not do this; called first by every method."""
        if self._refused is not None:
            raise self._refused
        role = self.request.headers.get(ROLE_HEADER)
        if role is not None:
            self.principal = replace(self.principal, role=role_named(role))
        require(self.principal, action)

    def answer(self, value: Any) -> None:
        """Ends with JSON."""
        self.set_header("Content-Type", _JSON)
        self.finish(_encoded(value))

    def compute_etag(self) -> str | None:
        """None: answers are not cached, and hashing them costs."""
        return None

    def set_default_headers(self) -> None:
        """For every answer."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Server", "investigation-broker")

    def write_error(self, status_code: int, **details: Any) -> None:
        """An error as ``{"error": …}``, with the status of its class."""
        _, error, _ = details.get("exc_info", (None, None, None))
        if isinstance(error, InvestigationError):
            self.set_status(error.status)
            self.answer({"error": error.to_dict()})
        elif isinstance(error, HTTPError):
            text = error.log_message or self._reason
            refused = BadInput(text, hint="see the broker's routes", code=f"http_{status_code}")
            self.answer({"error": refused.to_dict()})
        else:
            internal = InvestigationError(
                "the broker failed while it did this",
                hint="see logs/broker.log in the store folder; please report it",
                code="internal",
            )
            self.answer({"error": internal.to_dict()})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Errors of users are no news; everything else is."""
        if isinstance(value, (InvestigationError, HTTPError)):
            _log.debug("%s: %s", self._request_summary(), value)
        else:
            _log.error("%s failed", self._request_summary(), exc_info=(typ, value, tb))

    def _too_large(self) -> BadInput:
        return BadInput(
            f"the body is larger than {self.most_body_bytes >> 20} MB",
            hint="send less at once; files go to /v1/ingest",
            code="too_large",
        )


class NoRoute(BaseHandler):
    """Everything else; says so to whoever has a token."""

    async def refuse(self) -> None:
        """For every method."""
        self.allow("catalog.read")
        raise NotFound(f"no route {self.request.path}", hint="is the client newer than the broker?")

    get = post = put = delete = patch = head = options = refuse


class CallHandler(BaseHandler):
    """Runs the route's function for the method."""

    def initialize(  # type: ignore[override]
        self, runtime: Runtime, routes: Mapping[str, Route]
    ) -> None:
        """Tornado's constructor arguments."""
        super().initialize(runtime)
        self._routes = routes

    async def get(self, *path: str) -> None:
        """Reads."""
        await self._run(path)

    async def post(self, *path: str) -> None:
        """Does."""
        await self._run(path)

    async def _run(self, path: tuple[str, ...]) -> None:
        route = self._routes.get(self.request.method or "")
        if route is None:
            raise HTTPError(405, f"{self.request.path} knows {', '.join(self._routes)} only")
        self.allow(route.action)
        with self.runtime.presence.request():
            reply = await self.runtime.call(self._perform, route, path)
        self.set_header("Content-Type", reply.content_type)
        self.finish(reply.content)

    def _perform(self, route: Route, path: tuple[str, ...]) -> Reply:
        """In a thread, the JSON as well: a large state must not hold up the loop."""
        call = Call(self.runtime, self.principal, path, self.arguments(), self.json())
        result = route.function(call)
        return result if isinstance(result, Reply) else Reply(_encoded(result), _JSON)


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
