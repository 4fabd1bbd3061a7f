"""Live ingest, as edges see it: accept, be durable, be merged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

import duckdb
import pyarrow as pa

from workspace_ext.foundation.clock import Clock, now_ns
from workspace_ext.foundation.errors import BadInput, Damaged, InvestigationError, Unavailable
from workspace_ext.foundation.priority import yield_to_others
from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.ingest.live.delivery import Delivery
from workspace_ext.telemetry.ingest.live.groups import (
    Group,
    LiveLimits,
    left_seconds,
    split,
    take,
)
from workspace_ext.telemetry.ingest.live.journal import (
    Journal,
    drop,
    file_of,
    files,
    set_aside,
    trim,
)
from workspace_ext.telemetry.ingest.live.merge import LiveBatch, merge, merged_upto
from workspace_ext.telemetry.ingest.live.recovery import recover
from workspace_ext.telemetry.ingest.live.request import Request, pack
from workspace_ext.telemetry.ingest.live.totals import Totals

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_OF_A_DELIVERY = (
    *(BadInput, Damaged, pa.ArrowException, ValueError, TypeError),
    *(duckdb.DataError, duckdb.IntegrityError, duckdb.NotSupportedError, duckdb.ProgrammingError),
)
"""What a delivery may have wrong that comes out only when it is merged."""


class LiveIngest:
    """Takes deliveries. Safe to be called from several threads; owns two of its own.

    A journal that an earlier process left behind is merged first.

    Args:
        engine: The store.
        clock: Tells the time of a commit.
        limits: See `LiveLimits`.

    Attributes:
        on_merge: Told of each merge: its batches, and how many seconds it took.

    Raises:
        Unavailable: The journal cannot be read.
    """

    def __init__(
        self, engine: TelemetryEngine, clock: Clock = now_ns, limits: LiveLimits | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._limits = limits or LiveLimits()
        self._folder = engine.folder.journal
        self.totals = Totals()
        self.on_merge: Callable[[Sequence[LiveBatch], float], None] | None = None
        self._changed = threading.Condition()
        self._io = threading.Lock()  # so that a group is what its journal file is
        self._waiting: deque[tuple[Delivery, bytes, Future[None]]] = deque()
        self._held = 0
        self._accepted = 0  # numbers of the newest delivery that is durable, and that is merged
        self._merged = 0
        self._wanted = 0
        self._stopping = self._finishing = False
        self._failed: InvestigationError | None = None
        self._groups, first = self._left_over()
        self._journal = Journal(self._folder, first)
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._merger = threading.Thread(target=self._merge, name="merge", daemon=True)
        self._writer.start()
        self._merger.start()

    def accept(self, request: Request, delivery: Delivery) -> Future[None]:
        """Takes a delivery; the future ends when its request is on disk, or cannot be written.

        Raises:
            Unavailable: There is no room for it now; nothing was kept.
        """
        content = pack(request)
        taken: Future[None] = Future()
        taken.set_running_or_notify_cancel()
        with self._changed:
            self._check_room(delivery.held_bytes)
            self._held += delivery.held_bytes
            self._waiting.append((delivery, content, taken))
            self._changed.notify_all()
        return taken

    def check_room(self) -> None:
        """Says no before a body is even read.

        Raises:
            Unavailable: There is no room now.
        """
        with self._changed:
            self._check_room(0)

    def flush(self, timeout: float = 5.0) -> bool:
        """Merges what was accepted until now; whether all of it is in the store."""
        with self._changed:
            target = self._wanted = self._accepted
            self._changed.notify_all()
            before = self.totals.failures
            self._changed.wait_for(
                lambda: self._merged >= target or self.totals.failures > before, timeout
            )
            return self._merged >= target

    @property
    def held_bytes(self) -> int:
        """About how much waits to be merged."""
        return self._held

    @property
    def waiting(self) -> int:
        """How many requests wait for the disk."""
        return len(self._waiting)

    @property
    def lag_seconds(self) -> float:
        """For how long the oldest record that is not merged yet has waited."""
        with self._changed:
            return time.monotonic() - self._groups[0].since if self._groups else 0.0

    @property
    def failed(self) -> InvestigationError | None:
        """Why the last merge failed; None when it did not."""
        return self._failed

    def close(self) -> None:
        """Finishes what was accepted. Closing twice is harmless."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._writer.join()
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
        self._merger.join()
        self._journal.rotate()

    def _check_room(self, size: int) -> None:
        if self._stopping:
            reason, text = "stopping", "the broker is stopping"
        elif self._failed is not None and self._held > self._limits.group_bytes:
            reason, text = self._failed.code, self._failed.message
        elif self._held and self._held + size > self._limits.held_bytes:
            reason, text = "merge", "more comes in than can be merged"
        elif len(self._waiting) >= self._limits.waiting:
            reason, text = "disk", "more comes in than the disk can take"
        else:
            return
        self.totals.refused[reason] += 1
        raise Unavailable(text, hint="send it again a little later", code="ingest_busy")

    def _left_over(self) -> tuple[deque[Group], int]:
        try:
            with self._engine.cursor() as cursor:
                merged = merged_upto(cursor)
            drop(self._folder, merged)
            found = files(self._folder)
            if found:
                trim(found[-1][1])
            groups = deque(
                Group(number, None, held_bytes=path.stat().st_size, sequence=sequence)
                for sequence, (number, path) in enumerate(found, start=1)
            )
        except OSError as error:
            raise explain(error, self._folder) from error
        self._accepted = self._wanted = len(groups)
        self._held = sum(group.held_bytes for group in groups)
        return groups, max([merged, *(group.number for group in groups)]) + 1

    # -- the journal's thread ------------------------------------------------------------------

    def _write(self) -> None:
        while self._write_next():
            pass

    def _write_next(self) -> bool:
        """Writes what waits, once there is something; False when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            taken = list(self._waiting)
            self._waiting.clear()
        with self.totals.stage("journal"):
            failed = self._append(taken) if taken else None
        for _, _, future in taken:
            if failed is None:
                future.set_result(None)
            else:
                future.set_exception(failed)
        return bool(taken)

    def _append(self, taken: list[tuple[Delivery, bytes, Future[None]]]) -> Exception | None:
        size = sum(delivery.held_bytes for delivery, _, _ in taken)
        with self._io:
            try:
                self._journal.append([content for _, content, _ in taken])
            except InvestigationError as error:
                with self._changed:
                    self._held -= size
                    self.totals.refused[error.code] += len(taken)
                return error
            self._join_group([delivery for delivery, _, _ in taken])
        return None

    def _join_group(self, deliveries: list[Delivery]) -> None:
        with self._changed:
            if not self._groups or self._groups[-1].number != self._journal.number:
                self._groups.append(Group(self._journal.number, []))
            group = self._groups[-1]
            group.count(deliveries)
            self._accepted += len(deliveries)
            group.sequence = self._accepted
            self.totals.syncs += 1
            for delivery in deliveries:
                self.totals.requests[delivery.adapter] += 1
                self.totals.size[delivery.adapter] += delivery.size
                self.totals.warnings[delivery.adapter] += len(delivery.warnings)
            self._changed.notify_all()
        if group.is_full(self._limits):
            self._journal.rotate()

    # -- the merge's thread --------------------------------------------------------------------

    def _merge(self) -> None:
        yield_to_others()  # what is in the journal is safe; whoever asks a question waits
        while self._merge_next():
            pass

    def _merge_next(self) -> bool:
        """Merges what is due, once something is; False when there will be no more.

        Nothing of it is held while it waits for the next.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._groups or self._finishing)
            if not self._groups:
                return False
            while not self._due():
                self._changed.wait(max(self._left_seconds(), 0))
            groups = take(self._groups, self._limits)
        with self._io:
            if groups[-1].number == self._journal.number:
                self._journal.rotate()
        with self.totals.stage("merge"):
            if self._merge_groups(groups):
                return True
        with self._changed:
            self._changed.wait_for(self._hurried, _RETRY_SECONDS)
            return not self._finishing  # the journal keeps it for the next start

    def _hurried(self) -> bool:
        return self._finishing or self._wanted > self._merged

    def _due(self) -> bool:
        return self._hurried() or self._left_seconds() <= 0

    def _left_seconds(self) -> float:
        return left_seconds(self._groups, self._limits)

    def _merge_groups(self, groups: list[Group]) -> bool:
        started = time.perf_counter()
        last = groups[-1]
        try:
            for group in groups:
                if group.deliveries is None:
                    path = file_of(self._folder, group.number)
                    group.deliveries, group.whole = recover(path)
            now, later = split(groups, 0 if self._hurried() else self._limits.group_rows)
            upto = last.number - 1 if later else last.number
            try:
                batches = self._into_store(now, upto)
            except Exception as error:
                if not _is_of_a_delivery(error):
                    raise
                now, later, upto = split(groups, 0)[0], [], last.number
                batches, merged = self._one_by_one(now, groups[0].number - 1, upto)
                last.whole = last.whole and merged
        except Exception as error:  # whatever it is, the next try or the next start may do it
            self._note_failure(error)
            return False
        self._note_merge(groups, later, batches, time.perf_counter() - started)
        with suppress(OSError):
            for group in groups:
                if not group.whole and group.number <= upto:
                    set_aside(file_of(self._folder, group.number))
            drop(self._folder, upto)
        return True

    def _into_store(self, deliveries: Sequence[Delivery], journal: int) -> list[LiveBatch]:
        with self._engine.write() as connection:
            return merge(connection, deliveries, journal, self._clock())

    def _one_by_one(
        self, deliveries: Sequence[Delivery], before: int, upto: int
    ) -> tuple[list[LiveBatch], bool]:
        """What one delivery has wrong must not stop the others.

        Until the last of them, only the files before theirs are noted as merged: a crash may come.
        """
        batches: list[LiveBatch] = []
        whole = True
        for delivery in deliveries:
            try:
                batches += self._into_store([delivery], before)
            except Exception as error:
                if not _is_of_a_delivery(error):
                    raise
                _log.exception("a delivery from %s cannot be merged", delivery.source)
                whole = False
        self._into_store([], upto)
        return batches, whole

    def _note_failure(self, error: Exception) -> None:
        explained = explain(error, self._folder)
        if self._failed is None or self._failed.code != explained.code:
            _log.error("live data cannot be merged: %s", explained.message, exc_info=error)
        with self._changed:
            self._failed = explained
            self._wanted = self._merged  # whoever wants it again tries again
            self._changed.notify_all()
            self.totals.failures += 1

    def _note_merge(
        self, groups: list[Group], later: list[Delivery], batches: list[LiveBatch], seconds: float
    ) -> None:
        if self._failed is not None:
            _log.info("live data is merged again")
        with self._changed:
            self._failed = None
            for group in groups if not later else groups[:-1]:
                self._groups.popleft()
                self._held -= group.held_bytes
                self._merged = group.sequence
            if later:
                self._held -= groups[-1].keep(later)
            self.totals.merges += 1
            self.totals.merge_seconds += seconds
            for batch in batches:
                kept = sum(batch.rows.values())
                self.totals.late[batch.adapter] += batch.late
                self.totals.records[batch.adapter, "kept"] += kept
                self.totals.records[batch.adapter, "duplicate"] += batch.duplicates
                self.totals.records[batch.adapter, "rejected"] += batch.rejected
            self._changed.notify_all()
        if self.on_merge is not None:
            self.on_merge(batches, seconds)


def _is_of_a_delivery(error: Exception) -> bool:
    """Also when the engine told it in its own words."""
    return isinstance(error, _OF_A_DELIVERY) or isinstance(error.__cause__, _OF_A_DELIVERY)
