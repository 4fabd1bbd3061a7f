"""The file: one zip whose manifest names every part with its digest.

::

    manifest.json         format, investigation, pin, ledger head, files {path: digest, bytes}
    notebook.ipynb        as it was when frozen
    ledger.jsonl          the investigation's whole chain, one entry a line
    queries.json          every captured query in full
    results/<query>.arrow results that were small enough to keep (Arrow IPC)
    slices/<table>.parquet the rows that the queries could have read, up to the pin
    templates/<version>/<area>/<name>.sql
    env.json              Python, platform, packages

The ledger's last entry, ``archive.created``, holds a digest over the manifest and by it over all
parts but the ledger: neither can be changed without breaking the chain as well.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from workspace_ext.foundation.canonical import PREFIX, digest_json

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


def template_path(template: str, version: int) -> str:
    """Where a version of a template lies, as a library finds it."""
    return f"templates/{version}/{template.replace('.', '/')}.sql"


@dataclass(frozen=True)
class Manifest:
    """What an archive says about itself.

    Attributes:
        investigation: Its uid.
        title: Its title.
        pin: Its pin when it was frozen.
        frozen_at: When that was.
        missing: What should be in it and is not, by path: why.
        head: The hash of the ledger's last entry.
        seq: The number of that entry.
        files: Digest and size of each part, by path.
        format: Tells such archives from other zip files.
        version: Of the format.
    """

    investigation: str
    title: str
    pin: int
    frozen_at: str
    missing: dict[str, str] = field(default_factory=dict)
    head: str = ""
    seq: int = 0
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: str = FORMAT
    version: int = VERSION

    def digest(self) -> str:
        """The digest over all that it says, but for the ledger, which holds it."""
        said = asdict(self)
        del said["head"], said["seq"]
        said["files"] = {path: part for path, part in self.files.items() if path != LEDGER}
        return digest_json(said)

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Manifest:
        """From JSON.

        Raises:
            TypeError: Something in it is missing, unknown, or of the wrong type.
        """
        manifest = cls(**content)
        parts = [*manifest.files.values(), {"digest": manifest.head, "bytes": manifest.seq}]
        for part in parts:
            if not (isinstance(part.get("digest"), str) and isinstance(part.get("bytes"), int)):
                raise TypeError("a part without digest or size")
        if not isinstance(manifest.pin, int) or not isinstance(manifest.missing, dict):
            raise TypeError("pin or missing is of the wrong type")
        return manifest


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
        """Writes the manifest, with all parts added, and the zip's own index."""
        self.add_json(MANIFEST, {**asdict(manifest), "files": self.files})
        self._zip.close()


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
