"""How each protocol says what became of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.telemetry.ingest.model import Parsed

_JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_REASONS_TOLD = 3
_GRPC = {400: 3, 401: 16, 413: 3, 415: 3, 503: 14}  # codes of google.rpc.Status by HTTP status
_UNKNOWN = 2


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


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
        return Reply(200, _bytes(1, partial_bytes) if told else b"", _PROTOBUF)

    def refused(self, error: InvestigationError, headers: Mapping[str, str]) -> Reply:
        """A ``google.rpc.Status``."""
        code = _GRPC.get(error.status, _UNKNOWN)
        text = _sentence(error)
        if _is_json(headers):
            body = json.dumps({"code": code, "message": text}).encode()
            return Reply(error.status, body, _JSON)
        return Reply(error.status, _number(1, code) + _text(2, text), _PROTOBUF)


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


def _told(parsed: Parsed) -> str:
    reasons = list(dict.fromkeys(reject.reason for reject in parsed.rejects))
    more = len(reasons) - _REASONS_TOLD
    told = [*reasons[:_REASONS_TOLD], *([f"{more} other reasons"] if more > 0 else [])]
    return "; ".join((*told, *parsed.warnings))[:4096]


def _sentence(error: InvestigationError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == _JSON


def _number(field_number: int, value: int) -> bytes:
    """A protobuf field; these answers are too small to need generated code."""
    return _varint(field_number << 3) + _varint(value) if value else b""


def _text(field_number: int, value: str) -> bytes:
    return _bytes(field_number, value.encode()) if value else b""


def _bytes(field_number: int, value: bytes) -> bytes:
    return _varint(field_number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
