"""A private store made from an archive: what a replay's own broker serves.

It holds the slices under their batches, the archive's templates and nothing else; columns that
no query read are empty.
"""

from __future__ import annotations

from pathlib import Path

from workspace_ext.foundation.errors import Damaged
from workspace_ext.inquiry.archive.container import Archive, slice_path
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.schema import MIGRATIONS, SIGNALS

_BATCH = """
INSERT INTO raw.batches BY NAME
SELECT $pin AS batch_id, now() AS committed_at, 'archive' AS name, 'archive' AS format,
       $head AS content_digest, 0 AS bytes, 0 AS duplicates, 0 AS quarantined,
       $spans AS spans, $logs AS logs, $metrics AS metrics, $events AS events,
       $services AS services
"""


def make_store(archive: Archive, folder: Path) -> StoreFolder:
    """Fills a new store from an archive.

    Args:
        archive: The archive.
        folder: A path where nothing is yet.

    Raises:
        Damaged: A slice that verified cannot be read all the same.
    """
    store = StoreFolder.create(folder, sealed=True)
    parts = [path for path in archive.manifest.files if archive.has(path)]
    for path in parts:
        if path.startswith("templates/"):
            archive.extract(path, folder)
    engine = TelemetryEngine(store, MIGRATIONS)
    try:
        with engine.write() as connection:
            rows = dict.fromkeys(SIGNALS, 0)
            for signal in rows:
                if slice_path(signal) in parts:
                    source = archive.extract(slice_path(signal), store.inbox)
                    sql = f"INSERT INTO raw.{signal} BY NAME FROM read_parquet($path)"
                    counted = connection.execute(sql, {"path": str(source)}).fetchone()
                    rows[signal] = counted[0] if counted else 0
                    source.unlink()
            pin, head = archive.manifest.pin, archive.manifest.head
            connection.execute(_BATCH, {"pin": pin, "head": head, **rows})
    except Exception as error:
        raise Damaged(
            f"{archive.path}: the slices cannot be loaded: {error}",
            hint="`jupyter investigation verify` names what is wrong",
            code="damaged_archive",
        ) from error
    finally:
        engine.close()
    return store
