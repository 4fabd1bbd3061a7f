"""A store is a folder; this module knows what lies where in it, and who may open it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote

from filelock import FileLock, Timeout

from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, Conflict, InvestigationError, NotFound
from workspace_ext.foundation.permissions import not_permitted
from workspace_ext.storage.failures import damaged, explain
from workspace_ext.storage.files import is_unfinished, write_whole

_FORMAT = 1
LONGEST_PATH_BYTES = 480  # SQLite opens no file with a path of more than 512
_PARTS = ("segments", "templates", "inbox", "journal", "spill", "logs")


@dataclass(frozen=True)
class StoreFolder:
    """The places in a store's folder. Make one with `create` or `open`."""

    path: Path

    @classmethod
    def create(cls, path: Path, *, sealed: bool = False) -> StoreFolder:
        """Makes an empty store, or opens the one that is already there.

        Args:
            path: The folder.
            sealed: Whether a new store is made from an archive: it knows the templates that lie
                in it, and no others.

        Raises:
            BadInput: The path is a file, a folder with other things in it, or too long.
            Unavailable: The folder cannot be written.
        """
        path = path.absolute()
        marker = path / "store.json"
        if len(os.fsencode(path)) > LONGEST_PATH_BYTES:
            raise BadInput(
                f"the path of the folder has {len(os.fsencode(path))} bytes, more than"
                f" {LONGEST_PATH_BYTES}: {path}",
                hint="choose a folder with a shorter path",
                code="long_path",
            )
        if marker.exists():
            return cls.open(path)
        try:
            if path.exists() and not _is_free(path, sealed=sealed) and not marker.exists():
                raise BadInput(
                    f"{path} is not empty and not a store",
                    hint="give a new folder, or an empty one",
                    code="not_a_store",
                )
            path.mkdir(parents=True, exist_ok=True)
            content = {"format": _FORMAT, "created": to_rfc3339(now_ns()), "sealed": sealed}
            write_whole(marker, json.dumps(content) + "\n", mode=0o644, keep=True)
        except OSError as error:
            raise explain(error, path) from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> StoreFolder:
        """The store in an existing folder.

        Raises:
            NotFound: There is none.
            Conflict: It was made by a newer version.
            Damaged: Its marker cannot be read.
        """
        path = path.absolute()
        marker = path / "store.json"
        try:
            content = json.loads(marker.read_text("utf-8"))
            made_as = int(content["format"])
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                f"no store in {path}",
                hint=f"make one with: jupyter investigation init {quote(str(path))}",
                code="no_store",
            ) from None
        except OSError as error:
            raise explain(error, marker) from error
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(marker, "not the marker of a store") from error
        if made_as > _FORMAT:
            raise Conflict(
                f"the store in {path} was made by a newer version (format {made_as})",
                hint="upgrade investigation-workspace",
                code="newer_store",
            )
        folder = cls(path)
        try:
            folder._make_parts()
        except OSError as error:
            raise explain(error, path) from error
        return folder

    @property
    def telemetry(self) -> Path:
        """The DuckDB file of facts."""
        return self.path / "telemetry.duckdb"

    @property
    def records(self) -> Path:
        """The SQLite file of investigations and the ledger."""
        return self.path / "records.sqlite"

    @property
    def segments(self) -> Path:
        """Sealed Parquet copies of the telemetry."""
        return self.path / "segments"

    @property
    def templates(self) -> Path:
        """The folder's own query templates."""
        return self.path / "templates"

    @property
    def used_templates(self) -> Path:
        """Copies of the templates that queries used, by digest."""
        return self.path / "used_templates"

    @property
    def inbox(self) -> Path:
        """Where uploads wait until they are ingested."""
        return self.path / "inbox"

    @property
    def journal(self) -> Path:
        """Live data that is durable and not yet in the DuckDB file."""
        return self.path / "journal"

    @property
    def spill(self) -> Path:
        """Temporary files of queries that exceed their memory."""
        return self.path / "spill"

    @property
    def sealed(self) -> bool:
        """Whether it was made from an archive: it knows no templates but its own."""
        marker = json.loads((self.path / "store.json").read_text("utf-8"))
        return bool(marker.get("sealed"))

    @property
    def broker_file(self) -> Path:
        """Address and token of the broker that serves this store (written by it, 0600)."""
        return self.path / "broker.json"

    @property
    def lock_file(self) -> Path:
        """The lock that the opener of the databases holds."""
        return self.path / "lock"

    @property
    def secret(self) -> bytes:
        """The 32 bytes that sign this store's tokens; made on first use, readable by the owner."""
        return self._key("secret.key")

    @property
    def redaction_key(self) -> bytes:
        """The 32 bytes that tell redacted values apart, of this store alone; made likewise."""
        return self._key("redaction.key")

    def _key(self, name: str) -> bytes:
        path = self.path / name
        try:
            if not path.exists():
                write_whole(path, secrets.token_hex(32) + "\n", mode=0o600, keep=True)
            return bytes.fromhex(path.read_text("ascii").strip())
        except OSError as error:
            raise explain(error, path) from error
        except ValueError as error:
            raise damaged(path, "not a key") from error

    @property
    def socket_name(self) -> str:
        """The Unix socket at which a sealed store is served: known before its broker is there."""
        return f"investigation-{sha256(b'socket' + self.secret).hexdigest()[:32]}"

    @contextmanager
    def hold(self, owner: str) -> Iterator[None]:
        """Holds the store for as long as the context lasts.

        Args:
            owner: What holds it, as a second opener is told: "broker", for instance.

        Raises:
            Conflict: Somebody else holds it; the message names who, and since when.
            Unavailable: Its files may not be used.
        """
        self._require_access()
        lock = FileLock(self.lock_file, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise self._held() from None
        except OSError as error:
            raise explain(error, self.lock_file) from error
        holder = self.path / "holder.json"
        content = {"owner": owner, "pid": os.getpid(), "since": to_rfc3339(now_ns())}
        try:
            try:
                write_whole(holder, json.dumps(content) + "\n", mode=0o644)
            except OSError as error:
                raise explain(error, holder) from error
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def _held(self) -> InvestigationError:
        try:
            holder = json.loads((self.path / "holder.json").read_text("utf-8"))
            who = f"{holder['owner']} (process {holder['pid']}, since {holder['since']})"
        except (OSError, ValueError, KeyError, TypeError):
            who = "another process"
        return Conflict(
            f"the store in {self.path} is held by {who}",
            hint="use it through its broker, or stop that process first",
            code="store_held",
        )

    def _make_parts(self) -> None:
        for part in _PARTS:
            (self.path / part).mkdir(exist_ok=True)

    def _require_access(self) -> None:
        """So that who may not use it is told at once, and not in the middle of something."""
        for path in (self.path, *(self.path / part for part in _PARTS)):
            if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                raise not_permitted(path)


def _is_free(path: Path, *, sealed: bool) -> bool:
    """Whether a store can be made here; another process may be about to do it, too.

    Templates may be there before the store that serves them.
    """
    own = () if sealed else ("templates",)
    return path.is_dir() and all(is_unfinished(p) or p.name in own for p in path.iterdir())
