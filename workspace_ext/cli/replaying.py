"""Several archives replayed at once, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCRIPT = "from workspace_ext.cli.main import run; run()"
_WORST_FIRST = (130, 3, 2, 1, 0)
_GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """What a replay in another process said; ``report`` and ``error`` as its JSON says."""

    archive: Path
    code: int
    report: dict[str, Any] | None
    error: dict[str, Any] | None

    @property
    def verdict(self) -> str:
        """One word."""
        if self.report is not None:
            return str(self.report["verdict"])
        return "damaged" if "damaged" in str((self.error or {}).get("code")) else "refused"

    def to_dict(self) -> dict[str, Any]:
        """One of the ``archives`` of ``--json``."""
        said = self.report or {"archive": str(self.archive), "ok": False, "error": self.error}
        return {**said, "exit_code": self.code}


def worst_code(codes: Sequence[int]) -> int:
    """The exit code for several: an interruption, then environment, wrong use, no, good."""
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=0))


def archives_in(paths: Sequence[Path]) -> list[Path]:
    """The archives that are meant: of a folder, those that lie in it."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.investigation.zip")) if path.is_dir() else []
        found += inside or [path]  # an archive that was extracted is a folder, too
    return list(dict.fromkeys(found))


def replay_all(
    archives: Sequence[Path],
    options: Sequence[str],
    *,
    jobs: int,
    report: Path | None,
    watch: Callable[[Outcome], None],
) -> list[Outcome]:
    """Replays archives, some at a time; the outcomes are in their order.

    Args:
        archives: Which.
        options: More of the command line of each.
        jobs: How many at a time.
        report: Each report goes to a folder of its own in this.
        watch: Told of each that is done.

    Raises:
        KeyboardInterrupt: Ctrl-C. Each replay was interrupted, and has cleaned up.
    """
    folders: list[list[str]] = []
    for number, archive in enumerate(archives):
        stem = archive.name.removesuffix(".zip").removesuffix(".investigation")
        alike = [each.name for each in archives].count(archive.name) > 1
        name = f"{number + 1}-{stem}" if alike else stem
        folders.append(["--report", str(report / name)] if report else [])

    async def work() -> list[Outcome]:
        free = asyncio.Semaphore(jobs)

        async def one(archive: Path, folder: list[str]) -> Outcome:
            async with free:
                outcome = await _replayed(archive, [*options, *folder])
            watch(outcome)
            return outcome

        return await asyncio.gather(*map(one, archives, folders))

    return asyncio.run(work())


async def _replayed(archive: Path, options: Sequence[str]) -> Outcome:
    command = [
        sys.executable,
        "-P",
        "-c",
        _SCRIPT,
        "replay",
        "--json",
        *options,
        "--",
        str(archive),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # it is interrupted by us, once, and not by the terminal as well
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    talking = asyncio.ensure_future(process.communicate())
    try:
        out, err = await asyncio.shield(talking)
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(talking), _GRACE_SECONDS)
        if process.returncode is None:
            process.kill()
            await talking
        raise
    code = process.returncode if process.returncode is not None else 3
    report = _json(out)
    error = None if report else (_json(err.splitlines()[-1]) if err.splitlines() else None)
    said = error.get("error") if error else None
    if report is None and said is None:
        tail = err.decode(errors="replace").strip()[-300:]
        said = {"code": "internal", "message": f"its process ended with {code}: {tail}", "hint": ""}
    return Outcome(archive, code if code >= 0 else 3, report, said)


def _json(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
