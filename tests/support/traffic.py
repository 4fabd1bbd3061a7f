"""Spans as a shop of twenty services would send them: random ids, skewed values, many at once.

Not a copy of any system, but of what makes telemetry large or small: ids are random, durations and
times are too, most attributes have few values and some (a path with a number, a user) have many.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workspace_ext.telemetry.ingest.columns import arrow_schema

START_NS = 1_700_000_000_000_000_000
SERVICES = 20
PODS = 3
OPERATIONS = 10
TRACE_SPANS = 8
SPAN_GAP_NS = 20_000
"""Between two spans, in the mean: 50,000 a second."""

_RESOURCE = ("host.name", "k8s.pod.name", "service.name", "service.version", "telemetry.sdk.name")
_ATTRIBUTES = (
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "server.address",
    "url.path",
    "user.id",
)
_METHODS = ("GET", "POST", "PUT", "DELETE")
_KINDS = ("SERVER", "CLIENT", "INTERNAL")

Numbers = npt.NDArray[np.int64]


def spans(first: int, count: int) -> pa.Table:
    """Spans numbered from ``first``, the same for the same numbers, nearly sorted by time."""
    chance = np.random.default_rng(first)
    number = np.arange(first, first + count)
    service = chance.zipf(1.3, count) % SERVICES
    pod = service * PODS + chance.integers(0, PODS, count)
    route = service * OPERATIONS + chance.zipf(1.5, count) % OPERATIONS
    failed = chance.random(count) < 0.01
    time_ns = START_NS + number * SPAN_GAP_NS + chance.integers(0, 50 * SPAN_GAP_NS, count)
    traces = chance.bytes(16 * (count // TRACE_SPANS + 1))
    trace = np.arange(count) // TRACE_SPANS
    ids = chance.bytes(8 * count)
    parent = np.where(np.arange(count) % TRACE_SPANS == 0, -1, trace * TRACE_SPANS)
    texts = _texts()
    columns: dict[str, pa.Array] = {
        "time": pa.array(time_ns // 1000).cast(pa.timestamp("us", "UTC")),
        "time_ns": pa.array(time_ns),
        "duration_ns": pa.array((chance.lognormal(15, 1.2, count)).astype(np.int64)),
        "trace_id": _hex(traces, 16).take(pa.array(trace)),
        "span_id": _hex(ids, 8),
        "parent_span_id": _hex(ids, 8).take(pa.array(parent, mask=parent < 0)),
        "name": _named("GET /r/", SERVICES * OPERATIONS).take(pa.array(route)),
        "kind": pa.array(_KINDS).take(pa.array(number % 3)),
        "status": pa.array(("UNSET", "ERROR")).take(pa.array(failed.astype(int))),
        "service": texts["service"].take(pa.array(service)),
        "environment": pa.array(["production"]).take(pa.array(np.zeros(count, int))),
        "version": texts["version"].take(pa.array(service)),
        "pod": texts["pod"].take(pa.array(pod)),
        "host": texts["host"].take(pa.array(pod)),
        "scope": pa.array(["instrumentation.http"]).take(pa.array(np.zeros(count, int))),
        "attributes": _attributes(chance, route, failed),
        "resource": _resources().take(pa.array(pod)),
    }
    schema = arrow_schema("spans")
    return pa.Table.from_arrays(
        [columns.get(f.name, pa.nulls(count, f.type)).cast(f.type) for f in schema], schema=schema
    )


def _attributes(
    chance: np.random.Generator, route: Numbers, failed: npt.NDArray[np.bool_]
) -> pa.Array:
    count = len(route)
    values = pa.concat_arrays(
        [
            pa.array(_METHODS),
            pa.array(["200", "500"]),
            _named("/r/", SERVICES * OPERATIONS),
            _named("10.0.0.", 250),
            pa.array([f"/r/{n % (SERVICES * OPERATIONS)}/{n * 7919}" for n in range(20_000)]),
            _named("user-", 10_000),
        ]
    )
    starts = np.cumsum([0, len(_METHODS), 2, SERVICES * OPERATIONS, 250, 20_000])
    picked = np.stack(
        [
            chance.zipf(1.6, count) % len(_METHODS),
            failed.astype(np.int64),
            route,
            chance.integers(0, 250, count),
            chance.integers(0, 20_000, count),
            chance.zipf(1.2, count) % 10_000,
        ],
        axis=1,
    )
    items = values.take(pa.array((picked + starts).ravel()))
    keys = pa.array(_ATTRIBUTES).take(pa.array(np.tile(np.arange(len(_ATTRIBUTES)), count)))
    offsets = pa.array(np.arange(0, 6 * count + 1, 6), pa.int32())
    return pa.MapArray.from_arrays(offsets, keys, items)


@cache
def _texts() -> dict[str, pa.Array]:
    pods = range(SERVICES * PODS)
    return {
        "service": _named("service-", SERVICES),
        "version": pa.array([f"1.{n}.0" for n in range(SERVICES)]),
        "pod": pa.array([f"service-{n // PODS}-{n * 7919 % 65536:x}" for n in pods]),
        "host": pa.array([f"node-{n % 7}" for n in pods]),
    }


@cache
def _resources() -> pa.Array:
    texts = _texts()
    rows = [
        list(
            zip(
                _RESOURCE,
                (
                    texts["host"][n].as_py(),
                    texts["pod"][n].as_py(),
                    texts["service"][n // PODS].as_py(),
                    texts["version"][n // PODS].as_py(),
                    "opentelemetry",
                ),
                strict=True,
            )
        )
        for n in range(SERVICES * PODS)
    ]
    return pa.array(rows, pa.map_(pa.string(), pa.string()))


def _named(prefix: str, count: int) -> pa.Array:
    return pa.array([f"{prefix}{number}" for number in range(count)])


def _hex(content: bytes, size: int) -> pa.Array:
    """Each ``size`` bytes as hexadecimal text."""
    count = len(content) // size
    offsets = pa.array(np.arange(count + 1) * size * 2, pa.int32())
    return pa.StringArray.from_buffers(
        count, offsets.buffers()[1], pa.py_buffer(content.hex().encode())
    )
