"""What no sender may do to the store, through a real broker: bounded, and told in three places.

The answer tells the sender, the batch tells whoever asks about rows, /metrics tells who runs it.
"""

from __future__ import annotations

from typing import Any

import pytest
import urllib3
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.live import Receiver, export_request
from workspace_ext.telemetry.ingest.adapters.otlp_proto import REPAIRED
from workspace_ext.telemetry.ingest.limits import ATTRIBUTES, TEXT

PROTOBUF = "application/x-protobuf"
YEAR_2200_NS = 7_258_118_400_000_000_000
MANY = "different names of attributes: is a value such as an id taken for a name?"


def named(count: int) -> dict[str, Any]:
    pairs = [{"key": f"key-{n:05}", "value": {"string_value": "v"}} for n in range(count)]
    return {"attributes": pairs}


HOSTILE: list[tuple[str, dict[str, Any], int, str]] = [
    ("a megabyte", {"attributes": [{"key": "k", "value": {"string_value": "x" * (1 << 20)}}]}, 0,
     f"attributes: values of more than {TEXT} characters were cut"),
    ("ten thousand", named(10_000), 0, f"attributes: 1 records had more than {ATTRIBUTES}"),
    ("many names", named(10_000), 0, MANY),
    ("empty ids", {"trace_id": b"", "span_id": b""}, 1, "trace id '' is not 32 hexadecimal"),
    ("1970", {"start_time_unix_nano": 5}, 1, "time 5 is out of range"),
    ("2200", {"start_time_unix_nano": YEAR_2200_NS}, 1, "is out of range"),
    ("no text", {"name": "broken"}, 0, REPAIRED),
]  # fmt: skip


def hostile(first: int, service: str, change: dict[str, Any]) -> bytes:
    """A request of ten spans, one of which is changed."""
    request = ExportTraceServiceRequest.FromString(export_request(first, 10, service=service))
    span = request.resource_spans[0].scope_spans[0].spans[4]
    for name, value in change.items():
        span.ClearField(name)
        span.MergeFrom(type(span)(**{name: value}))
    return request.SerializeToString().replace(b"broken", b"br\xffken")


def counted(broker: Receiver, name: str) -> float:
    text = urllib3.request("GET", f"{broker.address}/metrics").data.decode()
    lines = [line for line in text.splitlines() if line.startswith(f"investigation_ingest_{name}")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.parametrize("place", range(len(HOSTILE)), ids=[case[0] for case in HOSTILE])
def test_bounded_and_told(open_receiver: Receiver, place: int) -> None:
    service, change, rejected, told = HOSTILE[place]
    first = 900_000 + place * 10
    warnings = counted(open_receiver, "warnings_total")
    records = counted(open_receiver, 'records_total{adapter="otlp-proto",outcome="rejected"}')
    answer = open_receiver.post("/v1/traces", hostile(first, service, change), PROTOBUF)
    assert answer.status == 200
    partial = ExportTraceServiceResponse.FromString(answer.data).partial_success
    assert partial.rejected_spans == rejected
    assert told in partial.error_message
    (row,) = open_receiver.rows(
        "SELECT count(*) AS n, max(len(map_keys(attributes))) AS keys,"
        " max(length(array_to_string(map_values(attributes), ''))) AS size"
        f" FROM spans WHERE service = '{service}'"
    )
    assert row["n"] == 10 - rejected
    assert row["keys"] <= ATTRIBUTES
    assert row["size"] < 2 * TEXT
    (batch,) = open_receiver.client.batches(limit=1)
    assert batch["rows"] == {"spans": 10 - rejected}
    assert batch["quarantined"] == rejected
    if rejected:
        made = counted(open_receiver, 'records_total{adapter="otlp-proto",outcome="rejected"}')
        assert made == records + 1
    else:
        assert any(told in warning for warning in batch["warnings"])
        assert counted(open_receiver, "warnings_total") > warnings
