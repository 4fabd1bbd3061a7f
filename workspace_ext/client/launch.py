"""Starting a broker as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace_ext.foundation.errors import Unavailable, from_dict
from workspace_ext.foundation.permissions import not_permitted

_READY_SECONDS = 60.0
_LEAVE_SECONDS = 15.0


@dataclass(frozen=True)
class BrokerProcess:
    """A broker that this process started. It outlives its starter when others use it."""

    process: subprocess.Popen[bytes]
    address: str

    @classmethod
    def start(cls, folder: Path, *, linger: float) -> BrokerProcess:
        """Starts one and waits until it is ready.

        Args:
            folder: The store.
            linger: How long it stays when nobody uses it.

        Raises:
            InvestigationError: Why it did not start, as it said itself.
            Unavailable: It said nothing, or not in time.
        """
        log = folder / "logs" / "broker.log"
        try:
            process = _spawn(folder, log, linger)
        except PermissionError as error:
            raise not_permitted(Path(error.filename or folder)) from error
        except OSError as error:
            raise Unavailable(
                f"the broker of {folder} could not be started: {error}",
                hint="check that the folder may be written",
                code="broker_failed",
            ) from error
        timer = threading.Timer(_READY_SECONDS, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            with process.stdout as output:
                said = next(filter(None, map(_message, output)), {})
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            timer.cancel()
        if "ready" in said:
            return cls(process, str(said["ready"]["address"]))
        process.wait()
        if "error" in said:
            raise from_dict(said["error"])
        raise Unavailable(
            f"the broker of {folder} did not start (exit code {process.returncode})",
            hint=f"see {log}",
            code="broker_failed",
        )

    def serves(self, address: str) -> bool:
        """Whether this process listens at the address."""
        return self.address == address and self.process.poll() is None

    def end(self) -> None:
        """Ends it as it is: for a store that nobody will open again."""
        self.process.kill()
        self.process.wait()

    def wait(self) -> None:
        """Waits until it has left, but not for long: it may have found another user."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_LEAVE_SECONDS)


def _spawn(folder: Path, log: Path, linger: float) -> subprocess.Popen[bytes]:
    # -P: else a notebook's tornado.py beside the working folder would run in the broker
    command = [sys.executable, "-P", "-m", "workspace_ext.broker", "--json"]
    command += ["--store", str(folder), "--exit-when-unused", str(linger)]
    with (log if log.parent.is_dir() else Path(os.devnull)).open("ab") as stderr:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C in a terminal is for the starter alone
        )


def _message(line: bytes) -> dict[str, Any]:
    """What it said in a line; nothing of a line that a library wrote, under load an empty one."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
