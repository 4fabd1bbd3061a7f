"""The hearts of five templates, each as chdb, polars and plain pandas would be asked it.

Runs in an environment of its own (chdb, polars, pandas, pyarrow), which is why nothing of ours is
imported: ``python peer_queries.py SPANS LOGS METRICS START END`` with three Parquet files and the
hour's bounds in microseconds; the hour before is the baseline. It prints JSON: for each engine and
question the seconds of each turn, and the answer's number of rows and sum of counts.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

TURNS = 4

SQL = {
    "triage.overview": """
        SELECT service, {us} >= {start} AS is_now, count(*) AS n,
               sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS bad,
               {q}(0.5, duration_ns) AS p50, {q}(0.95, duration_ns) AS p95
        FROM {spans} WHERE {within} AND (parent_span_id IS NULL OR kind = 'server')
        GROUP BY service, is_now""",
    "latency.shift": """
        WITH seen AS (SELECT {us} >= {start} AS is_now, duration_ns, trace_id, span_id,
                             parent_span_id, service, name FROM {spans} WHERE {within}),
        children AS (SELECT is_now AS c_now, trace_id AS c_trace, parent_span_id AS c_span,
                            sum(duration_ns) AS child_ns
                     FROM seen WHERE parent_span_id IS NOT NULL
                     GROUP BY is_now, trace_id, parent_span_id)
        SELECT service, name, is_now, count(*) AS n, {q}(0.95, duration_ns) AS p95,
               {q}(0.95, greatest(duration_ns - coalesce(child_ns, 0), 0)) AS own_p95
        FROM seen LEFT JOIN children ON c_now = is_now AND c_trace = trace_id AND c_span = span_id
        GROUP BY service, name, is_now""",
    "dependencies.map": """
        WITH seen AS (SELECT {us} >= {start} AS is_now, duration_ns, trace_id, span_id,
                             parent_span_id, service FROM {spans} WHERE {within})
        SELECT p.service AS caller, c.service AS callee, c.is_now AS is_now, count(*) AS n,
               {q}(0.95, p.duration_ns) AS p95, {q}(0.95, c.duration_ns) AS callee_p95
        FROM seen AS c JOIN seen AS p ON p.is_now = c.is_now AND p.trace_id = c.trace_id
                                     AND p.span_id = c.parent_span_id
        WHERE p.service <> c.service GROUP BY p.service, c.service, c.is_now""",
    "logs.rate_spike": """
        SELECT service, severity, {minute} AS minute, count(*) AS n
        FROM {logs} WHERE {within} GROUP BY service, severity, minute""",
    "metrics.shift": """
        SELECT service, pod, name, {us} >= {start} AS is_now, count(*) AS n,
               {q}(0.5, value) AS level
        FROM {metrics} WHERE {within} GROUP BY service, pod, name, is_now""",
}

OURS = {
    "latency.shift": """
        WITH seen AS (SELECT {us} >= {start} AS is_now, duration_ns, service, name,
                             hash({us} >= {start}, trace_id, span_id) AS span,
                             CASE WHEN parent_span_id IS NOT NULL
                                  THEN hash({us} >= {start}, trace_id, parent_span_id) END AS parent
                      FROM {spans} WHERE {within}),
        children AS (SELECT parent AS span, sum(duration_ns) AS child_ns
                     FROM seen WHERE parent IS NOT NULL GROUP BY parent)
        SELECT service, name, is_now, count(*) AS n, {q}(0.95, duration_ns) AS p95,
               {q}(0.95, greatest(duration_ns - coalesce(child_ns, 0), 0)) AS own_p95
        FROM seen LEFT JOIN children USING (span) GROUP BY service, name, is_now""",
    "dependencies.map": """
        WITH seen AS (SELECT {us} >= {start} AS is_now, duration_ns, service,
                             hash({us} >= {start}, trace_id, span_id) AS span,
                             CASE WHEN parent_span_id IS NOT NULL
                                  THEN hash({us} >= {start}, trace_id, parent_span_id) END AS parent
                      FROM {spans} WHERE {within})
        SELECT p.service AS caller, c.service AS callee, c.is_now AS is_now, count(*) AS n,
               {q}(0.95, p.duration_ns) AS p95, {q}(0.95, c.duration_ns) AS callee_p95
        FROM seen AS c JOIN seen AS p ON p.span = c.parent
        WHERE p.service <> c.service GROUP BY p.service, c.service, c.is_now""",
}
"""Where our templates join by numbers made of the ids, as they do."""


def filled(dialect: str, files: dict[str, str], start: int, end: int) -> dict[str, str]:
    """The questions in a dialect of SQL.

    Args:
        dialect: Of "duckdb" or "chdb".
        files: What to write for spans, logs and metrics.
        start: Of the hour, in microseconds.
        end: Of the hour.
    """
    before = 2 * start - end
    if dialect == "chdb":
        us = "toUnixTimestamp64Micro(time)"
        within = (
            f"time >= fromUnixTimestamp64Micro({before}) AND time < fromUnixTimestamp64Micro({end})"
        )
        words = {"us": us, "minute": f"intDiv({us}, 60000000)"}
    else:
        us = "epoch_us(time)"
        within = f"time >= make_timestamptz({before}) AND time < make_timestamptz({end})"
        words = {"us": us, "minute": f"{us} // 60000000"}
    texts = {}
    for name, text in (SQL if dialect == "chdb" else {**SQL, **OURS}).items():
        done = text.replace("{within}", within)
        for word, value in {**words, **files, "start": str(start)}.items():
            done = done.replace("{" + word + "}", value)
        texts[name] = quantiles_of(dialect, done)
    return texts


def quantiles_of(dialect: str, text: str) -> str:
    """``{q}(0.95, x)`` as the dialect writes an exact quantile."""
    while "{q}(" in text:
        at = text.index("{q}(")
        depth, end = 1, at + 4
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        share, value = text[at + 4 : end - 1].split(",", 1)
        said = (
            f"quantileExactInclusive({share})({value})"
            if dialect == "chdb"
            else f"quantile_cont({value}, {share})"
        )
        text = text[:at] + said + text[end:]
    return text


def with_chdb(files: dict[str, str], start: int, end: int) -> dict:
    """ClickHouse, embedded."""
    from chdb.session import Session

    session = Session()
    session.query("SET max_threads = 2, join_use_nulls = 1")
    given = {name: f"file('{path}', Parquet)" for name, path in files.items()}

    def ask(text: str) -> tuple[int, int]:
        rows = json.loads(session.query(text, "JSON").bytes())["data"]
        return len(rows), sum(int(row["n"]) for row in rows)

    return {name: lambda t=text: ask(t) for name, text in filled("chdb", given, start, end).items()}


def with_polars(files: dict[str, str], start: int, end: int) -> dict:
    """Lazy frames over the files."""
    import polars as pl

    bounds = [
        pl.lit(us).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        for us in (2 * start - end, start, end)
    ]

    def seen(name: str) -> "pl.LazyFrame":
        frame = pl.scan_parquet(files[name]).filter(
            pl.col("time") >= bounds[0], pl.col("time") < bounds[2]
        )
        return frame.with_columns(is_now=pl.col("time") >= bounds[1])

    def told(frame: "pl.LazyFrame") -> tuple[int, int]:
        done = frame.collect()
        return done.height, int(done["n"].sum())

    def q(value: "pl.Expr", share: float) -> "pl.Expr":
        return value.quantile(share, "linear")

    ns = pl.col("duration_ns")
    key = ["is_now", "trace_id", "span_id"]

    def triage() -> tuple[int, int]:
        asked = seen("spans").filter(
            pl.col("parent_span_id").is_null() | (pl.col("kind") == "server")
        )
        return told(asked.group_by("service", "is_now").agg(
            n=pl.len(), bad=(pl.col("status") == "error").sum(), p50=q(ns, 0.5), p95=q(ns, 0.95)
        ))  # fmt: skip

    def shift() -> tuple[int, int]:
        children = (
            seen("spans").filter(pl.col("parent_span_id").is_not_null())
            .group_by("is_now", "trace_id", "parent_span_id").agg(child_ns=ns.sum())
            .rename({"parent_span_id": "span_id"})
        )  # fmt: skip
        own = (ns - pl.col("child_ns").fill_null(0)).clip(lower_bound=0)
        return told(seen("spans").join(children, on=key, how="left")
                    .group_by("service", "name", "is_now")
                    .agg(n=pl.len(), p95=q(ns, 0.95), own_p95=q(own, 0.95)))  # fmt: skip

    def edges() -> tuple[int, int]:
        parents = seen("spans").select(*key, caller="service", caller_ns="duration_ns")
        calls = seen("spans").join(
            parents, left_on=["is_now", "trace_id", "parent_span_id"], right_on=key
        )
        asked = pl.col("caller_ns")
        return told(calls.filter(pl.col("caller") != pl.col("service"))
                    .group_by("caller", "service", "is_now")
                    .agg(n=pl.len(), p95=q(asked, 0.95), callee=q(ns, 0.95)))  # fmt: skip

    def lines() -> tuple[int, int]:
        minute = pl.col("time").dt.truncate("1m").alias("minute")
        return told(seen("logs").group_by("service", "severity", minute).agg(n=pl.len()))

    def levels() -> tuple[int, int]:
        return told(seen("metrics").group_by("service", "pod", "name", "is_now")
                    .agg(n=pl.len(), level=q(pl.col("value"), 0.5)))  # fmt: skip

    return dict(zip(SQL, (triage, shift, edges, lines, levels), strict=True))


def with_pandas(files: dict[str, str], start: int, end: int) -> dict:
    """Frames in memory, read from the files each time."""
    import pandas as pd

    low, middle, high = (
        pd.Timestamp(us, unit="us", tz="UTC") for us in (2 * start - end, start, end)
    )

    def seen(name: str, columns: list[str]) -> "pd.DataFrame":
        frame = pd.read_parquet(
            files[name],
            columns=["time", *columns],
            filters=[("time", ">=", low), ("time", "<", high)],
        )
        return frame.assign(is_now=frame["time"] >= middle)

    def told(frame: "pd.DataFrame") -> tuple[int, int]:
        return len(frame), int(frame["n"].sum())

    def triage() -> tuple[int, int]:
        frame = seen("spans", ["duration_ns", "parent_span_id", "kind", "service", "status"])
        frame = frame[frame.parent_span_id.isna() | (frame.kind == "server")]
        groups = frame.assign(bad=frame.status == "error").groupby(["service", "is_now"])
        found = groups.agg(n=("bad", "size"), bad=("bad", "sum"))
        groups["duration_ns"].quantile([0.5, 0.95])
        return told(found)

    def shift() -> tuple[int, int]:
        names = ["duration_ns", "trace_id", "span_id", "parent_span_id", "service", "name"]
        frame = seen("spans", names)
        below = frame.dropna(subset=["parent_span_id"]).groupby(
            ["is_now", "trace_id", "parent_span_id"]
        )
        children = below["duration_ns"].sum().rename("child_ns").reset_index()
        children = children.rename(columns={"parent_span_id": "span_id"})
        frame = frame.merge(children, on=["is_now", "trace_id", "span_id"], how="left")
        frame["own"] = (frame.duration_ns - frame.child_ns.fillna(0)).clip(lower=0)
        groups = frame.groupby(["service", "name", "is_now"])
        groups[["duration_ns", "own"]].quantile(0.95)
        return told(groups.size().rename("n").reset_index())

    def edges() -> tuple[int, int]:
        frame = seen("spans", ["duration_ns", "trace_id", "span_id", "parent_span_id", "service"])
        parents = frame[["is_now", "trace_id", "span_id", "service", "duration_ns"]].rename(
            columns={"span_id": "parent_span_id", "service": "caller", "duration_ns": "caller_ns"}
        )
        calls = frame.dropna(subset=["parent_span_id"]).merge(
            parents, on=["is_now", "trace_id", "parent_span_id"]
        )
        groups = calls[calls.caller != calls.service].groupby(["caller", "service", "is_now"])
        groups[["caller_ns", "duration_ns"]].quantile(0.95)
        return told(groups.size().rename("n").reset_index())

    def lines() -> tuple[int, int]:
        frame = seen("logs", ["service", "severity"])
        minute = frame["time"].dt.floor("min")
        return told(frame.groupby(["service", "severity", minute]).size().rename("n").reset_index())

    def levels() -> tuple[int, int]:
        groups = seen("metrics", ["service", "pod", "name", "value"]).groupby(
            ["service", "pod", "name", "is_now"]
        )
        groups["value"].median()
        return told(groups.size().rename("n").reset_index())

    return dict(zip(SQL, (triage, shift, edges, lines, levels), strict=True))


def timed(ask: Callable[[], tuple[int, int]]) -> dict:
    """Seconds by the clock and of the processors for each turn, and the answer."""
    seconds, processor, answer = [], [], (0, 0)
    for _ in range(TURNS):
        begun, worked = time.perf_counter(), time.process_time()
        answer = ask()
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - worked)
    return {"seconds": seconds, "processor": processor, "answer": list(answer)}


def main(spans: str, logs: str, metrics: str, start: str, end: str) -> None:
    """All engines, one after the other."""
    files = {"spans": spans, "logs": logs, "metrics": metrics}
    found: dict[str, dict] = {}
    for engine, made in (("chdb", with_chdb), ("polars", with_polars), ("pandas", with_pandas)):
        for name, ask in made(files, int(start), int(end)).items():
            found.setdefault(engine, {})[name] = timed(ask)
    print(json.dumps(found))


if __name__ == "__main__":
    assert all(Path(each).exists() for each in sys.argv[1:4])
    main(*sys.argv[1:])
