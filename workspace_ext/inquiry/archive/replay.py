"""Replay: an archive's notebook run again, offline, on the archive's own data."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa
from nbformat.v4.rwbase import rejoin_lines

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.environment import describe_environment
from workspace_ext.foundation.errors import Damaged, NotFound
from workspace_ext.inquiry.archive.circumstances import Circumstances
from workspace_ext.inquiry.archive.claims import Claims
from workspace_ext.inquiry.archive.container import (
    ENVIRONMENT,
    LEDGER,
    NOTEBOOK,
    QUERIES,
    result_path,
    script_path,
    slice_path,
    text_path,
)
from workspace_ext.inquiry.archive.environment import drift
from workspace_ext.inquiry.archive.model import CellReplay, Drift, ReplayReport
from workspace_ext.inquiry.archive.order import Order, Turn, turns
from workspace_ext.inquiry.archive.private_store import PrivateBroker, fill_store
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.archive.shown import pictures
from workspace_ext.inquiry.archive.slices import is_cut_off
from workspace_ext.inquiry.archive.texts import Texts, held_scripts
from workspace_ext.inquiry.archive.verdicts import Captured, Replayed, judge_cells, summary
from workspace_ext.inquiry.headless.model import RunOptions
from workspace_ext.inquiry.headless.offline import launcher
from workspace_ext.inquiry.headless.runner import run_opened
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.storage.folder import StoreFolder

Watch = Callable[[int, int], None]

_NEEDED = {NOTEBOOK, QUERIES, LEDGER}


def replay(
    path: Path,
    *,
    actor: Actor,
    despite_damage: bool = False,
    kernel: str = "",
    order: Order = "run",
    online: bool = False,
    watch: Watch | None = None,
) -> ReplayReport:
    """Runs an archive again and compares.

    The notebook's code runs with all that the user may do, as when it is opened and run.

    Args:
        path: The archive.
        actor: Who replays.
        despite_damage: Go on when something in the archive was changed: what is damaged counts
            as missing.
        kernel: Another kernel than the notebook names.
        order: Whether cells run in the order in which they were run, or in the document's.
        online: Leave the kernel its network. Else it has none, where the system lets us.
        watch: Told how many cells ran, and of how many.

    Raises:
        Damaged: Something in the archive was changed; it is named.
        NotFound: There is no such file, or no such kernel here.
        BadInput: It is no archive.
        KeyboardInterrupt: Ctrl-C; nothing stays behind.
    """
    begun = time.monotonic()
    with Archive(path) as archive, tempfile.TemporaryDirectory(prefix="replay-") as name:
        problems = _verify(archive, despite_damage=despite_damage)
        notebook, then, runs = _read(archive, order)
        again = deepcopy(notebook)
        options = RunOptions(
            kernel=kernel,
            allow_errors=True,
            order=tuple(turn.place for turn in runs),
            launcher=() if online else launcher(),
        )
        work = _Replay(archive, then, Path(name), actor)
        now = work.execute(again, runs, options, watch or (lambda _done, _of: None))
        cells = tuple(judge_cells(notebook, again, then, now))
        drifted = tuple(_drift(archive, now))
        report = _report(archive, problems, cells, Claims(then, now.state, cells), drifted)
    seconds = round(time.monotonic() - begun, 2)
    return replace(report, seconds=seconds, order=order, offline=bool(options.launcher))


def contents(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What a replay of an archive will judge, without replaying it: words by id.

    Returns:
        The hypotheses that are more than proposed, and the cells of which a run was captured.

    Raises:
        InvestigationError: As `replay`, but damage is no obstacle as long as it can be read.
    """
    with Archive(path) as archive:
        notebook, then, ran = _read(archive, "document")
    uids = uids_of(notebook.cells)
    cells = {
        uids[turn.place]: f"{turn.place + 1}: {summary(notebook.cells[turn.place].source)}"
        for turn in ran
        if turn.step is not None
    }
    judged = then.state["hypotheses"].items()
    return {uid: each["text"] for uid, each in judged if each["state"] != "proposed"}, cells


def charts(path: Path) -> dict[str, str]:
    """The pictures that an archive's notebook has of its answers: query → PNG, in base64."""
    with Archive(path) as archive:
        return pictures(_notebook(archive).cells)


def _report(
    archive: Archive,
    problems: Sequence[str],
    cells: tuple[CellReplay, ...],
    claims: Claims,
    drifted: tuple[Drift, ...],
) -> ReplayReport:
    return ReplayReport(
        archive=str(archive.path),
        investigation=archive.manifest.investigation,
        title=archive.manifest.title,
        conclusion=claims.conclusion(),
        pin=archive.manifest.pin,
        frozen_at=archive.frozen_at,
        replayed_at=to_rfc3339(now_ns()),
        seconds=0.0,
        problems=tuple(problems),
        cells=cells,
        hypotheses=claims.hypotheses(),
        left_out=claims.left_out(),
        warnings=(*claims.warnings(), *archive.manifest.unreviewed),
        entry=archive.ledger()[-1]["id"],
        environment=drifted,
    )


def _drift(archive: Archive, now: Replayed) -> Iterable[Drift]:
    """What differs between the kernels, or where no kernel told then, between those that ask."""
    if not archive.has(ENVIRONMENT):
        return ()
    then = archive.read_json(ENVIRONMENT)
    own = now.environment if then.get("of") != "broker" else None
    return drift(then, own or describe_environment())


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
    if damaged & _NEEDED:
        raise Damaged(
            f"{archive.path} cannot be replayed, too much of it was changed: {told}",
            hint="get the archive again from where it came from",
            code="damaged_archive",
        )
    archive.set_aside(damaged)
    return problems


def _read(archive: Archive, order: Order) -> tuple[Any, Captured, tuple[Turn, ...]]:
    """The notebook, what was captured, and the runs of a replay."""
    with archive.understood():
        notebook, then = _notebook(archive), _captured(archive)
        return notebook, then, turns(notebook, then.state, order)


def _notebook(archive: Archive) -> Any:
    content = nbformat.from_dict(archive.read_json(NOTEBOOK))  # type: ignore[no-untyped-call]
    notebook = rejoin_lines(content)  # type: ignore[no-untyped-call]
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number}")  # before nbformat 4.5 there were none
    return notebook


def _captured(archive: Archive) -> Captured:
    state, records = archive.state(), archive.queries()
    results = {
        record.id: _table(archive.read(result_path(record.id)))
        for record in records
        if archive.has(result_path(record.id))
    }
    lost = {record.id: tuple(_lost(archive, record)) for record in records}
    scripts = held_scripts(archive, state["steps"].values())
    return Captured(
        state,
        {record.id: record for record in records},
        results,
        lost,
        {record.id for record in records if _is_redacted(archive, record)},
        {*archive.manifest.redacted.cells, *_cells_of_redacted(archive, state)},
        scripts.keys(),
    )


def _lost(archive: Archive, record: QueryRecord) -> Iterable[str]:
    """What a query needs and the archive does not have, or not as it was."""
    for table in sorted({scan.table for scan in record.scans}):
        if not archive.has(slice_path(table)):
            yield f"slice of {table}"
    capped = archive.manifest.capped
    for table in sorted({scan.table for scan in record.scans if is_cut_off(scan, capped)}):
        part = capped[slice_path(table)]
        yield f"slice of {table}: {part['rows']:,} of {part['of']:,} rows were taken"
    if record.template is not None:
        name, version = record.template["id"], record.template["version"]
        path = text_path(archive.manifest.files, record.template)
        part = archive.manifest.files.get(path, {})
        if not archive.has(path) or part.get("digest") != record.template["digest"]:
            yield f"template {name} v{version}"


def _is_redacted(archive: Archive, record: QueryRecord) -> bool:
    """Whether something of a query was redacted: itself, its result, or what it read."""
    redacted = archive.manifest.redacted
    return record.id in redacted.queries or any(
        set(scan.columns) & set(redacted.columns.get(scan.table, ())) for scan in record.scans
    )


def _cells_of_redacted(archive: Archive, state: InvestigationState) -> Iterable[str]:
    """The cells that use scripts of which something was redacted."""
    redacted = set(archive.manifest.redacted.scripts)
    for step in state["steps"].values():
        if redacted & {script_path(file["digest"]) for file in step["files"]}:
            yield step["cell"]


class _Replay:
    """One replay: a private store, its broker, and a kernel that may reach nothing else."""

    def __init__(self, archive: Archive, then: Captured, folder: Path, actor: Actor) -> None:
        self._archive = archive
        self._then = then
        self._folder = folder
        self._actor = actor

    def execute(
        self, notebook: Any, order: Sequence[Turn], options: RunOptions, watch: Watch
    ) -> Replayed:
        """Runs the notebook; it gets its outputs."""
        uid = self._then.state["uid"]
        store = StoreFolder.create(self._folder / "store", sealed=True)
        place = self._folder / "beside"
        place.mkdir()
        texts = Texts(
            self._archive, self._then.queries, store, self._then.state["steps"].values(), place
        )
        circumstances = Circumstances(self._archive.ledger(), order, texts, self._actor)
        with PrivateBroker(store, partial(self._fill, store)) as broker:

            def opened() -> BrokerClient:
                self._open(broker.client)
                circumstances.begin(broker.client)
                return broker.client

            def ran(done: int, of: int) -> None:
                watch(done, of)
                circumstances.before(done)

            report = run_opened(
                notebook,
                broker,
                opened,
                uid=uid,
                path=place / "notebook.ipynb",
                actor=self._actor,
                options=options,
                watch=ran,
            )
            if report.interrupted:
                raise KeyboardInterrupt
            state = broker.client.state(uid)
            return _replayed(broker.client, state)

    def _open(self, client: BrokerClient) -> None:
        then = self._then.state
        client.open_investigation(
            then["title"],
            uid=then["uid"],
            severity=then["severity"],
            window=then["window"],
            baseline=then["baseline"],
            services=then["services"],
            notebook=then["notebook"],
            actor=str(self._actor),
        )

    def _fill(self, store: StoreFolder) -> None:
        records = self._then.queries.values()
        asked = [record for record in records if record.ok and record.template]
        words = {
            value for record in asked for value in record.params.values() if isinstance(value, str)
        }
        pin = max([self._then.state["pin"], *(record.pin for record in records)])
        fill_store(self._archive, store, pin=pin, services=words)


def _replayed(client: BrokerClient, state: InvestigationState) -> Replayed:
    results, aggregates = {}, {}
    for query in state["queries"]:
        try:
            results[query] = _table(client.kept_result(state["uid"], query))
        except NotFound:
            found = client.recorded_query(state["uid"], query)["aggregates"]
            if found is not None:
                aggregates[query] = found
    return Replayed(state, results, aggregates, client.environment(state["uid"]))


def _table(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(io.BytesIO(content)) as stream:
        return stream.read_all()
