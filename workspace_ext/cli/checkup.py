"""What ``doctor`` looks at in a workspace folder and its broker."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace_ext import __version__
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import BROKER_FILE, connect
from workspace_ext.foundation.clock import parse_rfc3339
from workspace_ext.foundation.errors import InvestigationError, NotFound

LEAST_FREE_BYTES = 1_000_000_000
FEW_FREE_BYTES = 10_000_000_000
LONG_LAG_SECONDS = 10.0
WORST_LAG_SECONDS = 300.0
LARGE_JOURNAL_BYTES = 500_000_000
SECRETS = (BROKER_FILE, "secret.key", "redaction.key")
_AHEAD_SECONDS = 300.0
_DOOR_SECONDS = 2.0
_MAKE_ROOM = "make room: `jupyter investigation retention --dry-run` shows what can go"


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What.
        ok: Whether one can work with it.
        found: What was found.
        hint: What to do when it is not good.
        warn: Whether it will be trouble soon though it works.
    """

    name: str
    ok: bool
    found: str
    hint: str = ""
    warn: bool = False

    @property
    def level(self) -> str:
        """OK, WARN or FAIL."""
        return "FAIL" if not self.ok else "WARN" if self.warn else "OK"


def check_store(store: Path) -> list[Check]:
    """The folder, and all that its broker tells; one check when there is no folder."""
    from workspace_ext.storage.folder import StoreFolder

    try:
        StoreFolder.open(store)
    except NotFound:
        hint = "name it with --store, or make one: jupyter investigation init DIR"
        return [Check("workspace folder", ok=True, found=f"none at {store}", hint=hint, warn=True)]
    except InvestigationError as error:
        return [Check("workspace folder", False, error.message, error.hint)]
    checks = [_disk(shutil.disk_usage(store).free), _secrets(store)]
    try:
        with connect(store) as client:
            checks += [*_broker(client), *_doors(store), *_data(client)]
    except InvestigationError as error:
        checks.append(Check("broker", False, error.message, error.hint))
    return checks


def _disk(free: int) -> Check:
    return Check(
        "free disk",
        free >= LEAST_FREE_BYTES,
        f"{free / 1e9:.1f} GB",
        f"a full disk stops ingest; {_MAKE_ROOM}",
        warn=free < FEW_FREE_BYTES,
    )


def _secrets(store: Path) -> Check:
    found = [name for name in SECRETS if (store / name).exists()]
    told = [name for name in found if (store / name).stat().st_mode & 0o077]
    return Check(
        "secrets",
        ok=True,
        found=f"others may read {', '.join(told)}" if told else "only their owner may read them",
        hint=f"chmod 600 them in {store}; whoever read them can ask and write as anybody",
        warn=bool(told),
    )


def _broker(client: BrokerClient) -> Iterator[Check]:
    health = client.health()
    yield Check("broker", ok=True, found=f"{health['status']} at {client.address}")
    yield Check(
        "broker's version",
        ok=True,
        found=str(health["version"]),
        hint=f"this command is {__version__}: stop the broker, and the next use starts a new one",
        warn=health["version"] != __version__,
    )


def _doors(store: Path) -> Iterator[Check]:
    """Whether what the broker says it receives at can be reached."""
    try:
        doors = json.loads((store / BROKER_FILE).read_text("utf-8")).get("doors") or {}
    except (OSError, ValueError):
        doors = {}
    if not doors:
        yield Check(
            "receives telemetry",
            ok=True,
            found="not this broker: `jupyter investigation broker --store DIR` does",
        )
    for name, address in doors.items():
        host, _, port = str(address).rpartition("//")[2].rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _DOOR_SECONDS).close()
            yield Check(f"receives {name}", ok=True, found=str(address))
        except (OSError, ValueError) as error:
            hint = "see logs/broker.log in the store folder, then start the broker again"
            yield Check(f"receives {name}", False, f"{address}: {error}", hint)


def _data(client: BrokerClient) -> Iterator[Check]:
    status = client.status()
    pin = client.catalog()["pin"]
    yield Check("telemetry", ok=True, found=f"data up to batch {pin}")
    yield from judge(status)
    verified = client.verify()
    yield Check(
        "ledger",
        bool(verified["ok"]),
        f"{verified['entries']} entries",
        "jupyter investigation verify names what was changed",
    )


def judge(status: Mapping[str, Any]) -> Iterator[Check]:
    """What the broker's own account of its health means."""
    failing, lag = status["failing"], float(status["lag_seconds"])
    yield Check(
        "merges",
        failing is None,
        failing or f"{status['merge_failures']} failed since the start",
        "what was acknowledged is safe in the journal; see logs/broker.log for the cause",
        warn=status["merge_failures"] > 0,
    )
    yield Check(
        "ingest lag",
        lag < WORST_LAG_SECONDS,
        f"{lag:.1f} s",
        "more comes in than is merged: send less, or give the broker more processors",
        warn=lag > LONG_LAG_SECONDS,
    )
    journal = status["sizes"]["journal"]
    yield Check(
        "journal",
        ok=True,
        found=f"{journal / 1e6:.1f} MB",
        hint="merges do not keep up, or fail; files with .damaged were set aside and can be kept",
        warn=journal > LARGE_JOURNAL_BYTES,
    )
    refused = sum(status["refused"].values())
    yield Check(
        "refusals",
        ok=True,
        found=f"{refused} requests for want of room since the start",
        hint="senders come again by themselves; /metrics says why each was refused",
        warn=refused > 0,
    )
    newest = status["newest_record"]
    ahead = 0.0 if newest is None else (parse_rfc3339(newest) - parse_rfc3339(status["now"])) / 1e9
    yield Check(
        "clock",
        ok=True,
        found="no data yet" if newest is None else f"newest record {newest}",
        hint="it lies in the future: a sender's clock, or this machine's, is wrong",
        warn=ahead > _AHEAD_SECONDS,
    )
