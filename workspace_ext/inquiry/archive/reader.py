"""Reading an archive, and finding what was changed in it."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from workspace_ext.foundation.canonical import PREFIX
from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound, Unavailable
from workspace_ext.inquiry.archive.container import FORMAT, LEDGER, MANIFEST, VERSION, Manifest
from workspace_ext.ledger.model import verify_entries
from workspace_ext.protocol.messages import LedgerEntry

_BLOCK = 1 << 20
_MOST_IN_MEMORY = 1 << 30
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)


class Archive:
    """An archive to read. Use it as a context.

    Args:
        path: The file.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no archive.
        Conflict: A newer version wrote it.
        Damaged: Its manifest cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {path}", hint="check the path") from error
        except IsADirectoryError as error:
            raise self._not_an_archive("a folder") from error
        except OSError as error:
            raise Unavailable(
                f"cannot read {path}: {error.strerror or error}",
                hint="check the file and its permissions",
            ) from error
        except (zipfile.BadZipFile, ValueError, RuntimeError, struct.error) as error:
            raise self._not_an_archive("no zip file") from error
        self._aside: set[str] = set()
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

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
        if not self.has(MANIFEST):
            raise self._not_an_archive("another zip file")
        content = self.read_json(MANIFEST)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise self._not_an_archive("another zip file")
        version = content.get("version")
        if isinstance(version, int) and version > VERSION:
            raise Conflict(
                f"{self.path} was written by a newer version",
                hint="upgrade investigation-workspace",
                code="newer_archive",
            )
        try:
            return Manifest.parse(content)
        except (AttributeError, TypeError) as error:
            raise self._damaged(f"{MANIFEST} cannot be understood: {error}") from error

    def has(self, path: str) -> bool:
        """Whether a part is there, and not set aside."""
        return path in self._zip.NameToInfo and path not in self._aside

    def set_aside(self, paths: Iterable[str]) -> None:
        """Counts some parts as missing from now on, because they are damaged."""
        self._aside.update(paths)

    def read(self, path: str) -> bytes:
        """A part's bytes.

        Raises:
            Damaged: It is missing, cannot be unpacked, or is larger than any such part.
        """
        try:
            if self._zip.getinfo(path).file_size > _MOST_IN_MEMORY:
                raise self._damaged(f"{path} is too large")
            return self._zip.read(path)
        except KeyError as error:
            raise self._damaged(f"{path} is missing") from error
        except _UNREADABLE as error:
            raise self._damaged(f"{path} cannot be unpacked") from error

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

    def damaged_parts(self) -> dict[str, str]:
        """What is wrong with the parts, by path; empty when nothing is."""
        wrong: dict[str, str] = {}
        for path, part in self.manifest.files.items():
            found = self._zip.NameToInfo.get(path)
            if found is None:
                wrong[path] = "is missing"
            elif found.file_size != part["bytes"]:
                wrong[path] = "was changed: its size is not the one in the manifest"
            else:
                wrong.update(self._other_content(path, part["digest"]))
        names = [name for name in self._zip.namelist() if not name.endswith("/")]
        for path, times in Counter(names).items():
            if times > 1:
                wrong[path] = f"is there {times} times"
            elif path not in self.manifest.files and path != MANIFEST:
                wrong[path] = "is not in the manifest"
        return wrong

    def verify(self) -> list[str]:
        """Everything that is wrong: parts, the chain, the manifest; empty when nothing is."""
        problems = [f"{path} {what}" for path, what in self.damaged_parts().items()]
        try:
            entries = self.ledger()
        except Damaged as error:
            return [*problems, error.message.removeprefix(f"{self.path}: ")]
        head = (self.manifest.seq, self.manifest.head)
        report = verify_entries(entries, stream=self.manifest.investigation, head=head)
        problems += [f"{LEDGER}: entry {found.seq} {found.what}" for found in report.problems]
        last: dict[str, Any] = dict(entries[-1]) if entries else {}
        if last.get("type") != "archive.created" or last.get("seq") != self.manifest.seq:
            problems.append(f"{LEDGER} does not end with the making of this archive")
        elif (last.get("data") or {}).get("digest") != self.manifest.digest():
            problems.append(f"{MANIFEST} says something else than the ledger says was frozen")
        return problems

    def _other_content(self, path: str, expected: str) -> dict[str, str]:
        digest = sha256()
        try:
            for block in self._unpacked(path):
                digest.update(block)
        except Damaged:
            return {path: "cannot be unpacked"}
        if PREFIX + digest.hexdigest() == expected:
            return {}
        return {path: "was changed: its digest is not the one in the manifest"}

    def _unpacked(self, path: str) -> Iterator[bytes]:
        try:
            with self._zip.open(path) as part:
                while block := part.read(_BLOCK):
                    yield block
        except _UNREADABLE as error:
            raise self._damaged(f"{path} cannot be unpacked") from error
