"""Replay: an archive's notebook run again, offline, on the archive's own data."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa

from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import connect
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Clock, now_ns, to_rfc3339
from workspace_ext.foundation.errors import Damaged, NotFound
from workspace_ext.inquiry.archive.container import (
    ENVIRONMENT,
    LEDGER,
    NOTEBOOK,
    QUERIES,
    Archive,
    result_path,
    slice_path,
)
from workspace_ext.inquiry.archive.environment import describe_environment, drift
from workspace_ext.inquiry.archive.model import ReplayReport
from workspace_ext.inquiry.archive.private import make_store
from workspace_ext.inquiry.archive.slices import scans_of
from workspace_ext.inquiry.archive.verdicts import Captured, Replayed, judge_cells, judge_hypotheses
from workspace_ext.inquiry.headless.model import RunOptions
from workspace_ext.inquiry.headless.runner import run_notebook
from workspace_ext.inquiry.investigations.fold import fold
from workspace_ext.inquiry.investigations.model import QueryRecord

Watch = Callable[[int, int], None]


def replay(
    path: Path,
    *,
    actor: Actor,
    despite_damage: bool = False,
    kernel: str = "",
    watch: Watch | None = None,
    clock: Clock = now_ns,
) -> ReplayReport:
    """Runs an archive again and compares.

    Args:
        path: The archive.
        actor: Who replays.
        despite_damage: Go on when something in the archive was changed: what is damaged counts
            as missing.
        kernel: Another kernel than the notebook names.
        watch: Told how many cells ran, and of how many.
        clock: Tells the time of the report.

    Raises:
        Damaged: Something in the archive was changed; it is named.
        NotFound: There is no such file, or no such kernel here.
        BadInput: It is no archive.
    """
    begun = time.monotonic()
    with Archive(path) as archive, tempfile.TemporaryDirectory(prefix="replay-") as name:
        problems = _verify(archive, despite_damage=despite_damage)
        notebook = nbformat.from_dict(archive.read_json(NOTEBOOK))  # type: ignore[no-untyped-call]
        then = _captured(archive)
        options = RunOptions(kernel=kernel, allow_errors=True)
        now = _run(archive, Path(name), notebook, actor=actor, options=options, watch=watch)
        conclusion = then.state["conclusion"]
        environment = archive.read_json(ENVIRONMENT) if archive.has(ENVIRONMENT) else None
        return ReplayReport(
            archive=str(path),
            investigation=archive.manifest.investigation,
            title=archive.manifest.title,
            conclusion=conclusion["root_cause"] if conclusion else None,
            pin=archive.manifest.pin,
            frozen_at=archive.manifest.frozen_at,
            replayed_at=to_rfc3339(clock()),
            seconds=round(time.monotonic() - begun, 2),
            problems=tuple(problems),
            cells=tuple(judge_cells(notebook, then, now)),
            hypotheses=tuple(judge_hypotheses(then.state, now.state)),
            environment=drift(environment, describe_environment()) if environment else (),
        )


def _verify(archive: Archive, *, despite_damage: bool) -> list[str]:
    problems = archive.verify()
    if not problems:
        return []
    told = "; ".join(problems)
    if not despite_damage:
        raise Damaged(
            f"{archive.path} was changed: {told}",
            hint="get the archive again, or replay what is whole with --despite-damage",
            code="damaged_archive",
        )
    damaged = archive.damaged_parts().keys()
    if damaged & {NOTEBOOK, QUERIES, LEDGER}:
        raise Damaged(
            f"{archive.path} cannot be replayed, too much of it was changed: {told}",
            hint="get the archive again from where it came from",
            code="damaged_archive",
        )
    archive.set_aside(damaged)
    return problems


def _captured(archive: Archive) -> Captured:
    state = fold(archive.ledger())
    if state is None:
        raise Damaged(f"{archive.path}: the ledger is empty", code="damaged_archive")
    queries = {found["id"]: QueryRecord(**found) for found in archive.read_json(QUERIES)}
    results = {
        query: _table(archive.read(result_path(query)))
        for query in queries
        if archive.has(result_path(query))
    }
    tables = {scan.table for record in queries.values() for scan in scans_of(record)}
    missing = frozenset(table for table in tables if not archive.has(slice_path(table)))
    return Captured(state, queries, results, missing)


def _run(
    archive: Archive,
    folder: Path,
    notebook: Any,
    *,
    actor: Actor,
    options: RunOptions,
    watch: Watch | None,
) -> Replayed:
    uid = archive.manifest.investigation
    opened = next(entry for entry in archive.ledger() if entry["type"] == "investigation.opened")
    details = {name: value for name, value in (opened["data"] or {}).items() if name != "pin"}
    store = make_store(archive, folder / "store")
    with connect(store.path) as client:
        client.open_investigation(**details, actor=str(actor))
        path = folder / "notebook.ipynb"
        run_notebook(notebook, client, path=path, actor=actor, options=options, watch=watch)
        state = client.state(uid)
        kept = {query: _kept(client, uid, query) for query in state["queries"]}
    return Replayed(state, {query: table for query, table in kept.items() if table is not None})


def _kept(client: BrokerClient, uid: str, query: str) -> pa.Table | None:
    try:
        return _table(client.kept_result(uid, query))
    except NotFound:
        return None


def _table(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(io.BytesIO(content)) as stream:
        return stream.read_all()
