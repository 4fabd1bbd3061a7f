"""The types of what stands behind a result and between two versions. See ``messages``."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from workspace_ext.protocol.messages import QuerySummary, WindowDict


class KeptRows(TypedDict):
    """The first rows of a kept result, each value as JSON has it or as text."""

    columns: list[str]
    rows: list[list[Any]]
    total: int


class TableRead(TypedDict):
    """What a query read of one table; no window: all of it."""

    table: str
    columns: list[str]
    window: WindowDict | None


class BatchOrigin(TypedDict):
    """A batch that rows came in, and how many of them, by signal."""

    batch_id: int
    name: str
    format: str
    received_at: str | None
    committed_at: str | None
    contributed: dict[str, int]


class SourceOrigin(TypedDict):
    """Where rows came from: a file or a sender, read by an adapter."""

    name: str
    format: str
    adapter_version: str | None
    batches: int
    contributed: int
    committed: list[str | None]  # first and last


class Origin(TypedDict):
    """Where an answer comes from; ``says`` tells how much that means."""

    exact: bool
    says: str
    reads: list[TableRead]
    batches: list[BatchOrigin]
    batches_total: int
    sources: list[SourceOrigin]


class Provenance(TypedDict):
    """All that stands behind the answer to one query; ``gap`` says why no origin is told."""

    query: QuerySummary
    statement: str
    warnings: list[str]
    elapsed_ms: int
    kept: KeptRows | None
    origin: Origin | None
    gap: str


class DiffLine(TypedDict):
    """One line of a source; ``skip`` stands for so many that are the same."""

    kind: Literal["same", "added", "removed", "skip"]
    text: str


class CellDiff(TypedDict):
    """What became of one cell; its place in each version counts from one."""

    uid: str
    kind: str  # code, markdown or raw
    what: str  # as in `VersionInfo.changes`
    before: int | None
    after: int | None
    lines: list[DiffLine]
    outputs_before: list[str]
    outputs_after: list[str]


class VersionDiff(TypedDict):
    """What differs between two versions of a notebook; ``new`` None is the notebook as it is."""

    old: int
    new: int | None
    cells: list[CellDiff]
    unchanged: int
    metadata: bool
