"""Ingest, as edges see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workspace_ext.foundation.clock import Clock, now_ns
from workspace_ext.foundation.errors import BadInput
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.ingest.detect import detect
from workspace_ext.telemetry.ingest.mapping import Mapping, parse_mapping
from workspace_ext.telemetry.ingest.model import FORMATS, Format, IngestReport, Parsed, Progress
from workspace_ext.telemetry.ingest.source import check_readable, digest_file
from workspace_ext.telemetry.ingest.store import Batch, Source, find_batch

_NEED_MAPPING: tuple[Format, ...] = ("csv", "parquet")


class IngestService:
    """Makes batches of files. Safe to be called from several threads: one batch at a time.

    Args:
        engine: The store.
        clock: Tells the time of a commit.
    """

    def __init__(self, engine: TelemetryEngine, clock: Clock = now_ns) -> None:
        self._engine = engine
        self._clock = clock

    def ingest(
        self,
        path: Path,
        *,
        name: str = "",
        format: str | None = None,  # noqa: A002 - what everybody calls it
        mapping: str | None = None,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Ingests one file; when this returns, its batch is on disk.

        Args:
            path: The file.
            name: What it is called in reports; the path's last part when empty.
            format: One of `FORMATS`; found out when None.
            mapping: The text of a mapping file, for CSV and Parquet.
            progress: Told how far it is, in bytes of the file.

        Raises:
            BadInput: The file or the mapping cannot be read; nothing was added.
            Unavailable: No space left; nothing was added.
        """
        name = name or path.name
        check_readable(path, name)
        chosen = _format(path, name, format, mapping)
        rules = None if mapping is None else parse_mapping(mapping, f"mapping of {name}")
        source = Source(
            name=name,
            format=chosen,
            digest=digest_file(path),
            mapping_digest=None if rules is None else rules.digest,
            size=path.stat().st_size,
        )
        with self._engine.write() as connection:
            known = find_batch(connection, source)
            if known is not None:
                return known
            batch = Batch(connection, source)
            warnings: tuple[str, ...] = ()
            for part in _read(path, name, chosen, rules, self._clock):
                for signal, records in part.tables.items():
                    batch.add(signal, records)
                batch.reject(part.rejects)
                warnings += part.warnings
                if progress is not None:
                    progress(part.position, source.size)
            report = batch.finish(self._clock(), warnings)
        if progress is not None:
            progress(source.size, source.size)
        return report


def _format(path: Path, name: str, given: str | None, mapping: str | None) -> Format:
    chosen = next((known for known in FORMATS if known == given), None)
    if given is not None and chosen is None:
        raise BadInput(
            f"{given!r} is not a format", hint=f"one of: {', '.join(FORMATS)}", code="bad_format"
        )
    chosen = chosen or detect(path, name)
    if chosen in _NEED_MAPPING and mapping is None:
        raise BadInput(
            f"{name} is {chosen} and has no mapping: nothing says what its columns mean",
            hint=f"put a mapping beside it, as {Path(name).stem.split('.')[0]}.mapping.yaml",
            code="no_mapping",
        )
    if chosen not in _NEED_MAPPING and mapping is not None:
        raise BadInput(
            f"{name} is {chosen}, which takes no mapping",
            hint="leave the mapping out, or name the format",
            code="needless_mapping",
        )
    return chosen


def _read(
    path: Path, name: str, chosen: Format, mapping: Mapping | None, clock: Clock
) -> Iterator[Parsed]:
    """Opens the adapter of a format; each is imported only when it is needed."""
    if mapping is not None and chosen == "parquet":
        from workspace_ext.telemetry.ingest.adapters import parquet_rows

        return parquet_rows.read(path, name, mapping)
    if mapping is not None:
        from workspace_ext.telemetry.ingest.adapters import csv_rows

        return csv_rows.read(path, name, mapping)
    if chosen == "otlp-json":
        from workspace_ext.telemetry.ingest.adapters import otlp_json

        return otlp_json.read(path, name)
    if chosen == "otlp-proto":
        from workspace_ext.telemetry.ingest.adapters import otlp_proto

        return otlp_proto.read(path, name)
    from workspace_ext.telemetry.ingest.adapters import prometheus

    return prometheus.read(path, name, clock())
