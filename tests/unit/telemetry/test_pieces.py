"""Large protobuf messages are read in pieces, and those that would need gigabytes are not."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.payloads import MS, V2, decode, pushed, reasons, snappy, written, written_2
from tests.support.places import REPOSITORY, shared_data
from tests.support.store import NOW_NS
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.adapters import pieces
from workspace_ext.telemetry.ingest.adapters.wire_format import bytes_field as field
from workspace_ext.telemetry.ingest.limits import ATTRIBUTES, MOST_PARTS, MOST_RECORDS
from workspace_ext.telemetry.ingest.model import Parsed

NEZHA = ("payloads", "otlp-nezha", "trainticket-2023-01-29-09_13")
TOO_MANY = f"it has more than {MOST_PARTS:,} attributes and other parts"
SERIES = {"__name__": "http_requests_total", "job": "cart", "code": "500"}
MANY_SERIES = [(SERIES | {"number": str(n)}, [(n, MS + n), (n, MS)]) for n in range(200)]
LINES = [(1_700_000_000 + n, f"line {n}", {"trace_id": f"{n:032x}"}) for n in range(500)]


def otlp(body: bytes, signal: str = "") -> Parsed:
    return registry.decode("otlp-proto", body, Context(NOW_NS, signal=signal))


def shown(parsed: Parsed) -> str:
    """All of it as a text, as NaN is not equal to itself."""
    tables = {signal: table.to_pylist() for signal, table in parsed.tables.items()}
    return str((tables, parsed.rejects, parsed.warnings))


@pytest.mark.parametrize(
    "read",
    [
        *(
            lambda name=name: otlp(gzip.decompress(shared_data(*NEZHA, name).read_bytes()))
            for name in ("traces.00.otlp.pb.gz", "logs.00.otlp.pb.gz", "metrics.00.otlp.pb.gz")
        ),
        lambda: decode("prometheus-remote-write", snappy(written(*MANY_SERIES))),
        lambda: decode("prometheus-remote-write", snappy(written_2(*MANY_SERIES)), **V2),
        lambda: decode("loki", snappy(pushed('{app="cart"}', *LINES))),
    ],
    ids=["spans", "logs", "metrics", "remote write 1.0", "remote write 2.0", "loki"],
)
def test_in_pieces_it_has_the_same_records(
    read: Callable[[], Parsed], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read()
    assert whole.records > 100
    cut = 0
    uncut = pieces._cut

    def counted(*args: Any) -> Any:
        nonlocal cut
        cut += 1
        return uncut(*args)

    monkeypatch.setattr(pieces, "_cut", counted)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 2_000)
    assert shown(read()) == shown(whole)
    assert cut


def spans(*records: bytes) -> bytes:
    """A request, of spans as they stand on the wire."""
    return field(1, field(2, b"".join(field(2, record) for record in records)))


def good(number: int) -> bytes:
    span = Span(
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        start_time_unix_nano=NOW_NS,
    )
    return span.SerializeToString()


def test_a_span_of_a_million_attributes_costs_itself_only() -> None:
    body = spans(good(1), good(2) + field(9, b"") * 1_000_000, good(3))
    parsed = otlp(body, "spans")
    assert [int(row["span_id"], 16) for row in parsed.tables["spans"].to_pylist()] == [1, 3]
    assert reasons(parsed) == [(1, TOO_MANY)]


def test_a_large_span_is_kept() -> None:
    many = b"".join(
        field(
            9, KeyValue(key=f"key {n}", value=AnyValue(string_value="x" * 100)).SerializeToString()
        )
        for n in range(10_000)
    )
    (row,) = otlp(spans(good(1) + many), "spans").tables["spans"].to_pylist()
    assert len(row["attributes"]) == ATTRIBUTES
    assert all(value == "x" * 100 for _, value in row["attributes"])


def test_what_would_need_gigabytes_is_not_parsed() -> None:
    """Of eight megabytes each, as objects up to four hundred."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.crowded"],
        capture_output=True, check=True, cwd=REPOSITORY, text=True,
    )  # fmt: skip
    told = json.loads(made.stdout)
    refused = f"the request has more than {MOST_RECORDS:,} records"
    assert {name for name, outcome in told["outcomes"].items() if outcome == refused} == {
        "resources", "scopes", "spans", "log records", "metrics", "points",
        "series", "samples", "streams", "lines",
    }  # fmt: skip
    assert {outcome for outcome in told["outcomes"].values() if outcome != refused} == {TOO_MANY}
    assert told["grown_mib"] < 400


def test_what_is_cut_off_is_refused() -> None:
    body = spans(*(good(number) for number in range(1, 20_000)))
    assert len(otlp(body, "spans").tables["spans"]) == 19_999
    with pytest.raises(BadInput, match="holds no spans as OTLP protobuf: it is cut off"):
        otlp(body[:-1], "spans")


def test_no_more_text_lines_are_taken_than_records() -> None:
    with pytest.raises(BadInput, match="the request has more than 1,000,000 records"):
        decode("prometheus", b"a 1\n" * (MOST_RECORDS + 1))
    with pytest.raises(BadInput, match="the request has more than 1,000,000 records"):
        decode("syslog", b"x\n" * (MOST_RECORDS + 1))
