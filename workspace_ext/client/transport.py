"""One broker's address and token, over kept-alive connections."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Mapping
from copy import copy
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from workspace_ext.foundation.errors import InvestigationError, Unavailable, from_dict

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
AGAIN_SECONDS = 0.2
LOCAL = "unix:@"
"""Before the name of a socket in Linux' abstract namespace: reachable without any network."""
HAS_LOCAL = sys.platform == "linux"
"""Whether there are such sockets here."""

ROLE_HEADER = "Investigation-Role"
"""Names the role of the person for whom a service calls."""


class Body(Protocol):
    """Anything readable that is sent as it is: an open file, for instance."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes."""


class Transport:
    """Sends requests to one broker; safe to share between threads.

    A request is never sent twice by itself: a query that ran would be recorded twice.

    Args:
        address: The broker's.
        token: The service's or a kernel's.
        patience: For how many seconds a broker that nobody reaches is waited for; once in vain,
            and not again until it has answered.
    """

    def __init__(self, address: str, token: str, *, patience: float = 0.0) -> None:
        self.address = address.rstrip("/")
        self._patience = patience
        self._given_up = threading.Event()
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pool = _pool(self.address)

    def acting(self, role: str) -> Transport:
        """The same line, for a person of a role."""
        theirs = copy(self)
        theirs._headers = {**self._headers, ROLE_HEADER: role}  # noqa: SLF001 # a copy of itself
        return theirs

    def json(self, method: str, path: str, **how: Any) -> Any:
        """Calls a route whose answer is JSON, as `content` does."""
        return json.loads(self.content(method, path, **how))

    def content(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        seconds: float | None = ANSWER_SECONDS,
    ) -> bytes:
        """Calls a route and returns the whole answer."""
        encoded = None if body is None else json.dumps(body).encode()
        response = self.open(method, path, query=query, body=encoded, seconds=seconds)
        try:
            content: bytes = response.read()
        except HTTPError as error:
            response.close()
            raise self.broken(error) from error
        response.release_conn()
        return content

    def open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: bytes | Body | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = ANSWER_SECONDS,
    ) -> BaseHTTPResponse:
        """Calls a route and returns the answer unread; the caller closes it.

        Args:
            method: The HTTP method.
            path: The route, from ``/v1`` on.
            query: Parameters of the address; those that are None are left out.
            body: What to send.
            headers: More headers.
            seconds: The longest silence of the broker; None waits forever.

        Raises:
            Unavailable: There is no broker at the address, or it went away.
            InvestigationError: What the broker answered.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        until = time.monotonic() + (0.0 if self._given_up.is_set() else self._patience)
        while True:
            try:
                response = self._pool.urlopen(
                    method,
                    f"{path}?{urlencode(given)}" if given else path,
                    body=body,  # type: ignore[arg-type] # anything with read() will do
                    headers={**self._headers, **_traced(), **(headers or {})},
                    preload_content=False,
                    decode_content=False,
                    redirect=False,
                    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
                )
                self._given_up.clear()
                if response.status >= 400:
                    raise _refusal(response)
                return response
            except HTTPError as error:
                # Nothing was sent only where no connection came about.
                nobody = isinstance(error, NewConnectionError)
                if not nobody or time.monotonic() >= until:
                    if nobody:
                        self._given_up.set()
                    raise self.unreachable(error) from error
                time.sleep(AGAIN_SECONDS)

    def unreachable(self, error: Exception) -> Unavailable:
        """The error to raise when the connection failed."""
        return Unavailable(
            f"the broker at {self.address} does not answer ({type(error).__name__})",
            hint="see logs/broker.log in the store folder, or start one with"
            " `jupyter investigation broker --store DIR`",
            code="broker_unreachable",
        )

    def broken(self, error: Exception) -> Unavailable:
        """The error to raise when the connection broke while an answer was read."""
        return Unavailable(
            f"the broker at {self.address} went away before its answer was complete"
            f" ({type(error).__name__})",
            hint="ask again; see logs/broker.log in the store folder if it happens again",
            code="broker_gone",
        )

    def close(self) -> None:
        """Closes the idle connections."""
        self._pool.close()


class _LocalConnection(HTTPConnection):
    """A connection to a socket of this machine that has a name instead of a port."""

    name = ""

    def _new_conn(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(f"\0{self.name}")
        except OSError as error:
            sock.close()
            raise NewConnectionError(self, str(error)) from error
        return sock


def _pool(address: str) -> urllib3.HTTPConnectionPool:
    how: dict[str, Any] = {"maxsize": 32, "retries": False, "block": False}
    if not address.startswith(LOCAL):
        return urllib3.connection_from_url(address, **how)
    name = address.removeprefix(LOCAL)
    pool = urllib3.HTTPConnectionPool("localhost", **how)
    pool.ConnectionCls = type("Connection", (_LocalConnection,), {"name": name})
    return pool


def _traced() -> dict[str, str]:
    """The ``traceparent`` of the caller's span, when the caller traces itself."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


def _refusal(response: BaseHTTPResponse) -> InvestigationError:
    content = response.read()
    response.release_conn()
    try:
        return from_dict(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(
            f"an answer that is no broker's: status {response.status}",
            hint="is another program listening at the broker's address?",
            code="no_broker",
        )
