"""The file: a BagIt bag (RFC 8493) in a zip, whose payload is an RO-Crate.

::

    investigation-<uid>/
      bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt
      verify.py                  checks all this with Python's standard library alone
      signature.dsse.json        only when it was signed
      data/
        ro-crate-metadata.json   what everything is, and which run of which cell made it
        prov.json                the same as W3C PROV: cell run, query, slice, batch, source
        investigation.json       what was frozen: pin, digests, what is missing or was redacted
        ledger.jsonl             the investigation's whole chain, one entry a line
        notebook.ipynb           as it was when frozen
        queries.json             every captured query in full
        results/<query>.arrow    results that were small enough to keep (Arrow IPC)
        slices/<table>.parquet   the rows that the queries could see
        templates/<version>/<area>/<name>.sql
        templates/<version>-<digest>/…  other texts that were used under the same version
        scripts/<digest>.py      Python files beside the notebook that cells used, as they were
        env.json pylock.toml     Python, platform, packages
        redaction.json           what was taken out, by rule and file

The ledger's last entry, ``archive.created``, holds the digest of ``investigation.json``, which
holds those of all parts frozen. The ledger itself and what is derived from it
(``ro-crate-metadata.json``, ``prov.json``) are in the bag's manifests only.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from workspace_ext.foundation.canonical import PREFIX
from workspace_ext.inquiry.archive import auditor
from workspace_ext.protocol.messages import TemplateRef

FORMAT = "investigation-archive"
VERSION = 1
ABOUT = "investigation.json"
NOTEBOOK = "notebook.ipynb"
LEDGER = "ledger.jsonl"
QUERIES = "queries.json"
ENVIRONMENT = "env.json"
LOCK = "pylock.toml"
REDACTION = "redaction.json"
PROVENANCE = "prov.json"
CRATE = "ro-crate-metadata.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say: its bytes depend on content alone
_UNIX = 3
_BLOCK = 1 << 20
TEXT = re.compile(r"templates/\d+/\w+/\w+\.sql")
OTHER_TEXT = re.compile(r"templates/\d+-[0-9a-f]{16}/\w+/\w+\.sql")
SCRIPT = ".py"
"""How the names of scripts end, among the files that cells read."""

_LONGEST = 1000, 255  # a whole name, and each part of it in bytes
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def slice_path(table: str) -> str:
    """Where a table's rows lie."""
    return f"slices/{table}.parquet"


def result_path(query: str) -> str:
    """Where a kept result lies."""
    return f"results/{query}.arrow"


def template_path(template: str, version: int, digest: str = "") -> str:
    """Where a version of a template lies, as a library finds it.

    A version that was edited while it was used has several texts: the first used lies here, the
    others under their digest.
    """
    folder = f"{version}-{digest.removeprefix(PREFIX)[:16]}" if digest else str(version)
    return f"templates/{folder}/{template.replace('.', '/')}.sql"


def text_path(files: Container[str], used: TemplateRef) -> str:
    """Where the very text lies that a query used, of those that have its version."""
    other = template_path(used["id"], used["version"], used["digest"])
    return other if other in files else template_path(used["id"], used["version"])


def script_path(digest: str) -> str:
    """Where the text of a script lies, of the digest that it had when it was used."""
    return f"scripts/{digest.removeprefix(PREFIX)[:16]}{SCRIPT}"


def beside(name: str) -> Path | None:
    """The place of a script from the notebook's folder on; None when it would lie elsewhere."""
    longest, longest_part = _LONGEST
    parts = name.split("/")
    plain = name.isprintable() and len(name) <= longest and not {"\\", ":"} & set(name)
    if not plain or {"", ".", ".."} & set(parts):
        return None
    if any(len(part.encode()) > longest_part for part in parts):
        return None
    files = [part.endswith(SCRIPT) for part in parts]
    return Path(*parts) if files[-1] and not any(files[:-1]) else None


def bag_name(investigation: str) -> str:
    """The folder at the top of an investigation's archive."""
    return f"investigation-{_UNSAFE.sub('-', investigation)}"


@dataclass(frozen=True)
class Redacted:
    """What the redaction took out, as a replay has to know it.

    Attributes:
        entries: Entries of the ledger, by number: the ``digest`` of what is left of the entry,
            and whether its ``header`` was changed as well as its payload.
        cells: The uids of cells whose code was changed.
        queries: The ids of queries whose record or kept result was changed.
        columns: The columns of which some values were changed, by table.
        scripts: The paths of scripts whose text was changed.
    """

    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What was frozen.

    Attributes:
        investigation: Its uid.
        title: Its title.
        pin: Its pin when it was frozen.
        missing: What should be in it and is not, by path: why.
        capped: Slices that hold less than was read, by path: ``rows`` of how many (``of``), and
            the time up to which they are whole (``until``, RFC 3339; None: no time is).
        redacted: What was taken out.
        unreviewed: The scripts that nobody had looked through, in words.
        files: Digest and size of each part frozen, by path.
        format: Tells such archives from other bags.
        version: Of the format.
    """

    investigation: str
    title: str
    pin: int
    missing: Mapping[str, str] = field(default_factory=dict)
    capped: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    redacted: Redacted = field(default_factory=Redacted)
    unreviewed: tuple[str, ...] = ()
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: str = FORMAT
    version: int = VERSION

    def content(self) -> bytes:
        """The bytes of ``investigation.json``; the ledger holds their digest."""
        return readable_json(asdict(self))

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Manifest:
        """From JSON.

        Raises:
            TypeError: Something in it is missing, unknown, or of the wrong type.
        """
        redacted = Redacted(**content["redacted"])
        columns = {table: tuple(names) for table, names in redacted.columns.items()}
        redacted = replace(
            redacted,
            cells=tuple(redacted.cells),
            queries=tuple(redacted.queries),
            columns=columns,
            scripts=tuple(redacted.scripts),
        )
        unreviewed = tuple(map(str, content.get("unreviewed", ())))
        manifest = cls(**{**content, "redacted": redacted, "unreviewed": unreviewed})
        for part in manifest.files.values():
            if not (isinstance(part.get("digest"), str) and isinstance(part.get("bytes"), int)):
                raise TypeError("a part without digest or size")
        maps = (manifest.missing, manifest.capped, *asdict(manifest.redacted).values())
        if not isinstance(manifest.pin, int) or not all(isinstance(m, dict | tuple) for m in maps):
            raise TypeError("something is of the wrong type")
        return manifest


def readable_json(value: Any) -> bytes:
    """JSON for people to read too; equal values give equal bytes."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


class ArchiveWriter:
    """Writes the parts of an archive, noting each one's digest.

    Args:
        target: A new file; whoever opened it closes it.
        investigation: The uid of what is archived.
    """

    def __init__(self, target: BinaryIO, investigation: str) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
        self._top = f"{bag_name(investigation)}/"
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, path: str, content: bytes | Path) -> None:
        """Adds a part of the payload."""
        digest, size = self._write(auditor.PAYLOAD + path, content)
        self.files[path] = {"digest": PREFIX + digest, "bytes": size}

    def add_json(self, path: str, value: Any) -> None:
        """Adds a part that is JSON for people to read too."""
        self.add(path, readable_json(value))

    def finish(self, info: Mapping[str, str]) -> None:
        """Writes what makes a bag of it, and the zip's own index.

        Args:
            info: What ``bag-info.txt`` says beside the size; RFC 8493 2.2.2 tells the labels.
        """
        octets = sum(part["bytes"] for part in self.files.values())
        told = {**info, "Payload-Oxum": f"{octets}.{len(self.files)}"}
        tags = {
            "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "bag-info.txt": "".join(
                f"{label}: {' '.join(text.split())}\n" for label, text in sorted(told.items())
            ).encode(),
            "verify.py": Path(auditor.__file__).read_bytes(),
            auditor.MANIFEST: _listing(
                {
                    auditor.PAYLOAD + path: part["digest"].removeprefix(PREFIX)
                    for path, part in self.files.items()
                }
            ),
        }
        digests = {name: self._write(name, content)[0] for name, content in tags.items()}
        self._write(auditor.TAG_MANIFEST, _listing(digests))
        self._zip.close()

    def _write(self, name: str, content: bytes | Path) -> tuple[str, int]:
        digest, size = sha256(), 0
        with self._zip.open(part_info(self._top + name), "w", force_zip64=True) as part:
            for block in _blocks(content):
                part.write(block)
                digest.update(block)
                size += len(block)
        return digest.hexdigest(), size


def part_info(name: str) -> zipfile.ZipInfo:
    """How a file stands in the zip: nothing of it depends on when and where it was written."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = _UNIX
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _listing(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
