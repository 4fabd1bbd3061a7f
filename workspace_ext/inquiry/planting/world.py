"""A small shop in noise: four services with two pods each; requests vary, and fail now and then.

Times are seconds from `ORIGIN`; the window that templates look at is ``[0, WINDOW)``, its baseline
``[-BASELINE, 0)``. Everything comes from one seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.templates.binding import BindContext
from workspace_ext.telemetry.schema import SIGNALS, keeping, noting

ORIGIN = datetime(2024, 5, 1, 12, tzinfo=UTC)
ORIGIN_NS = int(ORIGIN.timestamp()) * 1_000_000_000
WINDOW = 300.0
BASELINE = 600.0

PARENT = {"web": None, "cart": "web", "stock": "cart", "pay": "web"}
OPERATION = {"web": "GET /buy", "cart": "load", "stock": "SELECT items", "pay": "charge"}
OWN_MS = {"web": 5.0, "cart": 8.0, "stock": 12.0, "pay": 20.0}
SPREAD = 0.4
"""Of the logarithm of a service's own time."""
FAILING = {"web": 0.002, "cart": 0.004, "stock": 0.01, "pay": 0.006}

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def context() -> BindContext:
    """The window and the baseline."""
    return BindContext(
        Window(ORIGIN_NS, ORIGIN_NS + int(WINDOW * 1e9)),
        Window(ORIGIN_NS - int(BASELINE * 1e9), ORIGIN_NS),
    )


@dataclass
class Trips:
    """Requests through the shop, to be changed before they are told.

    Attributes:
        at: When each begins, in seconds.
        own_ms: Of each service, the time it takes itself.
        failed: Of each service, whether it fails; callers pass on nine failures in ten.
        columns: Of each service, further columns of its spans.
    """

    at: Floats
    own_ms: dict[str, Floats]
    failed: dict[str, Flags]
    columns: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def now(self) -> Flags:
        """Which of them lie in the window."""
        return self.at >= 0

    def keep(self, kept: Flags) -> None:
        """Forgets the others."""
        self.at = self.at[kept]
        self.own_ms = {service: values[kept] for service, values in self.own_ms.items()}
        self.failed = {service: values[kept] for service, values in self.failed.items()}


class World:
    """Rows of each signal, as columns. ``rng`` is where all chance comes from."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._parts: dict[str, list[pa.Table]] = {}
        self._traces = 0

    def add(self, signal: str, at: Floats | float, **columns: object) -> None:
        """Adds rows: one for each time; what is given once holds for all.

        A column ``attributes`` is a map of columns: of each attribute its values.
        """
        times = np.atleast_1d(np.asarray(at, dtype=float))
        size = len(times)
        if not size:
            return
        unknown = sorted(columns.keys() - set(SIGNALS[signal].names))
        if unknown:
            raise BadInput(f"{signal} has no column {unknown[0]!r}")
        attributes = columns.pop("attributes", None) or {}
        assert isinstance(attributes, Mapping)
        time_ns = ORIGIN_NS + np.round(times * 1e6).astype(np.int64) * 1000
        arrays = {"time_ns": pa.array(time_ns)}
        for name, value in columns.items():
            if value is not None:
                arrays[name] = _array(value, size)
        if attributes:
            keys = list(attributes)
            values = np.stack([np.broadcast_to(_text(attributes[key]), size) for key in keys], 1)
            arrays["attributes"] = pa.MapArray.from_arrays(
                pa.array(np.arange(size + 1) * len(keys), pa.int32()),
                pa.array(keys * size),
                pa.array(values.ravel().tolist(), pa.string()),
            )
        self._parts.setdefault(signal, []).append(pa.table(arrays))

    def trips(
        self, start: float = -BASELINE, end: float = WINDOW, per_second: float = 1.0
    ) -> Trips:
        """Requests of these seconds, at random moments."""
        count = int(self.rng.poisson((end - start) * per_second))
        own = {name: ms * self.rng.lognormal(0, SPREAD, count) for name, ms in OWN_MS.items()}
        failed = {name: self.rng.random(count) < share for name, share in FAILING.items()}
        return Trips(np.sort(self.rng.uniform(start, end, count)), own, failed)

    def tell(self, trips: Trips) -> Mapping[str, pa.Array]:
        """Adds the spans of requests.

        Returns:
            Of each service the ids of its spans; the trace's under "trace".
        """
        count = len(trips.at)
        number = np.arange(self._traces, self._traces + count)
        self._traces += count
        traces = np.char.add("t", number.astype(str))
        passed = self.rng.random(count) < 0.9
        own, failed = trips.own_ms, trips.failed
        cart_failed = failed["cart"] | (failed["stock"] & passed)
        web_failed = failed["web"] | ((cart_failed | failed["pay"]) & passed)
        total = {"stock": own["stock"], "pay": own["pay"], "cart": own["cart"] + own["stock"]}
        total["web"] = own["web"] + total["cart"] + total["pay"]
        starts = {"web": trips.at}
        starts["cart"] = trips.at + own["web"] / 4e3
        starts["stock"] = starts["cart"] + own["cart"] / 2e3
        starts["pay"] = starts["cart"] + (total["cart"] + own["web"] / 4) / 1e3
        marked = {**failed, "cart": cart_failed, "web": web_failed}
        ids: dict[str, pa.Array] = {"trace": traces}
        for service, parent in PARENT.items():
            ids[service] = np.char.add(f"{service}-", number.astype(str))
            given = {
                "pod": np.char.add(f"{service}-", self.rng.integers(1, 3, count).astype(str)),
                "version": "v1",
                "status": np.where(marked[service], "error", "ok"),
                **trips.columns.get(service, {}),
            }
            self.add(
                "spans",
                starts[service],
                duration_ns=(total[service] * 1e6).astype(np.int64),
                trace_id=traces,
                span_id=ids[service],
                parent_span_id=ids[parent] if parent else None,
                name=OPERATION[service],
                kind="server",
                service=service,
                **given,
            )
        return ids

    def fill(self, store: duckdb.DuckDBPyConnection) -> None:
        """Puts all rows into the tables of a store, in the place of what is there."""
        for signal in SIGNALS.values():
            store.execute(f"DELETE FROM raw.{signal.name}")  # noqa: S608 - a name of the schema
            if signal.name not in self._parts:
                continue
            rows = pa.concat_tables(self._parts[signal.name], promote_options="permissive")
            kinds = dict(signal.columns)
            kept = {c: keeping(c, f'"{c}"::{kinds[c]}') for c in rows.column_names}
            told = ", ".join(f'{value} AS "{c}"' for c, value in kept.items())
            time = "make_timestamptz(time_ns // 1000) AS time, " if signal.timed else ""
            store.register("rows_told", rows)
            store.execute(
                f"INSERT INTO raw.{signal.name} BY NAME"  # noqa: S608
                f" SELECT {time}{told}, 1 AS batch_id FROM rows_told"
            )
            store.execute(noting(signal, f"raw.{signal.name}"))
            store.unregister("rows_told")


def _array(value: object, size: int) -> pa.Array:
    if isinstance(value, np.ndarray):
        return pa.array(value.tolist() if value.dtype.kind in "UO" else value)
    if isinstance(value, list):
        return pa.array(value)
    return pa.array([value] * size)


def _text(values: object) -> npt.NDArray[np.object_]:
    return np.asarray(values, dtype=object)
