"""How each protocol says what became of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError, Unavailable
from workspace_ext.telemetry.ingest.adapters.wire_format import bytes_field, number_field
from workspace_ext.telemetry.ingest.model import Parsed

_JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_REASONS_TOLD = 3
_UNKNOWN = 2  # codes of google.rpc.Status; the others by the class of an error
_CODES: dict[type[InvestigationError], int] = {BadInput: 3, Denied: 16, Unavailable: 14}
_RETRY_SECONDS = {"disk_full": 5}
_TYPES = "type.googleapis.com/google.rpc."

RETRY_INFO_HEADER = "google.rpc.retryinfo-bin"
"""Where exporters of the OpenTelemetry SDKs look for it; the specification has it in the status."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """A ``google.rpc.Status``, with the one detail that OTLP wants of it.

    Attributes:
        code: Of gRPC.
        message: What is wrong.
        retry_seconds: When to come again, as RetryInfo; 0 for never.
        bad: Whether the request is at fault; BadRequest says so.
    """

    code: int
    message: str
    retry_seconds: int = 0
    bad: bool = False

    def encode(self) -> bytes:
        """As protobuf."""
        detail = b""
        if self.retry_seconds:
            detail = _text(1, f"{_TYPES}RetryInfo") + bytes_field(2, self.retry_info())
        elif self.bad:
            violation = _text(1, "body") + _text(2, self.message)
            detail = _text(1, f"{_TYPES}BadRequest") + bytes_field(2, bytes_field(1, violation))
        head = _number(1, self.code) + _text(2, self.message)
        return head + (bytes_field(3, detail) if detail else b"")

    def retry_info(self) -> bytes:
        """The detail alone: a Duration."""
        return bytes_field(1, _number(1, self.retry_seconds))

    def to_dict(self) -> dict[str, Any]:
        """As protobuf's JSON."""
        made: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.retry_seconds:
            delay = f"{self.retry_seconds}s"
            made["details"] = [{"@type": f"{_TYPES}RetryInfo", "retryDelay": delay}]
        elif self.bad:
            violations = [{"field": "body", "description": self.message}]
            made["details"] = [{"@type": f"{_TYPES}BadRequest", "fieldViolations": violations}]
        return made


@dataclass(frozen=True)
class OtlpAnswers:
    """As the OTLP specification has it, in the encoding of the request.

    Attributes:
        counted: The name of the field that counts rejected records.
    """

    counted: str

    def accepted(self, parsed: Parsed, headers: Mapping[str, str]) -> Reply:
        """Partial success when something was rejected, or when there is a warning."""
        told = _told(parsed)
        if _is_json(headers):
            partial = {self.counted: str(parsed.rejected), "errorMessage": told}
            body = json.dumps({"partialSuccess": partial} if told else {}).encode()
            return Reply(200, body, _JSON)
        partial_bytes = _number(1, parsed.rejected) + _text(2, told)
        return Reply(200, bytes_field(1, partial_bytes) if told else b"", _PROTOBUF)

    def refused(self, error: InvestigationError, headers: Mapping[str, str]) -> Reply:
        """A ``google.rpc.Status``."""
        status = self.status(error)
        if _is_json(headers):
            return Reply(error.status, json.dumps(status.to_dict()).encode(), _JSON)
        return Reply(error.status, status.encode(), _PROTOBUF)

    def status(self, error: InvestigationError) -> Status:
        """What is said of a request that was not kept."""
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), _UNKNOWN)
        return Status(code, _sentence(error), retry_seconds(error), isinstance(error, BadInput))


@dataclass(frozen=True)
class PlainAnswers:
    """A status, and a line of text when something is wrong.

    Attributes:
        status: Of success.
    """

    status: int

    def accepted(self, parsed: Parsed, headers: Mapping[str, str]) -> Reply:
        """Success; what was rejected is in quarantine."""
        written = {}
        if "x-prometheus-remote-write-version" in headers:
            rows = parsed.tables.get("metrics", ())
            written = {
                "X-Prometheus-Remote-Write-Samples-Written": str(len(rows)),
                "X-Prometheus-Remote-Write-Histograms-Written": "0",
                "X-Prometheus-Remote-Write-Exemplars-Written": "0",
            }
        return Reply(self.status, headers=written)

    def refused(self, error: InvestigationError, _headers: Mapping[str, str]) -> Reply:
        """Why."""
        return Reply(error.status, f"{_sentence(error)}\n".encode(), "text/plain; charset=utf-8")


@dataclass(frozen=True)
class ElasticAnswers:
    """As Elasticsearch answers a bulk request: one item for each action, in order."""

    def accepted(self, parsed: Parsed, _headers: Mapping[str, str]) -> Reply:
        """An item for each record; the bad ones are told by their place when it is known."""
        records = sum(len(table) for table in parsed.tables.values()) + parsed.rejected
        items: list[dict[str, Any]] = [{"create": {"status": 201}} for _ in range(records)]
        for reject in parsed.rejects:
            place = (reject.line - 1) // 2 if reject.line else -1
            if records:
                why = {"type": "mapper_parsing_exception", "reason": reject.reason}
                items[min(place, records - 1)] = {"create": {"status": 400, "error": why}}
        answer = {"took": 0, "errors": bool(parsed.rejected), "items": items}
        product = {"X-Elastic-Product": "Elasticsearch"}
        return Reply(200, json.dumps(answer).encode(), _JSON, product)

    def refused(self, error: InvestigationError, _headers: Mapping[str, str]) -> Reply:
        """Why."""
        cause = {"type": error.code, "reason": _sentence(error)}
        body = json.dumps({"error": cause, "status": error.status}).encode()
        return Reply(error.status, body, _JSON)


def retry_seconds(error: InvestigationError) -> int:
    """After how long a sender should try again; 0 when that is no use.

    It goes with 503, never 429, which OTLP takes as well: Prometheus and Alertmanager throw away
    what they hear that of, unless they are told not to.
    """
    return _RETRY_SECONDS.get(error.code, 1) if isinstance(error, Unavailable) else 0


def _told(parsed: Parsed) -> str:
    reasons = list(dict.fromkeys(reject.reason for reject in parsed.rejects))
    more = len(reasons) - _REASONS_TOLD
    told = [*reasons[:_REASONS_TOLD], *([f"{more} other reasons"] if more > 0 else [])]
    return "; ".join((*told, *parsed.warnings))[:4096]


def _sentence(error: InvestigationError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _is_json(headers: Mapping[str, str]) -> bool:
    """Also when it came as neither: people can read that."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() != _PROTOBUF


def _number(field_number: int, value: int) -> bytes:
    """A protobuf field; these answers are too small to need generated code."""
    return number_field(field_number, value) if value else b""


def _text(field_number: int, value: str) -> bytes:
    return bytes_field(field_number, value.encode()) if value else b""
