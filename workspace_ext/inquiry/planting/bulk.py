"""A day of made-up telemetry of any size, made by DuckDB through the real schema.

Requests through thirty services, eight spans each in three levels, with skewed durations, a share
of failures, a line of log a span, counters and gauges of ninety pods, and a few hundred events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workspace_ext.foundation.clock import Window

if TYPE_CHECKING:
    import duckdb

DAY = Window.parse("2024-05-01T00:00:00Z/2024-05-02T00:00:00Z")
_PART = 2_000_000
"""Rows a transaction: what is written at once must fit into memory."""

_START_US = DAY.start_ns // 1000
_DAY_US = 86_400_000_000

_SPANS = """
INSERT INTO raw.spans BY NAME
SELECT make_timestamptz(start_us) AS time, start_us * 1000 AS time_ns,
       (1000 * CASE place WHEN 0 THEN 4 WHEN 1 THEN 2 WHEN 2 THEN 2 ELSE 1 END
        * (2000 + 30000 * power(hash(i, 'd') % 1000 / 1000, 6)))::BIGINT AS duration_ns,
       printf('%032x', trace) AS trace_id, printf('%016x', i) AS span_id,
       CASE WHEN place > 0 THEN printf('%016x', trace * 8 + (place - 1) // 3) END AS parent_span_id,
       'service-' || service AS service, 'GET /op/' || (service * 3 + hash(trace) % 3) AS name,
       'server' AS kind, CASE WHEN hash(i, 'e') % 200 = 0 THEN 'error' ELSE 'ok' END AS status,
       'v' || (1 + (hash(i, 'v') % 2)) AS version,
       'pod-' || service || '-' || (hash(i, 'p') % 3) AS pod,
       'host-' || (hash(i, 'p') % 10) AS host, 'production' AS environment,
       MAP {{'http.request.method': 'GET', 'http.response.status_code': '200',
            'url.path': '/p/' || (hash(i, 'u') % 5000),
            'user.id': 'u' || (hash(trace) % 100000)}} AS attributes,
       1 AS batch_id
FROM (SELECT i, i // 8 AS trace, i % 8 AS place,
             (i % 8 * 4 + hash(i // 8) % 4) % 30 AS service,
             {start} + (i // 8 * {step})::BIGINT + i % 8 * 700 AS start_us
      FROM range({first}, {last}) r(i))
"""
_LOGS = """
INSERT INTO raw.logs BY NAME
SELECT make_timestamptz(start_us) AS time, start_us * 1000 AS time_ns,
       make_timestamptz(start_us + 200000) AS observed_time,
       CASE WHEN hash(i, 'e') % 500 = 0 THEN 17 ELSE 9 END AS severity_number,
       CASE WHEN hash(i, 'e') % 500 = 0 THEN 'ERROR' ELSE 'INFO' END AS severity,
       CASE hash(i, 't') % 6
           WHEN 0 THEN 'request ' || i || ' served in ' || hash(i) % 900 || ' ms'
           WHEN 1 THEN 'cache hit for user ' || hash(i) % 9000
           WHEN 2 THEN 'opened connection to 10.0.' || i % 9 || '.' || i % 250 || ':5432'
           WHEN 3 THEN 'queue "mails" holds ' || hash(i) % 40
           WHEN 4 THEN 'retry ' || i % 3 || ' of job ' || hash(i) % 10000
           ELSE 'order ' || printf('%x', hash(i)) || ' accepted' END AS body,
       printf('%032x', i // 8) AS trace_id, printf('%016x', i) AS span_id,
       'service-' || ((i % 8 * 4 + hash(i // 8) % 4) % 30) AS service, 1 AS batch_id
FROM (SELECT i, {start} + (i // 8 * {step})::BIGINT + i % 8 * 700 AS start_us
      FROM range({first}, {last}) r(i))
"""
_METRICS = """
INSERT INTO raw.metrics BY NAME
SELECT make_timestamptz(start_us) AS time, start_us * 1000 AS time_ns, metric.name AS name,
       metric.kind AS kind, metric.unit AS unit,
       CASE WHEN metric.kind = 'sum' THEN 'cumulative' END AS temporality,
       metric.kind = 'sum' AS monotonic,
       CASE WHEN metric.kind = 'sum' THEN i // {series} * 10.0 + hash(i) % 5
            ELSE metric.level * (0.5 + hash(i) % 1000 / 2000) END AS value,
       'service-' || pod // 3 AS service, 'pod-' || pod // 3 || '-' || pod % 3 AS pod,
       'host-' || pod % 10 AS host, 1 AS batch_id
FROM (SELECT i, i % {series} // {names} AS pod, {metrics}[1 + i % {names}] AS metric,
             {start} + (i // {series} * {step})::BIGINT AS start_us
      FROM range({first}, {last}) r(i))
"""
_NAMES = (
    ("k8s.pod.cpu_limit_utilization", "gauge", "1", 0.5),
    ("k8s.pod.memory_limit_utilization", "gauge", "1", 0.6),
    ("k8s.pod.cpu.usage", "gauge", "{cpu}", 1.0),
    ("db.client.connection.pending_requests", "gauge", "{request}", 0.0),
    ("hikaricp_connections_active", "gauge", "", 8.0),
    ("hikaricp_connections_max", "gauge", "", 20.0),
    ("container_cpu_cfs_periods_total", "sum", "", 0.0),
    ("container_network_receive_bytes_total", "sum", "By", 0.0),
    ("http_server_requests_total", "sum", "", 0.0),
    ("jvm.memory.used", "gauge", "By", 1e8),
)
_EVENTS = """
INSERT INTO raw.events BY NAME
SELECT make_timestamptz({start} + i * 288000000) AS time,
       ({start} + i * 288000000) * 1000 AS time_ns,
       CASE i % 3 WHEN 0 THEN 'alert' WHEN 1 THEN 'deploy' ELSE 'change' END AS kind,
       'service-' || i % 30 AS service, 'event ' || i % 7 AS title, 'f' || i AS fingerprint,
       1 AS batch_id
FROM range(300) r(i)
"""


def fill(
    connection: duckdb.DuckDBPyConnection,
    spans: int,
    lines: int,
    points: int,
    *,
    hours: tuple[float, float] = (0, 24),
) -> None:
    """Fills the empty tables of a store with so many rows over the `DAY`.

    Args:
        connection: To the store.
        spans: In the whole day, as the others.
        lines: Of log.
        points: Of metrics.
        hours: The part of the day that is made, as dense as in the whole day.
    """
    metrics = ", ".join(
        f"{{'name': '{name}', 'kind': '{kind}', 'unit': '{unit}', 'level': {level}}}"
        for name, kind, unit, level in _NAMES
    )
    series = 90 * len(_NAMES)
    for sql, count, together in ((_SPANS, spans, 8), (_LOGS, lines, 8), (_METRICS, points, series)):
        rows = count // together * together
        step = _DAY_US / (rows / together)
        start, end = (int(rows * hour / 24) // together * together for hour in hours)
        for begin in range(start, end, _PART):
            given = {"first": begin, "last": min(begin + _PART, end), "step": step}
            connection.execute(
                sql.format(
                    start=_START_US,
                    series=series,
                    names=len(_NAMES),
                    metrics=f"[{metrics}]",
                    **given,
                )
            )
    connection.execute(_EVENTS.format(start=_START_US))
