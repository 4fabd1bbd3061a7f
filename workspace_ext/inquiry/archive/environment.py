"""What an investigation ran with, as its archive tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace_ext.foundation.environment import describe_environment, lock_file
from workspace_ext.inquiry.archive.model import Drift

_FIRST = ("python", "platform")
_OF_BROKER = "of the process that answered the queries: no kernel told of its own"
_OF_BOTH = "of the kernel that ran the cells, and of the process that answered the queries"
_OF_KERNEL = "of the kernel that ran the cells; broker has what differs where queries were answered"


def environment_files(kernel: Mapping[str, Any] | None, others: int) -> tuple[dict[str, Any], str]:
    """The content of ``env.json`` and of ``pylock.toml``.

    Args:
        kernel: What the kernel told that was started last: ``python``, ``platform``, ``packages``
            and ``lock``; None when none did.
        others: How many other environments kernels told of before.
    """
    own = describe_environment()
    if kernel is None:
        return {"of": "broker", "note": _OF_BROKER, **own}, lock_file()
    told = {name: kernel[name] for name in own}
    if others:
        told["others"] = f"{others} other environments of kernels that were started before"
    differs = drift(own, kernel)
    if not differs:
        return {"of": "kernel and broker", "note": _OF_BOTH, **told}, str(kernel["lock"])
    broker = {each.package: each.then for each in differs}
    return {"of": "kernel", "note": _OF_KERNEL, **told, "broker": broker}, str(kernel["lock"])


def drift(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Drift, ...]:
    """What differs between two environments, Python and platform first."""
    old, new = (
        {**{name: described.get(name) for name in _FIRST}, **described.get("packages", {})}
        for described in (then, now)
    )
    names = [*_FIRST, *sorted({*old, *new} - {*_FIRST})]
    return tuple(
        Drift(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )
