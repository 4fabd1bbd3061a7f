"""What installed packages bring: entry points by group.

A checkout's own `pyproject.toml` is asked too, so that what is new in it needs no new installation.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from functools import cache
from pathlib import Path

_CHECKOUT = Path(__file__).parents[2] / "pyproject.toml"


@cache
def entry_points(group: str) -> dict[str, importlib.metadata.EntryPoint]:
    """The entry points of a group, by name; nothing is imported."""
    found = {each.name: each for each in importlib.metadata.entry_points(group=group)}
    if _CHECKOUT.is_file():
        project = tomllib.loads(_CHECKOUT.read_text("utf-8")).get("project", {})
        points = project.get("entry-points", {}).get(group, {})
        found |= {
            name: importlib.metadata.EntryPoint(name, value, group)
            for name, value in points.items()
        }
    return found
