"""What a process runs with: Python, platform, packages."""

from __future__ import annotations

import csv
import hashlib
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from typing import Any

_NOTE = """\
# The packages of what env.json describes, as its environment tells them, offline.
# An installed package does not know the digest of the wheel it came from. `installed-sha256` is
# taken over the lines `path,digest,size` that its RECORD has for the package's own files, sorted:
# with the wheel at hand it can be checked. An installer refuses a hash that it does not know;
# to build the environment anew, lock names and versions against an index.
"""
_OURS = "investigation-workspace"
_ADDED = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"})


def describe_environment() -> dict[str, Any]:
    """Python, platform and the version of every installed package, of this process."""
    packages = {name: found.version for name, found in _installed().items()}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
    }


def lock_file() -> str:
    """The installed packages as ``pylock.toml`` (PEP 751)."""
    lines = [_NOTE, 'lock-version = "1.0"']
    ours = _installed().get(_OURS)
    lines.append(f"created-by = {json.dumps(f'{_OURS} {ours.version}' if ours else _OURS)}")
    lines.append(f'requires-python = "=={platform.python_version()}"')
    for name, found in _installed().items():
        lines += ["", "[[packages]]", f"name = {json.dumps(name)}"]
        lines += [f"version = {json.dumps(found.version)}", *_source(name, found)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Package:
    """An installed package: what is asked of it more than once is read but once."""

    name: str
    version: str
    installed: Distribution


@cache
def _installed() -> dict[str, _Package]:
    """Each package by its normalised name (PEP 503), the one that is imported.

    A process keeps the packages that it began with.
    """
    packages: dict[str, _Package] = {}
    for found in distributions():
        about = found.metadata
        name = about["Name"]
        if name:
            package = _Package(name, about["Version"] or "0", found)
            packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), package)
    return dict(sorted(packages.items()))


def _source(name: str, package: _Package) -> list[str]:
    origin = json.loads(package.installed.read_text("direct_url.json") or "{}")
    wheel, digest = _wheel(package), _files_digest(package)
    if "vcs_info" in origin:
        vcs = {"type": origin["vcs_info"]["vcs"], "url": origin["url"]}
        return [f"vcs = {_inline({**vcs, 'commit-id': origin['vcs_info']['commit_id']})}"]
    if "dir_info" in origin or wheel is None or digest is None:  # a checkout, or Debian's own
        return [f"directory = {_inline({'path': f'./{name}'})}"]
    told = f"{{name = {json.dumps(wheel)}, path = {json.dumps(f'./{wheel}')}, "
    return [f"wheels = [{told}hashes = {_inline({'installed-sha256': digest})}}}]"]


def _inline(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) + "}"


def _wheel(package: _Package) -> str | None:
    """The name of the wheel that it was installed from, by its tags: PEP 427."""
    text = package.installed.read_text("WHEEL") or ""
    lines = [line for line in text.splitlines() if line.startswith("Tag:")]
    tags = [line.partition(":")[2].strip().split("-") for line in lines]
    if not tags or any(len(tag) != 3 for tag in tags):
        return None
    compressed = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = re.sub(r"[-_.]+", "_", package.name)
    return f"{name}-{package.version.replace('-', '_')}-{compressed}.whl"


def _files_digest(package: _Package) -> str | None:
    """The digest over the files that came in the wheel: an installer adds some of its own."""
    rows = csv.reader((package.installed.read_text("RECORD") or "").splitlines())
    lines = [
        ",".join(row)
        for row in rows
        if len(row) == 3 and row[1] and not row[0].startswith("../")
        if row[0].rpartition("/")[2] not in _ADDED
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() if lines else None
