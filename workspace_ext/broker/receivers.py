"""Receivers: the routes that senders push to, and how each protocol wants its answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from workspace_ext.broker.answers import (
    ElasticAnswers,
    OtlpAnswers,
    PlainAnswers,
    Reply,
    retry_seconds,
)
from workspace_ext.broker.intake import MOST_BODY_BYTES, Request, too_large
from workspace_ext.broker.metrics import CONTENT_TYPE
from workspace_ext.broker.receiving import Door
from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError, Unavailable
from workspace_ext.telemetry.ingest.model import Parsed

_log = logging.getLogger(__name__)

_MOST_DISCARDED_BYTES = 256 << 20
_STATUS = {"too_large": 413, "bad_encoding": 415, "bad_type": 415}
_ANY = ""


class Answers(Protocol):
    """How a protocol says what became of a request."""

    def accepted(self, parsed: Parsed, headers: Mapping[str, str]) -> Reply:
        """It is kept, but for what was rejected."""

    def refused(self, error: InvestigationError, headers: Mapping[str, str]) -> Reply:
        """It is not kept."""


@dataclass(frozen=True)
class Receiver:
    """A route that takes telemetry.

    Attributes:
        formats: The adapter for each content type; "" for any other.
        answers: How it answers.
        signal: What it holds, when the route says so.
        undone: Whether a content encoding is undone before the adapter sees the body.
    """

    formats: Mapping[str, str]
    answers: Answers
    signal: str = ""
    undone: bool = True

    def format(self, content_type: str) -> str:
        """The adapter for a content type.

        Raises:
            BadInput: There is none.
        """
        found = self.formats.get(content_type.partition(";")[0].strip().lower())
        found = found or self.formats.get(_ANY)
        if found is None:
            raise BadInput(
                f"the content type {content_type[:60]!r} is not known here",
                hint=f"use one of: {', '.join(self.formats)}",
                code="bad_type",
            )
        return found


_OTLP = {"application/x-protobuf": "otlp-proto", "application/json": "otlp-json"}

RECEIVERS: dict[str, Receiver] = {
    "/v1/traces": Receiver(_OTLP, OtlpAnswers("rejectedSpans"), "spans"),
    "/v1/logs": Receiver(_OTLP, OtlpAnswers("rejectedLogRecords"), "logs"),
    "/v1/metrics": Receiver(_OTLP, OtlpAnswers("rejectedDataPoints"), "metrics"),
    "/api/v1/write": Receiver({_ANY: "prometheus-remote-write"}, PlainAnswers(204), undone=False),
    "/webhook/alertmanager": Receiver({_ANY: "alertmanager"}, PlainAnswers(200)),
    "/events": Receiver({_ANY: "cloudevents"}, PlainAnswers(202)),
    "/loki/api/v1/push": Receiver({_ANY: "loki"}, PlainAnswers(204)),
    "/api/traces": Receiver({"application/json": "jaeger"}, PlainAnswers(202)),
    "/api/v2/spans": Receiver({_ANY: "zipkin"}, PlainAnswers(202)),
    "/catalog": Receiver({_ANY: "backstage"}, PlainAnswers(202)),
    "(?:/[^/]+)?/_bulk": Receiver({_ANY: "elastic-bulk"}, ElasticAnswers()),
}


@stream_request_body
class DoorHandler(RequestHandler):
    """Checks the token; holds nothing of a body that nobody asked for."""

    def initialize(self, door: Door) -> None:
        """Tornado's constructor arguments."""
        self.door = door

    def prepare(self) -> None:
        """The body of a refused request is read and thrown away, so that its sender is told why."""
        self.request.connection.set_max_body_size(_MOST_DISCARDED_BYTES)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> None:
        """A part of the body."""

    def check_token(self) -> None:
        """Whether the caller may come in.

        Raises:
            Denied: No token, or a wrong one.
        """
        self.door.check(self.request.headers.get("Authorization", ""))

    def set_default_headers(self) -> None:
        """For every answer."""
        self.set_header("Server", "investigation-broker")

    def compute_etag(self) -> str | None:
        """None: answers are not cached."""
        return None


class MetricsHandler(DoorHandler):
    """GET /metrics: the health of the broker, for Prometheus."""

    async def get(self) -> None:
        """All of it; by another thread, as the tables are asked and senders must not wait."""
        try:
            self.check_token()
        except Denied as error:
            raise HTTPError(401, error.message) from error
        text = await asyncio.to_thread(self.door.metrics.text)
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(text)


class NowhereHandler(DoorHandler):
    """Any other path: says which there are."""

    def prepare(self) -> None:
        """Whatever the method is."""
        super().prepare()
        self.set_status(404)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        there = ", ".join(path.replace("(?:/[^/]+)?", "") for path in RECEIVERS)
        self.finish(f"nothing is received at {self.request.path[:200]}, but at: {there}\n")


class ElasticHandler(DoorHandler):
    """GET /, HEAD /_cat/health: what senders of Elastic bulk requests ask before they send."""

    def get(self) -> None:
        """That somebody is there."""
        self.finish({"version": {"number": "8.0.0"}, "tagline": "You Know, for Search"})

    head = get


class ReceiverHandler(DoorHandler):
    """POST: takes a request, answers when it is on disk."""

    def initialize(self, door: Door, receiver: Receiver) -> None:  # type: ignore[override]
        """Tornado's constructor arguments."""
        super().initialize(door)
        self._receiver = receiver
        self._received: list[bytes] = []
        self._size = 0
        self._reserved = 0
        self._refusal: InvestigationError | None = None

    def prepare(self) -> None:
        """Refuses before the body comes, if it will be refused; the body is thrown away then."""
        super().prepare()
        announced = self.request.headers.get("Content-Length", "")
        try:
            if self.request.method == "POST":
                self.check_token()
                self._grow(int(announced) if announced.isdigit() else 0)
        except InvestigationError as error:
            self._refusal = error

    def data_received(self, chunk: bytes) -> None:
        """A part of the body."""
        if self._refusal is not None:
            return
        self._size += len(chunk)
        try:
            self._grow(self._size)
        except InvestigationError as error:
            self._refusal = error
            self._received = []
            return
        self._received.append(chunk)

    def _grow(self, size: int) -> None:
        if size > MOST_BODY_BYTES:
            raise too_large()
        if size > self._reserved or not self._reserved:
            self.door.intake.reserve(size - self._reserved)
            self._reserved = size

    async def post(self, *_path: str) -> None:
        """Takes it."""
        started = perf_counter()
        name = self.request.path
        try:
            with self.door.presence.request():
                parsed = await self.door.intake.receive(self._whole())
        except InvestigationError as error:
            self._refuse(error)
            return
        except Exception:
            _log.exception("%s failed", name)
            self._refuse(
                InvestigationError(
                    "the broker failed while it did this", hint="see its log", code="internal"
                )
            )
            return
        self._send(self._receiver.answers.accepted(parsed, self._headers_given()))
        self.door.metrics.acknowledged(self._label(), perf_counter() - started)

    def _whole(self) -> Request:
        if self._refusal is not None:
            raise self._refusal
        headers = self._headers_given()
        encoding = headers.get("content-encoding", "").strip().lower()
        whole = Request(
            format=self._receiver.format(headers.get("content-type", "")),
            signal=self._receiver.signal,
            source=f"{self.request.path} from {self.request.remote_ip}",
            encoding=encoding if self._receiver.undone and encoding != "snappy" else "",
            headers=headers,
            body=b"".join(self._received),
        )
        self._received, self._reserved = [], 0  # its room is given back by who takes it
        return whole

    def _headers_given(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.request.headers.items()}

    def _refuse(self, error: InvestigationError) -> None:
        status = 401 if isinstance(error, Denied) else _STATUS.get(error.code, error.status)
        self.set_status(status)
        self.door.metrics.refused(self._label(), error.code)
        if isinstance(error, Unavailable):
            self.set_header("Retry-After", str(retry_seconds(error)))
        if status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        reply = self._receiver.answers.refused(error, self._headers_given())
        self._send(reply, status)

    def _send(self, reply: Reply, status: int | None = None) -> None:
        self.set_status(status or reply.status)
        for header, value in reply.headers.items():
            self.set_header(header, value)
        if reply.body or reply.content_type:
            self.set_header("Content-Type", reply.content_type)
        self.finish(reply.body or None)

    def write_error(self, status_code: int, **_given: Any) -> None:
        """What Tornado itself refuses, such as a GET, in the words of the protocol."""
        error: InvestigationError = BadInput(
            f"{self.request.method} {self.request.path[:200]}: {self._reason}",
            hint="send telemetry by POST",
        )
        reply = self._receiver.answers.refused(error, self._headers_given())
        self._send(reply, status_code)

    def _label(self) -> str:
        return "/_bulk" if self.request.path.endswith("/_bulk") else self.request.path

    def on_finish(self) -> None:
        """Gives the room back of what was not taken."""
        self._let_go()

    def on_connection_close(self) -> None:
        """The sender left; what was taken is kept anyway."""
        super().on_connection_close()
        self._let_go()

    def _let_go(self) -> None:
        self.door.intake.release(self._reserved)
        self._reserved = 0
        self._received = []


def receiving(door: Door, **settings: Any) -> Application:
    """The Tornado application over all receivers."""
    return Application(
        [
            ("/metrics", MetricsHandler, {"door": door}),
            ("/", ElasticHandler, {"door": door}),
            ("/_cat/health", ElasticHandler, {"door": door}),
            *(
                (path, ReceiverHandler, {"door": door, "receiver": receiver})
                for path, receiver in RECEIVERS.items()
            ),
        ],
        default_handler_class=NowhereHandler,
        default_handler_args={"door": door},
        **settings,
    )
