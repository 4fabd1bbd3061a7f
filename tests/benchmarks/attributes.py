"""Attribute comparison: how often a planted value ranks first, over all rows and over a sample.

`SPANS` spans of one operation, a tenth of them failing, with twelve attributes of two to a
thousand values; one value of one more attribute occurs more often among the failing ones. The
sample takes `SAMPLE` failing and other spans together, as a tool does that looks at a few hundred
traces, and asks the same question of them. Rows tell the share of runs in which the planted value
did *not* come first.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import pyarrow as pa

from tests.benchmarks.table import Row
from workspace_ext.inquiry.planting.world import ORIGIN_NS, World, context
from workspace_ext.inquiry.templates.binding import Bound, bind
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.sandbox import fresh_store
from workspace_ext.telemetry.query.trusted import open_reader

SPANS = 50_000
SAMPLE = 500
RUNS = int(os.environ.get("INVESTIGATION_RUNS", "100"))
SHARES = ((0.08, 0.01), (0.04, 0.005), (0.015, 0.002))
CARDINALITIES = (2, 3, 4, 5, 8, 10, 20, 30, 50, 100, 300, 1000)
MOST_MISSED = 0.01


def plant(seed: int, bad_share: float, good_share: float) -> pa.Table:
    """The spans of one run, as columns."""
    world = World(seed)
    chance = world.rng
    bad = chance.random(SPANS) < 0.1
    held = chance.random(SPANS) < np.where(bad, bad_share, good_share)
    names = [f"a{number}" for number in range(len(CARDINALITIES))]
    drawn = [chance.zipf(1.5, SPANS) % values for values in CARDINALITIES]
    columns = {
        name: pa.array([f"v{n}" for n in range(max(CARDINALITIES))]).take(pa.array(values))
        for name, values in zip(names, drawn, strict=True)
    }
    columns["feature"] = pa.array(["off", "on"]).take(pa.array(held.astype(int)))
    return pa.table(
        {
            "seconds": chance.uniform(0, 300, SPANS),
            "status": pa.array(["ok", "error"]).take(pa.array(bad.astype(int))),
            **columns,
        }
    )


@contextmanager
def filled(table: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """A store with all of it."""
    store = fresh_store()
    names = [name for name in table.column_names if name not in ("seconds", "status")]
    keys = ", ".join(f"'{name}'" for name in names)
    store.register("planted", table)
    store.execute(
        f"""
        INSERT INTO raw.spans BY NAME
        SELECT make_timestamptz({ORIGIN_NS // 1000} + (seconds * 1e6)::BIGINT) AS time,
               1000000 AS duration_ns, 't' || row_number() OVER () AS trace_id,
               's' || row_number() OVER () AS span_id, 'GET' AS name, 'web' AS service, status,
               MAP([{keys}], [{", ".join(names)}]) AS attributes, 1 AS batch_id
        FROM planted
        """
    )
    try:
        yield store
    finally:
        store.close()


def first(table: pa.Table, sql: str, bound: Bound) -> bool:
    """Whether the planted value comes first."""
    with filled(table) as store:
        rows = (
            open_reader(store, sql, bound.values, stream=False).read_all().slice(0, 1).to_pylist()
        )
    return bool(rows) and (rows[0]["attribute"], rows[0]["value"]) == ("feature", "on")


def run() -> list[Row]:
    """All shares, with as many runs as `RUNS`."""
    template = TemplateLibrary(default_paths()).get("attributes.compare")
    bound = bind(template, {"bad": "failing"}, context())
    rows = []
    for bad_share, good_share in SHARES:
        all_rows = sampled = 0
        for seed in range(RUNS):
            table = plant(seed, bad_share, good_share)
            all_rows += first(table, template.sql, bound)
            few = np.random.default_rng(seed).choice(SPANS, SAMPLE, replace=False)
            sampled += first(table.take(pa.array(few)), template.sql, bound)
        what = f"{bad_share:.1%} against {good_share:.1%}"
        print(
            f"{what}: first in {all_rows} of {RUNS} runs over {SPANS:,} rows,"
            f" in {sampled} over {SAMPLE} of them",
            file=sys.stderr,
        )
        missed, missed_sample = 1 - all_rows / RUNS, 1 - sampled / RUNS
        name = f"planted {what}, share of runs that miss it"
        reference = f"{SAMPLE} rows sampled"
        rows.append(Row(name, reference, missed, missed_sample, "absolute", MOST_MISSED, "share"))
    return rows
