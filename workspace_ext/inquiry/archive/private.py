"""A private store made from an archive: what a replay's own broker serves.

It holds the slices under their batches, the archive's templates and nothing else; columns that
no query read are empty.
"""

from __future__ import annotations

from pathlib import Path

from workspace_ext.foundation.errors import Damaged
from workspace_ext.inquiry.archive.container import Archive
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.schema import MIGRATIONS, SIGNALS

_BATCH = """
INSERT INTO raw.batches BY NAME
SELECT $pin AS batch_id, now() AS committed_at, 'archive' AS name, 'archive' AS format,
       $head AS content_digest, 0 AS bytes, 0 AS spans, 0 AS logs, 0 AS metrics, 0 AS events,
       0 AS services, 0 AS duplicates, 0 AS quarantined
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
            values = {"pin": archive.manifest.pin, "head": archive.manifest.head}
            if archive.manifest.pin:
                connection.execute(_BATCH, values)
            for signal in SIGNALS:
                part = f"slices/{signal}.parquet"
                if part in parts:
                    source = archive.extract(part, folder / "inbox")
                    connection.execute(
                        f"INSERT INTO raw.{signal} BY NAME FROM read_parquet($path)",
                        {"path": str(source)},
                    )
                    source.unlink()
    except Exception as error:
        raise Damaged(
            f"{archive.path}: the slices cannot be loaded: {error}",
            hint="`jupyter investigation verify` names what is wrong",
            code="damaged_archive",
        ) from error
    finally:
        engine.close()
    return store
