"""Reading an archive, and finding what was changed in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound, Unavailable
from workspace_ext.inquiry.archive import auditor
from workspace_ext.inquiry.archive.container import (
    ABOUT,
    FORMAT,
    LEDGER,
    QUERIES,
    VERSION,
    Manifest,
)
from workspace_ext.inquiry.investigations.fold import fold
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry


class Archive:
    """An archive to read, zipped or extracted to a folder. Use it as a context.

    Args:
        path: Where it is.

    Raises:
        NotFound: There is nothing.
        BadInput: It is no archive.
        Conflict: A newer version wrote it.
        Damaged: What it says of itself cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._bag = auditor.Bag(path)
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {path}", hint="check the path") from error
        except OSError as error:
            raise Unavailable(
                f"cannot read {path}: {error.strerror or error}",
                hint="check the file and its permissions",
            ) from error
        except (auditor.NotABag, struct.error) as error:
            raise self._not_an_archive(str(error)) from error
        self._aside: set[str] = set()
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._bag.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._bag.close()

    @contextmanager
    def understood(self) -> Iterator[None]:
        """What its parts say is read within: they may be whole, and say nonsense.

        Raises:
            Damaged: They do.
        """
        try:
            yield
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"what it says cannot be understood: {error!r}") from error

    def _not_an_archive(self, what: str) -> BadInput:
        return BadInput(
            f"{self.path} is {what}, not an archive of an investigation",
            hint="give a file that `jupyter investigation archive` wrote",
            code="not_an_archive",
        )

    def _damaged(self, what: str) -> Damaged:
        return Damaged(
            f"{self.path}: {what}",
            hint="get the archive again; `jupyter investigation verify` names all that is wrong",
            code="damaged_archive",
        )

    def _read_manifest(self) -> Manifest:
        if not self.has(ABOUT):
            raise self._not_an_archive("another bag")
        content = self.read_json(ABOUT)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise self._not_an_archive("another bag")
        version = content.get("version")
        if isinstance(version, int) and version > VERSION:
            raise Conflict(
                f"{self.path} was written by a newer version",
                hint="upgrade investigation-workspace",
                code="newer_archive",
            )
        try:
            return Manifest.parse(content)
        except (AttributeError, KeyError, TypeError) as error:
            raise self._damaged(f"{ABOUT} cannot be understood: {error}") from error

    def has(self, path: str) -> bool:
        """Whether a part is there, and not set aside."""
        return auditor.PAYLOAD + path in self._bag.names and path not in self._aside

    def set_aside(self, paths: Iterable[str]) -> None:
        """Counts some parts as missing from now on, because they are damaged."""
        self._aside.update(paths)

    def read(self, path: str) -> bytes:
        """A part's bytes.

        Raises:
            Damaged: It is missing, cannot be unpacked, or is larger than any such part.
        """
        try:
            return self._bag.read(auditor.PAYLOAD + path)
        except KeyError as error:
            raise self._damaged(f"{path} is missing") from error
        except auditor.UNREADABLE as error:
            raise self._damaged(f"{path} cannot be unpacked: {error}") from error

    def read_json(self, path: str) -> Any:
        """A part that is JSON.

        Raises:
            Damaged: It is missing or no JSON.
        """
        try:
            return json.loads(self.read(path))
        except ValueError as error:
            raise self._damaged(f"{path} is not JSON") from error

    def extract(self, path: str, target: Path) -> None:
        """Unpacks a part into a file.

        Raises:
            Damaged: It cannot be unpacked.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for block in self._unpacked(path):
                file.write(block)

    def ledger(self) -> list[LedgerEntry]:
        """The entries of the chain.

        Raises:
            Damaged: A line is no entry.
        """
        entries: list[LedgerEntry] = []
        for number, line in enumerate(self.read(LEDGER).splitlines(), start=1):
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise self._damaged(f"{LEDGER} line {number} is not JSON") from error
            if not isinstance(entry, dict):
                raise self._damaged(f"{LEDGER} line {number} is no entry")
            entries.append(cast("LedgerEntry", entry))
        return entries

    def state(self) -> InvestigationState:
        """What its ledger makes of the investigation.

        Raises:
            Damaged: Nothing.
        """
        state = fold(self.ledger())
        if state is None:
            raise self._damaged("its ledger does not begin with an investigation")
        return state

    def queries(self) -> list[QueryRecord]:
        """The recorded queries, in the order asked.

        Raises:
            Damaged: They cannot be read.
        """
        known = {part.name for part in fields(QueryRecord)}
        return [
            QueryRecord(**{name: value for name, value in found.items() if name in known})
            for found in self.read_json(QUERIES)
        ]

    @cached_property
    def frozen_at(self) -> str:
        """When it was made: the time of the ledger's last entry.

        Raises:
            Damaged: The ledger cannot be read.
        """
        entries = self.ledger()
        return str(entries[-1].get("time")) if entries else ""

    @cached_property
    def damaged_files(self) -> dict[str, str]:
        """What is wrong with the files of the bag, by name; empty when nothing is."""
        return auditor.damaged_files(self._bag)

    def damaged_parts(self) -> dict[str, str]:
        """What is wrong with the parts of the payload, by path; empty when nothing is."""
        frozen = {path: str(part["digest"]) for path, part in self.manifest.files.items()}
        other = auditor.other_content(self._bag, frozen)
        return dict.fromkeys(other, "is not what was frozen") | {
            name.removeprefix(auditor.PAYLOAD): what
            for name, what in self.damaged_files.items()
            if name.startswith(auditor.PAYLOAD)
        }

    def verify(self) -> list[str]:
        """Everything that is wrong: files, chain, what was frozen; empty when nothing is."""
        files = [f"{name} {what}" for name, what in sorted(self.damaged_files.items())]
        return files + auditor.content_problems(self._bag)

    def require_whole(self) -> None:
        """Does nothing.

        Raises:
            Damaged: Something was changed; it is named.
        """
        problems = self.verify()
        if problems:
            raise Damaged(
                f"{self.path} was changed: {'; '.join(problems)}",
                hint="get the archive again from where it came from",
                code="damaged_archive",
            )

    def bag_digests(self) -> dict[str, str]:
        """The SHA-256 of the bag's two manifests: all that a signature has to be over.

        Raises:
            Damaged: One cannot be read.
        """
        digests = auditor.manifest_digests(self._bag)
        if None in digests.values():
            raise self._damaged("a manifest of the bag cannot be read")
        return {name: str(digest) for name, digest in digests.items()}

    def signature(self, key: bytes | None = None) -> tuple[str, bool | None]:
        """What can be said of its signature; see `auditor.signature`.

        Raises:
            BadInput: The key given is none.
            Unavailable: The package ``cryptography`` is not installed.
        """
        try:
            return auditor.signature(self._bag, key)
        except auditor.NotAKey as error:
            raise BadInput(
                f"what was given to check the signature with is {error}",
                hint="give the public one: openssl pkey -in key.pem -pubout -out key.pub",
                code="bad_key",
            ) from error
        except ImportError as error:
            raise Unavailable(
                "checking a signature by a key needs the package cryptography",
                hint="pip install 'investigation-workspace[sign]'",
                code="no_cryptography",
            ) from error

    def _unpacked(self, path: str) -> Iterator[bytes]:
        try:
            yield from self._bag.blocks(auditor.PAYLOAD + path)
        except KeyError as error:
            raise self._damaged(f"{path} is missing") from error
        except auditor.UNREADABLE as error:
            raise self._damaged(f"{path} cannot be unpacked") from error
