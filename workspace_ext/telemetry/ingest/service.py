"""Ingest, as edges see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from workspace_ext.foundation.clock import Clock, now_ns
from workspace_ext.foundation.errors import BadInput
from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context, Head
from workspace_ext.telemetry.ingest.file_batch import FileBatch, Source, find_batch
from workspace_ext.telemetry.ingest.mapping import Mapping, parse_mapping
from workspace_ext.telemetry.ingest.model import IngestReport, Parsed, Progress
from workspace_ext.telemetry.ingest.source import (
    Opened,
    check_readable,
    digest_file,
    opening_bytes,
)

_PEEK = 1 << 16


class IngestService:
    """Makes batches of files. Safe to be called from several threads at once.

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
            format: One of `registry.formats`; found out when None.
            mapping: The text of a mapping file, for the formats that need one.
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
            version=registry.find(chosen).version,
            digest=digest_file(path),
            mapping_digest=None if rules is None else rules.digest,
            size=path.stat().st_size,
            received_ns=self._clock(),
        )
        with self._engine.cursor() as connection:
            report = self._take(connection, path, source, rules, progress)
        if progress is not None:
            progress(source.size, source.size)
        return report

    def _take(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        source: Source,
        rules: Mapping | None,
        progress: Progress | None,
    ) -> IngestReport:
        try:
            known = find_batch(connection, source)
            if known is not None:
                return known
            batch = FileBatch(connection, source)
            warnings: dict[str, None] = {}
            context = Context(source.received_ns, source.name, mapping=rules)
            for part, position in _read(path, source.format, context):
                for signal, records in part.tables.items():
                    batch.add(signal, records)
                batch.reject(part.rejects, part.more_rejects)
                warnings |= dict.fromkeys(part.warnings)
                if progress is not None:
                    progress(position, source.size)
            batch.settle()
        except (duckdb.Error, OSError, MemoryError) as error:
            raise explain(error, self._engine.folder.telemetry) from error
        with self._engine.write(connection):
            # the same content may have been committed while this was staged
            return find_batch(connection, source) or batch.finish(self._clock(), tuple(warnings))


def detect(path: Path, name: str, *, mapped: bool = False) -> str:
    """The format of a file.

    Raises:
        BadInput: It is none that is known, or cannot be read.
    """
    return registry.detect(Head(opening_bytes(path, name, _PEEK), name, mapped))


def _format(path: Path, name: str, given: str | None, mapping: str | None) -> str:
    chosen = given if given is not None else detect(path, name, mapped=mapping is not None)
    needs = registry.find(chosen).needs_mapping
    if needs and mapping is None:
        raise BadInput(
            f"{name} is {chosen} and has no mapping: nothing says what its columns mean",
            hint=f"put a mapping beside it, as {_mapping_name(name)}",
            code="no_mapping",
        )
    if not needs and mapping is not None:
        raise BadInput(
            f"{name} is {chosen}, which takes no mapping",
            hint=f"leave the mapping out ({_mapping_name(name)} beside the file is taken, too),"
            " or name the format",
            code="needless_mapping",
        )
    return chosen


def _mapping_name(name: str) -> str:
    return f"{Path(name).name.split('.')[0]}.mapping.yaml"


def _read(path: Path, chosen: str, context: Context) -> Iterator[tuple[Parsed, int]]:
    """The parts of a file, each with how many of its bytes have been read."""
    with Opened(path, context.name) as opened:
        for part in registry.read(chosen, opened.stream, context):
            yield part, opened.position()
