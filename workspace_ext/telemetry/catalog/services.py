"""The services of a store: what the service catalog says of each, and which signals it sends."""

from __future__ import annotations

from typing import Any

import duckdb

from workspace_ext.telemetry.catalog.times import told

MOST_NAMES = 10_000
"""So many services are told, those of the service catalog first, then the largest."""

_SQL = f"""
WITH sent AS (
    SELECT service AS name, signal, sum(rows)::BIGINT AS rows, epoch_us(max(last_time)) AS newest
    FROM raw.batch_services
    WHERE batch_id <= getvariable('pin') AND signal <> 'services' AND service IS NOT NULL
    GROUP BY ALL HAVING sum(rows) > 0
), named AS (
    SELECT name FROM (SELECT name, rows FROM sent UNION ALL SELECT name, NULL FROM services)
    GROUP BY name ORDER BY bool_or(rows IS NULL) DESC, sum(rows) DESC, name LIMIT {MOST_NAMES}
)
SELECT name, owner, tier, lifecycle, system, depends_on, services.batch_id, signal, rows, newest
FROM named LEFT JOIN sent USING (name) LEFT JOIN services USING (name) ORDER BY name, signal
"""  # noqa: S608 - a number of ours
_ABOUT = ("owner", "tier", "lifecycle", "system", "depends_on")


def known(cursor: duckdb.DuckDBPyConnection, pin: int) -> list[dict[str, Any]]:
    """All services at a pin, by name; at most `MOST_NAMES`.

    Returns:
        Each with ``owner``, ``tier``, ``lifecycle``, ``system``, ``depends_on`` where the newest
        catalog entry at the pin says so (``catalogued`` tells whether there is one), and its
        ``signals``: rows and newest record.
    """
    cursor.execute(f"SET VARIABLE pin = {int(pin)}::BIGINT")
    found: dict[str, dict[str, Any]] = {}
    for name, *about, batch, signal, rows, newest in cursor.execute(_SQL).fetchall():
        service = found.setdefault(
            name,
            {
                "name": name,
                **dict(zip(_ABOUT, about, strict=True)),
                "catalogued": batch is not None,
                "signals": {},
            },
        )
        if signal is not None:
            service["signals"][signal] = {"rows": rows, "newest": told(newest)}
    return list(found.values())
