"""``jupyter investigation ingest --watch``: files are taken as they come to lie in a folder."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workspace_ext.cli.output import Output, json_text, plain, show_error
from workspace_ext.cli.watched_folder import FolderWatch
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import Connection, connect
from workspace_ext.foundation.errors import BadInput, InvestigationError

Report = dict[str, Any]
Take = Callable[[BrokerClient, Path], Report]
"""Sends a file, and returns the report."""


def watch(
    output: Output,
    store: Path,
    folder: Path,
    take: Take,
    summary: Callable[[Report], str],
    every: float,
) -> int:
    """Takes what settles in a folder until Ctrl-C.

    Args:
        output: Told of each file; with ``--json`` a line each, and one with the sums at the end.
        store: Where it goes.
        folder: What is watched.
        take: Sends a file.
        summary: A report in a line.
        every: Seconds from look to look.

    Returns:
        0: a file that cannot be read was told of, and did not stop the others.

    Raises:
        BadInput: It is no folder.
        InvestigationError: No broker can be had at the start.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder", hint="--watch takes the folder that files come to")
    watched = _Watch(output, store, folder, take, summary)
    with _ended_by_ctrl_c() as pause, suppress(KeyboardInterrupt):
        watched.begin()
        while pause(every):
            watched.look()
    watched.end()
    return 0


class _Watch:
    def __init__(
        self,
        output: Output,
        store: Path,
        folder: Path,
        take: Take,
        summary: Callable[[Report], str],
    ) -> None:
        self._output, self._store, self._folder = output, store, folder
        self._take, self._summary = take, summary
        self._files = FolderWatch(folder)
        self._connection: Connection | None = connect(store)
        self._count: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._told = ""

    def begin(self) -> None:
        self._files.look()
        self._output.note(f"Watches {self._folder}. Stop it with Ctrl-C.")

    def look(self) -> None:
        for path in self._files.look():
            name = str(path.relative_to(self._folder))
            try:
                if self._connection is None:
                    self._connection = connect(self._store)
                report = self._take(self._connection.client, path)
            except BadInput as error:
                self._files.done(path)
                self._count["failed"] += 1
                self._tell({"name": name, "error": error.to_dict()}, error)
            except InvestigationError as error:  # not the file's fault: it is tried again
                self._hang_up()
                if error.message != self._told:
                    self._told = error.message
                    self._tell({"name": name, "error": error.to_dict()}, error)
                return
            else:
                self._told = ""
                self._files.done(path)
                self._taken({**report, "name": name})
        for path in self._files.restless():
            self._output.note(f"{path.name} is still being written; it is taken when it rests")

    def end(self) -> None:
        self._hang_up()
        rows = ", ".join(f"{count:,} {signal}" for signal, count in self._rows.items())
        told = (
            f"{self._count['taken']} files taken ({rows or 'no rows'}), "
            f"{self._count['already']} were there already, {self._count['failed']} failed."
        )
        sums = {name: self._count[name] for name in ("taken", "already", "failed")}
        self._say({"watched": {**sums, "rows": dict(self._rows)}}, told)

    def _taken(self, report: Report) -> None:
        self._count["already" if report["already"] else "taken"] += 1
        if report["already"]:
            return
        self._rows.update({name: count for name, count in report["rows"].items() if count})
        more = [f"{report[key]:,} {key}" for key in ("duplicates", "quarantined") if report[key]]
        told = ", ".join((self._summary(report), *more))
        self._say(report, "\n  ".join((f"{report['name']}: {told}", *report["warnings"])))

    def _tell(self, data: dict[str, Any], error: InvestigationError) -> None:
        if self._output.as_json:
            self._say(data, "")
        else:
            show_error(self._output, error)

    def _say(self, data: dict[str, Any], told: str) -> None:
        if self._output.as_json:  # a line each: nobody knows which is the last
            sys.stdout.write(json_text(data, sys.stdout) + "\n")
            sys.stdout.flush()
        else:
            self._output.show(None, plain(told))

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(InvestigationError):
                self._connection.close()
        self._connection = None


@contextmanager
def _ended_by_ctrl_c() -> Iterator[Callable[[float], bool]]:
    """A pause that says whether to go on. A first Ctrl-C lets the file under way be finished."""
    stopping = idle = False

    def stop(_number: int, _frame: Any) -> None:
        nonlocal stopping
        if stopping or idle:
            raise KeyboardInterrupt
        stopping = True

    def pause(seconds: float) -> bool:
        nonlocal idle
        idle = True
        if not stopping:
            time.sleep(seconds)
        idle = False
        return not stopping

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
