"""The steps there are: every function that an installed package names as an entry point."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import workspace_ext
from workspace_ext.foundation.entries import entry_points
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.hints import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    Function = Callable[[pa.Table, Mapping[str, Any]], pa.Table]

GROUP = "investigation_workspace.steps"


@dataclass(frozen=True)
class Step:
    """A step, loaded."""

    name: str
    function: Function


def names() -> tuple[str, ...]:
    """The names of all steps; none is imported."""
    return tuple(sorted(entry_points(GROUP)))


@cache
def version(name: str) -> str:
    """Which package brings a step, and in which version, as in ``acme-steps 1.2``."""
    point = _point(name)
    if point.dist is not None:
        return f"{point.dist.name} {point.dist.version}"
    return f"investigation-workspace {workspace_ext.__version__}"


@cache
def find(name: str) -> Step:
    """A step by its name.

    Raises:
        NotFound: No installed package brings it.
        BadInput: It cannot be loaded, or is no function.
    """
    point = _point(name)
    try:
        function = point.load()
    except Exception as error:
        raise _unusable(name, point.value, str(error)) from error
    if not callable(function):
        raise _unusable(name, point.value, "it is no function")
    return Step(name, function)


def _point(name: str) -> importlib.metadata.EntryPoint:
    point = entry_points(GROUP).get(name)
    if point is None:
        raise NotFound(
            f"there is no step {name!r} in the installed packages",
            hint=did_you_mean(name, names()),
            code="unknown_step",
        )
    return point


def _unusable(name: str, value: str, why: str) -> BadInput:
    return BadInput(
        f"the step {name} ({value}) cannot be loaded: {why}",
        hint="update or remove the package that brings it",
        code="bad_step",
    )
