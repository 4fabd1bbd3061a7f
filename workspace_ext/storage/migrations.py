"""Numbered steps from an empty database to today's; forward only, the same for both engines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workspace_ext.foundation.clock import now_ns
from workspace_ext.foundation.errors import Conflict

Run = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one statement in the transaction of the caller and gives its rows (none for a change)."""


@dataclass(frozen=True)
class Migration:
    """One step. A statement in ``sql`` ends with a semicolon at the end of its line."""

    number: int
    name: str
    sql: str

    def statements(self) -> list[str]:
        """The single statements, in order."""
        parts = re.split(r";[ \t]*$", self.sql, flags=re.MULTILINE)
        return [part.strip() for part in parts if part.strip()]


def migrate(
    run: Run, migrations: Sequence[Migration], *, table: str = "schema_migrations"
) -> list[int]:
    """Applies what has not been applied, in order.

    The caller gives the transaction: either all steps take effect, or none.

    Args:
        run: Runs one statement.
        migrations: All steps there are, numbered 1, 2, 3, …
        table: Where the applied steps are recorded.

    Returns:
        The numbers of the steps applied now.

    Raises:
        Conflict: The database is newer than the steps known here.
    """
    if [step.number for step in migrations] != list(range(1, len(migrations) + 1)):
        raise ValueError("migrations must be numbered 1, 2, 3, …")
    run(
        f"CREATE TABLE IF NOT EXISTS {table}"
        " (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_ns BIGINT NOT NULL)"
    )
    rows = run(f"SELECT coalesce(max(number), 0) FROM {table}")  # noqa: S608 - a constant name
    at = int(rows[0][0])
    if at > len(migrations):
        raise Conflict(
            f"the database is at step {at}, this version knows {len(migrations)}",
            hint="upgrade investigation-workspace",
            code="newer_store",
        )
    for step in migrations[at:]:
        for statement in step.statements():
            run(statement)
        name = step.name.replace("'", "''")
        run(f"INSERT INTO {table} VALUES ({step.number}, '{name}', {now_ns()})")  # noqa: S608
    return [step.number for step in migrations[at:]]
