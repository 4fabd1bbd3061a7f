"""Whatever bytes come: records and rejects, or one clear error; never anything else."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.places import shared_data
from tests.support.store import NOW_NS
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.mapping import parse_mapping
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.source import Opened

MAPPING = parse_mapping(
    "signal: logs\nfields: {time: {column: t, unit: s}, body: a, severity: b}\nattributes: [a]"
)
DAY = "trainticket-2023-01-29-09_13"
SAMPLES = {
    "otlp-json": ("otlp-spec-examples", "metrics.json"),
    "otlp-proto": ("otlp-nezha", DAY, "traces.01.otlp.pb.gz"),
    "prometheus": ("prometheus", "alltypes.237mfs.prom.txt.gz"),
}


@cache
def sample(name: str) -> bytes:
    with Opened(shared_data("payloads", *SAMPLES[name]), name) as opened:
        content = opened.stream.read(20_000)
    return (b" ".join(content.split()) + b"\n") * 3 if name == "otlp-json" else content


def read(name: str, content: bytes) -> list[Parsed]:
    mapping = MAPPING if name == "csv" else None
    return list(
        registry.find(name).read(io.BytesIO(content), Context(NOW_NS, "x", mapping=mapping))
    )


changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4)), max_size=6)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40)
@given(changes=changes, cut=st.floats(0.2, 1))
def test_real_payloads_changed_and_cut(
    name: str, changes: list[tuple[float, bytes]], cut: float
) -> None:
    content = bytearray(sample(name))
    for where, put in changes:
        at = int(where * len(content))
        content[at : at + len(put)] = put
    parts: list[Parsed] = []
    with suppress(BadInput):
        parts = read(name, bytes(content[: int(cut * len(content))]))
    for part in parts:
        for signal, records in part.tables.items():
            assert records.schema == arrow_schema(signal)


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(text, text), max_size=10))
def test_csv_gives_back_what_a_writer_wrote(rows: list[tuple[str, str]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["t", "a", "b"])
    for number, row in enumerate(rows):
        writer.writerow([1_700_000_000 + number, *row])
    (part,) = read("csv", buffer.getvalue().encode())
    assert not part.rejects
    given_back = part.tables["logs"].select(["severity", "attributes"]).to_pylist()
    assert [(dict(row["attributes"]).get("a"), row["severity"]) for row in given_back] == [
        (a or None, b or None) for a, b in rows
    ]
