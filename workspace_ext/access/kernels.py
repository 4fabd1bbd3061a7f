"""The kernels whose tokens hold: from when a token is made until the kernel is shut down."""

from __future__ import annotations

import threading
from collections.abc import Collection

from sqlalchemy import column, delete, select, table
from sqlalchemy.dialects.sqlite import insert

from workspace_ext.foundation.clock import Clock, now_ns
from workspace_ext.storage.migrations import Migration
from workspace_ext.storage.records import RecordsEngine

MIGRATIONS = (
    Migration(
        1,
        "kernels",
        "CREATE TABLE kernels (kernel VARCHAR PRIMARY KEY, used_ns BIGINT NOT NULL);",
    ),
)

LONGEST_IDLE_NS = 30 * 86_400 * 10**9
"""The end of a kernel that asks nothing: its server may have been killed, and told no end."""

_KERNELS = table("kernels", column("kernel"), column("used_ns"))


class Kernels:
    """Kept with the records, so that a restarted broker knows who lives. Thread-safe.

    Args:
        records: Where they are kept.
        clock: Tells when a kernel asked last.
    """

    def __init__(self, records: RecordsEngine, clock: Clock = now_ns) -> None:
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()  # of the two below; never held while something is written
        self._writing = threading.Lock()
        with records.connect() as connection:
            rows = connection.execute(select(_KERNELS.c.kernel, _KERNELS.c.used_ns))
            self._used = {str(row.kernel): int(row.used_ns) for row in rows}
        self._noted = dict(self._used)

    def began(self, kernel: str) -> None:
        """A token was made for it.

        Raises:
            Unavailable: That cannot be written.
        """
        with self._writing:
            used = {kernel: self._clock()}
            self._note(used)
            with self._lock:
                self._used |= used

    def ended(self, kernels: Collection[str]) -> None:
        """They were shut down; it matters nothing if they were not known.

        Raises:
            Unavailable: That cannot be written; their tokens hold again after a restart.
        """
        with self._writing:
            self._forget(kernels)

    def lives(self, kernel: str) -> bool:
        """Whether its token holds, of one that asks now; this writes nothing."""
        now = self._clock()
        with self._lock:
            used = self._used.get(kernel)
            if used is None or now - used > LONGEST_IDLE_NS:
                return False
            self._used[kernel] = max(now, used)
            return True

    def settle(self) -> None:
        """Writes down who asked lately, and forgets who did not for very long.

        Raises:
            Unavailable: That cannot be written.
        """
        with self._writing:
            with self._lock:
                known = dict(self._used)
            before = self._clock() - LONGEST_IDLE_NS
            self._forget([kernel for kernel, used in known.items() if used < before])
            self._note(
                {
                    kernel: used
                    for kernel, used in known.items()
                    if used >= before and used != self._noted.get(kernel)
                }
            )

    def _note(self, used: dict[str, int]) -> None:
        if not used:
            return
        statement = insert(_KERNELS)
        newer = {"used_ns": statement.excluded.used_ns}
        with self._records.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["kernel"], set_=newer),
                [{"kernel": kernel, "used_ns": when} for kernel, when in used.items()],
            )
        self._noted |= used

    def _forget(self, kernels: Collection[str]) -> None:
        if not kernels:
            return
        with self._lock:
            for kernel in kernels:
                self._used.pop(kernel, None)
        with self._records.begin() as connection:
            connection.execute(delete(_KERNELS).where(_KERNELS.c.kernel.in_(kernels)))
        for kernel in kernels:
            self._noted.pop(kernel, None)
