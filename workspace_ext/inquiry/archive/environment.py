"""What an investigation ran with: Python, platform, packages."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from typing import Any

from workspace_ext.inquiry.archive.model import Drift

_NOTE = """\
# The packages of the process named in env.json, as its environment tells them, offline.
# An installed package does not know the digest of the wheel it came from. `installed-sha256` is
# taken over the lines `path,digest,size` that its RECORD has for the package's own files, sorted:
# with the wheel at hand it can be checked. An installer refuses a hash that it does not know;
# to build the environment anew, lock names and versions against an index.
"""


def describe_environment() -> dict[str, Any]:
    """Python, platform and the version of every installed package."""
    packages = {_name(found): found.version for found in _installed()}
    return {
        "of": "broker",
        "note": "of the process that answered the queries; a kernel may have others",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items())),
    }


def lock_file(version: str) -> bytes:
    """The installed packages as ``pylock.toml`` (PEP 751).

    Args:
        version: Of this program.
    """
    lines = [_NOTE, 'lock-version = "1.0"']
    lines.append(f"created-by = {json.dumps(f'investigation-workspace {version}')}")
    lines.append(f'requires-python = "=={platform.python_version()}"')
    for found in sorted(_installed(), key=_name):
        lines += ["", "[[packages]]", f"name = {json.dumps(_name(found))}"]
        lines += [f"version = {json.dumps(found.version)}", *_source(found)]
    return ("\n".join(lines) + "\n").encode()


def drift(then: dict[str, Any], now: dict[str, Any]) -> tuple[Drift, ...]:
    """What differs between two environments, Python and platform first."""
    first = ("python", "platform")
    old, new = (
        {**{name: described.get(name) for name in first}, **described.get("packages", {})}
        for described in (then, now)
    )
    names = [*first, *sorted({*old, *new} - {*first})]
    return tuple(
        Drift(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def _installed() -> Iterator[Distribution]:
    """Each package once: the one that is imported."""
    seen: set[str] = set()
    for found in distributions():
        if found.metadata["Name"] and _name(found) not in seen:
            seen.add(_name(found))
            yield found


def _name(found: Distribution) -> str:
    """The normalised name: PEP 503."""
    return re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()


def _source(found: Distribution) -> list[str]:
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    wheel, digest = _wheel(found), _files_digest(found)
    if "vcs_info" in origin:
        vcs = {"type": origin["vcs_info"]["vcs"], "url": origin["url"]}
        return [f"vcs = {_inline({**vcs, 'commit-id': origin['vcs_info']['commit_id']})}"]
    if "dir_info" in origin or wheel is None or digest is None:  # a checkout, or Debian's own
        return [f"directory = {_inline({'path': f'./{_name(found)}'})}"]
    told = f"{{name = {json.dumps(wheel)}, path = {json.dumps(f'./{wheel}')}, "
    return [f"wheels = [{told}hashes = {_inline({'installed-sha256': digest})}}}]"]


def _inline(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) + "}"


def _wheel(found: Distribution) -> str | None:
    """The name of the wheel that it was installed from, by its tags: PEP 427."""
    text = found.read_text("WHEEL") or ""
    tags = [
        line.partition(":")[2].strip().split("-") for line in text.splitlines() if "Tag:" in line
    ]
    if not tags or any(len(tag) != 3 for tag in tags):
        return None
    compressed = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = re.sub(r"[-_.]+", "_", found.metadata["Name"])
    return f"{name}-{found.version.replace('-', '_')}-{compressed}.whl"


def _files_digest(found: Distribution) -> str | None:
    lines = [
        f"{file.as_posix()},{file.hash.value},{file.size}"
        for file in found.files or ()
        if file.hash is not None and not file.as_posix().startswith("../") and _own(file.name)
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() if lines else None


def _own(name: str) -> bool:
    """Whether a file came in the wheel: an installer adds some of its own."""
    return name not in ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")
