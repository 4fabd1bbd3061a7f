"""What an investigation ran with: Python, platform, packages."""

from __future__ import annotations

import platform
from importlib.metadata import distributions
from typing import Any

from workspace_ext.inquiry.archive.model import Drift


def describe_environment() -> dict[str, Any]:
    """Python, platform and the version of every installed package."""
    packages = {
        found.metadata["Name"].lower().replace("_", "-"): found.version
        for found in distributions()
        if found.metadata["Name"]
    }
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items())),
    }


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
