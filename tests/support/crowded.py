"""Requests of two bytes for each object; run as a program, it decodes them and tells its memory."""

from __future__ import annotations

import json
import resource
import struct

import cramjam

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.adapters.wire_format import bytes_field as field

NOW_NS = 1_700_000_000_000_000_000
EMPTIES = 4_000_000


def empties(number: int) -> bytes:
    return field(number, b"") * EMPTIES


def fixed(number: int, value: int) -> bytes:
    return bytes([number << 3 | 1]) + struct.pack("<Q", value)


SPAN = field(1, b"a" * 16) + field(2, b"b" * 8) + fixed(7, NOW_NS)
LINE = fixed(1, NOW_NS)
NAME = field(1, b"m")


def of_span(content: bytes) -> bytes:
    return field(1, field(2, field(2, SPAN + content)))


REQUESTS = {
    "resources": ("spans", lambda: empties(1)),
    "scopes": ("spans", lambda: field(1, empties(2))),
    "spans": ("spans", lambda: field(1, field(2, empties(2)))),
    "log records": ("logs", lambda: field(1, field(2, empties(2)))),
    "metrics": ("metrics", lambda: field(1, field(2, empties(2)))),
    "points": ("metrics", lambda: field(1, field(2, field(2, NAME + field(5, empties(1)))))),
    "attributes": ("spans", lambda: of_span(empties(9))),
    "events": ("spans", lambda: of_span(empties(11))),
    "links": ("spans", lambda: of_span(empties(13))),
    "values": ("spans", lambda: of_span(field(9, NAME + field(2, field(5, empties(1)))))),
    "attributes of a resource": (
        "spans", lambda: field(1, field(1, empties(1)) + field(2, field(2, SPAN)))
    ),
    "attributes of a line": ("logs", lambda: field(1, field(2, field(2, LINE + empties(6))))),
}  # fmt: skip
BLOCKS = {
    "series": ("prometheus-remote-write", lambda: empties(1)),
    "samples": ("prometheus-remote-write", lambda: field(1, empties(2))),
    "streams": ("loki", lambda: empties(1)),
    "lines": ("loki", lambda: field(1, empties(2))),
}


def outcome(name: str) -> str:
    """What becomes of one: the error, or the reasons of rejects."""
    signal = ""
    if name in REQUESTS:
        format_, (signal, made) = "otlp-proto", REQUESTS[name]
        body = made()
    else:
        format_, made = BLOCKS[name]
        body = bytes(cramjam.snappy.compress_raw(made()))
    context = Context(NOW_NS, headers={"content-type": "application/x-protobuf"}, signal=signal)
    try:
        (alone,) = (
            registry.decode_together(format_, signal, [body]) if signal == "spans" else [None]
        )
        parsed = alone or registry.decode(format_, body, context)
    except BadInput as error:
        return str(error)
    return " ".join({reject.reason for reject in parsed.rejects})


if __name__ == "__main__":
    registry.decode("otlp-proto", field(1, b""), Context(NOW_NS, signal="spans"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = {name: outcome(name) for name in (*REQUESTS, *BLOCKS)}
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"outcomes": outcomes, "grown_mib": grown >> 10}))
