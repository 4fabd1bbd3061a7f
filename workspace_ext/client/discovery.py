"""Finding a folder's broker, or starting one."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.launch import BrokerProcess
from workspace_ext.client.lease import Lease
from workspace_ext.foundation.errors import Conflict, InvestigationError, Unavailable
from workspace_ext.foundation.permissions import not_permitted

BROKER_FILE = "broker.json"
LINGER_SECONDS = 10.0
HOLDER_FILE = "holder.json"
BROKER_HOLDS_SECONDS = 30.0
"""Most time that a broker may take to start or to leave, on a machine with much else to do."""

OTHER_HOLDS_SECONDS = 5.0
"""What else opens a store is not about to let go of it."""

_TRY_AGAIN_SECONDS = 0.5
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Connection:
    """A broker that stays for as long as this is open. A context manager.

    Attributes:
        client: Talks to it.
        lease: What keeps it.
        started: The process, when this connection started it.
    """

    client: BrokerClient
    lease: Lease
    started: BrokerProcess | None

    def close(self) -> None:
        """Gives the lease back. A broker that nobody else uses leaves, and is waited for."""
        leaving = False
        with suppress(InvestigationError):  # it is gone already
            leaving = self.client.release(self.lease)
        self.lease.close()
        self.client.close()
        if self.started is not None and leaving:
            self.started.wait()

    def __enter__(self) -> BrokerClient:
        return self.client

    def __exit__(self, *_error: object) -> None:
        self.close()


def find(folder: Path) -> BrokerClient | None:
    """The client of the broker that serves a folder now; None when none does.

    Raises:
        Unavailable: ``broker.json`` is there and may not be read.
    """
    path = folder / BROKER_FILE
    try:
        entry = json.loads(path.read_text("utf-8"))
        client = BrokerClient(str(entry["address"]), str(entry["token"]))
        instance = str(entry["instance"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise not_permitted(path) from error
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a broker that starts will write it anew
    try:
        if client.health()["instance"] == instance:
            return client
    except (InvestigationError, KeyError):
        pass  # its process is gone, or another program has its port
    client.close()
    return None


def connect(folder: Path, *, start: bool = True, linger: float = LINGER_SECONDS) -> Connection:
    """A connection to the folder's broker.

    Any number of processes may do this at once: one broker comes of it, and all get it.

    Args:
        folder: The store.
        start: Whether to start a broker when none runs.
        linger: How many seconds a started broker stays after a user that went without
            giving its lease back.

    Raises:
        Unavailable: None runs and none may be started, or it did not start in time.
        InvestigationError: Why it could not start, as the broker itself said.
    """
    folder = folder.absolute()
    held_since = not_before = 0.0
    started: BrokerProcess | None = None
    while True:
        connection = _attach(folder, started)
        if connection is not None:
            return connection
        if not start:
            raise Unavailable(
                f"no broker serves {folder}",
                hint=f"start one: jupyter investigation broker --store {folder}",
                code="no_broker",
            )
        if time.monotonic() < not_before:
            time.sleep(_PAUSE_SECONDS)
            continue
        try:
            started = BrokerProcess.start(folder, linger=linger)
        except Conflict as error:
            # another starter was quicker, or the broker before this one is still leaving
            now = time.monotonic()
            held_since = held_since or now
            if error.code != "store_held" or now > held_since + _patience(folder):
                raise
            not_before = now + _TRY_AGAIN_SECONDS


def _attach(folder: Path, started: BrokerProcess | None) -> Connection | None:
    client = find(folder)
    if client is None:
        return None
    try:
        lease = client.lease()
    except Unavailable:
        client.close()  # it left just now
        return None
    mine = started is not None and started.serves(client.address)
    return Connection(client, lease, started if mine else None)


def _patience(folder: Path) -> float:
    """For how long to wait for a store that is held."""
    try:
        owner = json.loads((folder / HOLDER_FILE).read_text("utf-8"))["owner"]
    except (OSError, ValueError, KeyError, TypeError):
        return BROKER_HOLDS_SECONDS  # it says so in a moment, or went just now
    return BROKER_HOLDS_SECONDS if owner == "broker" else OTHER_HOLDS_SECONDS
