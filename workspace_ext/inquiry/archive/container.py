"""The file: one zip whose manifest names every part with its digest.

::

    manifest.json         format, investigation, pin, ledger head, files {path: digest, bytes}
    notebook.ipynb        as it was when frozen
    ledger.jsonl          the investigation's whole chain, one entry a line
    queries.json          every captured query in full
    results/<query>.arrow results that were small enough to keep (Arrow IPC)
    slices/<table>.parquet the rows that the queries could have read, up to the pin
    templates/<area>/<name>.sql
    env.json              Python, platform, packages

The ledger's entry ``archive.created`` holds the digest over all parts but the ledger: a part
cannot be changed together with the manifest without breaking the chain as well.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from workspace_ext.foundation.canonical import PREFIX, digest_json
from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound, Unavailable
from workspace_ext.ledger.model import verify_entries
from workspace_ext.protocol.messages import LedgerEntry

FORMAT = "investigation-archive"
VERSION = 1
MANIFEST = "manifest.json"
NOTEBOOK = "notebook.ipynb"
LEDGER = "ledger.jsonl"
QUERIES = "queries.json"
ENVIRONMENT = "env.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say: its bytes depend on content alone
_BLOCK = 1 << 20


def slice_path(table: str) -> str:
    """Where a table's rows lie."""
    return f"slices/{table}.parquet"


def result_path(query: str) -> str:
    """Where a kept result lies."""
    return f"results/{query}.arrow"


def template_path(template: str) -> str:
    """Where a template lies, as a library finds it."""
    return f"templates/{template.replace('.', '/')}.sql"


@dataclass(frozen=True)
class Manifest:
    """What an archive says about itself."""

    investigation: str
    title: str
    pin: int
    frozen_at: str
    head: str
    seq: int
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: str = FORMAT
    version: int = VERSION


def contents_digest(files: dict[str, dict[str, Any]]) -> str:
    """The digest over all parts but the ledger, which holds it."""
    return digest_json({path: file["digest"] for path, file in files.items() if path != LEDGER})


class ArchiveWriter:
    """Writes the parts of an archive, noting each one's digest.

    Args:
        target: A new file; whoever opened it closes it.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, path: str, content: bytes | Path) -> None:
        """Adds a part."""
        info = zipfile.ZipInfo(path, _EPOCH)
        info.external_attr = 0o644 << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        digest, size = sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as part:
            for block in _blocks(content):
                part.write(block)
                digest.update(block)
                size += len(block)
        self.files[path] = {"digest": PREFIX + digest.hexdigest(), "bytes": size}

    def add_json(self, path: str, value: Any) -> None:
        """Adds a part that is JSON for people to read too."""
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
        self.add(path, (text + "\n").encode())

    def finish(self, manifest: Manifest) -> None:
        """Writes the manifest and the zip's own index."""
        content = {**asdict(manifest), "files": self.files}
        self.add_json(MANIFEST, content)
        self._zip.close()


def _blocks(content: bytes | Path) -> Any:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


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
        except (zipfile.BadZipFile, IsADirectoryError) as error:
            raise BadInput(
                f"{path} is no archive: it is not a zip file",
                hint="give a file that `jupyter investigation archive` wrote",
                code="not_an_archive",
            ) from error
        except OSError as error:
            raise Unavailable(f"cannot read {path}: {error}", hint="check the file") from error
        self.manifest = self._read_manifest()
        self._aside: set[str] = set()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _read_manifest(self) -> Manifest:
        if MANIFEST not in self._zip.namelist():
            raise BadInput(
                f"{self.path} is a zip file, but no archive of an investigation",
                hint="give a file that `jupyter investigation archive` wrote",
                code="not_an_archive",
            )
        try:
            content = json.loads(self._zip.read(MANIFEST))
            newer = int(content["version"]) > VERSION
            manifest = None if newer else Manifest(**content)
        except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise Damaged(
                f"{self.path}: {MANIFEST} cannot be read: {error}",
                hint="get the archive again from where it came from",
                code="damaged_archive",
            ) from error
        if manifest is None:
            raise Conflict(
                f"{self.path} was written by a newer version",
                hint="upgrade investigation-workspace",
                code="newer_archive",
            )
        return manifest

    def has(self, path: str) -> bool:
        """Whether a part is there, and not set aside."""
        return path in self._zip.NameToInfo and path not in self._aside

    def set_aside(self, paths: Iterable[str]) -> None:
        """Counts some parts as missing from now on, because they are damaged."""
        self._aside.update(paths)

    def read(self, path: str) -> bytes:
        """A part's bytes.

        Raises:
            Damaged: It is missing or cannot be unpacked.
        """
        try:
            return self._zip.read(path)
        except (KeyError, zipfile.BadZipFile, OSError) as error:
            raise Damaged(
                f"{self.path}: {path} is missing or cannot be unpacked",
                hint="`jupyter investigation verify` names everything that is wrong",
                code="damaged_archive",
            ) from error

    def read_json(self, path: str) -> Any:
        """A part that is JSON.

        Raises:
            Damaged: It is missing or no JSON.
        """
        try:
            return json.loads(self.read(path))
        except ValueError as error:
            raise Damaged(f"{self.path}: {path} is not JSON", code="damaged_archive") from error

    def extract(self, path: str, folder: Path) -> Path:
        """Unpacks a part into a folder and says where it lies."""
        return Path(self._zip.extract(path, folder))

    def ledger(self) -> list[LedgerEntry]:
        """The entries of the chain.

        Raises:
            Damaged: A line is no JSON.
        """
        entries: list[LedgerEntry] = []
        for number, line in enumerate(self.read(LEDGER).splitlines(), start=1):
            try:
                entries.append(json.loads(line))
            except ValueError as error:
                raise Damaged(
                    f"{self.path}: {LEDGER} line {number} is not JSON", code="damaged_archive"
                ) from error
        return entries

    def damaged_parts(self) -> dict[str, str]:
        """What is wrong with the parts, by path; empty when nothing is."""
        wrong: dict[str, str] = {}
        for path, file in self.manifest.files.items():
            try:
                found = self._digest(path)
            except KeyError:
                wrong[path] = "is missing"
            except (zipfile.BadZipFile, OSError, EOFError) as error:
                wrong[path] = f"cannot be unpacked ({error})"
            else:
                if found != file.get("digest"):
                    wrong[path] = "was changed: its digest is not the one in the manifest"
        known = {*self.manifest.files, MANIFEST}
        for path in self._zip.namelist():
            if path not in known and not path.endswith("/"):
                wrong[path] = "is not in the manifest"
        return wrong

    def verify(self) -> list[str]:
        """Everything that is wrong: parts, the chain, the manifest; empty when nothing is."""
        problems = [f"{path} {what}" for path, what in self.damaged_parts().items()]
        try:
            entries = self.ledger()
        except Damaged as error:
            return [*problems, error.message]
        head = (self.manifest.seq, self.manifest.head)
        report = verify_entries(entries, stream=self.manifest.investigation, head=head)
        problems += [f"{LEDGER}: entry {found.seq} {found.what}" for found in report.problems]
        created = [entry for entry in entries if entry.get("type") == "archive.created"]
        stated = (created[-1].get("data") or {}).get("digest") if created else None
        if stated != contents_digest(self.manifest.files):
            problems.append(f"{MANIFEST} lists other parts than the ledger says were frozen")
        return problems

    def _digest(self, path: str) -> str:
        digest = sha256()
        with self._zip.open(path) as part:
            while block := part.read(_BLOCK):
                digest.update(block)
        return PREFIX + digest.hexdigest()
